"""From muscles to abilities: what each muscle group can do against the load of the body at this age."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.system import Condition
from motorpool.biology.vocabulary import ARMS, BREATHING, BULBAR, LEGS_AND_TRUNK, Array, record


@record
class AbilityParameters:
    """How strength becomes ability."""

    load_on_group: Array
    arms_range_share: Array
    stiffness_ceiling_share: Array
    breathing_lost_by_cobb_per_degree: Array
    full_strength_margin: Array


ByGroup = tuple[Array, ...]
"""One array (..., P) per muscle group, in the order of ``MUSCLE_GROUPS``."""


def within_range(raw: Array, usable_range: Array, ceiling_share: Array) -> Array:
    """Strength that stiff joints and a curved spine let through, (..., P), never above strength or range.

    With a ceiling share of 0 stiffness takes the same part of any strength: strength x range. With 1 it is a ceiling:
    it hardly holds back weak muscles, and what strong ones gain beyond it is lost. The family is Hamacher's product
    (Hamacher, Über logische Verknüpfungen unscharfer Aussagen, 1978).
    """
    product = raw * usable_range
    either = raw + usable_range - product
    return product / (1.0 - ceiling_share * (1.0 - either))


def strength(condition: Condition, parameters: AbilityParameters) -> ByGroup:
    """Usable strength of each group relative to healthy: mass x transmission, within the usable range."""
    raw = condition.muscle * condition.transmission
    trunk_range = condition.usable_range
    arm_range = 1.0 - parameters.arms_range_share * (1.0 - trunk_range)
    chest = jnp.clip(1.0 - parameters.breathing_lost_by_cobb_per_degree * condition.cobb_degrees, 0.05, 1.0)
    stiff = parameters.stiffness_ceiling_share
    by_group = {
        LEGS_AND_TRUNK: within_range(raw[..., LEGS_AND_TRUNK, :], trunk_range, stiff),
        ARMS: within_range(raw[..., ARMS, :], arm_range, stiff),
        BULBAR: raw[..., BULBAR, :],
        BREATHING: raw[..., BREATHING, :] * chest,
    }
    return tuple(by_group[group] for group in sorted(by_group))


def log_odds(condition: Condition, parameters: AbilityParameters) -> ByGroup:
    """Ability of each group as log-odds: log-odds of strength less the log load of the body.

    A healthy person stays near full ability whatever the load; at half strength, doubling the load halves the odds.
    """
    margin = parameters.full_strength_margin

    def against_load(strength_of_group: Array, load_on_group: Array) -> Array:
        inside = margin + (1.0 - 2.0 * margin) * jnp.clip(strength_of_group, 0.0, 1.0)
        return jnp.log(inside / (1.0 - inside)) - load_on_group * condition.log_load

    by_group = strength(condition, parameters)
    return tuple(against_load(one, parameters.load_on_group[group]) for group, one in enumerate(by_group))


def mixed(log_odds_by_group: ByGroup, legs_share: Array) -> Array:
    """Log-odds of a task that legs (and trunk) and arms share, (..., P)."""
    legs, arms = log_odds_by_group[LEGS_AND_TRUNK], log_odds_by_group[ARMS]
    return legs_share * legs + (1.0 - legs_share) * arms


def achievable(log_odds_of_task: Array, maturity: Array) -> Array:
    """Ability that motor maturity lets through, in [0, 1]: the product of both."""
    return jax.nn.sigmoid(log_odds_of_task) * maturity


def logit(share: Array) -> Array:
    """Log-odds of a share, kept finite."""
    inside = jnp.clip(share, 1e-4, 1.0 - 1e-4)
    return jnp.log(inside) - jnp.log1p(-inside)
