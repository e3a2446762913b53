"""Onset and type of the untreated twin: what a parent or doctor would see, and what the child ever reaches."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.growth import GrowthParameters, typical_maturity
from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array
from motorpool.cohorts.traits import PeopleParameters
from motorpool.outcomes.milestones import MilestoneHistory
from motorpool.outcomes.motor_scales import (
    ChopIntendParameters,
    ScaleParameters,
    healthy_chop_intend,
    healthy_scale_score,
)
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX

INFANT_UNTIL_YEARS = 2.0  # CHOP INTEND is an infants' scale; HFMSE is used from two years on


def onset_hours(
    age_hours: Array,
    outcomes: Array,
    history: MilestoneHistory,
    latest_walking_years: Array | float,
    person: Person,
    people: PeopleParameters,
    chop: ChopIntendParameters,
    hfmse: ScaleParameters,
    growth: GrowthParameters,
) -> Array:
    """Age in hours at which weakness is first noticed, (P,); +inf if it never is within the record.

    Noticed is what comes first: a CHOP INTEND clearly below healthy infants of the age, an HFMSE clearly below healthy
    children of the age after two years, walking later than healthy children, or the loss of sitting or walking. How
    clear it must be differs between families (``onset_notice``).

    Args:
        age_hours: (K, P) boundaries.
        outcomes: (K, outcome, P) true outcomes.
        history: milestones of the same record.
        latest_walking_years: 99th percentile of healthy children.
    """
    years = age_hours / HOURS_PER_YEAR
    chop_deficit = healthy_chop_intend(years, chop) - outcomes[:, OUTCOME_INDEX["chop_intend"]]
    noticed = (
        (years >= 0)
        & (years < INFANT_UNTIL_YEARS)
        & (chop_deficit > people.notice_chop_intend_deficit * person.onset_notice)
    )
    hfmse_deficit = (
        healthy_scale_score(typical_maturity(years, growth), hfmse) - outcomes[:, OUTCOME_INDEX["hfmse"]]
    )
    noticed |= (years >= INFANT_UNTIL_YEARS) & (
        hfmse_deficit > people.notice_hfmse_deficit * person.onset_notice
    )
    first = jnp.where(
        jnp.any(noticed, axis=0),
        jnp.take_along_axis(age_hours, jnp.argmax(noticed, axis=0)[None], axis=0)[0].astype(years.dtype),
        jnp.inf,
    )
    late = (latest_walking_years + people.notice_delay_standing_years * person.onset_notice) * HOURS_PER_YEAR
    late_walking = jnp.where(history.gained_age_hours[MILESTONE_INDEX["walk"]] > late, late, jnp.inf)
    late_walking = jnp.where(late_walking <= age_hours[-1], late_walking, jnp.inf)
    lost = jnp.minimum(
        history.lost_age_hours[MILESTONE_INDEX["sit_10s"]], history.lost_age_hours[MILESTONE_INDEX["walk"]]
    )
    return jnp.minimum(first, jnp.minimum(late_walking, lost))


def sma_type(
    history: MilestoneHistory,
    onset: Array,
    record_end_hours: Array,
    adult_onset_years: Array | float,
    person: Person,
) -> Array:
    """Type of the untreated twin, (P,).

    1 never sits, 2 sits but never walks, 3 walks, 4 walks and is not ill before adulthood. A record that ends in
    childhood (``record_end_hours``, (P,)) cannot tell 4 from 3 and says 3.

    People with a copy of SMN1 have no SMA: 0.
    """
    sits = jnp.isfinite(history.gained_age_hours[MILESTONE_INDEX["sit_10s"]])
    walks = jnp.isfinite(history.gained_age_hours[MILESTONE_INDEX["walk"]])
    grown_up = adult_onset_years * HOURS_PER_YEAR
    adult = (onset >= grown_up) & (record_end_hours >= grown_up)
    kind = jnp.where(walks, jnp.where(adult, 4, 3), jnp.where(sits, 2, 1))
    return jnp.where(person.smn1_level > 0.0, 0, kind)
