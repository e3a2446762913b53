"""Sample size re-estimated at an interim: from the blinded variance, or unblinded in the promising zone."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array


def blinded_size(
    change: ArrayLike,
    *,
    effect: float,
    power: float,
    alpha: float = 0.025,
    ratio: float = 1.0,
    observed: ArrayLike | None = None,
    smallest: float,
    largest: float,
) -> Array:
    """Patients in all from the variance of everyone, arms hidden, less what the planned effect adds; (replicates,)."""
    raise NotImplementedError


def conditional_power(
    interim_z: ArrayLike, information: ArrayLike, *, critical_z: float, final_information: ArrayLike = 1.0
) -> Array:
    """Chance of a final z above the critical one if the interim estimate is the truth; (replicates,)."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class PromisingZone:
    """Size after the interim by zone, (replicates,): `zone` is 0 unfavourable, 1 promising, 2 favourable."""

    patients: Array
    conditional_power: Array
    zone: Array


def promising_zone(
    interim_z: ArrayLike,
    *,
    interim_patients: float,
    planned_patients: float,
    largest_patients: float,
    alpha: float = 0.025,
    target_power: float = 0.9,
    promising_from: float = 0.3,
) -> PromisingZone:
    """Raise the size where conditional power is promising (Mehta and Pocock 2011); test by `inverse_normal`."""
    raise NotImplementedError
