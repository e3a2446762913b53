"""Ventilation record: runs by each definition, infections, and independence of the steps it is followed in."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorpool.outcomes.randomness import person_key, stream_seed
from motorpool.outcomes.respiratory_infections import InfectionParameters, infection_severity
from motorpool.outcomes.ventilation_record import (
    VentilationDefinition,
    VentilationParameters,
    follow_ventilation,
    watch_ventilation,
)
from tests.support import recomputed

DAY, NIV_HOURS, HOURS_ADDED, SHORTEST = 24, 4.0, 20.0, 1.0
INFECTIONS = InfectionParameters(8.0, 3.0, 3.0, 0.5, 0.5, 0.5, 9.0, 0.4)
PARAMETERS = VentilationParameters(jnp.asarray(HOURS_ADDED), jnp.asarray(SHORTEST))
ENROLMENT = 4000


def definition(hours: float, days: int, *, exclude_acute: bool = False) -> VentilationDefinition:
    return VentilationDefinition(hours, days, exclude_acute)


def healthy_always(age_days: jax.Array) -> jax.Array:
    return jnp.zeros_like(age_days)


@functools.cache
def infected(people: int) -> Callable[[Any], Any]:
    """Infections of people who differ in nothing but luck."""
    seeds = stream_seed(person_key(jax.random.key(0), jnp.arange(people)), "respiratory_infections")
    return lambda age_days: infection_severity(seeds, age_days * DAY, INFECTIONS)


Definitions = tuple[VentilationDefinition, ...]


@functools.partial(jax.jit, static_argnames=("definitions", "severity_at"))
def _followed(
    rows: Any, enrolled: Any, *, definitions: Definitions, severity_at: Callable[[Any], Any]
) -> Any:
    def step(watch: Any, ends: Any) -> Any:
        before, after = ends
        hours, chronic, weakness = zip(before, after, strict=True)
        niv = jnp.asarray(NIV_HOURS)
        rest = (enrolled, severity_at, niv, definitions, PARAMETERS)
        return follow_ventilation(watch, hours, chronic, weakness, *rest), None

    start = watch_ventilation(enrolled.shape[0], definitions, float)
    return jax.lax.scan(step, start, ([row[:-1] for row in rows], [row[1:] for row in rows]))[0].met_on_day


def met(
    ages: Any,
    chronic: Any,
    *definitions: VentilationDefinition,
    weakness: Any = 0.0,
    severity_at: Callable[[Any], Any] = healthy_always,
    enrolment: Any = ENROLMENT,
) -> np.ndarray:
    """Days on which the start of ventilation and each definition are met, (1 + definitions, P), following steps.

    ``ages`` (K,) or (K, P) whole hours; ``chronic`` and ``weakness`` (K, P) or one for all.
    """
    chronic = np.asarray(chronic, float)
    hours = np.broadcast_to(np.reshape(ages, (len(ages), -1)), chronic.shape).astype(np.int32)
    weak = np.broadcast_to(np.asarray(weakness, float), chronic.shape)
    enrolled = np.broadcast_to(np.asarray(enrolment, np.int32), chronic.shape[1:])
    found = _followed((hours, chronic, weak), enrolled, definitions=definitions, severity_at=severity_at)
    return np.asarray(found)


def day_by_day(counted: Any, hours: float = 16.0) -> tuple[Any, Any]:
    """Boundaries at every day, and 16 hours on the counted ones."""
    return ENROLMENT + DAY * np.arange(len(counted)), np.where(counted, hours, hours - 0.1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 35), share=st.floats(0.5, 0.99))
def test_the_first_full_run_agrees_with_counting_by_hand(seed: int, length: int, share: float) -> None:
    counted = np.random.default_rng(seed).random((60, 5)) < share
    ages, hours = day_by_day(counted)
    found = met(ages, hours, definition(16.0, length))[1]
    assert found.tolist() == [recomputed.first_full_run(counted[:, person], length) for person in range(5)]


def test_a_definition_is_met_on_the_last_day_of_its_run() -> None:
    ages, hours = day_by_day(np.arange(60)[:, None] >= 10)
    fortnight, three_weeks, longer = definition(16.0, 14), definition(16.0, 21), definition(16.0, 22)
    assert met(ages, hours, fortnight, three_weeks, longer)[1:, 0].tolist() == [23.0, 30.0, 31.0]
    ages, hours = day_by_day((np.arange(60)[:, None] >= 10) & (np.arange(60)[:, None] < 31))
    assert met(ages, hours, three_weeks, longer)[1:, 0].tolist() == [30.0, np.inf]
    assert np.isinf(met(ages[:5], hours[:5], fortnight)[1:]).all()


def test_ventilation_starts_on_the_first_day_of_enough_hours_needed_without_infection() -> None:
    ages = ENROLMENT + np.array([0, 10 * DAY, 20 * DAY])
    rising = np.array([[0.0, 0.0], [2.0, 4.2], [8.0, 4.2]])
    assert met(ages, rising)[0].tolist() == [14.0, 10.0]
    ill = met(ages, np.zeros((3, 2)), weakness=1.0, severity_at=jnp.ones_like)
    assert np.isinf(ill).all()


def test_days_before_enrolment_and_days_between_boundaries_count_by_where_they_lie() -> None:
    ages = np.array([[0, 240], [240, 480], [480, 960]])
    chronic = np.array([[0.0, 4.0], [10.0, 4.0], [0.0, 24.0]])
    found = met(ages, chronic, definition(6.0, 1), enrolment=np.array([48, 240]))
    # 2 hours on day 0 and one more each day; 4 hours for ten days, then one more each day.
    assert found.tolist() == [[2.0, 0.0], [4.0, 12.0]]


STEPS = st.lists(st.integers(1, 700), min_size=40, max_size=40)


def in_waves(age_days: Any) -> Any:
    """A made-up severity of six people's infections."""
    return 0.5 + 0.5 * jnp.sin(age_days / (3.0 + jnp.arange(6)))


@settings(max_examples=25, deadline=None)
@given(lengths=STEPS, seed=st.integers(0, 10**6), weakness=st.floats(0.0, 1.0))
def test_every_step_length_gives_the_record_of_the_whole_curve(
    lengths: list[int], seed: int, weakness: float
) -> None:
    generator = np.random.default_rng(seed)
    people, ages = 6, ENROLMENT + np.concatenate([[0], np.cumsum(lengths)])
    chronic = np.clip(np.cumsum(generator.normal(0.5, 3.0, (len(ages), people)), axis=0), 0, 24)
    rules = [definition(6.0, 7), definition(16.0, 14), definition(6.0, 7, exclude_acute=True)]
    found = met(ages, chronic, *rules, weakness=weakness, severity_at=in_waves)
    for person in range(people):
        wanted = recomputed.ventilation_days(
            ages,
            chronic[:, person],
            np.full(len(ages), weakness),
            ENROLMENT,
            lambda days, person=person: np.asarray(in_waves(days[:, None]))[:, person],
            hours_added=HOURS_ADDED,
            shortest_hours=SHORTEST,
            niv_hours=NIV_HOURS,
            definitions=rules,
        )
        assert found[:, person].tolist() == wanted


def test_a_finer_grid_on_the_same_lines_gives_the_same_days() -> None:
    coarse = ENROLMENT + DAY * np.array([0, 100, 250, 400])
    fine = ENROLMENT + np.arange(0, 400 * DAY + 1, 100)
    rising = np.linspace(0.0, 20.0, 4)[:, None] * np.linspace(0.5037, 1.2011, 50)  # no hours on the very edge
    between = np.stack([np.interp(fine, coarse, row) for row in rising.T], axis=1)
    rules = [definition(16.0, 14), definition(16.0, 14, exclude_acute=True)]
    few, many = (
        met(ages, hours, *rules, weakness=0.8, severity_at=infected(50))
        for ages, hours in ((coarse, rising), (fine, between))
    )
    np.testing.assert_array_equal(few, many)
    assert np.isfinite(few[1]).any() and (few[1] < few[2]).any()


YEAR_OF_DAYS = ENROLMENT + DAY * np.linspace(0, 400, 9).astype(int)


def on_hours(hours: float, people: int = 300) -> np.ndarray:
    return np.full((len(YEAR_OF_DAYS), people), hours)


def test_full_reserve_means_no_ventilation_for_a_cold_and_weakness_does() -> None:
    rules = [definition(1.0, 1)]
    strong, weak = (
        met(YEAR_OF_DAYS, on_hours(0.0), *rules, weakness=weakness, severity_at=infected(300))[1]
        for weakness in (0.0, 0.8)
    )
    assert np.isinf(strong).all()
    assert np.isfinite(weak).mean() > 0.9
    assert len(set(weak.tolist())) > 30


def test_an_added_session_shorter_than_the_shortest_is_not_given() -> None:
    def severity(share: float) -> Callable[[Any], Any]:
        return lambda age_days: jnp.full_like(age_days, share)

    rules = [definition(5.0 + 1e-6, 1)]
    just_enough = SHORTEST / HOURS_ADDED
    short, long = (
        met(YEAR_OF_DAYS, on_hours(5.0, 2), *rules, weakness=1.0, severity_at=severity(share))[1]
        for share in (0.99 * just_enough, 1.01 * just_enough)
    )
    assert np.isinf(short).all() and (long == 0.0).all()


def test_definitions_with_and_without_acute_episodes() -> None:
    with_acute, without = definition(16.0, 7), definition(16.0, 7, exclude_acute=True)
    rules = [with_acute, without]
    on_eight = met(YEAR_OF_DAYS, on_hours(8.0), *rules, weakness=0.9, severity_at=infected(300))
    assert np.isfinite(on_eight[1]).any()
    assert np.isinf(on_eight[2]).all()
    on_sixteen = met(YEAR_OF_DAYS, on_hours(16.0, 20), *rules, weakness=0.9, severity_at=infected(20))
    assert (on_sixteen[1:] == 6.0).all()


@pytest.mark.parametrize("hours", [3.0, 5.0, 12.0])
def test_stricter_definitions_are_never_met_earlier(hours: float) -> None:
    rules = [
        definition(6.0, 7),
        definition(6.0, 14),
        definition(16.0, 7),
        definition(6.0, 7, exclude_acute=True),
    ]
    found = met(YEAR_OF_DAYS, on_hours(hours), *rules, weakness=0.9, severity_at=infected(300))
    assert (found[2:] >= found[1]).all()


def test_everybodys_days_are_the_same_in_any_company() -> None:
    rules = [definition(6.0, 7)]
    many = met(YEAR_OF_DAYS, on_hours(3.0, 50), *rules, weakness=0.8, severity_at=infected(50))
    few = met(YEAR_OF_DAYS, on_hours(3.0, 7), *rules, weakness=0.8, severity_at=infected(7))
    np.testing.assert_array_equal(many[:, :7], few)
