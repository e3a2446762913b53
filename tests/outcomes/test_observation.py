"""Observation: noise keyed by person, outcome and visit; bias; rounding; floor and ceiling."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.outcomes import observation
from motorpool.outcomes.observation import ObservationParameters, outcome_identity
from motorpool.outcomes.randomness import person_key, stream_seed

observe = jax.jit(observation.observe, static_argnames=("noise", "rounding"))
MONTH = 730.5
VISITS = np.array([0.0, 3.0, 6.0, 12.0]) * MONTH
RULES = ObservationParameters(
    identity=np.array([11, 12, 13], np.uint32),
    noise_sd=jnp.array([2.0, 0.3, 0.0]),
    proportional=jnp.array([False, True, False]),
    rounding_step=jnp.array([1.0, 0.0, 0.5]),
    floor=jnp.array([0.0, 0.0, -jnp.inf]),
    ceiling=jnp.array([64.0, jnp.inf, jnp.inf]),
    blinded_gain=jnp.array([1.0, 0.0, 0.0]),
    open_label_gain=jnp.array([0.5, 0.0, 0.0]),
    gain_time_hours=jnp.array([3.0, 1.0, 1.0]) * MONTH,
)


BOTH_LABELS = jnp.array([0.0, 1.0])


def seeds(people: int) -> jax.Array:
    return stream_seed(person_key(jax.random.key(5), jnp.arange(people)), "observation")


def truth(people: int, visits: int = 4) -> jax.Array:
    return jnp.broadcast_to(jnp.array([30.0, 1000.0, 1.3])[:, None], (visits, 3, people))


def test_noise_has_the_stated_size_and_rounding_the_stated_step():
    seen = np.asarray(observe(truth(30_000), VISITS, seeds(30_000), RULES))
    assert np.all(seen[:, 0] == np.round(seen[:, 0]))
    assert abs(seen[0, 0].mean() - 30.0) < 0.05
    assert seen[0, 0].std() == pytest.approx(np.sqrt(4.0 + 1.0 / 12.0), rel=0.02)
    logarithm = np.log(seen[2, 1] / 1000.0)
    assert abs(logarithm.mean()) < 0.01 and logarithm.std() == pytest.approx(0.3, rel=0.02)
    assert np.all(seen[:, 2] == 1.5)


def test_bias_starts_at_enrolment_grows_and_saturates():
    for label, gain in ((0.0, 1.0), (1.0, 1.5)):
        seen = observe(truth(2), VISITS, seeds(2), RULES, open_label=label, noise=False, rounding=False)
        expected = 30.0 + gain * (1.0 - np.exp(-VISITS / (3.0 * MONTH)))
        np.testing.assert_allclose(seen[:, 0, 0], expected, rtol=1e-12)
    before = observation.observation_bias(jnp.full((1, 2), -500.0), 1.0, RULES)
    assert not np.any(before)
    each = observe(truth(2), VISITS, seeds(2), RULES, open_label=BOTH_LABELS, noise=False, rounding=False)
    assert float(each[3, 0, 1]) > float(each[3, 0, 0])


def test_floor_ceiling_and_missing_values():
    low = jnp.zeros((4, 3, 500))
    assert float(observe(low, VISITS, seeds(500), RULES)[:, 0].min()) == 0.0
    high = jnp.full((4, 3, 500), 64.0)
    assert float(observe(high, VISITS, seeds(500), RULES)[:, 0].max()) == 64.0
    missing = observe(truth(3).at[2].set(jnp.nan), VISITS, seeds(3), RULES)
    assert np.isnan(missing[2]).all() and np.isfinite(missing[1]).all()


def test_without_noise_the_true_score_is_only_rounded():
    seen = observe(truth(3)[:1] + 0.4, VISITS[:1], seeds(3), RULES, noise=False)
    np.testing.assert_allclose(seen[0, :, 0], [30.0, 1000.4, 1.5])


def test_the_same_visit_has_the_same_noise_in_every_list_of_visits_every_arm_and_every_batch():
    everything = observe(truth(40), VISITS, seeds(40), RULES)
    some = observe(truth(40, 2), VISITS[[1, 3]], seeds(40), RULES)
    np.testing.assert_array_equal(everything[jnp.array([1, 3])], some)
    np.testing.assert_array_equal(everything[..., 5:9], observe(truth(4), VISITS, seeds(40)[5:9], RULES))
    per_person = np.repeat(VISITS[:, None], 40, axis=1)
    np.testing.assert_array_equal(everything, observe(truth(40), per_person, seeds(40), RULES))
    other_arm = observe(truth(40) + jnp.array([5.0, 0.0, 0.0])[:, None], VISITS, seeds(40), RULES)
    np.testing.assert_array_equal(other_arm[:, 0] - everything[:, 0], np.full((4, 40), 5.0))
    one_outcome = ObservationParameters(**{key: value[1:2] for key, value in vars(RULES).items()})
    np.testing.assert_array_equal(
        everything[:, 1:2], observe(truth(40)[:, 1:2], VISITS, seeds(40), one_outcome)
    )
    eager = observation.observe(truth(40), VISITS, seeds(40), RULES)
    np.testing.assert_allclose(everything, eager, rtol=1e-12)


def test_noise_of_different_visits_outcomes_and_people_is_unrelated():
    rules = ObservationParameters(
        **{**vars(RULES), "rounding_step": jnp.zeros(3), "noise_sd": jnp.ones(3) * 0.5}
    )
    seen = np.asarray(observe(truth(20_000), VISITS, seeds(20_000), rules)).reshape(12, -1)
    correlation = np.corrcoef(seen) - np.eye(12)
    assert np.abs(correlation).max() < 0.035
    assert abs(np.corrcoef(seen[0, 1:], seen[0, :-1])[0, 1]) < 0.035


def test_float32_stays_float32_and_identities_are_stable():
    single = observe(truth(4).astype(jnp.float32), VISITS, seeds(4), RULES)
    assert single.dtype == jnp.float32
    identity = np.asarray(outcome_identity(("hfmse", "rulm")))
    assert identity[1] == np.asarray(outcome_identity(("rulm",)))[0] and identity[0] != identity[1]
