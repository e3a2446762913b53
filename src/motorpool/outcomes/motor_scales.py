"""Motor scales: CHOP INTEND, HINE-2, HFMSE, RULM and MFM32 as true (unrounded, noise-free) scores."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.abilities import ByGroup, achievable, logit, mixed


@record
class ChopIntendParameters:
    """CHOP INTEND, 0-64: infants; items become possible with age, so that healthy newborns score below 64."""

    maximum: Array
    legs_share: Array
    slope: Array
    middle_log_odds: Array
    newborn_ceiling_share: Array
    ceiling_middle_age_years: Array
    ceiling_steepness: Array


@record
class ScaleParameters:
    """A scale that is logistic in the log-odds of the achievable ability."""

    maximum: Array
    legs_share: Array
    slope: Array
    middle_log_odds: Array


def healthy_chop_intend(age_years: Array, parameters: ChopIntendParameters) -> Array:
    """Score of a healthy infant of this age."""
    age = jnp.maximum(age_years, 1e-3)
    grown = jax.nn.sigmoid(parameters.ceiling_steepness * jnp.log(age / parameters.ceiling_middle_age_years))
    share = parameters.newborn_ceiling_share + (1.0 - parameters.newborn_ceiling_share) * grown
    return parameters.maximum * share


def chop_intend(log_odds_by_group: ByGroup, age_years: Array, parameters: ChopIntendParameters) -> Array:
    """CHOP INTEND, (..., P): the share of the age's items that the ability allows."""
    task = mixed(log_odds_by_group, parameters.legs_share)
    return healthy_chop_intend(age_years, parameters) * jax.nn.sigmoid(
        parameters.slope * (task - parameters.middle_log_odds)
    )


def scale_score(log_odds_by_group: ByGroup, maturity: Array, parameters: ScaleParameters) -> Array:
    """Score of HINE-2, HFMSE, RULM or MFM32, (..., P)."""
    able = achievable(mixed(log_odds_by_group, parameters.legs_share), maturity)
    return parameters.maximum * jax.nn.sigmoid(parameters.slope * (logit(able) - parameters.middle_log_odds))


def healthy_scale_score(maturity: Array, parameters: ScaleParameters) -> Array:
    """Score of a healthy child of this motor maturity."""
    return parameters.maximum * jax.nn.sigmoid(
        parameters.slope * (logit(maturity) - parameters.middle_log_odds)
    )
