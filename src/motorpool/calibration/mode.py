"""Finding the mode: Gauss-Newton steps on the posterior, with derivatives by differences under the same luck.

The simulated people meet the same luck at every parameter set, so that differences show the parameters and not chance.
The steps are wide (a good part of a prior SD): slopes over that range serve the posterior better than tangents.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.space import ParameterSpace
from motorpool.calibration.targets import Target

Array = NDArray[np.float64]
Predict = Callable[[Sequence[Array]], list[Array]]
"""Predictions (T,) at each of several points ``z`` (D,)."""
DIFFERENCE = 0.6  # prior SDs
DAMPINGS = (0.0, 2.0, 10.0, 40.0)  # tried side by side; the best is taken
LARGEST_STEP = 1.5  # prior SDs along any axis in one step
LEAST_GAIN = 1e-3  # of the misfit: what a step must promise to be tried, and bring to be taken


@dataclasses.dataclass(frozen=True)
class Errors:
    """Published value and total variance of each target (T,), on its scale."""

    published: Array
    variance: Array


def errors_of(targets: Sequence[Target], sampling_sd: Array, monte_carlo_variance: Array) -> Errors:
    """Published values, and their variance: sampling error, discrepancy of the model and finite simulation.

    Where a paper gives no error, the scatter of simulated studies of its size stands in.
    """
    own = np.array([np.nan if t.standard_error is None else t.standard_error for t in targets])
    sampling = np.where(np.isnan(own), np.nan_to_num(sampling_sd, nan=0.0), own)
    discrepancy = np.array([t.discrepancy for t in targets])
    return Errors(np.array([t.value for t in targets]), sampling**2 + discrepancy**2 + monte_carlo_variance)


def misfit(z: Array, predicted: Array, errors: Errors) -> float:
    """Minus the log posterior, up to a constant: half the squared distances of targets and of ``z`` from its prior."""
    usable = np.isfinite(predicted)
    residual = (errors.published - predicted)[usable]
    # A target that cannot be predicted at all counts like one missed by five standard errors.
    lost = 25.0 * float((~usable).sum())
    return 0.5 * (float(np.sum(residual**2 / errors.variance[usable])) + lost + float(z @ z))


def difference_points(z: Array, space: ParameterSpace) -> tuple[list[Array], Array]:
    """Points one difference away from ``z`` along each axis, towards the side with more room, and the differences."""
    points: list[Array] = []
    steps = np.zeros(z.size)
    for place, axis in enumerate(space.axes):
        low, high = axis.reach()
        upward = high - z[place] >= z[place] - low
        room = (high - z[place]) if upward else (z[place] - low)
        steps[place] = min(DIFFERENCE, max(0.5 * room, 1e-3)) * (1 if upward else -1)
        moved = z.copy()
        moved[place] += steps[place]
        points.append(moved)
    return points, steps


def jacobian(centre: Array, moved: Sequence[Array], steps: Array) -> Array:
    """Slopes (T, D) of the predictions; zero where a prediction is missing."""
    columns = [(there - centre) / step for there, step in zip(moved, steps, strict=True)]
    return np.nan_to_num(np.stack(columns, axis=1), nan=0.0, posinf=0.0, neginf=0.0)


def posterior_precision(slopes: Array, errors: Errors) -> Array:
    """Precision (D, D) of the local normal approximation."""
    return np.eye(slopes.shape[1]) + slopes.T @ (slopes / errors.variance[:, None])


def step_towards_mode(
    z: Array, predicted: Array, slopes: Array, errors: Errors, damping: float = 0.0
) -> Array:
    """The Gauss-Newton step, at most ``LARGEST_STEP`` along any axis; shorter with ``damping`` (Levenberg)."""
    residual = np.where(np.isfinite(predicted), errors.published - predicted, 0.0)
    gradient = slopes.T @ (residual / errors.variance) - z
    precision = posterior_precision(slopes, errors) + damping * np.eye(z.size)
    step = np.asarray(np.linalg.solve(precision, gradient), np.float64)
    return np.clip(step, -LARGEST_STEP, LARGEST_STEP)


def updated_slopes(slopes: Array, moved: Array, gained: Array) -> Array:
    """Broyden's update: the slopes closest to the old ones that explain what a step changed."""
    length = float(moved @ moved)
    if length < 1e-12:
        return slopes
    surprise = np.nan_to_num(gained - slopes @ moved, nan=0.0, posinf=0.0, neginf=0.0)
    return slopes + np.outer(surprise, moved) / length


@dataclasses.dataclass(frozen=True)
class Mode:
    """A mode: the point, the predictions there, the slopes, and the misfit of every accepted point on the way."""

    z: Array
    predicted: Array
    slopes: Array
    course: tuple[float, ...]


def walk_to_mode(start: Mode, errors: Errors, space: ParameterSpace, predict: Predict, rounds: int) -> Mode:
    """At most ``rounds`` rounds of Gauss-Newton steps, each with a few dampings, with Broyden's updates of the slopes.

    A round in which no damping helps is not the end: what it showed of the slopes makes the next one better. The walk
    is over early when the slopes promise nothing more.
    """
    low, high = (np.array(side) for side in zip(*(axis.reach() for axis in space.axes), strict=True))
    z, predicted, slopes, course = start.z, start.predicted, start.slopes, list(start.course)
    best = misfit(z, predicted, errors)
    for _ in range(rounds):
        tried = [
            np.clip(z + step_towards_mode(z, predicted, slopes, errors, damping), low, high)
            for damping in DAMPINGS
        ]
        promised = [misfit(point, predicted + slopes @ (point - z), errors) for point in tried]
        if min(promised) > best - LEAST_GAIN:
            break
        found = predict(tried)
        scores = [misfit(point, there, errors) for point, there in zip(tried, found, strict=True)]
        slopes = _learnt(slopes, z, predicted, tried, found)
        chosen = int(np.argmin(scores))
        if scores[chosen] < best - LEAST_GAIN:
            z, predicted, best = tried[chosen], found[chosen], scores[chosen]
            course.append(best)
    return Mode(z, predicted, slopes, tuple(course))


def _learnt(
    slopes: Array, z: Array, predicted: Array, tried: Sequence[Array], found: Sequence[Array]
) -> Array:
    """The slopes after all steps of a round, the longest last: it alone is then explained exactly, and says most."""
    steps = [(point - z, there - predicted) for point, there in zip(tried, found, strict=True)]
    for moved, gained in sorted(steps, key=lambda step: float(np.linalg.norm(step[0]))):
        slopes = updated_slopes(slopes, moved, gained)
    return slopes
