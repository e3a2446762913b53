"""Axes on which every prior is a standard normal, and the values that the simulator is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.calibration.space import Axis, ParameterSpace, parameter_space
from motorpool.evidence.parameters import load_parameter_table
from motorpool.studies.scale import load_calibration_rules


@given(st.floats(-6.0, 6.0), st.booleans())
def test_values_stay_within_the_bounds_and_follow_the_prior_inside_them(z: float, logarithmic: bool):
    axis = Axis("made.one", None, 2.0, 0.3, logarithmic, (1.0, 4.0))
    value = float(axis.value(z))
    assert 1.0 < value < 4.0
    low, high = axis.reach()
    if low + 1e-3 < z < high - 1e-3:
        assert value == pytest.approx(2.0 * np.exp(0.3 * z) if logarithmic else 2.0 + 0.3 * z)
        assert axis.standardised(value) == pytest.approx(z, abs=1e-9)


def test_the_centre_of_the_space_is_the_record_itself():
    table = load_parameter_table()
    space = parameter_space(table, load_calibration_rules())
    assert len(space.axes) > 50
    assert len(set(space.names)) == len(space.axes)
    values = space.values(np.zeros(len(space.axes)), table)
    for name, value in values.items():
        np.testing.assert_allclose(value, table[name].value, rtol=1e-5, err_msg=name)


def test_every_axis_has_room_on_both_sides_of_its_centre():
    space = parameter_space(load_parameter_table(), load_calibration_rules())
    for axis in space.axes:
        low, high = axis.reach()
        assert low < -0.1 and high > 0.1, axis.name


def test_every_named_judgement_moves_and_every_exception_stays():
    rules, table = load_calibration_rules(), load_parameter_table()
    space = parameter_space(table, rules)
    for name in rules.also_calibrated:
        assert any(axis in (name, f"{name}.0") for axis in space.names), name
    moving = {axis.parameter for axis in space.axes}
    assert moving.isdisjoint(rules.not_calibrated)


def test_entries_that_do_not_move_keep_their_value():
    table = load_parameter_table()
    name = next(key for key, record in table.items() if isinstance(record.value, tuple))
    before = table[name].value
    assert isinstance(before, tuple)
    axis = Axis(name, 1, float(before[1]), 0.1, False, (before[1] - 9.0, before[1] + 9.0))
    values = ParameterSpace((axis,)).values(np.array([2.0]), table)
    assert values == {name: (before[0], pytest.approx(before[1] + 0.2), *before[2:])}


def test_the_search_begins_at_axes_that_exist_within_their_reach():
    rules = load_calibration_rules()
    axes = {axis.name: axis for axis in parameter_space(load_parameter_table(), rules).axes}
    assert set(rules.start) <= set(axes)
    for name, value in rules.start.items():
        low, high = axes[name].reach()
        assert low - 1e-3 <= float(axes[name].standardised(value)) <= high + 1e-3, name
