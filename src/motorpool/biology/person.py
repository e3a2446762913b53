"""The fixed traits of a virtual patient, as far as biology and therapies need them."""

from __future__ import annotations

from motorpool.biology.vocabulary import Array, record


@record
class Person:
    """Traits that never change, each of shape (P,).

    ``log_*`` are deviations on the log scale, zero for a typical person. ``*_draw`` are exponential draws that decide
    when an event comes. ``ventilation_odds`` is the factor on the odds that a needed hour of ventilation is given: a
    family's choice, not biology. SMA type is not a trait: it is what the untreated twin reaches.
    """

    identity: Array
    seed: Array
    female: Array
    smn2_copies: Array
    smn1_level: Array
    smn2_level: Array
    log_vulnerability: Array
    sprouting: Array
    log_load: Array
    breathing_reserve: Array
    ventilation_odds: Array
    log_spine_rate: Array
    log_maturation: Array
    log_weight: Array
    transduced_fraction: Array
    aav9_antibodies: Array
    log_csf_clearance: Array
    log_csf_volume: Array
    log_plasma_clearance: Array
    log_plasma_volume: Array
    onset_notice: Array
    death_draw: Array
    tube_feeding_draw: Array
