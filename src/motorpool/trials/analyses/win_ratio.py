"""Win ratio, win odds and net benefit of many replicates at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, summarised
from motorpool.trials.analyses.pairwise import Endpoint, pair_scores
from motorpool.trials.analyses.patients import flags, one_stratum


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
    """Compare every treated patient with every control of the same stratum by the endpoints in order.

    Wins and losses are summed over strata with weights 1 / patients (Dong et al. 2018); the variance of the logarithm
    is that of two-sample U statistics (Bebu and Lachin 2016). Shares are of all weighted pairs.

    Raises:
        ValueError: No endpoint, or arrays of other shapes.
    """
    arm = flags(treated, "treated")
    kept = np.ones(arm.shape, dtype=bool) if observed is None else flags(observed, "observed")
    strata = one_stratum(stratum, arm)
    replicates, count = len(arm), len(endpoints)
    by_endpoint = np.zeros((2, replicates, max(count, 1)))
    pairs, spread = np.zeros(replicates), np.zeros((replicates, 2, 2))
    for part, better, decided in pair_scores(endpoints, (replicates, arm.shape[1])):
        for number in range(int(strata.max(initial=0)) + 1):
            member = kept[part] & (strata[part] == number)
            one, two = (member & arm[part]).astype(float), (member & ~arm[part]).astype(float)
            size = np.maximum(member.sum(axis=1), 1.0)
            pairs[part] += one.sum(axis=1) * two.sum(axis=1) / size
            across = one[:, :, None] * two[:, None, :]
            results = np.stack([(better > 0) * across, (better < 0) * across])
            for place in range(count):
                by_endpoint[:, part, place] += (results * (decided == place)).sum(axis=(2, 3)) / size
            spread[part] += _spread(results, one, two) / size[:, None, None] ** 2
    wins, losses = by_endpoint.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.where((wins > 0.0) & (losses > 0.0), 1.0, np.nan)
        variance = (
            spread[:, 0, 0] / wins**2 + spread[:, 1, 1] / losses**2 - 2.0 * spread[:, 0, 1] / (wins * losses)
        )
        summary = summarised(np.log(wins / losses) * both, np.sqrt(variance), np.inf, confidence)
        shares = by_endpoint / pairs[:, None]
        won, lost = wins / pairs, losses / pairs
        tied = 1.0 - won - lost
        odds = (won + 0.5 * tied) / (lost + 0.5 * tied)
    return WinRatioEstimate(
        **summary,
        wins=won,
        losses=lost,
        ties=tied,
        win_odds=odds,
        net_benefit=won - lost,
        wins_by_endpoint=shares[0],
        losses_by_endpoint=shares[1],
    )


def _spread(results: Array, one: Array, two: Array) -> Array:
    """Covariance of the numbers of wins and losses in a stratum, (replicates, 2, 2), from Hajek projections."""
    n1, n0 = one.sum(axis=1), two.sum(axis=1)
    by_treated = results.sum(axis=3) / np.maximum(n0, 1.0)[:, None]  # (2, replicates, patients)
    by_control = results.sum(axis=2) / np.maximum(n1, 1.0)[:, None]
    mean = results.sum(axis=(2, 3)) / np.maximum(n1 * n0, 1.0)
    total = np.zeros((len(one), 2, 2))
    for values, who, own, other in ((by_treated, one, n1, n0), (by_control, two, n0, n1)):
        centred = (values - mean[..., None]) * who
        covariance = np.einsum("arp,brp->rab", centred, centred) / np.maximum(own - 1.0, 1.0)[:, None, None]
        # (n1 n0)^2 / own: from the variance of a mean of projections to that of the number of wins
        total += covariance * (own * other**2)[:, None, None]
    return total
