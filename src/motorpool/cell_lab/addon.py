"""What cells would add to a plan: the same people with and without them, under the same luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.cell_lab.comparisons import comparisons
from motorpool.cell_lab.errors import not_one_of
from motorpool.cell_lab.events import (
    adverse_events_of_cells,
    doses_given,
    event_differences,
    procedures_added,
)
from motorpool.cell_lab.gains import Array, gain, gains_by_outcome, stacked
from motorpool.cell_lab.measures import measures, values_of
from motorpool.cell_lab.mechanisms import Mechanisms
from motorpool.cell_lab.people import Group, Lives, People
from motorpool.cell_lab.plan import BasePlan
from motorpool.cell_lab.prior import MEANING, elicited
from motorpool.cell_lab.sensitivity import sobol_shares
from motorpool.cell_lab.subgroups import by_trait
from motorpool.cell_lab.unknowns import drawn
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.evidence.parameters import load_parameter_table
from motorpool.outcomes.panel import OUTCOMES
from motorpool.therapies.courses import CellTherapy

Tell = Callable[[str, float], None]
MOST_BIOLOGY = 32  # draws of biology; draws of what is not known of cells share them
RESEARCH_USE = (
    "Research use only: a simulation on published evidence. No decision about a person should rest on it."
)


@dataclass(frozen=True)
class Asked:
    """How finely to look: draws of what is not known, and Sobol samples (0 for none)."""

    draws: int = 128
    sobol_samples: int = 64


def main_outcome(people: People) -> str:
    """The motor scale that tells most of these people: the one on which they start further from floor and ceiling."""
    base = people.group(0).base
    room: dict[str, float] = {}
    for name in ("hfmse", "chop_intend"):
        most = load_outcome_catalogue()[name].maximum
        assert most is not None
        share = base.true[0, OUTCOMES.index(name)] / most
        room[name] = float(np.minimum(share, 1.0 - share).mean())
    return max(room, key=lambda name: room[name])


def addon(
    plan: BasePlan, mechanisms: Mechanisms, asked: Asked, tell: Tell, outcome: str | None = None
) -> dict[str, Any]:
    """Everything that `motorpool cells addon` reports, as plain data.

    Args:
        plan: people, base plan and cells.
        mechanisms: what is assumed of the five mechanisms.
        asked: how finely to look.
        tell: called with a stage in words and the share done.
        outcome: the outcome for pictures, subgroups and shares; chosen for the group where it is None.

    Raises:
        ScenarioError: nobody meets the criteria.
        CellLabError: the outcome does not exist.
    """
    if outcome is not None and outcome not in measures():
        raise not_one_of("--outcome", outcome, measures())
    biology = min(asked.draws, MOST_BIOLOGY)
    people = People(plan, biology)
    people.recruit_all(lambda share: tell("finding people and simulating the base plan", share))
    with_cells, without, groups = _cells(
        people, mechanisms, asked.draws, lambda share: tell("with cells", share)
    )
    bases = [group.base for group in groups]
    gains = _gains(with_cells, without, plan)
    main = outcome or main_outcome(people)
    visit = _visit(plan)
    others, absent = comparisons(plan)
    compared: dict[str, Any] = {}
    for place, other in enumerate(others):
        tell("what else would add", place / len(others))
        lives = [other.lives(people, number) for number in range(biology)]
        base = [people.group(number).base for number in range(biology)]
        compared[other.id] = {
            "label": other.label,
            "note": other.note,
            "gain": gains_by_outcome(_gains(lives, base, plan), plan.months),
            "events": event_differences(lives, base, plan.months),
        }
    shares: dict[str, Any] | None = None
    if asked.sobol_samples and mechanisms.from_prior:
        shares = sobol_shares(
            people,
            mechanisms,
            main,
            visit,
            samples=asked.sobol_samples,
            seed=plan.scenario.seed,
            tell=lambda share: tell("which unknown matters", share),
        )
    reference = _under_reference_protocol(people, mechanisms, asked.draws, tell)
    tell("summarising", 1.0)
    return {
        "what": "cells addon",
        "research_use": RESEARCH_USE,
        "scenario": plan.scenario.name,
        "title": plan.scenario.title,
        "base_plan": plan.label,
        "cells": plan.cells.model_dump(mode="json", exclude_none=True),
        "mechanisms": mechanisms.described(),
        "assumption": assumption(mechanisms),
        "notes": list(plan.notes),
        "people": plan.scenario.cohort.patients,
        "draws": asked.draws,
        "biology_draws": biology,
        "months": list(plan.months),
        "main_outcome": main,
        "main_month": plan.months[visit],
        "outcomes": outcome_words(),
        "gain": gains_by_outcome(gains, plan.months),
        "events": event_differences(with_cells, without, plan.months),
        "adverse_events": adverse_events_of_cells(plan.cells, _doses(with_cells, bases)),
        "procedures": procedures_added(with_cells, bases),
        "by": by_trait(groups, {name: gains[name] for name in _few(main)}, visit, main),
        "comparisons": compared,
        "comparisons_absent": absent,
        "sensitivity": shares,
        "elicited_prior": elicited(),
        "emergent": emergent(gains, plan),
        "emergent_under_reference_protocol": reference,
        "manifest": manifest(plan),
    }


def _few(main: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((main, "utility", "fvc_percent", "swallowing_percent", "endurance_percent")))


def _visit(plan: BasePlan) -> int:
    """The month for pictures: twelve, or the one nearest to it."""
    return int(np.argmin(np.abs(np.asarray(plan.months) - 12.0)))


def _cells(
    people: People, mechanisms: Mechanisms, draws: int, tell: Callable[[float], None]
) -> tuple[list[Lives], list[Lives], list[Group]]:
    """Lives with and without cells and the people, draw by draw of what is not known of cells."""
    plan = people.plan
    values = drawn(draws, plan.scenario.seed)
    effects = mechanisms.effects(values)
    with_cells: list[Lives] = []
    without: list[Lives] = []
    groups: list[Group] = []
    for row in range(draws):
        tell(row / draws)
        number = row % people.biology
        own = {name: float(of[row]) for name, of in values.items()}
        lives = people.with_cells(number, plan.cells, effects[row], own)
        with_cells.append(lives)
        without.append(
            people.reference(number, plan.cells) if np.any(effects[row]) else people.group(number).base
        )
        groups.append(people.group(number))
    return with_cells, without, groups


def _doses(with_cells: list[Lives], bases: list[Lives]) -> Array:
    return np.stack([doses_given(one, base) for one, base in zip(with_cells, bases, strict=True)])


def _under_reference_protocol(
    people: People, mechanisms: Mechanisms, draws: int, tell: Tell
) -> dict[str, Any] | None:
    """The same probabilities under the protocol that the elicited prior refers to: a dose a month, for a year."""
    months = people.plan.months
    if not any(abs(month - 12.0) < 1e-9 for month in months):
        return None
    cells = reference_cells()
    again = People(people.plan.with_cells(cells), people.biology)
    again.share(people)
    with_cells, without, _ = _cells(
        again, mechanisms, draws, lambda share: tell("under the reference protocol", share)
    )
    return emergent(_gains(with_cells, without, again.plan), again.plan) | {
        "cells": cells.model_dump(mode="json", exclude_none=True)
    }


def reference_cells() -> CellTherapy:
    """Mesenchymal cells by lumbar puncture at the reference dose, one dose at every reference interval for a year."""
    hours = load_parameter_table()["cells.reference_interval_hours"].values[0]
    return CellTherapy(
        therapy="cell_therapy",
        doses=int(HOURS_PER_YEAR // hours) + 1,
        interval_weeks=hours / (7 * HOURS_PER_DAY),
        viability=1.0,
    )


def _gains(with_cells: list[Lives], without: list[Lives], plan: BasePlan) -> dict[str, Array]:
    """Gains (N, V, P) by outcome."""
    found: list[dict[str, Array]] = []
    for one, other in zip(with_cells, without, strict=True):
        treated, untreated = values_of(one, plan.months), values_of(other, plan.months)
        found.append({name: gain(treated[name], untreated[name], of) for name, of in measures().items()})
    return stacked(found)


def emergent(gains: dict[str, Array], plan: BasePlan) -> dict[str, Any]:
    """The probabilities of the elicited prior as they come out of biology in these people under this protocol."""
    visit = _visit(plan)
    means = np.nanmean(gains["hfmse"][:, visit], axis=1)
    return {
        "unit": "HFMSE points, mean gain of these people under this protocol",
        "month": plan.months[visit],
        "median": float(np.median(means)),
        "p_mean_gain_above": {
            threshold: float(np.mean(means > float(threshold)))
            for threshold in elicited()["p_mean_gain_above"]
        },
        "meaning": MEANING
        + " The effect comes out of the body's own processes and is never scaled to meet the elicited table.",
    }


def assumption(mechanisms: Mechanisms) -> str:
    """What the run rests on, in a sentence."""
    if mechanisms.nothing:
        return "Cells are assumed to do nothing: only procedures and adverse events remain."
    if not mechanisms.from_prior:
        return "A stated effect (what if). This is a result about an assumption, not about evidence."
    if any(value != "on" for value in mechanisms.settings.values()):
        return "What is assumed of the cells is what the evidence allows, with parts switched off or set by hand."
    return "What is assumed of the cells is what the published evidence allows: close to no effect, with a wide range."


def outcome_words() -> dict[str, dict[str, Any]]:
    """Names, units, direction and the difference that matters, by outcome."""
    return {
        name: {
            "label": of.label,
            "plain_language_label": of.plain_label,
            "unit": of.unit,
            "better": {1: "higher", -1: "lower", 0: "neither"}[of.direction],
            "mcid": of.important,
            "problem": of.problem,
        }
        for name, of in measures().items()
    }


def manifest(plan: BasePlan) -> dict[str, Any]:
    """Versions, hashes and numerical choices."""
    from motorpool.simulation.manifest import manifest_of

    return manifest_of(plan.scenario)
