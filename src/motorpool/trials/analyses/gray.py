"""Gray's test that two cumulative incidences are equal, many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.competing_risks import causes_of
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, summarised
from motorpool.trials.analyses.ordered import ordered
from motorpool.trials.analyses.patients import flags


@dataclass(frozen=True, kw_only=True)
class GrayEstimate(Estimate):
    """Gray's test; the estimate is the one-step log ratio of subdistribution hazards, treated against control."""

    events: Array
    chi_square: Array


def gray(
    time_years: ArrayLike,
    cause: ArrayLike,
    treated: ArrayLike,
    *,
    of_interest: int = 1,
    observed: ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> GrayEstimate:
    """Gray's (1988) test with equal weights; arrays (replicates, patients), `cause` 0 for censored.

    Raises:
        ValueError: Arrays of other shapes, causes that are no whole numbers, or a negative time.
    """
    time, number, counted = causes_of(time_years, cause, observed)
    arm = flags(treated, "treated")
    here = ordered(time, counted)
    numbers = here.sort(np.where(counted, number, 0))
    members = [here.sort(arm).astype(float) * here.weight, here.sort(~arm).astype(float) * here.weight]
    chosen = (numbers == of_interest).astype(float)
    other = ((numbers > 0) & (numbers != of_interest)).astype(float)
    at_risk = np.stack([here.at_risk(member) for member in members], axis=-1)
    own = np.stack([here.within_ties(chosen * member) for member in members], axis=-1)
    rival = np.stack([here.within_ties(other * member) for member in members], axis=-1)
    sums = _Sums(len(time))
    for place in np.flatnonzero((here.starts & (here.weight > 0.0)).any(axis=0)):
        here_now = here.starts[:, place, None] & (here.weight[:, place, None] > 0.0)
        sums.add(at_risk[:, place] * here_now, own[:, place] * here_now, rival[:, place] * here_now)
    score, variance = sums.score, sums.variance()
    with np.errstate(divide="ignore", invalid="ignore"):
        summary = summarised(score / variance, 1.0 / np.sqrt(variance), np.inf, confidence)
    events = (chosen * here.weight).sum(axis=1)
    return GrayEstimate(**summary, events=events, chi_square=summary["statistic"] ** 2)


def _ratio(numerator: Array, denominator: Array) -> Array:
    return np.divide(
        numerator,
        denominator,
        out=np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape)),
        where=denominator > 0.0,
    )


class _Sums:
    """Score of the treated and what its variance needs, summed from the earliest time on.

    Arms are the last axis, the treated first. Curves end in `_before` where they are left-continuous. The variance
    integrates, for each arm, weights that hold the whole later course of the test; it is expanded here so that one
    pass in order of time is enough.
    """

    def __init__(self, replicates: int) -> None:
        self.score = np.zeros(replicates)
        self.incidence_before = np.zeros((replicates, 2))
        self.survival_before = np.ones((replicates, 2))
        self.pooled_before = np.zeros(replicates)
        self.drift = np.zeros((replicates, 2))
        self.constant = np.zeros(replicates)
        self.linear = np.zeros((replicates, 2))
        self.quadratic = np.zeros((replicates, 2))

    def add(self, at_risk: Array, own: Array, rival: Array) -> None:
        """One time: people at risk, events of interest and others, (replicates, 2) each."""
        survival = self.survival_before
        present = at_risk > 0.0
        events = own.sum(axis=-1)
        after = np.where(present, survival * (1.0 - _ratio(own + rival, at_risk)), survival)
        incidence = self.incidence_before + survival * _ratio(own, at_risk)
        size = _ratio(at_risk, survival)  # people as if none were censored or had another event
        total = size.sum(axis=-1)
        weighted = size * (1.0 - self.incidence_before)
        share = _ratio(weighted, weighted.sum(axis=-1, keepdims=True))
        self.score += own[:, 0] - events * share[:, 0]
        pooled = self.pooled_before + _ratio(events, total)
        sign = np.array([1.0, -1.0])
        between = sign * _ratio(size[:, 0] * size[:, 1], total)[:, None] * present
        self.drift += between * _ratio(events, total * (1.0 - self.pooled_before))[:, None]
        left = _ratio((1.0 - pooled)[:, None], after)
        self._own_event(between, 1.0 - left, survival, total, events, at_risk)
        self._other_event(left, survival, rival, at_risk, after)
        self.incidence_before, self.survival_before, self.pooled_before = incidence, after, pooled

    def _own_event(
        self, between: Array, gap: Array, survival: Array, total: Array, events: Array, at_risk: Array
    ) -> None:
        tied = np.where(
            (events > 1.0)[:, None],
            1.0 - _ratio((events - 1.0)[:, None], total[:, None] * survival - 1.0),
            1.0,
        )
        size = tied * survival * _ratio(events[:, None], total[:, None] * at_risk)
        moved = between - gap * self.drift
        self.quadratic += gap**2 * size
        self.linear += moved * gap * size
        self.constant += (moved**2 * size).sum(axis=-1)

    def _other_event(self, left: Array, survival: Array, rival: Array, at_risk: Array, after: Array) -> None:
        tied = np.where(rival > 1.0, 1.0 - _ratio(rival - 1.0, at_risk - 1.0), 1.0)
        size = tied * survival**2 * _ratio(rival, at_risk**2) * (after > 0.0)
        moved = left * self.drift
        self.quadratic += left**2 * size
        self.linear -= moved * left * size
        self.constant += (moved**2 * size).sum(axis=-1)

    def variance(self) -> Array:
        """Variance of the score."""
        late = self.drift**2 * self.quadratic + 2.0 * self.drift * self.linear
        return self.constant + late.sum(axis=-1)
