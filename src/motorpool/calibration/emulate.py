"""An emulator of the endpoints near the posterior: linear in every axis, quadratic in the directions the data inform.

It is fitted to real simulations at points spread over the posterior, starts from the measured slopes, and carries its
own error (by cross-validation) into the likelihood. The scheme - calibrate, emulate, sample - follows
Cleary, Garbuno-Inigo, Lan, Schneider and Stuart, J Comput Phys 2021;424:109716.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
QUADRATIC_DIRECTIONS = 12
FOLDS = 10
# Numerical choices: prior SDs of a slope's correction, relative to the target's total error, and of a curvature.
SLOPE_SD, CURVATURE_SD = 0.5, 0.5
SMALLEST_NOISE = 0.15
# A target with fewer figures cannot be emulated; its error, in total errors, is so large that it says nothing.
LEAST_POINTS, SAYS_NOTHING = 2 * FOLDS, 100.0


@dataclasses.dataclass(frozen=True)
class Emulator:
    """``value = level + slopes (z - centre) + quadratic(directions (z - centre))`` for every target.

    centre (D,); level (T,); slopes (T, D); directions (K, D); curvature (T, K, K); error_sd (T,): how far it errs,
    chance of finite simulation included.
    """

    centre: Array
    level: Array
    slopes: Array
    directions: Array
    curvature: Array
    error_sd: Array

    def predict(self, z: Array) -> Array:
        """Targets (M, T) at points (M, D)."""
        moved = z - self.centre
        inside = moved @ self.directions.T
        return self.level + moved @ self.slopes.T + np.einsum("mi,tij,mj->mt", inside, self.curvature, inside)


def informed_directions(slopes: Array, variance: Array, count: int = QUADRATIC_DIRECTIONS) -> Array:
    """The directions (K, D) in which the targets say most, most informative first."""
    information = slopes.T @ (slopes / variance[:, None])
    _, vectors = np.linalg.eigh(information)
    return vectors[:, ::-1][:, :count].T


def fit_emulator(points: Array, values: Array, centre: Array, slopes: Array, variance: Array) -> Emulator:
    """Fit the emulator.

    Args:
        points: (M, D) parameter sets that were simulated; values: (M, T) what came out, NaN where nothing did.
        centre: (D,) the mode; slopes: (T, D) measured there; variance: (T,) total error variance of each target, the
            yardstick of what matters.
    """
    directions = informed_directions(slopes, variance)
    moved = points - centre
    inside = moved @ directions.T
    rows, columns = np.triu_indices(directions.shape[0])
    features = np.concatenate(
        [np.ones((len(points), 1)), moved, inside[:, rows] * inside[:, columns]], axis=1
    )
    dimensions = centre.size
    targets = values.shape[1]
    level, fitted = np.zeros(targets), np.array(slopes)
    curvature = np.zeros((targets, directions.shape[0], directions.shape[0]))
    error = np.zeros(targets)
    prior_sd = np.concatenate([[10.0], np.full(dimensions, SLOPE_SD), np.full(rows.size, CURVATURE_SD)])
    for target in range(targets):
        usable = np.isfinite(values[:, target])
        scale = float(np.sqrt(variance[target]))
        if usable.sum() < LEAST_POINTS:
            error[target] = SAYS_NOTHING * scale
            continue
        rest = (values[usable, target] - moved[usable] @ slopes[target]) / scale
        design = features[usable]
        noise = _noise(design, rest, prior_sd)
        weights = _ridge(design, rest, prior_sd, noise)
        level[target] = scale * weights[0]
        fitted[target] = slopes[target] + scale * weights[1 : 1 + dimensions]
        curvature[target][rows, columns] = scale * weights[1 + dimensions :]
        error[target] = scale * _cross_validated(design, rest, prior_sd, noise)
    return Emulator(centre, level, fitted, directions, curvature, error)


def _ridge(design: Array, wanted: Array, prior_sd: Array, noise: float) -> Array:
    precision = design.T @ design / noise**2 + np.diag(1.0 / prior_sd**2)
    return np.asarray(np.linalg.solve(precision, design.T @ wanted / noise**2), np.float64)


def _cross_validated(design: Array, wanted: Array, prior_sd: Array, noise: float) -> float:
    """Root mean squared error on points that were left out of the fit."""
    fold = np.arange(wanted.size) % FOLDS
    squared = 0.0
    for number in range(FOLDS):
        left_out = fold == number
        weights = _ridge(design[~left_out], wanted[~left_out], prior_sd, noise)
        squared += float(np.sum((wanted[left_out] - design[left_out] @ weights) ** 2))
    return float(np.sqrt(squared / wanted.size))


def _noise(design: Array, wanted: Array, prior_sd: Array) -> float:
    """The noise level, among a few, that predicts left-out points best."""
    candidates = [SMALLEST_NOISE * 2.0**step for step in range(5)]
    errors = [_cross_validated(design, wanted, prior_sd, noise) for noise in candidates]
    return candidates[int(np.argmin(errors))]
