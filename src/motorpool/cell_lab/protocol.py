"""The protocol explorer: a grid, a search, the Pareto front, regret, and how much the protocol matters at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.addon import RESEARCH_USE, assumption, main_outcome, manifest
from motorpool.cell_lab.errors import CellLabError, not_one_of
from motorpool.cell_lab.measures import Measure, measures
from motorpool.cell_lab.mechanisms import Mechanisms
from motorpool.cell_lab.people import People
from motorpool.cell_lab.plan import BasePlan
from motorpool.cell_lab.prior import MEANING
from motorpool.cell_lab.protocol_search import searched
from motorpool.cell_lab.protocol_values import OBJECTIVES, SIGNS, Valuation, Value, must_have_prices
from motorpool.cell_lab.protocols import Protocol, all_axes, grid
from motorpool.evidence.cell_protocols import Level, load_protocol_axes

Tell = Callable[[str, float], None]
Array = NDArray[np.float64]
MOST_PROTOCOLS = 1000
USUAL_OBJECTIVES = ("benefit", "procedures", "adverse_events")


def explore(
    plan: BasePlan,
    mechanisms: Mechanisms,
    *,
    tell: Tell,
    axes: Mapping[str, Sequence[Level]],
    biology: int = 8,
    draws: int = 24,
    search: int = 64,
    outcome: str | None = None,
    objectives: Sequence[str] = USUAL_OBJECTIVES,
    prices: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Everything that `motorpool cells protocol` reports, as plain data.

    Args:
        plan: people and base plan; its months are the visits over which the gain is averaged.
        mechanisms: what is assumed of the five mechanisms.
        tell: called with a stage in words and the share done.
        axes: levels to compare, by axis; other axes stay as in the plan's cells.
        biology, draws: of everything but the cells, and of what is not known of cells.
        search: protocols that the optimiser tries beside the grid; 0 for none.
        outcome: whose gain is the benefit; the motor scale that fits the group where it is None.
        objectives: what the Pareto front weighs against each other.
        prices: of a user's own, by item.

    Raises:
        ScenarioError: nobody meets the criteria.
        CellLabError: an objective or outcome does not exist, the grid is too large, or a price is missing.
    """
    for name in objectives:
        if name not in OBJECTIVES:
            raise not_one_of("--objective", name, OBJECTIVES)
    if outcome is not None and outcome not in measures():
        raise not_one_of("--outcome", outcome, measures())
    whole = all_axes(axes, plan.cells)
    protocols = grid(whole)
    if len(protocols) > MOST_PROTOCOLS:
        raise CellLabError(
            f"--axis: these levels make {len(protocols)} protocols; at most {MOST_PROTOCOLS} are compared. Name fewer."
        )
    if "cost" in objectives:
        for protocol in protocols:
            must_have_prices(protocol, prices or {})
    people = People(plan, min(biology, draws))
    people.recruit_all(lambda share: tell("finding people and simulating the base plan", share))
    measure = measures()[outcome or main_outcome(people)]
    value = Valuation(
        people, mechanisms, measure, draws=draws, prices=prices or {}, must_be_priced="cost" in objectives
    )
    for place, protocol in enumerate(protocols):
        tell("comparing protocols", place / len(protocols))
        value(protocol)
    if search:
        tell("searching for better protocols", 0.0)
        searched(whole, value, objectives, search, plan.scenario.seed, lambda s: tell("searching", s))
    tell("summarising", 1.0)
    return {
        "what": "cells protocol",
        "research_use": RESEARCH_USE,
        "scenario": plan.scenario.name,
        "title": plan.scenario.title,
        "base_plan": plan.label,
        "mechanisms": mechanisms.described(),
        "assumption": assumption(mechanisms),
        "notes": list(plan.notes),
        "people": plan.scenario.cohort.patients,
        "draws": draws,
        "biology_draws": people.biology,
        "outcome": measure.id,
        "outcome_label": measure.label,
        "unit": measure.unit,
        "mcid": measure.important,
        "benefit_is": f"gain averaged over the visits at months {', '.join(f'{m:g}' for m in plan.months)}",
        "axes": {
            name: {"label": load_protocol_axes()[name].label, "levels": list(levels)}
            for name, levels in whole.items()
        },
        "objectives": list(objectives),
        **judged(value.seen, set(protocols), objectives, measure),
        "meaning": MEANING,
        "manifest": manifest(plan),
    }


def judged(
    seen: Mapping[Protocol, Value], in_grid: set[Protocol], objectives: Sequence[str], measure: Measure
) -> dict[str, Any]:
    """Every protocol with its Pareto rank and regret, and what the comparison says as a whole."""
    protocols = list(seen)
    benefit = np.stack([seen[protocol].benefit for protocol in protocols])
    regret = regrets(benefit)
    scores = np.asarray([[SIGNS[o] * seen[p].objective(o) for o in objectives] for p in protocols])
    front = not_dominated(scores)
    rows: list[dict[str, Any]] = []
    for place, protocol in enumerate(protocols):
        value = seen[protocol]
        own = benefit[place]
        rows.append(
            {
                "protocol": protocol.words(),
                "levels": protocol.settings,
                "weeks": protocol.weeks,
                "found_by": "grid" if protocol in in_grid else "search",
                "benefit_mean": float(own.mean()),
                "benefit_low_95": float(np.quantile(own, 0.025)),
                "benefit_high_95": float(np.quantile(own, 0.975)),
                "p_above_mcid": None
                if measure.important is None
                else float(np.mean(own > measure.important)),
                "p_harm": float(np.mean(own < 0.0)),
                "procedures": value.procedures,
                "adverse_events": value.adverse_events,
                "cost": value.cost,
                "mean_regret": float(regret[place].mean()),
                "largest_regret": float(regret[place].max()),
                "on_pareto_front": bool(front[place]),
            }
        )
    rows.sort(key=lambda row: (-row["benefit_mean"], row["protocol"]))
    parts = variance_parts(benefit[[protocol in in_grid for protocol in protocols]])
    no_cells = np.maximum(benefit.max(axis=0), 0.0)
    return {
        "protocols": rows,
        "no_cells": {"mean_regret": float(no_cells.mean()), "largest_regret": float(no_cells.max())},
        "variance": parts,
        "statement": statement(rows, parts, float(no_cells.mean()), f"{measure.unit} of {measure.label}"),
    }


def regrets(benefit: Array) -> Array:
    """How much less each protocol brings than the best choice under each draw, (protocol, draw); none is
    a choice too.
    """
    return np.maximum(benefit.max(axis=0), 0.0) - benefit


def not_dominated(scores: Array) -> NDArray[np.bool_]:
    """Which rows (protocol, objective; smaller is better) no other row beats in one objective without
    losing in another.
    """
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    front = NonDominatedSorting().do(scores, only_non_dominated_front=True)
    found = np.zeros(len(scores), bool)
    found[front] = True
    return found


def variance_parts(benefit: Array) -> dict[str, float]:
    """Shares of the spread of the benefit (protocol, draw) by protocol, by whether cells work, and by both together."""
    grand = benefit.mean()
    by_protocol, by_draw = benefit.mean(axis=1) - grand, benefit.mean(axis=0) - grand
    both = benefit - grand - by_protocol[:, None] - by_draw[None]
    parts = {
        "protocol": float(np.mean(by_protocol**2)),
        "whether_cells_work": float(np.mean(by_draw**2)),
        "both_together": float(np.mean(both**2)),
    }
    whole = sum(parts.values())
    return {name: (part / whole if whole > 0.0 else 0.0) for name, part in parts.items()}


def statement(
    rows: Sequence[Mapping[str, Any]], parts: Mapping[str, float], no_cells: float, unit: str
) -> str:
    """How much the choice of protocol matters against whether cells work at all, in plain words."""
    if not any(parts.values()):
        return "No protocol changes anything: under this assumption cells do nothing, whatever the protocol."
    best = rows[0]
    share = {name: round(100 * part) for name, part in parts.items()}
    low, high = (f"{best[f'benefit_{end}_95']:+.2f}" for end in ("low", "high"))
    return (
        f"What decides the benefit? {share['whether_cells_work']} % of the differences come from "
        f"whether cells work at all. "
        f"{share['protocol']} % come from the choice of protocol alone. {share['both_together']} % "
        f"come from both together: "
        f"a protocol only matters if cells work. The largest average benefit came from this "
        f"protocol: {best['protocol']}. "
        f"It brings {best['benefit_mean']:+.2f} {unit} on average. What we know allows {low} to {high}. "
        f"The chance that it does harm "
        f"on average is {100 * best['p_harm']:.0f} %. With perfect knowledge of what cells do, one "
        f"could do better than this "
        f"protocol by {best['mean_regret']:.2f}, and better than no cells by {no_cells:.2f}, on average."
    )
