"""Win ratio, win odds and net benefit of many replicates at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate
from motorpool.trials.analyses.pairwise import Endpoint


@dataclass(frozen=True, kw_only=True)
class WinRatioEstimate(Estimate):
    """Log win ratio; `wins`, `losses` and `ties` are shares of pairs, `wins_by_endpoint` (replicates, endpoints).

    `net_benefit` is wins minus losses and `win_odds` counts ties half to each.
    """

    wins: Array
    losses: Array
    ties: Array
    win_odds: Array
    net_benefit: Array
    wins_by_endpoint: Array
    losses_by_endpoint: Array


def win_ratio(
    endpoints: Sequence[Endpoint],
    treated: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> WinRatioEstimate:
    """Compare every treated patient with every control (of the same stratum) by the endpoints in order."""
    raise NotImplementedError
