"""Grids of steps: rising, everybody's own, with every jump and every whole month, and of few lengths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.engine.grid import (
    AFTER_A_JUMP_HOURS,
    COARSE_AFTER_YEARS,
    FIRST_HOUR,
    Jumps,
    last_rows,
    life_boundaries,
    most_extra_boundaries,
    padded_steps,
    personal_grid,
    study_ages,
    study_boundaries,
)

MOST_STEP_DAYS = 31


def whole(hours: Any) -> Any:
    return np.asarray(hours, np.int32)


def study_grid(enrolment: Any, months: float, jumps: Any, short_steps: Any) -> Any:
    """The grids of a study, (K, P), with jumps (D, P) that some short steps follow (D,)."""
    enrolled, base = whole(enrolment), study_boundaries(months)
    last = whole(enrolled + base[-1])
    return personal_grid(study_ages(base, enrolled), Jumps(whole(jumps), whole(short_steps)), enrolled, last)


enrolments = st.lists(st.integers(FIRST_HOUR, 50 * HOURS_PER_YEAR), min_size=1, max_size=4)


@st.composite
def studies(draw: Any) -> tuple[Any, float, Any, Any]:
    """Ages at enrolment, months, jumps (some before or after the study, some twice, some never), and short steps."""
    enrolled = np.asarray(draw(enrolments))
    months = draw(st.sampled_from([0.5, 3, 7.25, 12, 18, 60]))
    count = draw(st.integers(1, 12))
    since = st.one_of(st.integers(-500, round(months * HOURS_PER_MONTH) + 500), st.just(NEVER_HOURS))
    rows = [[draw(since) for _ in enrolled] for _ in range(count)]
    jumps = np.minimum(np.asarray(rows, np.int64) + enrolled, NEVER_HOURS)
    return enrolled, months, jumps, [draw(st.integers(0, len(AFTER_A_JUMP_HOURS))) for _ in range(count)]


@given(study=studies())
def test_grids_rise_to_their_end_and_then_repeat_it(study: Any) -> None:
    grid = study_grid(*study)
    end = last_rows(grid)
    assert grid.dtype == np.int32
    for person, row in enumerate(end):
        own = grid[:, person].astype(np.int64)
        assert (np.diff(own[: row + 1]) > 0).all()
        assert (own[row:] == own[-1]).all()
        assert own[0] == study[0][person]
        assert own[-1] == study[0][person] + round(study[1] * HOURS_PER_MONTH)


@given(study=studies())
def test_every_whole_month_and_every_jump_within_is_a_boundary(study: Any) -> None:
    enrolled, months, jumps, short_steps = study
    grid = study_grid(*study)
    for person, begin in enumerate(enrolled):
        own, end = set(grid[:, person].tolist()), int(grid[-1, person])
        assert {int(begin + round(month * HOURS_PER_MONTH)) for month in range(math.floor(months) + 1)} <= own
        for hour, steps in zip(jumps[:, person], short_steps, strict=True):
            if begin <= hour < end:
                assert int(hour) in own
                waits = AFTER_A_JUMP_HOURS[len(AFTER_A_JUMP_HOURS) - steps :]
                assert {min(int(hour + wait), end) for wait in waits} <= own


@given(study=studies())
def test_nobodys_grid_depends_on_who_else_there_is(study: Any) -> None:
    enrolled, months, jumps, short_steps = study
    together = study_grid(*study)
    for person in range(enrolled.size):
        alone = study_grid(enrolled[person : person + 1], months, jumps[:, person : person + 1], short_steps)
        common = min(len(alone), len(together))
        np.testing.assert_array_equal(together[:common, person], alone[:common, 0])
        assert (together[common:, person] == alone[-1]).all()
        assert (alone[common:] == together[-1, person]).all()


@given(study=studies())
def test_no_step_is_longer_than_a_month(study: Any) -> None:
    assert np.diff(study_grid(*study).astype(np.int64), axis=0).max() <= MOST_STEP_DAYS * HOURS_PER_DAY


def test_young_patients_have_steps_of_half_a_month_and_others_of_a_month() -> None:
    nothing = np.full((1, 2), NEVER_HOURS)
    old = COARSE_AFTER_YEARS * HOURS_PER_YEAR
    grid = study_grid([0, old], 12, nothing, [0])
    steps = [np.diff(grid[: row + 1, person]) for person, row in enumerate(last_rows(grid))]
    assert (len(steps[0]), len(steps[1])) == (24, 12)
    assert np.ptp(steps[0]) <= 1
    assert np.ptp(steps[1]) <= 1


@pytest.mark.parametrize("doses_per_month", [30, 100])
def test_more_jumps_than_fit_leave_a_rising_grid_of_bounded_length(doses_per_month: int) -> None:
    years, person = 3, 2 * HOURS_PER_YEAR
    jumps = person + np.arange(0, years * HOURS_PER_YEAR, round(HOURS_PER_MONTH / doses_per_month))[:, None]
    grid = study_grid([person], 12 * years, jumps, np.full(len(jumps), len(AFTER_A_JUMP_HOURS)))
    own = grid[: last_rows(grid)[0] + 1, 0]
    assert (np.diff(own) > 0).all()
    most = int(most_extra_boundaries(np.asarray([float(years)]))[0])
    assert len(own) <= len(study_boundaries(12 * years)) + most


@given(steps=st.integers(0, 5000))
def test_lengths_are_little_longer_than_needed(steps: int) -> None:
    padded = padded_steps(steps)
    assert 0 <= padded - max(steps, 1) < max(16, math.ceil(steps / 4))


def test_lengths_are_few() -> None:
    assert len({padded_steps(steps) for steps in range(5000)}) <= 40


@given(study=studies())
def test_grids_have_one_of_the_few_lengths(study: Any) -> None:
    steps = len(study_grid(*study)) - 1
    assert steps == padded_steps(steps)


@given(until=st.integers(0, 100 * HOURS_PER_YEAR))
def test_a_life_begins_in_mid_gestation_and_reaches_the_age_asked_for(until: int) -> None:
    hours = life_boundaries(until).astype(np.int64)
    assert hours[0] == FIRST_HOUR
    assert hours[-2] < until <= hours[-1]
    steps = np.diff(hours)
    assert (steps > 0).all()
    assert steps.max() <= MOST_STEP_DAYS * HOURS_PER_DAY
    old = hours[:-1] >= COARSE_AFTER_YEARS * HOURS_PER_YEAR
    assert (steps[~old] <= HOURS_PER_MONTH / 2 + 1).all()


@given(first=st.integers(0, 30 * HOURS_PER_YEAR), second=st.integers(0, 30 * HOURS_PER_YEAR))
def test_a_longer_life_goes_on_where_a_shorter_one_ends(first: int, second: int) -> None:
    short, long = life_boundaries(min(first, second)), life_boundaries(max(first, second))
    np.testing.assert_array_equal(short, long[: len(short)])
