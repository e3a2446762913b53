"""Electrophysiology and neurofilament: CMAP, MUNE and plasma pNfH."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import ARMS, Array, power, record


@record
class ElectrophysiologyParameters:
    """Ulnar CMAP, motor unit number and phosphorylated neurofilament heavy chain."""

    cmap_newborn_mv: Array
    cmap_adult_mv: Array
    cmap_growth_time_years: Array
    cmap_muscle_exponent: Array
    mune_healthy: Array
    pnfh_adult_pg_per_ml: Array
    pnfh_newborn_pg_per_ml: Array
    pnfh_fade_years: Array
    pnfh_per_death_rate_pg_per_ml: Array


def cmap_mv(
    muscle: Array, transmission: Array, age_years: Array, parameters: ElectrophysiologyParameters
) -> Array:
    """Ulnar compound muscle action potential, mV, (..., P)."""
    grown = jnp.exp(-jnp.maximum(age_years, 0.0) / parameters.cmap_growth_time_years)
    healthy = parameters.cmap_adult_mv + (parameters.cmap_newborn_mv - parameters.cmap_adult_mv) * grown
    answering = power(jnp.clip(muscle[..., ARMS, :], 0.0, 1.0), parameters.cmap_muscle_exponent)
    return healthy * answering * transmission[..., ARMS, :]


def motor_units(working: Array, parameters: ElectrophysiologyParameters) -> Array:
    """Motor unit number estimate of the hand, (..., P): the working neurons of the arms' pool."""
    return parameters.mune_healthy * working[..., ARMS, :]


def pnfh_pg_per_ml(
    death_rate_per_year: Array, age_years: Array, parameters: ElectrophysiologyParameters
) -> Array:
    """Plasma pNfH, pg/mL, (..., P): an age-dependent background and what dying neurons release."""
    fade = jnp.exp(-jnp.maximum(age_years, 0.0) / parameters.pnfh_fade_years)
    background = (
        parameters.pnfh_adult_pg_per_ml
        + (parameters.pnfh_newborn_pg_per_ml - parameters.pnfh_adult_pg_per_ml) * fade
    )
    return background + parameters.pnfh_per_death_rate_pg_per_ml * death_rate_per_year
