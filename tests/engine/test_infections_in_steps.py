"""Infections remembered from step to step are those looked up at any age; hazards feel them whatever the steps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.grid import life_boundaries
from motorpool.outcomes.respiratory_infections import (
    BIN_DAYS,
    LONGEST_STEP_DAYS,
    RECENT_BINS,
    episodes_in_bin,
    infection_severity,
    later_episodes,
    recent_episodes,
)
from tests.support import lives

PEOPLE = 64
SEEDS = jnp.arange(PEOPLE, dtype=jnp.uint32)
look_up, recent, later = jax.jit(infection_severity), jax.jit(recent_episodes), jax.jit(later_episodes)


def parameters() -> Any:
    return lives.central_draw().model.outcomes.infections


def everybodys(hours: float) -> Any:
    return jnp.full(PEOPLE, hours, jnp.int32)


def assert_same_month(carried: Any, fresh: Any, hours: Any) -> None:
    """Both tell the same of the month up to an age; of earlier infections one may know more than the other."""
    np.testing.assert_array_equal(carried.last_bin, fresh.last_bin)
    month_begins = hours / HOURS_PER_DAY - LONGEST_STEP_DAYS
    for row in range(RECENT_BINS):
        touches = np.asarray(fresh.end_days[row] > month_begins) & np.asarray(fresh.severity[row] > 0.0)
        for name in ("end_days", "severity"):
            a, b = (np.asarray(getattr(one, name))[row] for one in (carried, fresh))
            np.testing.assert_array_equal(a[touches], b[touches])
        starts = [np.maximum(np.asarray(one.start_days)[row], month_begins) for one in (carried, fresh)]
        np.testing.assert_array_equal(starts[0][touches], starts[1][touches])
        passed = np.asarray(carried.severity[row] > 0.0) & np.asarray(carried.end_days[row] > month_begins)
        np.testing.assert_array_equal(touches, passed)


@pytest.mark.parametrize("step_days", [3, 17, 31, 90])
def test_episodes_carried_on_are_those_looked_up_without_a_history(step_days: int) -> None:
    known = recent(SEEDS, everybodys(-3000), parameters())
    for hours in range(-3000, 40_000, step_days * HOURS_PER_DAY):
        known = later(known, SEEDS, everybodys(hours), parameters())
        assert_same_month(known, recent(SEEDS, everybodys(hours), parameters()), everybodys(hours))


def test_people_of_different_ages_carry_on_together() -> None:
    ages = jnp.arange(PEOPLE, dtype=jnp.int32) * 700
    known = later(recent(SEEDS, ages, parameters()), SEEDS, ages + 2000, parameters())
    assert_same_month(known, recent(SEEDS, ages + 2000, parameters()), ages + 2000)


def test_severity_within_the_last_month_is_that_of_the_lookup() -> None:
    ill = 0
    for last_hours in range(2_000, 30_000, 997):
        known = recent(SEEDS, everybodys(last_hours), parameters())
        for back in np.linspace(0.0, LONGEST_STEP_DAYS, 9):
            days = jnp.full(PEOPLE, last_hours / HOURS_PER_DAY - back, jnp.float32)
            expected = np.asarray(look_up(SEEDS, days * HOURS_PER_DAY, parameters()))
            np.testing.assert_array_equal(known.severity_at(days), expected)
            ill += int((expected > 0.0).sum())
    assert ill > 100  # or the test would be empty


def test_no_two_infections_of_a_person_overlap() -> None:
    for hours in range(2_000, 60_000, 1_313):
        known = recent(SEEDS, everybodys(hours), parameters())
        here = np.asarray(known.severity) > 0.0
        starts = np.where(here, known.start_days, np.inf)
        ends = np.where(here, known.end_days, -np.inf)
        latest_end = np.maximum.accumulate(ends, axis=0)[:-1]
        assert (starts[1:] >= latest_end).all()


def test_remembered_episodes_start_in_the_bin_that_they_belong_to_or_wait_for_another() -> None:
    known = recent(SEEDS, everybodys(20_000), parameters())
    bins = np.asarray(known.last_bin) - np.arange(RECENT_BINS)[::-1, None]
    raw = episodes_in_bin(SEEDS, jnp.asarray(bins), parameters())
    np.testing.assert_array_equal(known.end_days, raw.end_days)
    assert (np.asarray(known.start_days) >= np.asarray(raw.start_days)).all()
    assert (np.asarray(raw.start_days) >= bins * BIN_DAYS).all()
    assert (np.asarray(raw.start_days) < (bins + 1) * BIN_DAYS).all()


@pytest.mark.parametrize("chance", [True, False])
def test_integrated_hazards_do_not_depend_on_the_steps(chance: bool) -> None:
    who = lives.people(smn2_copies=np.full(16, 2.0), log_vulnerability=np.linspace(-0.4, 0.4, 16))
    usual = life_boundaries(round(1.5 * HOURS_PER_YEAR))
    finer = np.unique(np.concatenate([usual, (usual[:-1] + usual[1:]) // 2, usual[:-1] + 31]))
    totals: list[Any] = []
    for boundaries in (usual, finer):
        grid = np.repeat(boundaries.astype(np.int32)[:, None], 16, axis=1)
        end = lives.live((), who, until_years=1.5, grid_hours=grid, chance=chance).end
        totals.append(np.asarray(end.cumulative_hazard))
    assert (totals[1].max(axis=1) > 0.05).all()
    np.testing.assert_allclose(totals[0], totals[1], rtol=3e-3, atol=1e-5)
    assert np.ptp(totals[0][0]) > 0.0
