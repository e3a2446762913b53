"""Inflammation around the pools: raised where neurons have died and stress goes on, cleared otherwise."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, mean_of_rows, record


@record
class InflammationParameters:
    """How fast inflammation follows its drive."""

    clearance_time_years: Array


def rate_of_change(
    inflammation: Array,
    dead: Array,
    stress: Array,
    anti_inflammation: Array,
    parameters: InflammationParameters,
) -> Array:
    """Rate of change per year, shape (P,).

    The drive is the share of neurons lost times the stress of those left, averaged over the pools. It falls when
    more neurons survive, so that more SMN can never lower the number of survivors.

    Args:
        inflammation: shape (P,), in [0, 1].
        dead: share of each pool dead, shape (G, P).
        stress: mean stress of each pool, shape (G, P).
        anti_inflammation: share of the drive removed, shape (P,).
    """
    drive = mean_of_rows(dead * stress) * (1.0 - jnp.clip(anti_inflammation, -1.0, 1.0))
    return (jnp.clip(drive, 0.0, 1.0) - inflammation) / parameters.clearance_time_years
