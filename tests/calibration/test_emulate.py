"""The emulator finds a known quadratic in noisy simulations, and knows how far it errs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from motorpool.calibration.emulate import Emulator, fit_emulator

DIMENSIONS, TARGETS, POINTS = 6, 8, 160
NOISE = 0.2  # of the total error of a target


@dataclasses.dataclass(frozen=True)
class Simulator:
    """Targets quadratic in all axes; ``bent`` adds a wave that no quadratic follows."""

    level: np.ndarray
    slopes: np.ndarray
    curvature: np.ndarray
    variance: np.ndarray
    bent: float = 0.0

    def figures(self, z: np.ndarray) -> np.ndarray:
        quadratic = np.einsum("mi,tij,mj->mt", z, self.curvature, z)
        wave = self.bent * np.sqrt(self.variance) * np.sin(3.0 * z[:, :1])
        return self.level + z @ self.slopes.T + quadratic + wave

    def simulate(self, z: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        noise = NOISE * np.sqrt(self.variance) * generator.normal(size=(len(z), self.level.size))
        return self.figures(z) + noise


def simulator(bent: float = 0.0) -> Simulator:
    generator = np.random.default_rng(6)
    variance = generator.uniform(0.01, 4.0, TARGETS)
    size = np.sqrt(variance)[:, None]
    half = 0.15 * generator.normal(size=(TARGETS, DIMENSIONS, DIMENSIONS)) * size[:, :, None]
    return Simulator(
        level=10.0 * generator.normal(size=TARGETS),
        slopes=1.5 * generator.normal(size=(TARGETS, DIMENSIONS)) * size,
        curvature=half + half.transpose(0, 2, 1),
        variance=variance,
        bent=bent,
    )


def fitted(true: Simulator, seed: int = 0) -> Emulator:
    """From slopes that are off by a quarter, and noisy simulations around a centre that is not zero."""
    generator = np.random.default_rng(seed)
    centre = np.full(DIMENSIONS, 0.3)
    points = centre + 0.7 * generator.normal(size=(POINTS, DIMENSIONS))
    measured = true.slopes * generator.uniform(0.75, 1.25, true.slopes.shape)
    return fit_emulator(points, true.simulate(points, generator), centre, measured, true.variance)


def fresh_points(seed: int = 99) -> np.ndarray:
    return 0.3 + 0.7 * np.random.default_rng(seed).normal(size=(2000, DIMENSIONS))


def root_mean_square(errors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(errors**2, axis=0))


def test_a_quadratic_is_recovered_from_noisy_points():
    true, points = simulator(), fresh_points()
    emulator = fitted(true)
    relative = root_mean_square(emulator.predict(points) - true.figures(points)) / np.sqrt(true.variance)
    assert (relative < NOISE).all()  # closer to the truth than one simulation is
    level = true.figures(np.full((1, DIMENSIONS), 0.3))[0]
    np.testing.assert_allclose(emulator.level, level, atol=0.15 * np.sqrt(true.variance).max())
    # Without the curvature it would be off.
    flat = dataclasses.replace(emulator, curvature=np.zeros_like(emulator.curvature))
    without = root_mean_square(flat.predict(points) - true.figures(points)) / np.sqrt(true.variance)
    assert np.median(without) > 3 * np.median(relative)


def test_the_measured_slopes_are_corrected():
    true = simulator()
    at_centre = true.slopes + 2 * np.einsum("tij,j->ti", true.curvature, np.full(DIMENSIONS, 0.3))
    emulator = fitted(true)
    scale = np.sqrt(true.variance)[:, None]
    assert root_mean_square((emulator.slopes - at_centre) / scale).mean() < 0.1


@pytest.mark.parametrize("bent", [0.0, 1.0], ids=["quadratic", "not quadratic"])
def test_its_error_is_honest_on_fresh_points(bent: float):
    true, points = simulator(bent), fresh_points()
    emulator = fitted(true)
    simulated = true.simulate(points, np.random.default_rng(5))
    error = root_mean_square(emulator.predict(points) - simulated)
    ratio = emulator.error_sd / error
    assert (ratio > 0.5).all() and (ratio < 2.0).all()
    assert 0.8 < np.median(ratio) < 1.25


def test_its_error_is_honest_with_more_axes_and_curvatures_than_simulations():
    generator = np.random.default_rng(4)
    axes, targets, simulations = 20, 2, 45
    slopes = generator.normal(size=(targets, axes)) * (np.arange(axes) < 10)
    bend = 0.3 * generator.normal(size=(targets, axes))

    def simulate(z: np.ndarray) -> np.ndarray:
        figures = z @ slopes.T + 0.3 * (z @ bend.T) ** 2
        return figures + NOISE * generator.normal(size=figures.shape)

    points, fresh = (0.5 * generator.normal(size=(count, axes)) for count in (simulations, 2000))
    measured = slopes + 0.1 * generator.normal(size=slopes.shape)
    emulator = fit_emulator(points, simulate(points), np.zeros(axes), measured, np.ones(targets))
    ratio = emulator.error_sd / root_mean_square(emulator.predict(fresh) - simulate(fresh))
    assert (ratio > 0.5).all() and (ratio < 2.0).all()


def test_a_simulator_that_bends_otherwise_has_a_larger_error():
    assert (fitted(simulator(1.0)).error_sd > 1.5 * fitted(simulator()).error_sd).all()


def test_simulations_without_a_figure_are_left_out():
    true, generator = simulator(), np.random.default_rng(0)
    points = 0.7 * generator.normal(size=(POINTS, DIMENSIONS))
    values = true.simulate(points, generator)
    some = values.copy()
    some[::4, 2] = np.nan
    whole = fit_emulator(points, values, np.zeros(DIMENSIONS), true.slopes, true.variance)
    gappy = fit_emulator(points, some, np.zeros(DIMENSIONS), true.slopes, true.variance)
    others = np.arange(TARGETS) != 2
    np.testing.assert_array_equal(gappy.level[others], whole.level[others])
    assert gappy.level[2] != whole.level[2]
    assert gappy.level[2] == pytest.approx(whole.level[2], abs=0.1 * np.sqrt(true.variance[2]))


def test_a_target_that_is_hardly_ever_predicted_says_nothing():
    true, generator = simulator(), np.random.default_rng(0)
    points = 0.7 * generator.normal(size=(POINTS, DIMENSIONS))
    values = true.simulate(points, generator)
    values[:, 2] = np.nan
    values[5:, 3] = np.nan
    found = fit_emulator(points, values, np.zeros(DIMENSIONS), true.slopes, true.variance)
    for part in (found.level, found.slopes, found.curvature, found.error_sd):
        assert np.isfinite(part).all()
    assert (found.error_sd[[2, 3]] > 50 * np.sqrt(true.variance[[2, 3]])).all()
    assert (found.error_sd[[0, 1]] < np.sqrt(true.variance[[0, 1]])).all()


def test_chance_is_not_put_down_to_the_emulator():
    """What luck does to a simulation that was left out is no error of the emulator."""
    true, generator = simulator(), np.random.default_rng(0)
    points, fresh = 0.7 * generator.normal(size=(400, DIMENSIONS)), fresh_points()
    values, chance = true.simulate(points, generator), NOISE**2 * true.variance
    emulator = fit_emulator(points, values, np.zeros(DIMENSIONS), true.slopes, true.variance, chance)
    blind = fit_emulator(points, values, np.zeros(DIMENSIONS), true.slopes, true.variance)
    np.testing.assert_array_equal(emulator.predict(fresh), blind.predict(fresh))
    error = root_mean_square(emulator.predict(fresh) - true.figures(fresh))
    assert (error < 0.6 * blind.error_sd).all()
    assert (emulator.error_sd < 0.6 * blind.error_sd).all()
    assert (emulator.error_sd > 0.5 * error).all()


def test_its_error_is_judged_where_it_is_asked_for():
    """Far from the middle a wave that no quadratic follows counts only when those points are judged by."""
    true, generator = simulator(), np.random.default_rng(0)
    far, near = (size * generator.normal(size=(150, DIMENSIONS)) for size in (1.5, 0.2))
    points = np.concatenate([far, near])
    values = true.figures(points) + 0.1 * np.sqrt(true.variance) * np.sum(points**4, axis=1, keepdims=True)
    judged, whole = (
        fit_emulator(points, values, np.zeros(DIMENSIONS), true.slopes, true.variance, judged=number)
        for number in (150, None)
    )
    assert (judged.error_sd < 0.5 * whole.error_sd).all()


def test_the_slopes_at_a_point_are_those_of_the_predictions():
    emulator, at, step = fitted(simulator()), np.linspace(-0.5, 0.8, DIMENSIONS), 1e-5
    moved = at + step * np.eye(DIMENSIONS)
    there = (emulator.predict(moved) - emulator.predict(at[None])) / step
    np.testing.assert_allclose(emulator.slopes_at(at), there.T, rtol=1e-3, atol=1e-3)
