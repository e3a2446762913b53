"""Risdiplam: oral splicing modifier that acts everywhere, muscle included, and stops when it is stopped."""

from __future__ import annotations

from motorpool.biology.vocabulary import Array, record


@record
class RisdiplamParameters:
    """Kinetics and effect. Exposure is relative to the steady state of the labelled dose (1.0)."""

    half_life_hours: Array
    splicing_gain_maximum: Array
    half_effect_exposure: Array


def splicing_gain(exposure: Array, parameters: RisdiplamParameters) -> Array:
    """Relative gain of SMN from SMN2, the same in every pool and in muscle, shape (P,)."""
    return parameters.splicing_gain_maximum * exposure / (parameters.half_effect_exposure + exposure)
