"""Days with and without infection are weighed in every step; the sum over steps does not depend on the steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.outcomes.respiratory_infections import (
    infection_in_step,
    infection_severity,
    mean_infection_severity,
)
from tests.support import lives

in_step, at_hour = jax.jit(infection_in_step), jax.jit(infection_severity)
in_mean = jax.jit(mean_infection_severity)
SEEDS = jnp.arange(40, dtype=jnp.uint32)


def test_share_and_severity_equal_what_hourly_lookups_give() -> None:
    parameters = lives.central_draw().model.outcomes.infections
    edges = jnp.arange(0, 400 * 24, 7 * 24)[:, None]
    share, severity = in_step(SEEDS, edges[:-1], edges[1:], parameters)
    hours = jnp.arange(0, int(edges[-1, 0]))[:, None]
    hourly = np.asarray(at_hour(SEEDS, hours, parameters)).reshape(-1, 7 * 24, SEEDS.size)
    assert np.asarray(share) == pytest.approx((hourly > 0).mean(axis=1), abs=0.02)
    assert np.asarray(share * severity) == pytest.approx(hourly.mean(axis=1), abs=0.01)
    assert (np.asarray(share) > 0).any()
    assert np.asarray(share).max() <= 1.0


def test_share_times_severity_is_the_mean_severity() -> None:
    parameters = lives.central_draw().model.outcomes.infections
    edges = jnp.arange(0, 800 * 24, 182)[:, None]
    share, severity = in_step(SEEDS, edges[:-1], edges[1:], parameters)
    mean = in_mean(SEEDS, edges[:-1], edges[1:], parameters)
    assert np.asarray(share * severity) == pytest.approx(np.asarray(mean), abs=1e-6)
