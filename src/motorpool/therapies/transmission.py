"""Transmission support (pyridostigmine-like): bridges part of the deficit of neuromuscular transmission while taken.

It changes endurance more than strength. It can raise secretions and slow the heart, which the adverse events count:
it is never suggested for weak infants.
"""

from __future__ import annotations

from motorpool.biology.vocabulary import Array, record


@record
class TransmissionSupportParameters:
    """Kinetics and effect of the full labelled dose (level 1.0)."""

    half_life_hours: Array
    deficit_bridged: Array


def bridged(level: Array, parameters: TransmissionSupportParameters) -> Array:
    """Share of the transmission deficit bridged, shape (P,)."""
    return parameters.deficit_bridged * level
