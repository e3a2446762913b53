"""From a trajectory to results: values at visits, milestones, events, adverse events, all for one block of patients."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import Trajectory
from motorpool.outcomes.breathing import given_share
from motorpool.outcomes.events import before_death, censor, crossing_time, first_of
from motorpool.outcomes.milestones import age_years_or_nan, milestone_history
from motorpool.outcomes.observation import ObservationParameters, observe
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX
from motorpool.outcomes.ventilation_record import (
    VentilationDefinition,
    days_to_years,
    endpoint_day,
    niv_start_day,
    ventilation_record,
)

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


class RunIn(NamedTuple):
    """What is kept of life before enrolment: boundaries (K, P) and margins of milestones (K, M, P)."""

    age_hours: Array
    margins: Array


class Readout(NamedTuple):
    """Results of a block; V visits, O outcomes, M milestones, E events, G muscle groups, P patients."""

    observed: Array
    true: Array
    alive: Array
    age_years: Array
    walk_minute_m: Array
    pools: Array
    milestone_gained_age_years: Array
    milestone_lost_age_years: Array
    milestone_status: Array
    event_time_years: Array
    death_age_hours: Array


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


@functools.partial(jax.jit, static_argnames=("days", "definitions", "chance", "open_label"))
def read_out(
    path: Trajectory,
    run_in: RunIn,
    person: Person,
    infection_seed: Array,
    observation_seed: Array,
    baseline_seed: Array,
    care: Array,
    enrolment_hours: Array,
    visit_hours: Array,
    horizon_hours: Array,
    surgery_courses: Array,
    parameters: ModelParameters,
    observation: ObservationParameters,
    *,
    days: int,
    definitions: tuple[VentilationDefinition, ...],
    chance: bool,
    open_label: bool,
) -> Readout:
    """Read the results of one block out of its trajectory since enrolment.

    Args:
        path: trajectory (K, ..., P) from enrolment to the horizon.
        run_in: boundaries and margins before enrolment.
        observation_seed, baseline_seed: (P,) seeds of later measurements and of the baseline, visit 0.
        care: scalar, as in the engine.
        visit_hours: (V,) planned hours since enrolment, the first 0; the nearest boundary is taken.
        horizon_hours: scalar.
        surgery_courses: (C,) 1 for courses of spine surgery.
        days: whole days of the daily record of ventilation.
    """
    outcomes = parameters.outcomes
    ages = path.age_hours
    dtype = person.smn2_level.dtype
    horizon_age = enrolment_hours + horizon_hours
    death_age = crossing_time(path.cumulative_hazard[:, 0], ages, person.death_draw)

    planned = enrolment_hours[None] + visit_hours[:, None]
    index = jnp.argmin(jnp.abs(ages[None] - planned[:, None]), axis=1)
    at_visit = functools.partial(_rows_at, index=index)
    visit_age = at_visit(ages)
    alive = visit_age < jnp.where(jnp.isfinite(death_age), death_age, jnp.inf)
    true = jnp.where(alive[:, None], at_visit(path.outcomes), jnp.nan)
    # Noise is keyed by the planned time, which no arm changes. The baseline is the one that the person entered on.
    see = functools.partial(observe, parameters=observation, open_label=float(open_label), noise=chance)
    observed = jnp.concatenate(
        [see(true[:1], visit_hours[:1], baseline_seed), see(true[1:], visit_hours[1:], observation_seed)]
    )

    everything = jnp.concatenate([run_in.margins, path.margins])
    all_ages = jnp.concatenate([run_in.age_hours, ages])
    history = milestone_history(
        everything, all_ages, outcomes.milestones, jnp.minimum(death_age, horizon_age)
    )
    status = history.status[run_in.age_hours.shape[0] :]

    breathing = path.breathing
    record = ventilation_record(
        ages,
        path.outcomes[:, OUTCOME_INDEX["ventilation_hours_per_day"]],
        jax.nn.sigmoid(-breathing) * jnp.maximum(given_share(care, outcomes.breathing), path.ventilation),
        enrolment_hours,
        infection_seed,
        outcomes.infections,
        outcomes.ventilation,
        days=days,
        chance=chance,
    )
    death = (death_age - enrolment_hours) / HOURS_PER_YEAR
    ventilated = [days_to_years(endpoint_day(record, definition)) for definition in definitions]
    operated = jnp.any((path.doses > 0) & (surgery_courses > 0)[None, :, None], axis=1)
    surgery_age = jnp.where(
        jnp.any(operated, axis=0),
        jnp.take_along_axis(ages, jnp.argmax(operated, axis=0)[None], axis=0)[0],
        jnp.inf,
    )
    tube_age = crossing_time(path.cumulative_hazard[:, 1], ages, person.tube_feeding_draw)

    def since_enrolment(age_hours: Array) -> Array:
        years = (age_hours - enrolment_hours) / HOURS_PER_YEAR
        return jnp.where(years >= 0, years, jnp.inf)

    nonfatal = {
        "niv_start": days_to_years(niv_start_day(record, outcomes.breathing.start_of_niv_hours)),
        **dict(zip(VENTILATION_EVENTS, ventilated, strict=True)),
        "tube_feeding": since_enrolment(tube_age),
        "spine_surgery": since_enrolment(surgery_age),
        "loss_of_sitting": since_enrolment(history.lost_age_hours[MILESTONE_INDEX["sit_10s"]]),
        "loss_of_walking": since_enrolment(history.lost_age_hours[MILESTONE_INDEX["walk"]]),
    }
    times = {name: before_death(time, death) for name, time in nonfatal.items()}
    times["death"] = death
    for name in VENTILATION_EVENTS:
        times[f"death_or_{name}"] = first_of(death, times[name])[0]
    event_time = censor(
        jnp.stack([times[name].astype(dtype) for name in EVENTS]), horizon_hours / HOURS_PER_YEAR
    )
    return Readout(
        observed=observed,
        true=true,
        alive=alive,
        age_years=visit_age / HOURS_PER_YEAR,
        walk_minute_m=jnp.where(alive[:, None], at_visit(path.walk_minute_m), jnp.nan),
        pools=at_visit(path.pools),
        milestone_gained_age_years=age_years_or_nan(history.gained_age_hours),
        milestone_lost_age_years=age_years_or_nan(history.lost_age_hours),
        milestone_status=at_visit(status) & alive[:, None],
        event_time_years=event_time,
        death_age_hours=death_age,
    )


def _rows_at(rows: Array, index: Array) -> Any:
    """Rows (K, ..., P) at each person's own index (V, P): (V, ..., P)."""
    shaped = index.reshape(index.shape[:1] + (1,) * (rows.ndim - 2) + index.shape[1:])
    return jnp.take_along_axis(rows, jnp.broadcast_to(shaped, index.shape[:1] + rows.shape[1:]), axis=0)
