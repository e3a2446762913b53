"""Myostatin inhibition: an antibody that lets innervated muscle grow; it does nothing for neurons."""

from __future__ import annotations

from motorpool.biology.vocabulary import Array, record


@record
class MyostatinParameters:
    """Antibody kinetics and effect; one unit is one labelled dose."""

    half_life_hours: Array
    growth_maximum: Array
    half_effect_level: Array


def growth_gain(level: Array, parameters: MyostatinParameters) -> Array:
    """Relative gain of the muscle mass that innervation sustains, shape (P,)."""
    return parameters.growth_maximum * level / (parameters.half_effect_level + level)
