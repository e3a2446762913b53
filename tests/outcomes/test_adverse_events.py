"""Adverse events: frequencies, the same luck in all arms, more doses never take an event away."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from motorpool.outcomes import adverse_events as adverse
from motorpool.outcomes.randomness import person_key, stream_seed

compiled_counts = jax.jit(adverse.adverse_event_counts, static_argnames=("most_events_per_person", "chance"))
NAMES = ("puncture_headache", "liver_injury", "lung_infection")
SPEC = adverse.AdverseEventParameters(
    identity=np.array([1, 2, 3], np.uint32),
    therapy_index=jnp.array([0, 1, 0]),
    kind=jnp.array([adverse.PER_DOSE, adverse.PER_COURSE, adverse.PER_PATIENT_YEAR]),
    probability=jnp.array([0.2, 0.3, 1.7]),
    log_odds_per_kg=jnp.array([0.0, 0.15, 0.0]),
    reference_weight_kg=jnp.array([0.0, 8.0, 0.0]),
)


def seeds(people: int) -> jax.Array:
    return stream_seed(person_key(jax.random.key(8), jnp.arange(people)), "adverse_events")


def exposure(people: int, doses: int, years: float, weight: float = 8.0, padding: int = 12):
    return adverse.Exposure(
        administrations=jnp.full((2, people), doses, jnp.int32),
        exposed_years=jnp.full((2, people), years),
        weight_kg=jnp.full((padding, 2, people), weight),
    )


def counts(people: int, doses: int, years: float, weight: float = 8.0, **options: bool) -> np.ndarray:
    received = exposure(people, doses, years, weight)
    return np.asarray(compiled_counts(seeds(people), received, SPEC, most_events_per_person=40, **options))


def test_counts_have_binomial_bernoulli_and_poisson_frequencies():
    people = 40_000
    found = counts(people, 6, 2.0)
    assert found.dtype == np.int32
    expected = stats.binom(6, 0.2).pmf(np.arange(7)) * people
    observed = np.bincount(found[0], minlength=7)
    scaled = expected[:5] * observed[:5].sum() / expected[:5].sum()
    assert stats.chisquare(observed[:5], scaled).pvalue > 0.001
    assert abs(found[1].mean() - 0.3) < 0.01 and found[1].max() == 1
    assert abs(found[2].mean() - 3.4) < 0.05 and abs(found[2].var() - 3.4) < 0.12


def test_weight_raises_the_odds_at_the_dose():
    risk = adverse.administration_risk(jnp.full((3, 1), 18.0), SPEC)[:, 0]
    odds = 0.3 / 0.7 * np.exp(0.15 * 10.0)
    assert float(risk[1]) == pytest.approx(odds / (1 + odds)) and float(risk[0]) == pytest.approx(0.2)
    assert np.all(counts(500, 1, 1.0, weight=18.0)[1] >= counts(500, 1, 1.0, weight=8.0)[1])


def test_without_chance_the_expected_numbers_come_out():
    np.testing.assert_allclose(counts(3, 6, 2.0, chance=False)[:, 0], [1.2, 0.3, 3.4], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    doses=st.integers(0, 11), more=st.integers(0, 5), years=st.floats(0.0, 6.0), longer=st.floats(0.0, 5.0)
)
def test_more_doses_and_longer_exposure_never_take_events_away(
    doses: int, more: int, years: float, longer: float
):
    few, many = counts(60, doses, years), counts(60, min(doses + more, 12), years + longer)
    assert np.all(many >= few)


def test_nothing_given_nothing_happens_and_certainties_hold():
    assert not counts(100, 0, 0.0).any()
    certain = adverse.AdverseEventParameters(**{**vars(SPEC), "probability": jnp.array([1.0, 0.0, 0.0])})
    found = adverse.adverse_event_counts(seeds(50), exposure(50, 4, 1.0), certain, most_events_per_person=9)
    np.testing.assert_array_equal(found[:, 0], [4, 0, 0])
    assert np.all(found[0] == 4)


def test_padding_batch_and_new_rows_change_nothing_and_jit_agrees():
    base = counts(80, 5, 2.0)
    padded = adverse.adverse_event_counts(
        seeds(80), exposure(80, 5, 2.0, padding=30), SPEC, most_events_per_person=40
    )
    np.testing.assert_array_equal(base, padded)
    np.testing.assert_array_equal(base[:, :9], counts(9, 5, 2.0))
    fewer_rows = adverse.AdverseEventParameters(**{key: value[1:] for key, value in vars(SPEC).items()})
    received = exposure(80, 5, 2.0)
    alone = compiled_counts(seeds(80), received, fewer_rows, most_events_per_person=40)
    np.testing.assert_array_equal(base[1:], alone)
    eager = adverse.adverse_event_counts(seeds(80), received, SPEC, most_events_per_person=40)
    np.testing.assert_array_equal(base, eager)


def test_identities_are_stable_and_distinct():
    identity = np.asarray(adverse.adverse_event_identity(NAMES))
    assert identity.dtype == np.uint32 and len(set(identity.tolist())) == 3
    np.testing.assert_array_equal(identity[1:], adverse.adverse_event_identity(NAMES[1:]))
