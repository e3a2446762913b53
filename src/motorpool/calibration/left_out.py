"""How wrong the model is about studies it was not fitted to: each calibration study in turn is left out and predicted.

A model with as many free numbers as targets fits its own studies better than the next one, so that a discrepancy
inferred from the fit alone is too small for prediction. Its size, and the share of it that the endpoints of one study
have in common, are therefore those under which the studies left out are most probable, among those whose 90 %
intervals hold nine in ten of the figures left out: an interval has to keep its word where that can be looked at. The
validation studies have no part in this.

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

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.sample import shared_loading
from motorpool.calibration.targets import Target
from motorpool.studies.scale import load_calibration_rules

Array = NDArray[np.float64]
# The grid on which both are sought; finer steps change the density by less than the noise of so few studies.
FACTORS = (0.7, 0.85, 1.0, 1.2, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.2, 2.4, 2.8)
SHARES = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
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

    factor: over the sizes that the fit alone inferred; shared: of the variance, common to the endpoints of a study;
    chosen and fitted: left-out studies with these sizes, and with those of the fit and the share of the rules.
    """

    sizes: Mapping[str, float]
    factor: float
    shared: float
    chosen: LeftOut
    fitted: LeftOut


def choose_doubt(
    targets: Sequence[Target], emulator: Emulator, at: Array, sampling_sd: Array, fitted: Mapping[str, float]
) -> Doubt:
    """The size of the discrepancy, and its shared part, under which left-out studies are most probable.

    Only pairs count whose central 90 % hold nine in ten of the figures left out; if none does, those that hold most.

    Args:
        at: (D,) the posterior mean; sampling_sd: (T,) scatter of simulated studies of the published size, for papers
            that give no error; fitted: size by family as the fit alone inferred it.
    """
    tried = {
        (factor, shared): leave_studies_out(
            targets, emulator, at, sampling_sd, _times(fitted, factor), shared
        )
        for factor in FACTORS
        for shared in SHARES
    }
    most = min(NOMINAL, max(left_out.coverage_90 for left_out in tried.values()))
    kept = [pair for pair, left_out in tried.items() if left_out.coverage_90 >= most]
    factor, shared = max(kept, key=lambda pair: tried[pair].log_density)
    usual = load_calibration_rules().shared_by_study
    before = leave_studies_out(targets, emulator, at, sampling_sd, fitted, usual)
    return Doubt(_times(fitted, factor), factor, shared, tried[factor, shared], before)


def _times(sizes: Mapping[str, float], factor: float) -> dict[str, float]:
    return {family: factor * size for family, size in sizes.items()}


def leave_studies_out(
    targets: Sequence[Target],
    emulator: Emulator,
    at: Array,
    sampling_sd: Array,
    sizes: Mapping[str, float],
    shared: float,
) -> LeftOut:
    """Predict every study from all others, with one size of the discrepancy in fit and prediction."""
    level, slopes = _tangent(emulator, at)
    covariance = slopes @ slopes.T + _errors(targets, emulator, sampling_sd, sizes, shared)
    residual = np.array([target.value for target in targets]) - level
    precision = np.linalg.inv(covariance)
    pulled = precision @ residual
    studies = np.array([target.study for target in targets])
    z, density = np.zeros(len(targets)), 0.0
    for study in dict.fromkeys(studies):
        out = studies == study
        # What is left of a block when all others are known is the inverse of its block of the precision.
        block = precision[np.ix_(out, out)]
        spread = np.linalg.inv(block)
        missed = spread @ pulled[out]
        z[out] = missed / np.sqrt(np.diag(spread))
        log_determinant = float(np.linalg.slogdet(block).logabsdet)
        squared = float(missed @ block @ missed)
        density += 0.5 * (log_determinant - squared - missed.size * math.log(2.0 * math.pi))
    return LeftOut(z, density)


def _tangent(emulator: Emulator, at: Array) -> tuple[Array, Array]:
    """Prediction (T,) at the prior's centre along the tangent at a point, and its slopes (T, D)."""
    slopes = emulator.slopes_at(at)
    return emulator.predict(at[None])[0] - slopes @ at, slopes


def _errors(
    targets: Sequence[Target],
    emulator: Emulator,
    sampling_sd: Array,
    sizes: Mapping[str, float],
    shared: float,
) -> Array:
    """Covariance (T, T) of all that is not parameters: chance, the emulator's error, and the discrepancy."""
    own = np.array([np.nan if t.standard_error is None else t.standard_error for t in targets])
    chance = np.where(np.isnan(own), np.nan_to_num(sampling_sd, nan=0.0), own)
    size = np.array([sizes[target.family] for target in targets])
    loading = np.array([shared_loading(target.endpoint, shared) for target in targets])
    tails = load_calibration_rules().tails_degrees_of_freedom
    alone = (1.0 - loading**2) * size**2 * tails / (tails - 2.0)
    together = np.outer(loading * size, loading * size)
    same = np.equal.outer([t.study for t in targets], [t.study for t in targets])
    return np.diag(alone + chance**2 + emulator.error_sd**2) + np.where(same, together, 0.0)
