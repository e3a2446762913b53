"""The normal distribution against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from motorpool.outcomes.normal import normal_probability

DEVIATIONS = np.linspace(-7.0, 7.0, 20_001)


def test_probabilities_are_exact_to_fifteen_decimals() -> None:
    found = np.asarray(normal_probability(jnp.asarray(DEVIATIONS)))
    np.testing.assert_allclose(found, stats.norm.cdf(DEVIATIONS), rtol=1e-8, atol=1e-15)


def test_single_precision_is_exact_to_its_rounding() -> None:
    with jax.enable_x64(False):
        found = np.asarray(normal_probability(jnp.asarray(DEVIATIONS, jnp.float32)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, stats.norm.cdf(DEVIATIONS.astype(np.float32)), rtol=6e-6)


def test_far_away_it_is_nearly_zero_or_one_and_never_falls() -> None:
    far = np.asarray(normal_probability(jnp.asarray([-np.inf, -1e30, -7.0, 0.0, 7.0, 1e30, np.inf])))
    assert far[3] == 0.5
    np.testing.assert_allclose(far, [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0], atol=2e-12)
    assert (np.diff(far) >= 0.0).all()
