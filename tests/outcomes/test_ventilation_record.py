"""Ventilation record: interpolation to days, runs by each definition, infections, endpoints."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorpool.outcomes import ventilation_record as record
from motorpool.outcomes.randomness import person_key, stream_seed
from motorpool.outcomes.respiratory_infections import InfectionParameters

INFECTIONS = InfectionParameters(8.0, 3.0, 3.0, 0.5, 0.5, 0.5, 9.0, 0.4)
PARAMETERS = record.VentilationParameters(jnp.asarray(20.0), jnp.asarray(1.0))


def first_day_by_hand(counted: np.ndarray, length: int) -> np.ndarray:
    result = np.full(counted.shape[1], np.inf)
    for person in range(counted.shape[1]):
        run = 0
        for day, good in enumerate(counted[:, person]):
            run = run + 1 if good else 0
            if run >= length:
                result[person] = day
                break
    return result


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 35), share=st.floats(0.5, 0.99))
def test_first_day_of_run_agrees_with_counting_by_hand(seed: int, length: int, share: float):
    counted = np.random.default_rng(seed).random((60, 5)) < share
    found = record.first_day_of_run(jnp.where(counted, 17.0, 15.9), 16.0, at_least_days=length)
    np.testing.assert_array_equal(found, first_day_by_hand(counted, length))


def test_more_than_21_days_takes_one_day_longer_than_at_least_21():
    hours = jnp.zeros((60, 1)).at[10:].set(16.0)
    assert float(record.first_day_of_run(hours, 16.0, at_least_days=14)[0]) == 23.0
    assert float(record.first_day_of_run(hours, 16.0, at_least_days=21)[0]) == 30.0
    assert float(record.first_day_of_run(hours, 16.0, more_than_days=21)[0]) == 31.0
    exactly_21 = jnp.zeros((60, 1)).at[10:31].set(16.0)
    assert np.isinf(record.first_day_of_run(exactly_21, 16.0, more_than_days=21)[0])
    assert np.isinf(record.first_day_of_run(hours[:5], 16.0, at_least_days=14)[0])


def test_acute_days_break_the_run_when_they_are_excluded():
    hours = jnp.full((40, 1), 8.0)
    acute = jnp.zeros((40, 1), bool).at[5].set(True)
    assert float(record.first_day_of_run(hours, 6.0, at_least_days=7)[0]) == 6.0
    found = record.first_day_of_run(hours, 6.0, at_least_days=7, exclude_acute=True, acute=acute)
    assert float(found[0]) == 12.0


def test_wrong_calls_are_refused():
    hours = jnp.zeros((4, 1))
    with pytest.raises(ValueError, match="exactly one"):
        record.first_day_of_run(hours, 6.0)
    with pytest.raises(ValueError, match="exactly one"):
        record.first_day_of_run(hours, 6.0, at_least_days=2, more_than_days=2)
    with pytest.raises(ValueError, match="at least one day"):
        record.first_day_of_run(hours, 6.0, at_least_days=0)
    with pytest.raises(ValueError, match="acute"):
        record.first_day_of_run(hours, 6.0, at_least_days=2, exclude_acute=True)


def test_days_are_interpolated_for_each_person_and_hold_outside_the_grid():
    age = np.array([[0.0, 240.0], [240.0, 480.0], [480.0, 960.0]])
    values = jnp.asarray([[0.0, 4.0], [10.0, 4.0], [0.0, 24.0]])
    days = record.days_of_record(age, values, np.array([48.0, 240.0]), 40)
    np.testing.assert_allclose(days[:5, 0], [2.0, 3.0, 4.0, 5.0, 6.0], atol=1e-12)
    assert float(days[39, 0]) == 0.0
    np.testing.assert_allclose(days[10:14, 1], [4.0, 5.0, 6.0, 7.0], atol=1e-12)
    assert float(days[39, 1]) == 24.0


DAYS = 400
compiled_record = jax.jit(record.ventilation_record, static_argnames=("days", "chance"))


def make_record(people: int, chronic: float, weakness: float, *, grid: int = 9, eager: bool = False):
    seeds = stream_seed(person_key(jax.random.key(0), jnp.arange(people)), "respiratory_infections")
    age = jnp.linspace(4000.0, 4000.0 + 400 * 24.0, grid)[:, None] * jnp.ones(people)
    build = record.ventilation_record if eager else compiled_record
    return build(
        age,
        jnp.full((grid, people), chronic),
        jnp.full((grid, people), weakness),
        jnp.full(people, 4000.0),
        seeds,
        INFECTIONS,
        PARAMETERS,
        days=DAYS,
    )


def test_full_reserve_means_no_ventilation_and_weakness_means_acute_days():
    healthy = make_record(300, 0.0, 0.0)
    assert not np.any(healthy.hours) and not np.any(healthy.acute)
    weak = make_record(300, 4.0, 0.8)
    assert 0.05 < float(weak.acute.mean()) < 0.6
    assert float(weak.hours.max()) <= 24.0 and float(weak.hours.min()) >= 4.0
    np.testing.assert_array_equal(weak.acute, weak.hours > weak.chronic_hours)


def test_the_record_does_not_depend_on_the_grid_or_the_batch_and_jit_agrees():
    weak = make_record(50, 4.0, 0.8)
    np.testing.assert_allclose(weak.hours, make_record(50, 4.0, 0.8, grid=77).hours, atol=1e-9)
    np.testing.assert_array_equal(weak.hours[:, :7], make_record(7, 4.0, 0.8).hours)
    np.testing.assert_allclose(weak.hours, make_record(50, 4.0, 0.8, eager=True).hours, rtol=1e-12)


def test_definitions_with_and_without_acute_episodes():
    on_eight_hours = make_record(300, 8.0, 0.9)
    with_acute = record.VentilationDefinition(16.0, 7, False)
    without_acute = record.VentilationDefinition(16.0, 7, True)
    assert np.isfinite(record.endpoint_day(on_eight_hours, with_acute)).any()
    assert np.isinf(record.endpoint_day(on_eight_hours, without_acute)).all()
    on_sixteen_hours = make_record(20, 16.0, 0.9)
    np.testing.assert_array_equal(record.endpoint_day(on_sixteen_hours, without_acute), np.full(20, 6.0))


def test_stricter_definitions_are_never_met_earlier():
    weak = make_record(300, 5.0, 0.9)
    lenient = record.endpoint_day(weak, record.VentilationDefinition(6.0, 7, False))
    longer = record.endpoint_day(weak, record.VentilationDefinition(6.0, 14, False))
    more_hours = record.endpoint_day(weak, record.VentilationDefinition(16.0, 7, False))
    assert np.all(longer >= lenient) and np.all(more_hours >= lenient)


def test_niv_start_and_years():
    hours = jnp.zeros((30, 1)).at[12:].set(6.0)
    days_record = record.VentilationRecord(hours, hours, jnp.zeros_like(hours, bool))
    assert float(record.niv_start_day(days_record, 4.0)[0]) == 12.0
    assert np.isinf(record.niv_start_day(days_record, 8.0)[0])
    assert float(record.days_to_years(jnp.asarray(365.25))) == 1.0
    assert np.isinf(record.days_to_years(jnp.asarray(np.inf)))
