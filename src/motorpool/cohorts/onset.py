"""Onset and type of the untreated twin: what a parent or doctor would see, and what the child ever reaches."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.growth import GrowthParameters, typical_maturity
from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array
from motorpool.cohorts.traits import PeopleParameters
from motorpool.outcomes.motor_scales import (
    ChopIntendParameters,
    ScaleParameters,
    healthy_chop_intend,
    healthy_scale_score,
)
from motorpool.outcomes.panel import MILESTONE_INDEX

LATE_MILESTONES = ("sit_10s", "stand_with_support", "walk")
"""Milestones whose absence is noticed. Crawling is not among them: some healthy children never crawl."""
INFANT_UNTIL_YEARS = 2.0  # CHOP INTEND is an infants' scale; HFMSE is used from two years on


def weakness_noticed(
    hours: Array,
    chop_intend: Array,
    hfmse: Array,
    person: Person,
    people: PeopleParameters,
    chop_parameters: ChopIntendParameters,
    hfmse_parameters: ScaleParameters,
    growth: GrowthParameters,
) -> Array:
    """Whether weakness shows at an age of ``hours`` (P,), given the true scores (P,) then.

    Noticed is a CHOP INTEND clearly below healthy infants of the age, or from two years on an HFMSE clearly below
    healthy children of the age. How clear it must be differs between families (``onset_notice``).
    """
    years = hours.astype(chop_intend.dtype) / HOURS_PER_YEAR
    chop_deficit = healthy_chop_intend(years, chop_parameters) - chop_intend
    hfmse_deficit = healthy_scale_score(typical_maturity(years, growth), hfmse_parameters) - hfmse
    infant = (
        (years >= 0)
        & (years < INFANT_UNTIL_YEARS)
        & (chop_deficit > people.notice_chop_intend_deficit * person.onset_notice)
    )
    child = (years >= INFANT_UNTIL_YEARS) & (
        hfmse_deficit > people.notice_hfmse_deficit * person.onset_notice
    )
    return infant | child


def onset_hours(
    noticed_age_hours: Array,
    gained_age_hours: Array,
    lost_age_hours: Array,
    record_end_hours: Array,
    latest_milestone_years: Array,
    person: Person,
    people: PeopleParameters,
) -> Array:
    """Age in hours at which weakness is first noticed, (P,); +inf if it never is within the record.

    What comes first: weakness in examinations (:func:`weakness_noticed`), sitting, standing with support or walking
    later than healthy children, or the loss of sitting or walking.

    Args:
        noticed_age_hours: when examinations first showed weakness, (P,).
        gained_age_hours, lost_age_hours: of milestones, (milestone, P).
        record_end_hours: (P,).
        latest_milestone_years: 99th percentiles of healthy children, in the order of ``LATE_MILESTONES``.
    """
    missed = jnp.full_like(record_end_hours, jnp.inf)
    for place, name in enumerate(LATE_MILESTONES):
        delay = people.notice_delay_standing_years * person.onset_notice
        late = (latest_milestone_years[place] + delay) * HOURS_PER_YEAR
        absent = (gained_age_hours[MILESTONE_INDEX[name]] > late) & (late <= record_end_hours)
        missed = jnp.minimum(missed, jnp.where(absent, late, jnp.inf))
    lost = jnp.minimum(lost_age_hours[MILESTONE_INDEX["sit_10s"]], lost_age_hours[MILESTONE_INDEX["walk"]])
    return jnp.minimum(noticed_age_hours, jnp.minimum(missed, lost))


def sma_type(
    gained_age_hours: Array,
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
    sits = jnp.isfinite(gained_age_hours[MILESTONE_INDEX["sit_10s"]])
    walks = jnp.isfinite(gained_age_hours[MILESTONE_INDEX["walk"]])
    grown_up = adult_onset_years * HOURS_PER_YEAR
    adult = (onset >= grown_up) & (record_end_hours >= grown_up)
    kind = jnp.where(walks, jnp.where(adult, 4, 3), jnp.where(sits, 2, 1))
    return jnp.where(person.smn1_level > 0.0, 0, kind)
