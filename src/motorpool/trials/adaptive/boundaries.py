"""Group-sequential boundaries on the scale of z, one-sided: efficacy and futility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.adaptive.spending import SpendingFunction
from motorpool.trials.analyses.estimate import Array, Numbers

Shape = Literal["obrien_fleming", "pocock"]


@dataclass(frozen=True, kw_only=True)
class Boundaries:
    """Critical z by look, (looks,): stop for efficacy at or above `efficacy_z`, for futility below `futility_z`.

    `information` is the share of the information at each look; `futility_z` is -inf where there is no futility
    stop; `alpha_spent` is cumulative. With `binding`, alpha counts on stopping for futility.
    """

    information: Array
    efficacy_z: Array
    futility_z: Array
    alpha_spent: Array
    binding: bool


def classical_boundaries(shape: Shape, information: Sequence[float], alpha: float = 0.025) -> Boundaries:
    """O'Brien-Fleming or Pocock boundaries for these information times."""
    raise NotImplementedError


def spending_boundaries(
    function: SpendingFunction,
    information: Sequence[float],
    alpha: float = 0.025,
    *,
    parameter: float = 1.0,
    futility: SpendingFunction | None = None,
    beta: float = 0.1,
    binding: bool = False,
) -> Boundaries:
    """Lan-DeMets boundaries; with `futility`, a beta-spending lower boundary as well."""
    raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where each replicate stops, (replicates,): index of the look, and whether for efficacy or futility."""

    look: Numbers
    efficacy: Array
    futility: Array


def monitor(z: ArrayLike, boundaries: Boundaries) -> Outcome:
    """Follow statistics (replicates, looks; positive is better) until a boundary is crossed.

    A statistic that is not a number stops nothing.
    """
    raise NotImplementedError
