"""Event times: closed forms, monotonicity in the hazard, independence of the grid, combination rules."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from motorpool.outcomes import events
from motorpool.outcomes.randomness import person_key, stream_seed


def weibull_times(steps: int, draws: np.ndarray) -> np.ndarray:
    """Hazard 2 t / 100^2 on [0, 400]: integrated t^2 / 100^2, so the exact crossing is 100 sqrt(draw)."""
    age = np.linspace(0.0, 400.0, steps + 1)[:, None] * np.ones(draws.size)
    return np.asarray(
        events.crossing_time_of_hazard(jnp.asarray(2.0 * age / 1e4), jnp.asarray(age), jnp.asarray(draws))
    )


def test_linear_hazard_is_exact_on_any_grid():
    draws = np.array([0.01, 0.3, 1.0, 4.0, 15.9, 16.1])
    exact = np.where(draws <= 16.0, 100.0 * np.sqrt(draws), np.inf)
    for steps in (3, 10, 97):
        np.testing.assert_allclose(weibull_times(steps, draws), exact, rtol=1e-12)


def test_constant_hazard_is_exact_and_the_first_and_last_instants_count():
    age = np.array([0.0, 7.0, 30.0, 100.0])[:, None]
    cumulative = jnp.asarray(0.02 * age * np.ones(4))
    draw = jnp.array([0.0, 1.0, 2.0, 2.0001])
    np.testing.assert_allclose(events.crossing_time(cumulative, age, draw), [0.0, 50.0, 100.0, np.inf])


def test_grid_error_falls_with_the_square_of_the_step():
    draws = jnp.array([0.2, 0.7, 1.5])

    def error(steps: int) -> float:
        age = np.linspace(0.0, 3.0, steps + 1)[:, None] * np.ones(3)
        found = events.crossing_time_of_hazard(jnp.exp(age), age, draws)
        return float(np.max(np.abs(found - np.log(1.0 + draws))))

    coarse, fine = error(40), error(160)
    assert fine < coarse / 10.0 and coarse < 1e-3


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), factor=st.floats(1.0, 5.0), draw=st.floats(1e-6, 20.0))
def test_more_hazard_is_never_later(seed: int, factor: float, draw: float):
    generator = np.random.default_rng(seed)
    age = np.cumsum(generator.uniform(0.1, 10.0, (30, 4)), axis=0)
    less = generator.exponential(0.02, (30, 4)) * generator.integers(0, 2, (30, 4))
    more = less * factor + generator.exponential(0.01, (30, 4)) * generator.integers(0, 2, (30, 4))
    draws = jnp.full(4, draw)
    early, late = (events.crossing_time_of_hazard(jnp.asarray(h), age, draws) for h in (more, less))
    assert np.all(np.asarray(early) <= np.asarray(late) * (1.0 + 1e-9))
    early, late = (events.crossing_time(jnp.asarray(np.cumsum(h, axis=0)), age, draws) for h in (more, less))
    assert np.all(np.asarray(early) <= np.asarray(late) * (1.0 + 1e-9))


def test_time_inside_a_step_reaches_the_target():
    before, after = jnp.array([0.0, 1.0, 2.0, 0.5, 0.0]), jnp.array([2.0, 0.0, 2.0, 0.5, 0.0])
    target = jnp.array([1.0, 0.5, 1.0, 0.25, 0.0])
    time = events.time_inside_step(before, after, target, jnp.ones(5))
    np.testing.assert_allclose(time, [1.0, 1.0, 0.5, 0.5, 1.0], rtol=1e-12)


def test_event_times_under_constant_hazard_are_exponential_and_median_without_chance():
    seeds = stream_seed(person_key(jax.random.key(1), jnp.arange(20_000)), "events")
    age = np.array([0.0, 1e4])[:, None] * np.ones(20_000)
    times = events.crossing_time(jnp.asarray(age / 100.0), age, events.event_draw(seeds, "death"))
    assert stats.kstest(np.asarray(times), "expon", args=(0, 100.0)).pvalue > 0.001
    middle = events.crossing_time(
        jnp.asarray(age / 100.0), age, events.event_draw(seeds, "death", chance=False)
    )
    np.testing.assert_allclose(middle, 100.0 * np.log(2.0))
    other = events.event_draw(seeds, "tube_feeding")
    assert abs(np.corrcoef(other, events.event_draw(seeds, "death"))[0, 1]) < 0.03


def test_jit_and_float32_agree_with_eager_float64_and_integer_ages_are_allowed():
    draws = np.array([0.3, 1.0, 4.0])
    age = np.arange(0, 401, 40, dtype=np.int32)[:, None] * np.ones(3, np.int32)
    hazard = jnp.asarray(2.0 * age / 1e4)
    eager = events.crossing_time_of_hazard(hazard, age, jnp.asarray(draws))
    np.testing.assert_array_equal(eager, jax.jit(events.crossing_time_of_hazard)(hazard, age, draws))
    single = events.crossing_time_of_hazard(hazard.astype(jnp.float32), age, jnp.asarray(draws, jnp.float32))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, eager, rtol=1e-5)


def test_combination_ties_and_censoring():
    death = jnp.array([10.0, 10.0, np.inf, np.inf])
    ventilation = jnp.array([10.0, 4.0, 30.0, np.inf])
    time, component = events.first_of(death, ventilation)
    np.testing.assert_array_equal(time, [10.0, 4.0, 30.0, np.inf])
    np.testing.assert_array_equal(component, [0, 1, 1, -1])
    np.testing.assert_array_equal(events.before_death(ventilation, death), [10.0, 4.0, 30.0, np.inf])
    np.testing.assert_array_equal(events.before_death(jnp.array([11.0]), jnp.array([10.0])), [np.inf])
    np.testing.assert_array_equal(events.censor(time, 10.0), [10.0, 4.0, np.inf, np.inf])
