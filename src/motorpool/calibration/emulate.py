"""An emulator of the endpoints near the posterior: linear in every axis, quadratic in those that move a target most.

It is fitted to real simulations at points spread over the posterior, each with luck of its own, so that luck averages
out instead of being fitted. The measured slopes say which axes matter to a target and how far a slope or a curvature
may go: a ridge regression whose prior is as wide as they are large. The emulator's own error (by cross-validation,
less the chance of the simulations left out) goes into the likelihood. The scheme - calibrate, emulate, sample -
follows Cleary, Garbuno-Inigo, Lan, Schneider and Stuart, J Comput Phys 2021;424:109716.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
CURVED_AXES = 16  # of each target
FOLDS = 5
# Numerical choices, in total errors of a target per prior SD: prior SD of a slope that was measured as none, what a
# measured slope may be by chance, the prior SD of a curvature relative to those of its two slopes, and the least SD
# of a slope that counts there.
SLOPE_SD, SLOPE_CHANCE, CURVATURE_SHARE, LEAST_BENT, LEVEL_SD = 0.03, 0.2, 0.15, 0.5, 30.0
NOISE_LEVELS = (0.15, 0.25, 0.4, 0.6, 0.9, 1.4)  # total errors; that which predicts best is taken
LEAST_ERROR_SHARE = (
    0.3  # of the error on what was left out: at least so much is the emulator's, the rest is chance
)
# A target with fewer figures cannot be emulated; its error, in total errors, is so large that it says nothing.
LEAST_POINTS, SAYS_NOTHING = 20, 100.0


@dataclasses.dataclass(frozen=True)
class Emulator:
    """``value = level + slopes moved + moved[axes] curvature moved[axes]`` for every target, ``moved = z - centre``.

    centre (D,); level (T,); slopes (T, D); axes (T, K) places of the axes along which a target bends; curvature
    (T, K, K); error_sd (T,): how far the emulator errs.
    """

    centre: Array
    level: Array
    slopes: Array
    axes: Indices
    curvature: Array
    error_sd: Array

    def predict(self, z: Array) -> Array:
        """Targets (M, T) at points (M, D)."""
        moved = z - self.centre
        values = self.level + moved @ self.slopes.T
        for target, (places, bend) in enumerate(zip(self.axes, self.curvature, strict=True)):
            inside = moved[:, places]
            values[:, target] += np.einsum("mi,mi->m", inside @ bend, inside)
        return values

    def slopes_at(self, z: Array) -> Array:
        """Slopes (T, D) at one point (D,)."""
        found = self.slopes.copy()
        inside = (z - self.centre)[self.axes]
        bend = np.einsum("tij,tj->ti", self.curvature + self.curvature.transpose(0, 2, 1), inside)
        np.add.at(found, (np.arange(len(found))[:, None], self.axes), bend)
        return found


def fit_emulator(
    points: Array,
    values: Array,
    centre: Array,
    slopes: Array,
    variance: Array,
    chance: Array | float = 0.0,
    judged: int | None = None,
) -> Emulator:
    """Fit the emulator.

    Args:
        points: (M, D) parameter sets that were simulated; values: (M, T) what came out, NaN where nothing did.
        centre: (D,) the mode; slopes: (T, D) measured there; variance: (T,) total error variance of each target, the
            yardstick of what matters.
        chance: (T,) variance that luck alone gives the values of one point.
        judged: how many of the last points the emulator's error is judged by; all without it.
    """
    moved = points - centre
    scale = np.sqrt(variance)
    measured = slopes / scale[:, None]
    count = min(CURVED_AXES, centre.size)
    axes = np.argsort(-np.abs(measured), axis=1, kind="stable")[:, :count]
    rows, columns = np.triu_indices(count)
    targets = values.shape[1]
    level, fitted = np.zeros(targets), np.array(slopes)
    curvature = np.zeros((targets, count, count))
    error = np.zeros(targets)
    last = np.arange(len(points)) >= len(points) - (len(points) if judged is None else judged)
    by_chance = np.broadcast_to(np.asarray(chance, float), targets)
    for target in range(targets):
        usable = np.isfinite(values[:, target])
        if usable.sum() < LEAST_POINTS or (usable & last).sum() < LEAST_POINTS:
            error[target] = SAYS_NOTHING * scale[target]
            continue
        # What was measured by differences is partly chance: small slopes say less than large ones.
        slope = measured[target]
        expected = slope**3 / (slope**2 + SLOPE_CHANCE**2)
        slope_sd = np.sqrt(SLOPE_SD**2 + slope**2)
        of_axes = np.maximum(slope_sd[axes[target]], LEAST_BENT)
        curvature_sd = CURVATURE_SHARE * np.sqrt(of_axes[rows] * of_axes[columns])
        prior_sd = np.concatenate([[LEVEL_SD], slope_sd, curvature_sd])
        inside = moved[usable][:, axes[target]]
        design = np.concatenate(
            [np.ones((int(usable.sum()), 1)), moved[usable], inside[:, rows] * inside[:, columns]], axis=1
        )
        rest = values[usable, target] / scale[target] - moved[usable] @ expected
        weights, missed = _ridge(design * prior_sd, rest, last[usable])
        weights = scale[target] * prior_sd * weights
        level[target] = weights[0]
        fitted[target] = scale[target] * expected + weights[1 : 1 + centre.size]
        curvature[target][rows, columns] = weights[1 + centre.size :]
        squared = missed * variance[target]
        error[target] = np.sqrt(max(squared - by_chance[target], LEAST_ERROR_SHARE**2 * squared))
    return Emulator(centre, level, fitted, axes, curvature, error)


def _ridge(design: Array, wanted: Array, judged: NDArray[np.bool_]) -> tuple[Array, float]:
    """Weights of a ridge regression at the best of ``NOISE_LEVELS``, and its mean squared error where not fitted."""
    fold = np.arange(wanted.size) % FOLDS
    whole, right = design.T @ design, design.T @ wanted
    squared = np.zeros(len(NOISE_LEVELS))
    for number in range(FOLDS):
        out = fold == number
        there = design[out]
        tried = _path(whole - there.T @ there, right - there.T @ wanted[out])
        missed = wanted[out & judged][:, None] - design[out & judged] @ tried
        squared += np.sum(missed**2, axis=0)
    best = int(np.argmin(squared))
    return _path(whole, right)[:, best], float(squared[best]) / int(judged.sum())


def _path(gram: Array, right: Array) -> Array:
    """Weights (F, L) at every noise level, for a prior of unit SD."""
    values, vectors = np.linalg.eigh(gram)
    inside = vectors.T @ right
    return vectors @ (inside[:, None] / (np.maximum(values, 0.0)[:, None] + np.square(NOISE_LEVELS)))
