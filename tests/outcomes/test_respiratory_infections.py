"""Infections: frequencies come back, the average matches many people, nothing depends on grid or batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.outcomes import respiratory_infections as infections
from motorpool.outcomes.randomness import person_key, stream_seed

infection_severity = jax.jit(infections.infection_severity, static_argnames="chance")
PARAMETERS = infections.InfectionParameters(
    rate_per_year_at_birth=6.0,
    rate_per_year_later=1.5,
    rate_decay_years=4.0,
    season_amplitude=0.6,
    mean_severity=0.3,
    severity_log_sd=0.7,
    median_duration_days=9.0,
    duration_log_sd=0.5,
)


def seeds(people: int) -> jax.Array:
    return stream_seed(person_key(jax.random.key(3), jnp.arange(people)), "respiratory_infections")


def test_number_of_episodes_follows_the_rate():
    bins = jnp.arange(26 * 10)[:, None]
    episodes = infections.episodes_in_bin(seeds(2000), bins, PARAMETERS)
    per_year = np.asarray(episodes.severity > 0).reshape(10, 26, -1).sum(axis=1).mean(axis=1) * 365.25 / 364.0
    years = np.arange(10) + 0.5
    np.testing.assert_allclose(per_year, 1.5 + 4.5 * np.exp(-years / 4.0), rtol=0.05)


def test_no_infection_before_birth_and_all_severities_in_range():
    age = jnp.linspace(-0.4, 3.0, 1500)[:, None] * 8766.0
    severity = np.asarray(infection_severity(seeds(200), age, PARAMETERS))
    assert np.all(severity[np.asarray(age[:, 0]) < 0] == 0.0)
    assert severity.min() == 0.0 and 0.0 < severity.max() <= 1.0


def test_no_episode_outlasts_the_memory_of_two_bins(
    monkeypatch: pytest.MonkeyPatch,
):
    age = jnp.arange(0.0, 500.0)[:, None] * 24.0
    long_ones = infections.InfectionParameters(6.0, 1.5, 4.0, 0.6, 0.3, 0.7, 25.0, 1.0)
    episodes = infections.episodes_in_bin(seeds(64), jnp.arange(40)[:, None], long_ones)
    assert float(jnp.max(episodes.end_days - episodes.start_days)) <= 28.0 + 1e-9
    short_memory = infection_severity(seeds(64), age, long_ones)
    monkeypatch.setattr(infections, "BINS_REMEMBERED", 5)
    long_memory = jax.jit(lambda *given: infections.infection_severity(*given))(seeds(64), age, long_ones)
    np.testing.assert_allclose(short_memory, long_memory, rtol=1e-12)


@pytest.mark.parametrize("age_days", [3.0, 20.0, 101.5, 400.0, 3000.0])
def test_average_mode_is_the_mean_over_luck(age_days: float):
    people = 60_000
    hours = jnp.full(people, age_days * 24.0)
    lucky = np.asarray(infection_severity(seeds(people), hours, PARAMETERS))
    average = np.asarray(infection_severity(seeds(people), hours, PARAMETERS, chance=False))
    tolerance = 4.5 * lucky.std() / np.sqrt(people) + 2e-4
    assert abs(lucky.mean() - average.mean()) < tolerance


def test_season_moves_infections_within_the_year():
    calm = infections.InfectionParameters(3.0, 3.0, 1.0, 0.9, 0.3, 0.5, 7.0, 0.3)
    phase = jnp.zeros(1)
    winter, summer = (
        float(infections.infection_rate_per_year(jnp.array([a]), phase, calm)[0]) for a in (2.0, 2.5)
    )
    assert winter == pytest.approx(3.0 * 1.9) and summer == pytest.approx(3.0 * 0.1)


def test_looking_up_does_not_depend_on_grid_batch_jit():
    age = jnp.arange(0.0, 700.0)[:, None] * 24.0
    all_days = infection_severity(seeds(64), age, PARAMETERS)
    np.testing.assert_array_equal(all_days[::7], infection_severity(seeds(64), age[::7], PARAMETERS))
    np.testing.assert_array_equal(all_days[:, ::-1], infection_severity(seeds(64)[::-1], age, PARAMETERS))
    np.testing.assert_allclose(all_days[:, :5], infection_severity(seeds(5), age, PARAMETERS), rtol=1e-12)
    eager = infections.infection_severity(seeds(64), age[::7], PARAMETERS)
    np.testing.assert_allclose(all_days[::7], eager, rtol=1e-12)


def test_integer_hours_and_float32_give_the_same_infections():
    age = np.arange(0, 24 * 900, 24, dtype=np.int32)[:, None]
    double = np.asarray(infection_severity(seeds(500), age, PARAMETERS))
    person_seeds = np.asarray(seeds(500))
    with jax.enable_x64(False):
        single = np.asarray(infection_severity(person_seeds, age, PARAMETERS))
    assert single.dtype == np.float32
    assert np.mean(np.abs(single - double) > 1e-5) < 1e-4


def all_at_once(people: int, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end (whole hours, (bins, P)) and severity of what episodes would be if they did not wait for others."""
    bins = jnp.arange(-3, days // infections.BIN_DAYS + 1)[:, None]
    found = infections.episodes_in_bin(seeds(people), bins, PARAMETERS)
    return np.asarray(found.start_days), np.asarray(found.end_days), np.asarray(found.severity)


def test_one_infection_waits_for_the_other_and_ends_when_it_would_have_ended():
    people, days = 40, 700
    starts, ends, severities = all_at_once(people, days)
    at_hours = np.arange(0.0, days * 24.0, 6.0) + 3.0
    found = np.asarray(infection_severity(seeds(people), at_hours[:, None], PARAMETERS))
    waited = 0
    for person in range(people):
        free, expected = -np.inf, np.zeros(at_hours.size)
        for start, end, severity in zip(
            starts[:, person], ends[:, person], severities[:, person], strict=True
        ):
            if severity > 0.0:
                begin = max(start, free)
                waited += int(start < begin < end)
                here = (at_hours / 24.0 >= begin) & (at_hours / 24.0 < end)
                expected[here] = severity
                free = max(free, end)
        np.testing.assert_allclose(found[:, person], expected, rtol=1e-12)
    assert waited > 10  # or the test would be empty
