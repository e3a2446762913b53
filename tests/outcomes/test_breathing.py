"""Breathing: what is given of the needed hours, and what it does to the hazard of death."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.outcomes import breathing, survival
from tests.support import lives

CARE = (0.0, 1.0, 2.0)


@pytest.mark.parametrize("care", CARE)
def test_a_typical_family_gets_what_care_gives(care: float) -> None:
    parameters = lives.central_draw().model.outcomes.breathing
    usual = (parameters.given_palliative, parameters.given_standard, parameters.given_proactive)[int(care)]
    given_share = breathing.given_share(jnp.float32(care), jnp.float32(1.0), parameters)
    assert float(given_share) == pytest.approx(float(usual), rel=1e-6)


@given(care=st.sampled_from(CARE), log_odds=st.floats(-8.0, 8.0), more=st.floats(0.1, 4.0))
def test_who_chooses_more_ventilation_gets_more_of_the_need_and_dies_later(
    care: float, log_odds: float, more: float
) -> None:
    outcomes = lives.central_draw().model.outcomes
    able, level = jnp.float32(-2.0), jnp.float32(care)
    need = breathing.ventilation_need_hours(able, outcomes.breathing)

    def at(log_odds: float) -> tuple[float, float, float]:
        share = breathing.given_share(level, jnp.exp(jnp.float32(log_odds)), outcomes.breathing)
        hours = breathing.ventilation_hours(need, jnp.float32(0.0), share, outcomes.breathing)
        hazard = survival.death_rate_per_year(able, hours, need, level, outcomes.survival)
        return float(share), float(hours), float(hazard)

    less, much = np.array(at(log_odds)), np.array(at(log_odds + more))
    assert 0.0 <= less[0] <= much[0] <= 1.0
    assert less[1] <= much[1] <= float(need) + 1e-4
    assert less[2] >= much[2] > 0.0
