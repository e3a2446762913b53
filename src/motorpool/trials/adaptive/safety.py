"""Stopping a trial, or an arm, because of harm: Bayesian beta-binomial rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from motorpool.trials.adaptive.spending import check_error
from motorpool.trials.analyses.estimate import Array, Numbers


@dataclass(frozen=True, kw_only=True)
class SafetyRule:
    """Stop when the chance that the risk exceeds `acceptable_risk` is above `certainty`, given a beta prior.

    `prior_events` and `prior_without` are the parameters of the beta prior. What risk is acceptable, and how certain
    one must be, is for the design to say.

    Raises:
        ValueError: A share outside 0 to 1, or a prior that is not positive.
    """

    acceptable_risk: float
    certainty: float
    prior_events: float
    prior_without: float

    def __post_init__(self) -> None:
        """Refuse impossible rules."""
        check_error(self.acceptable_risk, "acceptable_risk")
        check_error(self.certainty, "certainty")
        if not (self.prior_events > 0.0 and self.prior_without > 0.0):
            message = (
                f"prior_events {self.prior_events} and prior_without {self.prior_without} must be positive"
            )
            raise ValueError(message)

    def fewest_events(self, patients: ArrayLike) -> Numbers:
        """Smallest number of patients with the event that stops, for each number treated; one more if none does."""
        treated, place = np.unique(np.asarray(patients, dtype=np.int64), return_inverse=True)
        most = int(treated.max(initial=0))
        events = np.arange(most + 1)
        excess = stats.beta.sf(
            self.acceptable_risk,
            self.prior_events + events,
            self.prior_without + np.maximum(treated[..., None] - events, 0),
        )
        stops = (excess > self.certainty) & (events <= treated[..., None])
        fewest = np.where(stops.any(axis=-1), stops.argmax(axis=-1), treated + 1)
        return fewest[place].reshape(np.shape(patients))


def stops_at(events: ArrayLike, patients: ArrayLike, rule: SafetyRule) -> Numbers:
    """Index of the first look that stops, or -1; cumulative `events` and `patients` are (replicates, looks).

    Raises:
        ValueError: Arrays of different shapes, or more patients with the event than patients.
    """
    seen, treated = np.asarray(events, dtype=np.int64), np.asarray(patients, dtype=np.int64)
    if seen.shape != treated.shape or seen.ndim != 2 or (seen > treated).any():
        message = "events and patients must be (replicates, looks), with no more events than patients"
        raise ValueError(message)
    fewest = rule.fewest_events(treated)
    stops = (treated > 0) & (seen >= fewest)
    return np.where(stops.any(axis=1), stops.argmax(axis=1), -1)


def stopping_probabilities(risk: float, patients: ArrayLike, rule: SafetyRule) -> Array:
    """Chance to have stopped by each look if this is the true risk, exactly; `patients` (looks,) cumulative.

    Raises:
        ValueError: Numbers of patients that do not rise, or a risk outside 0 to 1.
    """
    looks = np.asarray(patients, dtype=np.int64)
    if not 0.0 <= risk <= 1.0 or (np.diff(looks, prepend=0) <= 0).any():
        message = f"risk is {risk} and patients {looks.tolist()}; the risk is a share, and patients must rise"
        raise ValueError(message)
    fewest = rule.fewest_events(looks)
    going, stopped, before = np.ones(1), 0.0, 0
    out: list[float] = []
    for treated, limit in zip(looks, fewest, strict=True):
        more = stats.binom.pmf(np.arange(treated - before + 1), treated - before, risk)
        going = np.convolve(going, more)
        stopped += float(going[limit:].sum())
        going[limit:] = 0.0
        before = int(treated)
        out.append(stopped)
    return np.asarray(out)
