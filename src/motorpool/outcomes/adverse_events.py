"""Adverse events: how often each kind happens to each person, given what was administered.

Luck is keyed by person, adverse event and the number of the administration (or of the event), never by arm or
date: one more dose can add events but never takes one away, and the same dose in two arms has the same
adverse events.

Kinds: per dose (each administration), per course (once, when a course starts) and per patient-year (a Poisson
process over the time exposed, from hashed exponential gaps).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import expit, logit

from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.randomness import hashed_exponential, hashed_uniform, name_id

_Counting = tuple[jax.Array, jax.Array]  # time used up, events so far

KINDS: tuple[str, ...] = ("per_dose", "per_course", "per_patient_year")
PER_DOSE, PER_COURSE, PER_PATIENT_YEAR = range(3)


@record
class AdverseEventParameters:
    """One entry per adverse event, arrays (E,). `identity` comes from `name_id` of its id, so new rows move
    no luck.
    """

    identity: Array  # uint32
    therapy_index: Array  # int, row of the therapy tables
    kind: Array  # int, position in KINDS
    probability: Array  # per dose or per course: 0..1; per patient-year: events per year
    log_odds_per_kg: Array  # change of the log odds per kg above the reference weight, at the dose
    reference_weight_kg: Array


class Exposure(NamedTuple):
    """What each person received from each therapy (T therapies, P patients, at most A administrations).

    `administrations` int (T, P): procedures done. `exposed_years` (T, P). `weight_kg` (A, T, P): weight at
    each administration; entries past the last one are not read.
    """

    administrations: jax.Array
    exposed_years: jax.Array
    weight_kg: jax.Array


def adverse_event_identity(names: tuple[str, ...]) -> jax.Array:
    """Stable numbers of adverse events, uint32 (E,), for `AdverseEventParameters.identity`."""
    return jnp.asarray([name_id(name) for name in names], dtype=jnp.uint32)


def administration_risk(weight_kg: jax.Array, parameters: AdverseEventParameters) -> jax.Array:
    """Chance of each adverse event at one administration, (E, P), for weights (E, P); 0 and 1 stay 0 and
    1.
    """
    slope = parameters.log_odds_per_kg[:, None] * (weight_kg - parameters.reference_weight_kg[:, None])
    # the clip keeps events per year (above 1) out of the logit; those are not used here
    return expit(logit(jnp.clip(parameters.probability, 0.0, 1.0))[:, None] + slope)


def adverse_event_counts(
    person_seed: jax.Array,
    exposure: Exposure,
    parameters: AdverseEventParameters,
    *,
    most_events_per_person: int,
    chance: bool = True,
) -> jax.Array:
    """Number of each adverse event in each person, (E, P); the expected number when chance is off.

    `person_seed` uint32 (P,), stream "adverse_events". `most_events_per_person` (static) caps the events of a
    patient-year kind.
    """
    given = exposure.administrations[parameters.therapy_index]
    years = exposure.exposed_years[parameters.therapy_index]
    kind = parameters.kind[:, None]
    trials = jnp.where(kind == PER_DOSE, given, jnp.minimum(given, 1))
    trials = jnp.where(kind == PER_PATIENT_YEAR, 0, trials)
    expected_events = jnp.where(kind == PER_PATIENT_YEAR, parameters.probability[:, None] * years, 0.0)
    at_doses = _events_at_administrations(person_seed, exposure.weight_kg, trials, parameters, chance=chance)
    if not chance:
        return at_doses + expected_events
    return at_doses + _events_over_time(person_seed, expected_events, parameters, most_events_per_person)


def _events_at_administrations(
    seed: jax.Array, weight: jax.Array, trials: jax.Array, parameters: AdverseEventParameters, *, chance: bool
) -> jax.Array:
    """Sum over administrations (A, E, P) of what happened, or of the risk; one administration at a time in
    memory.
    """

    def add(total: jax.Array, step: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        number, weight_now = step
        risk = administration_risk(weight_now[parameters.therapy_index], parameters)
        if chance:
            luck = hashed_uniform(seed, parameters.identity[:, None], number, dtype=risk.dtype)
            happens = (luck < risk).astype(total.dtype)
        else:
            happens = risk.astype(total.dtype)
        return total + jnp.where(number < trials, happens, 0), None

    kind_of_number = jnp.int32 if chance else weight.dtype
    start = jnp.zeros(trials.shape, kind_of_number)
    return jax.lax.scan(add, start, (jnp.arange(weight.shape[0]), weight))[0]


def _events_over_time(
    seed: jax.Array, expected_events: jax.Array, parameters: AdverseEventParameters, most_events: int
) -> jax.Array:
    """Poisson counts (E, P): how many hashed exponential gaps, one after the other, fit into rate x time."""

    def add(
        state: tuple[jax.Array, jax.Array], number: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        elapsed, total = state
        gap = hashed_exponential(seed, parameters.identity[:, None], number, dtype=elapsed.dtype)
        elapsed = elapsed + gap
        return (elapsed, total + (elapsed <= expected_events)), None

    start = (jnp.zeros_like(expected_events), jnp.zeros(expected_events.shape, jnp.int32))
    return jax.lax.scan(add, start, jnp.arange(most_events))[0][1]
