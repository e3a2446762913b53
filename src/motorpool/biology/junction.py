"""Neuromuscular transmission: the share of nerve signals that the muscle still answers after repeated use."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record


@record
class JunctionParameters:
    """Deficits of transmission and their repair."""

    deficit_from_lost_neurons: Array
    deficit_from_stress: Array
    repair_time_years: Array
    wear_per_year: Array


def rate_of_change(
    transmission: Array, working: Array, stress: Array, parameters: JunctionParameters
) -> Array:
    """Rate of change per year of transmission, shape (G, P).

    Neurons that serve many territories transmit worse and wear slowly: one of the processes of late decline. Stress
    weakens every junction that is left, however few they are: in mice with SMA most stay innervated and release half as
    much (source ``kong2009_nmj``). It lifts with the stress, long before sick neurons work again.
    """
    lost = 1.0 - working
    target = 1.0 - parameters.deficit_from_lost_neurons * lost**2 - parameters.deficit_from_stress * stress
    target = jnp.clip(target, 0.0, 1.0)
    return (
        target - transmission
    ) / parameters.repair_time_years - parameters.wear_per_year * lost * transmission


def with_support(transmission: Array, support: Array) -> Array:
    """Transmission while a drug or secreted factor bridges a share ``support`` (P,) of the deficit.

    It acts through what transmission is left: a silent junction stays silent.
    """
    return transmission + jnp.clip(support, -1.0, 1.0) * (1.0 - transmission) * transmission
