"""The search for the mode, on a linear problem with normal errors, whose posterior is known in closed form."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.calibration.mode import (
    DIFFERENCE,
    LARGEST_STEP,
    Errors,
    Mode,
    difference_points,
    errors_of,
    jacobian,
    misfit,
    posterior_precision,
    step_towards_mode,
    updated_slopes,
    walk_to_mode,
)
from motorpool.calibration.space import Axis, ParameterSpace
from tests.calibration.toy import space_of, targets_of_kinds

DIMENSIONS, TARGETS = 5, 9
Predict = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Problem:
    """``figures = level + slopes z``, and what was published."""

    slopes: np.ndarray
    level: np.ndarray
    errors: Errors

    def predict(self, points: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [self.level + self.slopes @ z for z in points]

    @property
    def mode(self) -> np.ndarray:
        precision = np.eye(DIMENSIONS) + (self.slopes.T / self.errors.variance) @ self.slopes
        residual = (self.errors.published - self.level) / self.errors.variance
        return np.linalg.solve(precision, self.slopes.T @ residual)


@pytest.fixture
def problem() -> Problem:
    generator = np.random.default_rng(8)
    truth = 0.5 * generator.normal(size=DIMENSIONS)
    slopes, level = generator.normal(size=(TARGETS, DIMENSIONS)), generator.normal(size=TARGETS)
    variance = generator.uniform(0.05, 0.5, TARGETS)
    published = level + slopes @ truth + np.sqrt(variance) * generator.normal(size=TARGETS)
    return Problem(slopes, level, Errors(published, variance))


def start_of(problem: Problem, z: np.ndarray, space: ParameterSpace) -> Mode:
    (centre,) = problem.predict([z])
    points, steps = difference_points(z, space)
    slopes = jacobian(centre, problem.predict(points), steps)
    return Mode(z, centre, slopes, (misfit(z, centre, problem.errors),))


def test_differences_give_the_slopes_of_a_linear_problem(problem: Problem):
    found = start_of(problem, np.full(DIMENSIONS, 0.2), space_of(DIMENSIONS))
    np.testing.assert_allclose(found.slopes, problem.slopes, atol=1e-9)


def test_the_mode_of_a_linear_problem_is_found_in_two_steps(problem: Problem):
    space = space_of(DIMENSIONS)
    assert 0.5 < np.abs(problem.mode).max() < LARGEST_STEP
    found = walk_to_mode(
        start_of(problem, np.zeros(DIMENSIONS), space), problem.errors, space, problem.predict, 2
    )
    np.testing.assert_allclose(found.z, problem.mode, atol=1e-8)
    np.testing.assert_allclose(found.predicted, problem.predict([found.z])[0])
    assert len(found.course) == 2  # the start and one step; the second could not be better


def test_from_far_away_steps_are_limited_and_every_one_is_better(problem: Problem):
    space, far = space_of(DIMENSIONS), np.full(DIMENSIONS, 3.5)
    start = start_of(problem, far, space)
    step = step_towards_mode(far, start.predicted, start.slopes, problem.errors)
    assert np.abs(step).max() == pytest.approx(LARGEST_STEP)
    found = walk_to_mode(start, problem.errors, space, problem.predict, 12)
    np.testing.assert_allclose(found.z, problem.mode, atol=1e-6)
    assert 3 < len(found.course) < 10
    assert (np.diff(found.course) < 0).all()


def test_damping_shortens_a_step_and_still_leads_downhill(problem: Problem):
    start = start_of(problem, np.zeros(DIMENSIONS), space_of(DIMENSIONS))
    steps = [
        step_towards_mode(start.z, start.predicted, start.slopes, problem.errors, damping)
        for damping in (0.0, 3.0, 30.0)
    ]
    lengths = [float(np.linalg.norm(step)) for step in steps]
    assert lengths[0] > lengths[1] > lengths[2] > 0
    for step in steps:
        assert misfit(step, problem.predict([step])[0], problem.errors) < start.course[0]


def test_wrong_slopes_are_corrected_on_the_way(problem: Problem):
    space, generator = space_of(DIMENSIONS), np.random.default_rng(1)
    start = start_of(problem, np.zeros(DIMENSIONS), space)
    wrong = start.slopes * generator.uniform(0.6, 1.4, start.slopes.shape)
    found = walk_to_mode(dataclasses.replace(start, slopes=wrong), problem.errors, space, problem.predict, 12)
    best = misfit(problem.mode, problem.predict([problem.mode])[0], problem.errors)
    assert found.course[0] - best > 5
    assert found.course[-1] - best < 0.2


def test_a_failed_round_is_not_the_end(problem: Problem):
    """Slopes so wrong that every step leads uphill: what the steps showed puts the next ones right."""
    space = space_of(DIMENSIONS)
    start = start_of(problem, np.zeros(DIMENSIONS), space)
    upside_down = dataclasses.replace(start, slopes=-start.slopes)
    rounds: list[float] = []

    def predict(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = problem.predict(points)
        rounds.append(min(misfit(z, there, problem.errors) for z, there in zip(points, found, strict=True)))
        return found

    found = walk_to_mode(upside_down, problem.errors, space, predict, 30)
    assert rounds[0] > start.course[0]
    assert len(rounds) <= 30
    best = misfit(problem.mode, problem.predict([problem.mode])[0], problem.errors)
    assert found.course[-1] - best < 0.05 * (start.course[0] - best)


def test_the_walk_ends_when_the_slopes_promise_nothing_more(problem: Problem):
    space, rounds = space_of(DIMENSIONS), []

    def predict(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        rounds.append(len(points))
        return problem.predict(points)

    walk_to_mode(start_of(problem, np.zeros(DIMENSIONS), space), problem.errors, space, predict, 12)
    assert len(rounds) == 1  # the slopes of a linear problem are right


def test_of_the_steps_of_a_round_the_longest_is_explained_exactly():
    """Predictions with a bend, so that no slopes explain every step."""
    space = space_of(1)

    def predict(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [z + 0.5 * z**2 for z in points]

    start = Mode(np.zeros(1), np.zeros(1), np.ones((1, 1)), (2.0,))
    errors = Errors(np.array([1.0]), np.array([0.25]))
    step = step_towards_mode(start.z, start.predicted, start.slopes, errors)  # undamped: the longest
    found = walk_to_mode(start, errors, space, predict, 1)
    assert found.slopes @ step == pytest.approx(predict([step])[0])


def test_the_walk_stays_within_the_bounds(problem: Problem):
    tight = ParameterSpace(
        tuple(Axis(f"made.{i}", None, 0.0, 1.0, False, (-0.3, 0.3)) for i in range(DIMENSIONS))
    )
    start = start_of(problem, np.zeros(DIMENSIONS), tight)
    tried: list[np.ndarray] = []

    def predict(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        tried.extend(points)
        return problem.predict(points)

    found = walk_to_mode(start, problem.errors, tight, predict, 12)
    assert np.abs(tried).max() <= 0.3 + 1e-12
    assert np.abs(found.z).max() == pytest.approx(0.3)
    assert found.course[-1] < found.course[0]


def test_the_local_precision_is_the_curvature_of_the_misfit(problem: Problem):
    def at(z: np.ndarray) -> float:
        return misfit(z, problem.predict([z])[0], problem.errors)

    step, where = 1e-3, np.full(DIMENSIONS, 0.1)
    unit = step * np.eye(DIMENSIONS)
    curvature = [
        [
            (at(where + a + b) - at(where + a - b) - at(where - a + b) + at(where - a - b)) / (4 * step**2)
            for a in unit
        ]
        for b in unit
    ]
    np.testing.assert_allclose(posterior_precision(problem.slopes, problem.errors), curvature, atol=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_broydens_update_explains_the_step_and_nothing_across_it(seed: int):
    generator = np.random.default_rng(seed)
    slopes, moved, gained = (generator.normal(size=size) for size in ((6, 4), 4, 6))
    updated = updated_slopes(slopes, moved, gained)
    np.testing.assert_allclose(updated @ moved, gained, atol=1e-9)
    across = generator.normal(size=4)
    across -= moved * (across @ moved) / (moved @ moved)
    np.testing.assert_allclose(updated @ across, slopes @ across, atol=1e-9)


def test_a_step_that_went_nowhere_or_led_to_nothing_leaves_the_slopes_alone():
    slopes = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(updated_slopes(slopes, np.zeros(3), np.ones(2)), slopes)
    moved = np.array([1.0, 0.0, 0.0])
    updated = updated_slopes(slopes, moved, np.array([np.nan, 5.0]))
    np.testing.assert_array_equal(updated, [[0, 1, 2], [5, 4, 5]])


@given(st.data())
def test_difference_points_move_one_axis_and_stay_within_the_bounds(data: st.DataObject):
    low, high = data.draw(st.floats(-3.0, -0.01)), data.draw(st.floats(0.01, 3.0))
    axes = (
        Axis("made.plain", None, 0.0, 1.0, False, (low, high)),
        Axis("made.logarithmic", None, 2.0, 0.5, True, (2.0 * np.exp(low), 2.0 * np.exp(high))),
    )
    space = ParameterSpace(axes)
    z = np.array([data.draw(st.floats(*axis.reach())) for axis in axes])
    points, steps = difference_points(z, space)
    assert len(points) == 2
    for place, (point, axis) in enumerate(zip(points, axes, strict=True)):
        lowest, highest = axis.reach()
        assert lowest - 1e-12 <= point[place] <= highest + 1e-12
        assert 0 < abs(steps[place]) <= DIFFERENCE
        assert point[place] - z[place] == pytest.approx(steps[place])
        assert point[1 - place] == z[1 - place]
        # What the simulator is given differs by what the point says, whatever the bounds.
        assert float(axis.value(point[place])) != float(axis.value(z[place]))


def test_missing_predictions_cost_as_much_as_five_standard_errors():
    errors = Errors(np.array([1.0, 2.0]), np.array([0.25, 0.25]))
    hit = misfit(np.zeros(3), np.array([1.0, 2.0]), errors)
    lost = misfit(np.zeros(3), np.array([1.0, np.nan]), errors)
    missed = misfit(np.zeros(3), np.array([1.0, 2.0 + 5 * 0.5]), errors)
    assert hit == 0.0
    assert lost == missed == 12.5
    assert misfit(np.array([3.0, 0.0, 4.0]), np.array([1.0, 2.0]), errors) == 12.5


def test_slopes_of_missing_predictions_are_zero():
    found = jacobian(
        np.array([1.0, np.nan]), [np.array([2.0, 3.0]), np.array([np.nan, 4.0])], np.array([0.5, 1.0])
    )
    np.testing.assert_array_equal(found, [[2.0, 0.0], [0.0, 0.0]])


def test_errors_add_up_and_scatter_stands_in_for_what_papers_do_not_give():
    targets = targets_of_kinds(2)  # a count without an error of its own, and one with a standard error
    found = errors_of(targets, np.array([0.4, 9.0]), np.array([0.01, 0.02]))
    wanted = [0.4**2 + targets[0].discrepancy ** 2 + 0.01, 0.35**2 + targets[1].discrepancy ** 2 + 0.02]
    np.testing.assert_allclose(found.variance, wanted)
