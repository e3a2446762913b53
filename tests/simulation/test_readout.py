"""Values at visits lie on the line between the boundaries around them; events and milestones end with life."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.biology.vocabulary import HOURS_PER_YEAR
from motorpool.engine.grid import last_rows
from motorpool.outcomes.panel import MILESTONE_INDEX
from motorpool.simulation.readout import EVENTS, VENTILATION_EVENTS, _between, read_out, visit_rows

ENROLLED, HORIZON = 1000, 2000


@st.composite
def grids_and_visits(draw: Any) -> tuple[Any, Any]:
    """Grids (K, P) with repeated last boundaries, and visits (V, P) within them."""
    people, longest = draw(st.integers(1, 4)), draw(st.integers(2, 20))
    columns: list[Any] = []
    for _ in range(people):
        inner = draw(st.lists(st.integers(1, HORIZON - 1), unique=True, max_size=longest - 2))
        own = np.sort(np.asarray([0, HORIZON, *inner]))
        columns.append(np.pad(own, (0, longest - len(own)), mode="edge"))
    visits = sorted(draw(st.lists(st.integers(0, HORIZON), min_size=1, max_size=6, unique=True)))
    grid = ENROLLED + np.stack(columns, axis=1)
    return grid.astype(np.int32), np.repeat(ENROLLED + np.asarray(visits, np.int32)[:, None], people, axis=1)


@given(case=grids_and_visits())
def test_visits_lie_between_the_boundaries_around_them(case: Any) -> None:
    grid, visits = case
    at = visit_rows(grid, visits)
    hours = np.take_along_axis(grid, at.rows, axis=0)
    before, after = (np.take_along_axis(hours, places, axis=0) for places in (at.before, at.after))
    assert (before <= visits).all()
    assert ((after > visits) | (at.share == 0.0)).all()
    np.testing.assert_allclose(before + at.share * (after - before), visits, atol=1e-3)
    # No boundary lies between: for everybody they are neighbours.
    between = (grid[:, None] > before) & (grid[:, None] < after)
    assert not between[:, at.share > 0.0].any()


@given(case=grids_and_visits())
def test_rows_never_fall_and_end_with_the_grid(case: Any) -> None:
    grid, visits = case
    rows = visit_rows(grid, visits).rows
    assert rows.dtype == np.int32
    assert (np.diff(rows, axis=0) >= 0).all()
    assert np.array_equal(rows[-1], last_rows(grid))


@pytest.mark.parametrize(("visits", "on_rows"), [([0, 1000, 2000], True), ([0, 50, 1000], False)])
def test_visits_on_boundaries_are_not_looked_up(visits: list[int], on_rows: bool) -> None:
    hours = np.repeat(ENROLLED + np.asarray(visits, np.int32)[:, None], 2, axis=1)
    at = visit_rows(GRID, hours)
    assert at.on_rows == on_rows
    values = np.random.default_rng(1).normal(size=(len(at.rows), 3, 2)).astype(np.float32)
    values[0, 0], values[1, 1, 0] = -0.0, np.nan
    direct, looked_up = (_between(values, dataclasses.replace(at, on_rows=on)) for on in (at.on_rows, False))
    assert direct.tobytes() == looked_up.tobytes()


def read(grid: Any, visit_hours: Any, row: Any, **watched: Any) -> Any:
    people = grid.shape[1]
    never = np.full(people, np.inf)
    milestones = np.full((len(MILESTONE_INDEX), people), np.inf)
    usual = {
        "death_age_hours": never,
        "tube_age_hours": never,
        "surgery_age_hours": never,
        "milestones": SimpleNamespace(gained=milestones, lost=milestones),
        "ventilation": SimpleNamespace(met_on_day=np.full((1 + len(VENTILATION_EVENTS), people), np.inf)),
    }
    enrolled = np.full(people, ENROLLED, np.int32)
    at = visit_rows(grid, enrolled + np.asarray(visit_hours, np.int32)[:, None])
    seen = SimpleNamespace(**{**usual, **watched})
    rows = SimpleNamespace(**{name: made(at.rows) for name, made in row.items()})
    return read_out(rows, seen, at, np.asarray(visit_hours), enrolled, float(HORIZON), lambda true: true)


GRID = ENROLLED + np.asarray([[0, 0], [100, 400], [1000, 1000], [2000, 2000]], np.int32)
VISITS = [0, 50, 700, 1000, 2000]


def recorded(held: Any = None) -> dict[str, Any]:
    """Rows in which every number is the age in hours plus a number of its own, and milestones held at grid rows."""

    def ages(rows: Any) -> Any:
        return np.take_along_axis(GRID, rows, axis=0).astype(float)

    def shaped(*shape: int) -> Any:
        own = np.arange(np.prod(shape)).reshape(shape)[None, ..., None]
        return lambda rows: ages(rows).reshape(len(rows), *[1] * len(shape), -1) + own

    status = np.zeros((len(GRID), len(MILESTONE_INDEX), 2), bool) if held is None else held
    return {
        "outcomes": shaped(4),
        "walk_minute_m": shaped(6),
        "pools": shaped(3, 2),
        "held": lambda rows: np.stack([status[rows[:, p], :, p] for p in range(2)], axis=-1),
    }


def test_values_between_boundaries_are_interpolated() -> None:
    found = read(GRID, VISITS, recorded())
    expected = np.asarray(VISITS, float)[:, None] + ENROLLED
    for name, values in (("true", found.true), ("walk", found.walk_minute_m), ("pools", found.pools)):
        own = values[:1, ..., :1] - ENROLLED
        line = expected.reshape(-1, *[1] * (values.ndim - 2), 1) + own
        np.testing.assert_allclose(values, np.broadcast_to(line, values.shape), rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(found.age_years, np.repeat(expected, 2, axis=1) / HOURS_PER_YEAR)


def test_a_milestone_at_a_visit_is_that_of_the_nearest_boundary() -> None:
    held = np.zeros((len(GRID), len(MILESTONE_INDEX), 2), bool)
    held[2, 0] = True  # at 1000 hours only
    found = read(GRID, [500, 600, 690, 710, 1000, 1400, 1600], recorded(held))
    # The boundaries before 1000 hours are at 100 and at 400 hours, that after at 2000.
    first, second = np.asarray(found.milestone_status)[:, 0].T
    assert first.tolist() == [False, True, True, True, True, True, False]
    assert second.tolist() == [False, False, False, True, True, True, False]
    assert not np.asarray(found.milestone_status)[:, 1:].any()


def test_after_death_nothing_is_seen_and_nothing_happens() -> None:
    death = np.asarray([ENROLLED + 800.0, np.inf])
    gained = np.full((len(MILESTONE_INDEX), 2), ENROLLED + 900.0)
    lost = np.full((len(MILESTONE_INDEX), 2), ENROLLED + 950.0)
    found = read(
        GRID,
        VISITS,
        recorded(),
        death_age_hours=death,
        tube_age_hours=np.full(2, ENROLLED + 850.0),
        milestones=SimpleNamespace(gained=gained, lost=lost),
    )
    assert found.alive[:, 0].tolist() == [True, True, True, False, False]
    assert np.isnan(found.true[3:, :, 0]).all()
    assert np.isfinite(found.true[..., 1]).all()
    assert np.isnan(found.milestone_gained_age_years[:, 0]).all()
    assert np.isfinite(found.milestone_lost_age_years[:, 1]).all()
    times = dict(zip(EVENTS, found.event_time_years, strict=True))
    assert times["death"].tolist() == [800.0 / HOURS_PER_YEAR, np.inf]
    assert times["tube_feeding"].tolist() == [np.inf, pytest.approx(850.0 / HOURS_PER_YEAR)]
    assert times["loss_of_walking"].tolist() == [np.inf, pytest.approx(950.0 / HOURS_PER_YEAR)]


def test_the_first_of_death_and_ventilation_counts_and_the_horizon_ends_the_record() -> None:
    days = np.full((1 + len(VENTILATION_EVENTS), 2), np.inf)
    days[1] = [10.0, 90.0]  # the second is after the horizon of 83 days
    found = read(
        GRID,
        VISITS,
        recorded(),
        death_age_hours=np.asarray([ENROLLED + 480.0, ENROLLED + 2001.0]),
        ventilation=SimpleNamespace(met_on_day=days),
        tube_age_hours=np.asarray([ENROLLED - 1.0, ENROLLED + 2000.0]),
    )
    times = dict(zip(EVENTS, found.event_time_years, strict=True))
    first = VENTILATION_EVENTS[0]
    assert times[f"death_or_{first}"].tolist() == [pytest.approx(240.0 / HOURS_PER_YEAR), np.inf]
    assert times[f"death_or_{VENTILATION_EVENTS[1]}"].tolist() == [480.0 / HOURS_PER_YEAR, np.inf]
    # What came before enrolment is no event; what comes at the very horizon is one.
    assert times["tube_feeding"].tolist() == [np.inf, pytest.approx(2000.0 / HOURS_PER_YEAR)]
