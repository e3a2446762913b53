"""Virtual people: their fixed traits, drawn from the random effects of the parameter records.

A trait's draw is keyed by person and trait, so that adding a trait or a person never changes another's, and every arm
and parameter draw meets the same people with the same luck.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.smn import SmnParameters
from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.events import event_draw
from motorpool.outcomes.randomness import hashed_normal, hashed_uniform, name_id, person_key, stream_seed

MOST_SMN2_COPIES = 8
"""Copies that can carry a variant of their own; people with SMA have at most six."""


@record
class PeopleParameters:
    """Random effects and shares in the population."""

    smn_level_log_sd: Array
    vulnerability_log_sd: Array
    sprouting_median: Array
    sprouting_log_sd: Array
    load_log_sd: Array
    breathing_reserve_sd: Array
    ventilation_choice_sd: Array
    spine_rate_log_sd: Array
    maturation_log_sd: Array
    weight_log_sd: Array
    transduced_fraction_mean: Array
    transduced_fraction_sd: Array
    aav9_antibody_prevalence: Array
    splice_variant_share: Array
    splice_variant_level: Array
    csf_clearance_log_sd: Array
    csf_volume_log_sd: Array
    plasma_clearance_log_sd: Array
    plasma_volume_log_sd: Array
    female_share: Array
    notice_chop_intend_deficit: Array
    notice_log_sd: Array
    notice_delay_standing_years: Array
    notice_hfmse_deficit: Array


def draw_people(
    seed: int | Array,
    identity: Array,
    smn1_copies: Array,
    smn2_copies: Array,
    female: Array,
    people: PeopleParameters,
    smn: SmnParameters,
    *,
    between_people: bool = True,
    chance: bool = True,
) -> Person:
    """Draw the traits of people ``identity`` (P,), integers that name them.

    Args:
        seed: base seed of the scenario.
        smn1_copies, smn2_copies: (P,) numbers of gene copies.
        female: (P,) 1 female, 0 male, -1 to draw.
        people, smn: parameters.
        between_people: False gives everybody the typical traits (random effects at their median).
        chance: False gives every event the median of its exponential draw.
    """
    keys = person_key(jax.random.key(seed), identity)
    trait_seed = stream_seed(keys, "traits")
    dtype = people.smn_level_log_sd.dtype
    spread = 1.0 if between_people else 0.0

    def normal(trait: str) -> Array:
        return spread * hashed_normal(trait_seed, name_id(trait), dtype=dtype)

    def uniform(trait: str) -> Array:
        return hashed_uniform(trait_seed, name_id(trait), dtype=dtype)

    drawn_female = (uniform("sex") < people.female_share).astype(dtype)
    fraction = people.transduced_fraction_mean + people.transduced_fraction_sd * normal("transduced_fraction")
    events = stream_seed(keys, "events")
    # Each copy carries the splice variant or not; a copy that does makes more.
    copies = smn2_copies.astype(dtype)
    variants = sum(
        (place < copies) & (uniform(f"splice_variant_{place}") < people.splice_variant_share)
        for place in range(MOST_SMN2_COPIES)
    )
    variants = variants if between_people else jnp.zeros_like(copies)
    smn2 = (copies + variants * (people.splice_variant_level - 1.0)) * smn.level_per_smn2_copy
    return Person(
        identity=identity.astype(jnp.int32),
        seed=stream_seed(keys, "therapy_calendar"),
        female=jnp.where(female < 0, drawn_female, female.astype(dtype)),
        smn2_copies=copies,
        smn1_level=smn1_copies.astype(dtype) * smn.level_per_smn1_copy,
        smn2_level=smn2 * jnp.exp(people.smn_level_log_sd * normal("smn_level")),
        log_vulnerability=people.vulnerability_log_sd * normal("vulnerability"),
        sprouting=people.sprouting_median * jnp.exp(people.sprouting_log_sd * normal("sprouting")),
        log_load=people.load_log_sd * normal("load"),
        breathing_reserve=people.breathing_reserve_sd * normal("breathing_reserve"),
        ventilation_odds=jnp.exp(people.ventilation_choice_sd * normal("ventilation_choice")),
        log_spine_rate=people.spine_rate_log_sd * normal("spine_rate"),
        log_maturation=people.maturation_log_sd * normal("maturation"),
        log_weight=people.weight_log_sd * normal("weight"),
        transduced_fraction=jnp.clip(fraction, 0.05, 0.99),
        aav9_antibodies=(uniform("aav9_antibodies") < people.aav9_antibody_prevalence).astype(dtype),
        log_csf_clearance=people.csf_clearance_log_sd * normal("csf_clearance"),
        log_csf_volume=people.csf_volume_log_sd * normal("csf_volume"),
        log_plasma_clearance=people.plasma_clearance_log_sd * normal("plasma_clearance"),
        log_plasma_volume=people.plasma_volume_log_sd * normal("plasma_volume"),
        onset_notice=jnp.exp(people.notice_log_sd * normal("notice")),
        death_draw=event_draw(events, "death", chance=chance, dtype=dtype),
        tube_feeding_draw=event_draw(events, "tube_feeding", chance=chance, dtype=dtype),
    )


def infection_seed(seed: int | Array, identity: Array) -> Array:
    """Seed of each person's respiratory infections, uint32 (P,)."""
    return stream_seed(person_key(jax.random.key(seed), identity), "respiratory_infections")


class Candidates(NamedTuple):
    """People as they are born, with the luck of their recruitment; (P,) each."""

    person: Person
    infection_seed: Array
    smn2_copies: Array
    diagnosis_luck: Array
    enrolment_luck: Array


@functools.partial(jax.jit, static_argnames=("between_people", "chance"))
def draw_candidates(
    seed: Array,
    identity: Array,
    smn1_copies: Array,
    smn2_shares: Array,
    female: Array,
    people: PeopleParameters,
    smn: SmnParameters,
    *,
    between_people: bool,
    chance: bool,
) -> Candidates:
    """Draw a block of candidates.

    Args:
        seed: scalar; identity (P,).
        smn1_copies: scalar. smn2_shares: (N,) share of people with 1..N copies of SMN2.
        female: scalar; 1 female, 0 male, -1 any.
    """
    luck = stream_seed(person_key(jax.random.key(seed), identity), "enrolment")

    def uniform(what: str) -> Array:
        return hashed_uniform(luck, name_id(what))

    reached = uniform("smn2_copies")[None] >= jnp.cumsum(smn2_shares)[:-1, None]
    copies = 1 + jnp.sum(reached, axis=0, dtype=jnp.int32)
    everyone = jnp.ones(identity.shape)
    person = draw_people(
        seed,
        identity,
        everyone * smn1_copies,
        copies,
        everyone * female,
        people,
        smn,
        between_people=between_people,
        chance=chance,
    )
    return Candidates(
        person, infection_seed(seed, identity), copies, uniform("diagnosis"), uniform("enrolment")
    )
