"""From lives to results: values at visits, milestones and events of the patients of one arm."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.grid import last_rows
from motorpool.engine.span import Row
from motorpool.engine.watch import Watched
from motorpool.outcomes.panel import MILESTONE_INDEX
from motorpool.outcomes.ventilation_record import VentilationDefinition

VENTILATION_EVENTS = (
    "permanent_ventilation_16h_21d",
    "permanent_ventilation_16h_14d",
    "respiratory_support_6h_7d",
)
EVENTS = (
    "death",
    "niv_start",
    *VENTILATION_EVENTS,
    *(f"death_or_{name}" for name in VENTILATION_EVENTS),
    "tube_feeding",
    "spine_surgery",
    "loss_of_sitting",
    "loss_of_walking",
)


class Readout(NamedTuple):
    """Results of a block; V visits, O outcomes, M milestones, E events, G muscle groups, P patients."""

    observed: Any
    true: Any
    alive: Any
    age_years: Any
    walk_minute_m: Any
    pools: Any
    milestone_gained_age_years: Any
    milestone_lost_age_years: Any
    milestone_status: Any
    event_time_years: Any
    death_age_hours: Any


@functools.cache
def ventilation_definitions() -> tuple[VentilationDefinition, ...]:
    """The trials' definitions of permanent ventilation, from the event catalogue, in the order of the results."""
    from motorpool.evidence.outcome_catalogue import load_event_catalogue

    catalogue = load_event_catalogue()
    found: list[VentilationDefinition] = []
    for name in VENTILATION_EVENTS:
        entry = catalogue[name]
        hours, days = entry.support_hours_per_day, entry.support_days
        if hours is None or days is None:
            message = f"event {name} has no rule for hours and days in the catalogue"
            raise ValueError(message)
        at_least = days + 1 if entry.support_days_rule == "more_than" else days
        found.append(VentilationDefinition(float(hours), at_least, bool(entry.excludes_acute_reversible)))
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class VisitRows:
    """Which rows of their grids patients' visits lie between.

    ``rows`` (R, P), never falling: all rows that are needed, the last one the end of the grid. ``before``, ``after``
    (V, P): places among them of the boundaries around each visit; ``share`` (V, P): how far it lies between them.
    ``on_rows``: everybody's visits lie on the rows of the same places, so that nothing has to be looked up.
    """

    rows: NDArray[np.int32]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    share: NDArray[np.float32]
    on_rows: bool = False


def visit_rows(grid_hours: NDArray[np.int32], visit_hours: NDArray[np.int32]) -> VisitRows:
    """Rows of the grid (K, P) around visits at ages ``visit_hours`` (V, P)."""
    end = last_rows(grid_hours)
    # Boundaries are counted, all people at once: cheaper than a search for each person.
    passed = np.stack([np.count_nonzero(grid_hours <= visit, axis=0) for visit in visit_hours])
    before = np.clip(passed - 1, 0, end)
    after = np.minimum(before + 1, end)
    hours = [np.take_along_axis(grid_hours, rows, axis=0).astype(np.float64) for rows in (before, after)]
    share = np.clip((visit_hours - hours[0]) / np.maximum(hours[1] - hours[0], 1.0), 0.0, 1.0)
    on_grid = not share.any()
    wanted = np.concatenate([before, end[None]] if on_grid else [before, after, end[None]])
    visits = visit_hours.shape[0]
    if on_grid and (wanted[1:] >= wanted[:-1]).all():
        place = np.repeat(np.arange(visits)[:, None], before.shape[1], axis=1)
        return VisitRows(wanted.astype(np.int32), place, place, share.astype(np.float32), on_rows=True)
    order = np.argsort(wanted, axis=0, kind="stable")
    place = np.argsort(order, axis=0, kind="stable")
    return VisitRows(
        np.take_along_axis(wanted, order, axis=0).astype(np.int32),
        place[:visits],
        place[:visits] if on_grid else place[visits : 2 * visits],
        share.astype(np.float32),
    )


def _at(values: NDArray[Any], place: NDArray[np.int64]) -> NDArray[Any]:
    """Rows (R, ..., P) at each person's own places (V, P): (V, ..., P)."""
    shaped = place.reshape(place.shape[:1] + (1,) * (values.ndim - 2) + place.shape[1:])
    return np.take_along_axis(values, shaped, axis=0)


def _between(values: NDArray[Any], at: VisitRows) -> NDArray[Any]:
    """Rows (R, ..., P) on the line between the boundaries around each visit, (V, ..., P)."""
    if at.on_rows:
        return values[: len(at.share)] + np.zeros(
            (), values.dtype
        )  # as on a line of no length: zeros without sign
    before, after = _at(values, at.before), _at(values, at.after)
    share = at.share.reshape(at.share.shape[:1] + (1,) * (values.ndim - 2) + at.share.shape[1:])
    return before + share * (after - before)


def read_out(
    row: Row,
    watched: Watched,
    at: VisitRows,
    visit_hours: NDArray[np.int32],
    enrolment_hours: NDArray[np.int32],
    horizon_hours: float,
    seen: Callable[[NDArray[Any]], NDArray[Any]],
) -> Readout:
    """Read the results of one arm out of its patients' lives.

    Args:
        row: what was recorded at the rows of ``at``.
        watched: what was watched up to the end.
        at: where visits lie.
        visit_hours: (V,) planned hours since enrolment, the first 0.
        enrolment_hours: (P,) ages.
        horizon_hours: since enrolment.
        seen: what is measured at visits, (V, outcome, P), when these are the true outcomes.
    """
    death_age = np.asarray(watched.death_age_hours, np.float64)
    visit_age = enrolment_hours[None].astype(np.float64) + visit_hours[:, None]
    alive = visit_age < death_age
    true = np.where(alive[:, None], _between(np.asarray(row.outcomes), at), np.nan).astype(np.float32)
    held = np.asarray(row.held)
    held = held[: len(at.share)] if at.on_rows else _at(held, np.where(at.share < 0.5, at.before, at.after))
    end_of_life = np.minimum(death_age, enrolment_hours + horizon_hours)
    gained, lost = (
        np.where(ages <= end_of_life, ages, np.inf)
        for ages in (watched.milestones.gained, watched.milestones.lost)
    )
    return Readout(
        observed=seen(true),
        true=true,
        alive=alive,
        age_years=visit_age / HOURS_PER_YEAR,
        walk_minute_m=np.where(alive[:, None], _between(np.asarray(row.walk_minute_m), at), np.nan),
        pools=_between(np.asarray(row.pools), at),
        milestone_gained_age_years=_age_years_or_nan(gained),
        milestone_lost_age_years=_age_years_or_nan(lost),
        milestone_status=held & alive[:, None],
        event_time_years=_event_times(watched, lost, death_age, enrolment_hours, horizon_hours),
        death_age_hours=death_age,
    )


def _age_years_or_nan(age_hours: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isfinite(age_hours), age_hours / HOURS_PER_YEAR, np.nan)


def _event_times(
    watched: Watched,
    lost_age_hours: NDArray[Any],
    death_age: NDArray[Any],
    enrolment_hours: NDArray[np.int32],
    horizon_hours: float,
) -> NDArray[np.float64]:
    """Years since enrolment of every event, (event, P); +inf if it is not seen by the horizon or death came first."""

    def since_enrolment(age_hours: Any) -> NDArray[np.float64]:
        years = (np.asarray(age_hours, np.float64) - enrolment_hours) / HOURS_PER_YEAR
        return np.where(years >= 0, years, np.inf)

    death = (death_age - enrolment_hours) / HOURS_PER_YEAR
    days = np.asarray(watched.ventilation.met_on_day, np.float64) * HOURS_PER_DAY / HOURS_PER_YEAR
    nonfatal = {
        **dict(zip(("niv_start", *VENTILATION_EVENTS), days, strict=True)),
        "tube_feeding": since_enrolment(watched.tube_age_hours),
        "spine_surgery": since_enrolment(watched.surgery_age_hours),
        "loss_of_sitting": since_enrolment(lost_age_hours[MILESTONE_INDEX["sit_10s"]]),
        "loss_of_walking": since_enrolment(lost_age_hours[MILESTONE_INDEX["walk"]]),
    }
    # Death ends the record: what comes after it never happens.
    times = {name: np.where(time <= death, time, np.inf) for name, time in nonfatal.items()}
    times["death"] = death
    for name in VENTILATION_EVENTS:
        times[f"death_or_{name}"] = np.minimum(death, times[name])
    every = np.stack([times[name] for name in EVENTS])
    return np.where(every <= horizon_hours / HOURS_PER_YEAR, every, np.inf)
