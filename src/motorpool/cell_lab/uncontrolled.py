"""Reading the uncontrolled reports: how surprising they are without any effect, and what they do to the prior."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.addon import RESEARCH_USE, manifest
from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.people import Lives, People
from motorpool.cell_lab.plan import BASE, BasePlan, validated_cells
from motorpool.cell_lab.prior import MEANING
from motorpool.cell_lab.series import (
    READING_WORDS,
    READINGS,
    Reading,
    figure_of,
    likelihood,
    reported,
    surprise,
)
from motorpool.cell_lab.unknowns import TOTAL, drawn, mechanism_effects
from motorpool.evidence.cell_series import CellSeries, absent_series, load_cell_series
from motorpool.evidence.facts import load_facts
from motorpool.outcomes.panel import OUTCOMES
from motorpool.simulation.loading import scenario_from_data
from motorpool.therapies.kinds import CELL_MECHANISMS

Tell = Callable[[str, float], None]
Array = NDArray[np.float64]


def series_plan(series: CellSeries, people: int, seed: int) -> BasePlan:
    """The children of a series without an SMN drug, over the time of the report."""
    data: dict[str, Any] = {
        "motorpool": 1,
        "name": series.id.lower(),
        "title": series.label,
        "cohort": {"patients": people, **series.cohort},
        "arms": {BASE: {"label": "No cells", "therapies": []}},
        "comparator": BASE,
        "horizon_months": max(series.months, 1.0),
        "visits_months": [0.0, series.months],
        "care": series.care,
        "seed": seed,
    }
    cells = validated_cells({"therapy": "cell_therapy", **series.cells}, f"{series.id}: cells")
    return BasePlan(scenario_from_data(data, series.id), "No cells", cells, (series.months,), ())


def read_uncontrolled(*, people: int, draws: int, biology: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Everything that `motorpool cells uncontrolled` reports, as plain data.

    Every series is simulated in children like its own, with cells doing nothing and with cells of every draw
    of the prior.
    The draws are then weighed by the likelihood of what was reported, under three readings of the reports.

    Args:
        people: simulated children for each series and draw.
        draws, biology: of what is not known of cells, and of everything else.
        seed: of all luck.
        tell: called with a stage in words and the share done.

    Raises:
        ScenarioError: no simulated child is like those of a series.
    """
    known = load_cell_series()
    unknowns = drawn(draws, seed)
    effects = mechanism_effects(unknowns)
    of_series: dict[str, Any] = {}
    logs: dict[str, dict[str, Array]] = {}
    for place, series in enumerate(known.values()):
        group = People(series_plan(series, people, seed), min(biology, draws))

        def told(part: float, place: int = place, label: str = series.label) -> None:
            tell(f"simulating {label}", (place + part) / len(known))

        changes = _changes(group, series, effects, unknowns, told)
        reports = {name: _reports(series, changes, name, seed) for name in READINGS}
        of_series[series.id] = _described(series, changes, reports, seed)
        logs[series.id] = {name: _log_likelihoods(series, reports[name]) for name in READINGS}
    tell("summarising", 1.0)
    total = np.asarray(unknowns[TOTAL])
    return {
        "what": "cells uncontrolled",
        "research_use": RESEARCH_USE,
        "title": "Reading the uncontrolled reports",
        "people": people,
        "draws": draws,
        "biology_draws": biology,
        "series": of_series,
        "absent": absent_series(),
        "prior": _beliefs(total, effects, np.ones(draws)),
        "posterior": {name: _updated(total, effects, logs, name) for name in READINGS},
        "readings": READING_WORDS,
        "meaning": MEANING,
        "method": (
            "Importance weights on draws of the prior. Counts: the share of simulated groups with that count. Numbers: "
            "approximate Bayesian computation with a normal kernel as wide as the measurement error."
        ),
        "manifest": manifest(series_plan(next(iter(known.values())), people, seed)),
    }


@dataclasses.dataclass(frozen=True)
class _Changes:
    """Measured changes of living children by draw of biology: without cells, and under each draw of the
    cells' effect.
    """

    nothing: list[Array]
    treated: list[list[Array]]


def _changes(
    people: People,
    series: CellSeries,
    effects: Array,
    unknowns: Mapping[str, Array],
    tell: Callable[[float], None],
) -> _Changes:
    """Every belief about cells meets every draw of biology, so that luck of biology cannot pass for an effect."""
    found = _Changes([], [])
    for number in range(people.biology):
        found.nothing.append(_change(people.group(number).base, series))
    for row in range(len(effects)):
        tell(row / len(effects))
        own = {name: float(of[row]) for name, of in unknowns.items()}
        found.treated.append(
            [
                _change(people.with_cells(number, people.plan.cells, effects[row], own), series)
                for number in range(people.biology)
            ]
        )
    return found


def _change(lives: Lives, series: CellSeries) -> Array:
    row = OUTCOMES.index(series.outcome)
    change = np.asarray(lives.observed[1, row] - lives.observed[0, row], np.float64)
    return change[np.isfinite(change)]


def _reports(series: CellSeries, changes: _Changes, reading: str, seed: int) -> list[list[Array]]:
    """Simulated reports by draw of the cells and by draw of biology."""
    return [
        [_report(series, changes, reading, seed, number, row) for number in range(len(changes.nothing))]
        for row in range(len(changes.treated))
    ]


def _described(
    series: CellSeries, changes: _Changes, reports: Mapping[str, list[list[Array]]], seed: int
) -> dict[str, Any]:
    """What was reported, what children like these do without any effect, and how surprising the report is."""
    everyone = np.concatenate(changes.nothing)
    probability: dict[str, dict[str, float]] = {"without_effect": {}, "with_prior_effect": {}}
    for name in READINGS:
        none = [_report(series, changes, name, seed, number, None) for number in range(len(changes.nothing))]
        probability["without_effect"][name] = _mean([surprise(series, one) for one in none])
        prior = [surprise(series, one) for by_biology in reports[name] for one in by_biology]
        probability["with_prior_effect"][name] = _mean(prior)
    return {
        "label": series.label,
        "source": series.source,
        "children": series.children,
        "outcome": series.outcome,
        "months": series.months,
        "finding": series.finding.model_dump(mode="json"),
        "figure": figure_of(series),
        "open_label": series.open_label,
        "selected_of": series.selected_of,
        "limits": series.limits,
        "judgements": series.judgements,
        "without_cells": {
            "mean_change": float(everyone.mean()),
            "sd_of_change": float(everyone.std()),
            "largest_change_in_1000": float(np.quantile(everyone, 0.999)),
            "share_that_rises": float(np.mean(everyone > 0.0)),
            "children_simulated": int(everyone.size),
        },
        "p_at_least_as_striking": probability,
    }


def _report(
    series: CellSeries, changes: _Changes, reading: str, seed: int, number: int, row: int | None
) -> Array:
    """Simulated reports under one draw of biology and one of the cells; the same groups and hopes for
    every draw of cells.
    """
    untreated = changes.nothing[number]
    treated = untreated if row is None else changes.treated[row][number]
    if not treated.size or not untreated.size:
        return np.zeros(0)
    generator = np.random.default_rng([seed, number, zlib.crc32(f"{series.id} {reading}".encode())])
    return reported(series, treated, untreated, Reading(reading), generator)


def _log_likelihoods(series: CellSeries, reports: list[list[Array]]) -> Array:
    """Log likelihood of the report under each draw of the cells, averaged over the draws of biology, (N,)."""
    each = [_mean([likelihood(series, one) for one in by_biology]) for by_biology in reports]
    return np.log(each)


def _mean(values: list[float]) -> float:
    """Mean over the draws in which somebody was left to report on.

    Raises:
        CellLabError: nobody was left in any.
    """
    known = [value for value in values if np.isfinite(value)]
    if not known:
        raise CellLabError("no simulated child of a report lives to its end; give more --patients.")
    return float(np.mean(known))


def _updated(
    total: Array, effects: Array, logs: Mapping[str, Mapping[str, Array]], reading: str
) -> dict[str, Any]:
    """The posterior under one reading, and what moved it: the shift when each report is left out."""
    whole = np.sum([of[reading] for of in logs.values()], axis=0)
    weights = np.exp(whole - whole.max())
    belief = _beliefs(total, effects, weights)
    moved: dict[str, float] = {}
    for name in logs:
        without = whole - logs[name][reading]
        left = _beliefs(total, effects, np.exp(without - without.max()))
        moved[name] = belief["total"]["mean"] - left["total"]["mean"]
    return {**belief, "moved_by": moved}


def _beliefs(total: Array, effects: Array, weights: Array) -> dict[str, Any]:
    """Mean and 95 % interval of the total effect and of each mechanism, under weights (N,) on draws."""
    share = weights / weights.sum()
    facts = load_facts("cell_laboratory")
    points = facts.fact("hfmse_change_sd").number
    thresholds = facts.fact("elicited_hfmse_thresholds").numbers
    return {
        "total": _interval(total, share),
        "mechanisms": {
            name: _interval(effects[:, place], share) for place, name in enumerate(CELL_MECHANISMS)
        },
        "p_mean_gain_above": {f"{t:g}": float(share[total * points > t].sum()) for t in thresholds},
        "effective_draws": float(1.0 / np.sum(share**2)),
    }


def _interval(values: Array, share: Array) -> dict[str, float]:
    order = np.argsort(values, kind="stable")
    below = np.cumsum(share[order]) - 0.5 * share[order]
    low, middle, high = np.interp([0.025, 0.5, 0.975], below, values[order])
    mean = float(np.sum(share * values))
    return {
        "mean": mean,
        "median": float(middle),
        "low_95": float(low),
        "high_95": float(high),
        "sd": float(np.sqrt(np.sum(share * (values - mean) ** 2))),
    }
