"""Motor neuron pools: working neurons fall sick under stress, recover when it lifts, or die.

Each pool holds vulnerability classes and, within each, a part that a gene-therapy vector does not reach and a part
that it reaches. Within every class and part the working, sick and dead shares add up to one. The states kept are the
share alive (working + sick), which can only fall, and the share sick.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, mean_of_rows, record


@record
class NeuronParameters:
    """Rates of falling sick, recovering and dying, and what changes them."""

    sickening_rate_per_year: Array
    recovery_rate_per_year: Array
    recovery_stress_odds: Array
    late_recovery_share: Array
    recovery_decline_years: Array
    death_rate_per_year: Array
    late_death_share: Array
    death_rate_decline_years: Array
    inflammation_effect_on_death: Array
    graft_survival_years: Array


def falling_with_age(age_years: Array, late_share: Array, decline_years: Array) -> Array:
    """A factor that is 1 at birth and before, and falls to ``late_share`` with a time constant."""
    fading = jnp.exp(-jnp.maximum(age_years, 0.0) / decline_years)
    return late_share + (1.0 - late_share) * fading


def age_factor(age_years: Array, parameters: NeuronParameters) -> Array:
    """How much faster sick neurons die early in life; 1 at birth and before, ``late_death_share`` late."""
    return falling_with_age(age_years, parameters.late_death_share, parameters.death_rate_decline_years)


def recovery_age_factor(age_years: Array, parameters: NeuronParameters) -> Array:
    """How much faster sick neurons recover early in life; 1 at birth and before, ``late_recovery_share`` late.

    Once the neuromuscular synapse is mature, damage to it is repaired slowly and in part (Kariya and others, J Clin
    Invest 2014;124:785-800).
    """
    return falling_with_age(age_years, parameters.late_recovery_share, parameters.recovery_decline_years)


def calm_enough(stress: Array, odds: Array) -> Array:
    """Share of its full pace at which a sick neuron recovers; 1 without stress, 0 under full stress.

    To recover a neuron needs more SMN than to stay well: the odds of stress count ``odds`` times (1: recovery follows
    1 - stress). It falls with stress, so that more SMN never lowers recovery.
    """
    calm = 1.0 - stress
    return calm / (calm + odds * stress)


def rates_of_change(
    alive: Array,
    sick: Array,
    stress: Array,
    inflammation: Array,
    neuroprotection: Array,
    age_years: Array,
    parameters: NeuronParameters,
) -> tuple[Array, Array]:
    """Rates of change per year of the shares alive and sick, each of shape (V, T, G, P)."""
    death_rate = (
        parameters.death_rate_per_year
        * age_factor(age_years, parameters)
        * (1.0 + parameters.inflammation_effect_on_death * inflammation)
        * jnp.exp(-neuroprotection)
    )
    dying = death_rate * stress * sick
    sickening = parameters.sickening_rate_per_year * stress * (alive - sick)
    recovering = (
        parameters.recovery_rate_per_year
        * recovery_age_factor(age_years, parameters)
        * calm_enough(stress, parameters.recovery_stress_odds)
        * sick
    )
    return -dying, sickening - recovering - dying


def pool_share(by_class_and_part: Array, person: Person) -> Array:
    """Average a quantity of shape (V, T, G, P) over the neurons of each pool, shape (G, P).

    Without a second part (T = 1) every neuron is as those that a vector does not reach.
    """
    by_part = mean_of_rows(by_class_and_part)
    if by_part.shape[0] == 1:
        return by_part[0]
    return by_part[0] + person.transduced_fraction * (by_part[1] - by_part[0])
