"""How wrong the model is about studies it was not fitted to: each calibration study in turn is left out and predicted.

A model with as many free numbers as targets fits its own studies better than the next one, so that a discrepancy
inferred from the fit alone is too small for prediction, and more so for some families of endpoints than for others. So
its sizes are the fit's, times a factor that all families have in common, times one of each family that is near one (a
log-normal prior): those under which the studies left out are most probable. Then all are widened alike until the 90 %
intervals hold nine in ten of the figures left out: an interval has to keep its word where that can be looked at. The
share that the endpoints of one study have in common is that with which, after this, the studies left out are most
probable. The validation studies have no part in it.

Leaving a study out is done with the emulator's tangent at the posterior mean, where everything is normal and the answer
is exact (leave-group-out prediction of a linear Gaussian model; Rasmussen and Williams, Gaussian Processes for Machine
Learning, 2006, section 5.4.2); heavy tails enter by their variance.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.sample import shared_loading
from motorpool.calibration.targets import Target
from motorpool.studies.scale import load_calibration_rules

Array = NDArray[np.float64]
# What is tried: shares in common, and by how much all sizes are widened; finer steps change the density by less than
# the noise of so few studies.
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)
WIDER = tuple(1.0 + 0.05 * step for step in range(41))
COMMON = (-1.0, 2.0)  # bounds of the logarithm of the factor in common
NOMINAL = 0.9
INSIDE = 1.6448536269514722  # standard normal quantile of the central 90 %


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """How well left-out studies are predicted with one size of the discrepancy.

    z (T,) distances of the figures from their predictions, in predictive standard deviations; log_density: summed over
    studies, the endpoints of a study together.
    """

    z: Array
    log_density: float

    @property
    def coverage_90(self) -> float:
        """Share of the figures inside the central 90 %."""
        return float(np.mean(np.abs(self.z) <= INSIDE))


@dataclasses.dataclass(frozen=True)
class Doubt:
    """Sizes of the discrepancy by family for prediction, and how they were found.

    factor: over the sizes that the fit alone inferred, common to all families; factors: of each family, times that;
    shared: of the variance, common to the endpoints of a study; chosen and fitted: left-out studies with these sizes,
    and with those of the fit and the share of the rules.
    """

    sizes: Mapping[str, float]
    factor: float
    factors: Mapping[str, float]
    shared: float
    chosen: LeftOut
    fitted: LeftOut


def choose_doubt(
    targets: Sequence[Target], emulator: Emulator, at: Array, sampling_sd: Array, fitted: Mapping[str, float]
) -> Doubt:
    """The sizes of the discrepancy, and its shared part, for predicting studies that were not fitted to.

    Args:
        at: (D,) the posterior mean; sampling_sd: (T,) scatter of simulated studies of the published size, for papers
            that give no error; fitted: size by family as the fit alone inferred it.
    """
    rules = load_calibration_rules()
    problem = _Problem(targets, emulator, at, sampling_sd)
    alone = np.array([fitted[family] for family in problem.families])
    tried = [_with_share(problem, alone, shared, rules.families_log_sd) for shared in SHARES]
    most = min(NOMINAL, max(one.left_out.coverage_90 for one in tried))
    best = max((one for one in tried if one.left_out.coverage_90 >= most), key=lambda one: one.probable)

    def by_family(numbers: Array) -> dict[str, float]:
        return dict(zip(problem.families, numbers.tolist(), strict=True))

    before = problem.leave_out(alone, rules.shared_by_study)
    sizes = best.factor * best.own * alone
    return Doubt(by_family(sizes), best.factor, by_family(best.own), best.shared, best.left_out, before)


@dataclasses.dataclass(frozen=True)
class _Tried:
    """Factors, in common and own (F,), with one share, and how probable studies left out are with them."""

    shared: float
    factor: float
    own: Array
    left_out: LeftOut
    probable: float


def _with_share(problem: _Problem, alone: Array, shared: float, log_sd: float) -> _Tried:
    """The most probable factors, then widened until nine in ten figures are inside, or as far as is tried."""

    def price(logs: Array) -> float:
        return 0.5 * float(np.sum((logs[1:] / log_sd) ** 2))

    def improbable(logs: Array) -> float:
        return price(logs) - problem.leave_out(alone * np.exp(logs[0] + logs[1:]), shared).log_density

    # Coarse derivatives and an early end: a factor matters to a few per cent at the most.
    bounds = [COMMON] + [(-4.0 * log_sd, 4.0 * log_sd)] * alone.size
    options = {"eps": 1e-3, "ftol": 1e-5, "maxiter": 40}
    logs = minimize(improbable, np.zeros(alone.size + 1), method="L-BFGS-B", bounds=bounds, options=options).x
    common, own = float(np.exp(logs[0])), np.exp(logs[1:])
    found = [(wider * common, problem.leave_out(wider * common * own * alone, shared)) for wider in WIDER]
    enough = [one for one in found if one[1].coverage_90 >= NOMINAL]
    factor, left_out = enough[0] if enough else max(found, key=lambda one: one[1].coverage_90)
    return _Tried(shared, factor, own, left_out, left_out.log_density - price(logs))


def leave_studies_out(
    targets: Sequence[Target],
    emulator: Emulator,
    at: Array,
    sampling_sd: Array,
    sizes: Mapping[str, float],
    shared: float,
) -> LeftOut:
    """Predict every study from all others, with these sizes of the discrepancy in fit and prediction."""
    problem = _Problem(targets, emulator, at, sampling_sd)
    return problem.leave_out(np.array([sizes[family] for family in problem.families]), shared)


class _Problem:
    """The studies as a linear Gaussian model, ready for many sizes of the discrepancy.

    Args: as :func:`choose_doubt`. families (F,) names, in the order of the sizes.
    """

    def __init__(self, targets: Sequence[Target], emulator: Emulator, at: Array, sampling_sd: Array) -> None:
        """Take the tangent; all but the discrepancy is known from here on."""
        self.families = tuple(dict.fromkeys(target.family for target in targets))
        self._family = np.array([self.families.index(target.family) for target in targets])
        slopes = emulator.slopes_at(at)
        level = emulator.predict(at[None])[0] - slopes @ at  # along the tangent, at the prior's centre
        own = np.array([np.nan if t.standard_error is None else t.standard_error for t in targets])
        chance = np.where(np.isnan(own), np.nan_to_num(sampling_sd, nan=0.0), own)
        self._known = slopes @ slopes.T + np.diag(chance**2 + emulator.error_sd**2)
        self._residual = np.array([target.value for target in targets]) - level
        self._endpoints = [target.endpoint for target in targets]
        studies = np.array([target.study for target in targets])
        self._same = np.equal.outer(studies, studies)
        self._blocks = [np.flatnonzero(studies == study) for study in dict.fromkeys(studies)]
        tails = load_calibration_rules().tails_degrees_of_freedom
        self._heavy = tails / (tails - 2.0)

    def leave_out(self, sizes: Array, shared: float) -> LeftOut:
        """Predict every study from all others; sizes (F,) of the discrepancy."""
        size = sizes[self._family]
        loading = np.array([shared_loading(endpoint, shared) for endpoint in self._endpoints])
        together = np.where(self._same, np.outer(loading * size, loading * size), 0.0)
        alone = (1.0 - loading**2) * size**2 * self._heavy
        precision = np.linalg.inv(self._known + together + np.diag(alone))
        pulled = precision @ self._residual
        z, density = np.zeros(size.size), 0.0
        for out in self._blocks:
            # What is left of a block when all others are known is the inverse of its block of the precision.
            block = precision[np.ix_(out, out)]
            spread = np.linalg.inv(block)
            missed = spread @ pulled[out]
            z[out] = missed / np.sqrt(np.diag(spread))
            log_determinant = float(np.linalg.slogdet(block).logabsdet)
            squared = float(missed @ block @ missed)
            density += 0.5 * (log_determinant - squared - missed.size * math.log(2.0 * math.pi))
        return LeftOut(z, density)
