"""Sobol's indices against functions whose indices are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from motorpool.calibration.emulate import Emulator
from motorpool.calibration.global_sensitivity import (
    drawn_inputs,
    prior_inputs,
    sensitivity_data,
    sobol_indices,
)

NAMES = ("first", "second_conf", "third")  # SALib refuses names with certain endings; they must not matter
FAR = np.full(3, 8.0)


def functions(z: np.ndarray) -> np.ndarray:
    """3 x + y; x y; a constant."""
    return np.stack([3.0 * z[:, 0] + z[:, 1], z[:, 0] * z[:, 1], np.zeros(len(z))], axis=1)


def test_indices_of_a_sum_a_product_and_a_constant() -> None:
    found = sobol_indices(
        functions, prior_inputs(NAMES, -FAR, FAR), ("sum", "product", "constant"), samples=2048
    )
    np.testing.assert_allclose(found.total[0], [0.9, 0.1, 0.0], atol=0.03)
    np.testing.assert_allclose(found.first[0], [0.9, 0.1, 0.0], atol=0.03)
    np.testing.assert_allclose(found.total[1], [1.0, 1.0, 0.0], atol=0.1)
    np.testing.assert_allclose(found.first[1], [0.0, 0.0, 0.0], atol=0.1)
    assert not found.total[2].any()
    assert (found.total_error >= 0).all()


def test_inputs_spread_as_the_draws_and_stay_within_the_bounds() -> None:
    draws = np.random.default_rng(1).normal([1.0, -2.0, 0.0], [0.1, 1.0, 0.5], (4000, 3))
    inputs = drawn_inputs(NAMES, draws, np.array([-8.0, -2.5, -8.0]), FAR)
    shares = np.random.default_rng(2).uniform(size=(4000, 3))
    points = inputs.at(shares)
    assert points[:, 0].mean() == pytest.approx(1.0, abs=0.01)
    assert points[:, 0].std() == pytest.approx(0.1, rel=0.05)
    assert points[:, 1].min() >= -2.5
    assert points[:, 1].mean() > -2.0


def test_an_emulator_is_such_a_function() -> None:
    slopes = np.array([[2.0, 0.0, 0.0]])
    emulator = Emulator(
        np.zeros(3), np.ones(1), slopes, np.zeros((1, 1), int), np.zeros((1, 1, 1)), np.full(1, 0.1)
    )
    found = sobol_indices(emulator.predict, prior_inputs(NAMES, -FAR, FAR), ("STUDY.endpoint",), samples=256)
    data = sensitivity_data(found, shown=2)
    assert list(data["mean_total_index"])[0] == "first"
    assert data["endpoints"]["STUDY.endpoint"][0]["parameter"] == "first"
    assert len(data["endpoints"]["STUDY.endpoint"]) == 2
