"""Milestones: exact cases, hold times, hysteresis, re-gain, independence of the grid."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorpool.outcomes.milestones import MilestoneParameters, follow_milestones, watch_milestones
from tests.support import recomputed

DAY = 24.0


class History(NamedTuple):
    """First gain and first loss (hours, (..., P)), and whether the milestone is held at each time, (K, ..., P)."""

    gained_age_hours: Any
    lost_age_hours: Any
    status: Any


def history_of(margin: Any, age_hours: Any, parameters: MilestoneParameters) -> History:
    """Watch margins (K, ..., P) at ages (K, P) or (K, 1) from the first to the last."""
    ages = jnp.asarray(age_hours).reshape(
        age_hours.shape[:1] + (1,) * (margin.ndim - 2) + age_hours.shape[1:]
    )
    ages = jnp.broadcast_to(ages, margin.shape)

    def step(state: Any, now: Any) -> Any:
        following = follow_milestones(state, *now, parameters)
        return following, following.held

    start = watch_milestones(margin[0], ages[0], parameters)
    end, later = jax.lax.scan(step, start, (margin[1:], ages[1:]))
    return History(end.gained, end.lost, jnp.concatenate([start.held[None], later]))


milestone_history = jax.jit(history_of)
NO_HOLD = MilestoneParameters(jnp.asarray(0.0), jnp.asarray(0.0), jnp.asarray(0.0))
HOLD = MilestoneParameters(jnp.asarray(10.0), jnp.asarray(20.0), jnp.asarray(0.1))


def sine_history(step_days: float, parameters: MilestoneParameters, shift: float = 0.0):
    """Margin sin(2 pi t / 400 d) - 0.5: above 0 from day 400/12 to day 400 * 5/12 of each period."""
    days = np.arange(-20.0 + shift, 900.0, step_days)[:, None]
    margin = np.sin(2 * np.pi * days / 400.0) - 0.5
    return days[:, 0], milestone_history(jnp.asarray(margin), jnp.asarray(days * DAY), parameters)


def test_gain_loss_and_regain_of_a_known_curve():
    days, history = sine_history(1.0, HOLD)
    up, down = 400.0 / 12.0, 400.0 * (0.5 - np.arcsin(0.4) / (2 * np.pi))
    assert float(history.gained_age_hours[0]) / DAY == pytest.approx(up + 10.0, abs=0.02)
    assert float(history.lost_age_hours[0]) / DAY == pytest.approx(down + 20.0, abs=0.02)
    held = np.asarray(history.status[:, 0])
    expected = (
        ((days >= up + 10) & (days < down + 20))
        | ((days >= up + 410) & (days < down + 420))
        | (days >= up + 810)
    )
    np.testing.assert_array_equal(held, expected)


def test_error_falls_with_the_square_of_the_step_and_ignores_the_grid_offset():
    exact = (400.0 / 12.0 + 10.0) * DAY

    def error(step: float) -> float:
        return max(
            abs(float(sine_history(step, HOLD, shift)[1].gained_age_hours[0]) - exact)
            for shift in np.linspace(0, step, 7)
        )

    assert error(2.0) < error(8.0) / 8.0
    assert error(7.0) < 0.5 * DAY


def test_a_run_that_is_too_short_does_not_count_even_if_it_ends_inside_a_step():
    age = jnp.asarray([0.0, 10.0, 20.0, 30.0])[:, None] * DAY
    margin = jnp.asarray([[-1.0, -1.0], [1.0, 1.0], [-1.0, -0.9], [-1.0, -1.0]])
    # above 0 from day 5 to day 15 (first person) and 15.26 (second): only the second holds for 10.1 days
    history = milestone_history(
        margin, age, MilestoneParameters(jnp.asarray(10.1), jnp.asarray(0.0), jnp.asarray(0.0))
    )
    assert np.isinf(history.gained_age_hours[0])
    assert float(history.gained_age_hours[1]) == pytest.approx(15.1 * DAY)
    assert float(history.lost_age_hours[1]) == pytest.approx((10.0 + 10.0 / 1.9) * DAY)
    assert not np.any(history.status)


def test_a_dip_inside_the_hysteresis_or_shorter_than_the_loss_hold_is_not_a_loss():
    age = jnp.arange(0.0, 100.0)[:, None] * DAY
    margin = np.ones((100, 3))
    margin[30:60, 0] = -0.05
    margin[30:45, 1] = -1.0
    margin[30:60, 2] = -1.0
    history = milestone_history(jnp.asarray(margin), age, HOLD)
    assert np.isinf(history.lost_age_hours[:2]).all()
    assert np.all(np.asarray(history.status)[10:, :2])
    assert 48.0 < float(history.lost_age_hours[2]) / DAY < 51.0
    assert bool(history.status[80, 2]) and not bool(history.status[55, 2])


def test_never_able_and_always_able():
    age = jnp.arange(0.0, 50.0)[:, None] * DAY
    margin = jnp.asarray(np.stack([np.full(50, -1.0), np.full(50, 1.0)], axis=1))
    history = milestone_history(margin, age, HOLD)
    assert np.isinf(history.gained_age_hours[0]) and not np.any(history.status[:, 0])
    assert float(history.gained_age_hours[1]) == 10.0 * DAY
    assert np.isinf(history.lost_age_hours).all()


def test_milestone_axis_with_a_rule_for_each_milestone_equals_one_at_a_time_and_jit():
    generator = np.random.default_rng(5)
    margin = jnp.asarray(np.cumsum(generator.normal(0, 0.3, (80, 3, 4)), axis=0))
    age = jnp.asarray(np.cumsum(generator.uniform(1, 8, (80, 4)), axis=0) * DAY)
    rules = MilestoneParameters(
        jnp.array([5.0, 10.0, 0.0]), jnp.array([3.0, 0.0, 9.0]), jnp.array([0.1, 0.2, 0.0])
    )
    together = milestone_history(margin, age, rules)
    eager = history_of(margin, age, rules)
    for number in range(3):
        single_rules = MilestoneParameters(*(field[number] for field in vars(rules).values()))
        alone = milestone_history(margin[:, number], age, single_rules)
        np.testing.assert_array_equal(together.gained_age_hours[number], alone.gained_age_hours)
        np.testing.assert_array_equal(together.lost_age_hours[number], alone.lost_age_hours)
        np.testing.assert_array_equal(together.status[:, number], alone.status)
    np.testing.assert_allclose(together.gained_age_hours, eager.gained_age_hours, rtol=1e-12)
    np.testing.assert_array_equal(together.status, eager.status)
    reversed_people = milestone_history(margin[..., ::-1], age[:, ::-1], rules)
    np.testing.assert_array_equal(together.lost_age_hours[..., ::-1], reversed_people.lost_age_hours)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), extra=st.floats(0.0, 1.0))
def test_status_agrees_with_first_gain_and_more_margin_is_never_later(seed: int, extra: float):
    generator = np.random.default_rng(seed)
    margin = np.cumsum(generator.normal(0, 0.3, (40, 6)), axis=0)
    age = np.arange(40.0)[:, None] * 5.0 * DAY
    less = milestone_history(jnp.asarray(margin), age, HOLD)
    more = milestone_history(jnp.asarray(margin + extra), age, HOLD)
    assert np.all(np.asarray(more.gained_age_hours) <= np.asarray(less.gained_age_hours) + 1e-6)
    assert np.all(np.asarray(more.status) >= np.asarray(less.status))
    first_seen = np.where(less.status.any(axis=0), age[np.argmax(less.status, axis=0), 0], np.inf)
    assert np.all(first_seen >= np.asarray(less.gained_age_hours) - 1e-6)
    assert np.all(np.isinf(less.lost_age_hours) | (less.lost_age_hours > less.gained_age_hours))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    hold=st.just(0.0) | st.floats(0.01, 30.0),
    loss_hold=st.just(0.0) | st.floats(0.01, 40.0),
    hysteresis=st.floats(0.0, 0.5),
)
def test_watching_step_by_step_finds_what_the_whole_curve_shows(
    seed: int, hold: float, loss_hold: float, hysteresis: float
) -> None:
    generator = np.random.default_rng(seed)
    margin = np.cumsum(generator.normal(0, 0.4, (60, 4)), axis=0)
    age = np.cumsum(generator.uniform(0.5, 20.0, (60, 4)), axis=0) * DAY
    rules = MilestoneParameters(*(jnp.asarray(value) for value in (hold, loss_hold, hysteresis)))
    found = milestone_history(jnp.asarray(margin), jnp.asarray(age), rules)
    for person in range(4):
        whole = recomputed.milestone(
            margin[:, person],
            age[:, person],
            hold_hours=hold * DAY,
            loss_hold_hours=loss_hold * DAY,
            hysteresis=hysteresis,
        )
        assert float(found.gained_age_hours[person]) == pytest.approx(whole.gained, rel=1e-12)
        assert float(found.lost_age_hours[person]) == pytest.approx(whole.lost, rel=1e-12)
        np.testing.assert_array_equal(found.status[:, person], whole.held)


def test_steps_of_no_length_change_nothing() -> None:
    generator = np.random.default_rng(8)
    margin = jnp.asarray(np.cumsum(generator.normal(0, 0.4, (50, 5)), axis=0))
    age = jnp.asarray(np.cumsum(generator.uniform(1.0, 20.0, (50, 1)), axis=0) * DAY)
    once = milestone_history(margin, age, HOLD)
    twice = milestone_history(jnp.repeat(margin, 2, axis=0), jnp.repeat(age, 2, axis=0), HOLD)
    np.testing.assert_array_equal(once.gained_age_hours, twice.gained_age_hours)
    np.testing.assert_array_equal(once.lost_age_hours, twice.lost_age_hours)
    np.testing.assert_array_equal(once.status, twice.status[1::2])
