"""Draws of events: an exponential one for each person and event, its median for everybody without chance."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from motorpool.outcomes.events import event_draw
from motorpool.outcomes.randomness import person_key, stream_seed

SEEDS = stream_seed(person_key(jax.random.key(1), jnp.arange(20_000)), "events")


def test_draws_are_exponential_with_mean_one() -> None:
    draws = np.asarray(event_draw(SEEDS, "death"))
    assert stats.kstest(draws, "expon").pvalue > 0.001
    assert np.isfinite(draws).all()


def test_events_have_draws_of_their_own_and_a_person_keeps_each() -> None:
    death, tube = (np.asarray(event_draw(SEEDS, name)) for name in ("death", "tube_feeding"))
    assert abs(np.corrcoef(death, tube)[0, 1]) < 0.03
    np.testing.assert_array_equal(death[::-7], event_draw(SEEDS[::-7], "death"))


def test_without_chance_everybody_has_the_median() -> None:
    middle = np.asarray(event_draw(SEEDS, "death", chance=False))
    assert (middle == np.log(2.0)).all()
    assert np.isclose(np.median(event_draw(SEEDS, "death")), middle[0], rtol=0.03)


def test_single_precision_draws_are_the_same_numbers_rounded() -> None:
    double, single = event_draw(SEEDS, "death"), event_draw(SEEDS, "death", dtype=jnp.float32)
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, double, rtol=1e-4)
