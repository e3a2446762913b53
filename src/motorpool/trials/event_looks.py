"""Trials that end at a cut of the data, and looks that come after so many events of the first endpoint.

The information of a look is its number of events over the planned one. A trial that ends with fewer events than
planned, since everybody has been followed, spends at its end what is left of the error; its last boundary counts on
the events that there are.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.boundaries import Boundaries, spending_boundaries
from motorpool.trials.adjusted import after_looks
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analysis import analyse, benefit_sign
from motorpool.trials.data_cut import as_of, cut_dates, due, entered, event_dates, events_by
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import EFFICACY, FUTILITY, Adjusted, Ended, chosen
from motorpool.trials.looks import futility_z
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]


def look_events(design: TrialDesign) -> tuple[int, ...]:
    """After how many events each look comes; none without looks."""
    if design.interims is None or design.data_cut is None or design.data_cut.events is None:
        return ()
    return tuple(math.ceil(share * design.data_cut.events - 1e-9) for share in design.interims.information)


@functools.lru_cache(maxsize=512)
def event_boundaries(
    shape: str, looks: tuple[int, ...], planned: int, found: int, alpha: float
) -> Boundaries | None:
    """Boundaries at looks after so many events, and at the end; None where no trial stops early for efficacy.

    Args:
        shape: of the spending function.
        looks: events at the looks that take place, rising and below `found`.
        planned: events at which the last analysis was planned; of them the error spent at looks is a function.
        found: events at the last analysis, at most as many.
        alpha: one-sided error.
    """
    if shape == "none" or not looks:
        return None
    information = [events / found for events in looks] + [1.0]
    spending = [events / planned for events in looks] + [1.0]
    return spending_boundaries(shape, information, alpha, spending_time=spending)  # type: ignore[arg-type]


def ended_by_cut(data: TrialData, alpha: float) -> Ended:
    """Follow a trial to its cut of the data, with looks after so many events where it has any; `alpha` is two-sided."""
    design = data.design
    endpoint = design.endpoints[0]
    timed = endpoint.measure == "time_to_event"
    rows = np.arange(len(data.replicates))
    dates = event_dates(data) if timed else np.full((rows.size, 1), np.inf)
    last = cut_dates(data, dates)
    found = events_by(dates, last)
    looks = look_events(design)
    times = [np.minimum(dates[:, events - 1], last) for events in looks] + [last]
    first: dict[str, tuple[Estimate, Array]] = {}
    adjusted: dict[str, Adjusted] = {}
    look, stopped = np.full(rows.size, len(looks)), np.zeros(rows.size, np.int64)
    for arm in design.test_arms:
        estimates = [_at(data, arm, months) for months in times]
        if not looks:
            first[arm] = estimates[0], estimates[0].p_value_two_sided < alpha
            continue
        look, stopped, significant = _followed(design, estimates, found, looks, alpha)
        naive = chosen(estimates, look)
        first[arm] = naive, significant
        adjusted[arm] = _adjusted(design, naive, look, found, looks, alpha)
    cut = np.stack(times)[look, rows]
    number = np.maximum(entered(data, cut), 1)
    facts = {"events": events_by(dates, cut).astype(float)} if timed else {}
    size = np.full(rows.size, design.patients)
    return Ended(number, size, look, stopped, first, facts, adjusted, cut)


def _at(data: TrialData, arm: str, months: Array) -> Estimate:
    endpoint = data.design.endpoints[0]
    return analyse(as_of(data, months), endpoint, arm, among=due(data, endpoint, months))


def _plan(
    design: TrialDesign, found: int, looks: tuple[int, ...], alpha: float
) -> tuple[int, Boundaries | None, float, Array | None]:
    """Looks that take place with so many events at the end, their boundaries, the last one, and those of futility."""
    interims, rule = design.interims, design.data_cut
    assert interims is not None and rule is not None and rule.events is not None
    taken = tuple(events for events in looks if events < found)
    whole = event_boundaries(interims.efficacy, looks, rule.events, rule.events, alpha / 2.0)
    mine = event_boundaries(interims.efficacy, taken, rule.events, max(found, 1), alpha / 2.0)
    fixed = float(norm.isf(alpha / 2.0))
    # Whether to go on is decided at the look, when it is not known yet that events will be fewer.
    planned_z = fixed if whole is None else float(whole.efficacy_z[-1])
    futile = futility_z(interims, [events / rule.events for events in taken], planned_z)
    return len(taken), mine, fixed if mine is None else float(mine.efficacy_z[-1]), futile


def _followed(
    design: TrialDesign, estimates: list[Estimate], found: Array, looks: tuple[int, ...], alpha: float
) -> tuple[Array, Array, Array]:
    """Look at which each replicate ends, why, and whether it is significant."""
    sign = benefit_sign(design.endpoints[0])
    z = sign * np.stack([one.normal_statistic for one in estimates])
    look, stopped = np.full(found.size, len(looks)), np.zeros(found.size, np.int64)
    significant = np.zeros(found.size, bool)
    for events in np.unique(found):
        rows = np.flatnonzero(found == events)
        count, boundaries, last_z, futile = _plan(design, int(events), looks, alpha)
        significant[rows] = np.abs(z[-1, rows]) >= last_z
        for place in reversed(range(count)):
            mine = z[place, rows]
            if futile is not None:
                ends = rows[mine < futile[place]]
                look[ends], stopped[ends], significant[ends] = place, FUTILITY, False
            if boundaries is not None:
                ends = rows[np.abs(mine) >= boundaries.efficacy_z[place]]
                look[ends], stopped[ends], significant[ends] = place, EFFICACY, True
    return look, stopped, significant


def _adjusted(
    design: TrialDesign, naive: Estimate, look: Array, found: Array, looks: tuple[int, ...], alpha: float
) -> Adjusted:
    """Median unbiased estimates by the stage-wise ordering, with the boundaries that each replicate had."""
    values = {name: np.full(found.size, np.nan) for name in ("estimate", "low", "high")}
    sign = benefit_sign(design.endpoints[0])
    names = [field.name for field in dataclasses.fields(Estimate)]
    for events in np.unique(found):
        rows = np.flatnonzero(found == events)
        count, boundaries, _, futile = _plan(design, int(events), looks, alpha)
        mine = Estimate(**{name: getattr(naive, name)[rows] for name in names})
        shares = [number / max(int(events), 1) for number in looks[:count]]
        own = after_looks(mine, np.minimum(look[rows], count), shares, boundaries, futile, sign)
        for name, array in values.items():
            array[rows] = getattr(own, name)
    return Adjusted(**values)
