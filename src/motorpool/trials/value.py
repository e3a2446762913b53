"""The value of the answer: how likely a trial is to change the decision, and what that is worth in benefit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from motorpool.trials.analysis import benefit_sign
from motorpool.trials.design import TrialDesign

Array = NDArray[np.float64]
SIMULATED = 200  # trials simulated for each draw of what is not known; numerical choice


@dataclass(frozen=True)
class ValueAtSize:
    """What a trial of one size is worth before its costs; benefits are per person, in the first endpoint's unit.

    change_probability: that the decision after the trial differs from the one before. sample_information: expected
    gain of deciding after the trial instead of now. perfect_information: the same if the effect were known exactly.
    """

    patients: int
    change_probability: float
    sample_information: float
    perfect_information: float

    @property
    def share_of_perfect(self) -> float:
        """How much of the value of knowing everything the trial gives; 0 where there is nothing to gain."""
        return self.sample_information / self.perfect_information if self.perfect_information > 0 else 0.0

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "patients": self.patients,
            "change_probability": _short(self.change_probability),
            "sample_information_per_person": _short(self.sample_information),
            "perfect_information_per_person": _short(self.perfect_information),
            "share_of_perfect": _short(self.share_of_perfect),
        }


def value_at(
    effects: Array, worthwhile: float, standard_error: float, patients: int, seed: int
) -> ValueAtSize:
    """Value of a trial whose estimate has this standard error.

    A therapy is adopted where the expected effect exceeds the worthwhile one. Before the trial the expectation is over
    ``effects``, draws from what is known; after it, over the same draws weighed by the likelihood of the estimate.

    Args:
        effects: true effects (D,), larger is better.
        worthwhile: what a person must gain for the therapy to be adopted.
        standard_error: of the trial's estimate.
        patients: size of the trial, to be named with the result.
        seed: of the simulated trials.
    """
    gain = np.asarray(effects, float) - worthwhile
    before = float(gain.mean())
    generator = np.random.default_rng([seed, patients])
    estimates = effects[:, None] + standard_error * generator.standard_normal((gain.size, SIMULATED))
    after = np.stack(
        [_expected(gain, effects, each, standard_error) for each in estimates]
    )  # a draw at a time
    adopt = after > 0.0
    # Judged by the truth that each simulated trial was made under, so that nothing is counted twice.
    with_trial = float(np.mean(np.where(adopt, gain[:, None], 0.0)))
    return ValueAtSize(
        patients=patients,
        change_probability=float(np.mean(adopt != (before > 0.0))),
        sample_information=max(0.0, with_trial - max(0.0, before)),
        perfect_information=float(np.mean(np.maximum(gain, 0.0))) - max(0.0, before),
    )


def _expected(gain: Array, effects: Array, estimates: Array, standard_error: float) -> Array:
    """Expected gain given each of these estimates (S,), over the draws weighed by their likelihood."""
    log_likelihood = -0.5 * ((estimates[:, None] - effects) / standard_error) ** 2
    total: Array = np.asarray(logsumexp(log_likelihood, axis=-1, keepdims=True))
    weights = np.exp(log_likelihood - total)
    return weights @ gain


def people_affected(
    design: TrialDesign, eligible_now: float | None, eligible_per_year: float | None
) -> float | None:
    """How many people the decision is about, over its years: stated, or from incidence; None where neither is known."""
    decision = design.decision
    if decision is None:
        return None
    if decision.people_per_year is not None:
        return decision.people_per_year * decision.years
    if eligible_now is None or eligible_per_year is None:
        return None
    return eligible_now + eligible_per_year * decision.years


def benefit_of(design: TrialDesign, effects: Array) -> tuple[Array, float]:
    """Effects and the worthwhile one, turned so that larger is better."""
    assert design.decision is not None
    sign = benefit_sign(design.endpoints[0])
    return sign * np.asarray(effects, float), sign * design.decision.worthwhile


def _short(value: float) -> float:
    return float(f"{value:.5g}")
