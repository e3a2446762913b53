"""Onasemnogene abeparvovec: one dose, a transgene expressed within weeks and lasting, in part of the neurons.

Which part of the neurons a vector reaches is a trait of the person (``transduced_fraction``); the dose decides how
much the reached ones express.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record


@record
class GeneTransferParameters:
    """Kinetics and expression of both routes; doses are relative to the labelled dose (1.0)."""

    onset_half_time_hours: Array
    expression_half_life_hours: Array
    expression_in_neurons_intravenous: Array
    expression_in_neurons_intrathecal: Array
    expression_in_muscle_intravenous: Array
    expression_in_muscle_intrathecal: Array
    half_saturation_dose: Array


def saturating(expressed: Array, parameters: GeneTransferParameters) -> Array:
    """Expression relative to that of the labelled dose: saturates as more vector reaches the same neurons."""
    half = parameters.half_saturation_dose
    return expressed * (1.0 + half) / (expressed + half)


def expression(
    intravenous: Array, intrathecal: Array, parameters: GeneTransferParameters
) -> tuple[Array, Array]:
    """SMN made by the transgene in reached neurons and in muscle, relative to healthy, each (P,)."""
    by_vein, by_spine = saturating(intravenous, parameters), saturating(intrathecal, parameters)
    neurons = (
        parameters.expression_in_neurons_intravenous * by_vein
        + parameters.expression_in_neurons_intrathecal * by_spine
    )
    muscle = (
        parameters.expression_in_muscle_intravenous * by_vein
        + parameters.expression_in_muscle_intrathecal * by_spine
    )
    return jnp.maximum(neurons, 0.0), jnp.maximum(muscle, 0.0)
