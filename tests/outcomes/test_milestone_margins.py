"""What milestones ask for: maturity of the healthy, strength of the mature, and both of everybody else."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.biology.vocabulary import MUSCLE_GROUPS
from motorpool.outcomes.milestone_margins import (
    MilestoneThresholds,
    milestone_margin,
    milestone_margins,
    strength_demand,
)
from motorpool.outcomes.milestones import MILESTONES
from tests.support import lives

STRONG = 30.0


def thresholds() -> MilestoneThresholds:
    return lives.central_draw().model.outcomes.milestone_thresholds


def margin(
    log_odds: float, maturity: float, name: str, parameters: MilestoneThresholds | None = None
) -> float:
    everywhere = tuple(jnp.asarray(log_odds) for _ in MUSCLE_GROUPS)
    place = MILESTONES.index(name)
    return float(milestone_margin(everywhere, jnp.asarray(maturity), place, parameters or thresholds()))


@pytest.mark.parametrize("name", MILESTONES)
def test_the_healthy_wait_for_maturity_and_the_mature_for_strength(name: str) -> None:
    place = MILESTONES.index(name)
    asked, demand = float(thresholds().threshold[place]), float(strength_demand(place, thresholds()))
    assert margin(STRONG, asked, name) == pytest.approx(0.0, abs=1e-5)
    assert margin(demand, 1.0, name) == pytest.approx(0.0, abs=1e-5)
    assert margin(demand + 0.5, 1.0, name) > 0.0 > margin(demand - 0.5, 1.0, name)


def test_margins_rise_with_ability_and_maturity() -> None:
    for name in MILESTONES:
        by_ability = [margin(odds, 0.8, name) for odds in np.linspace(-4, 6, 21)]
        by_maturity = [margin(1.5, maturity, name) for maturity in np.linspace(0.05, 1.0, 20)]
        assert np.all(np.diff(by_ability) >= 0.0)
        assert np.all(np.diff(by_maturity) >= 0.0)


def test_demands_rise_from_holding_the_head_to_walking() -> None:
    demand = {name: float(strength_demand(i, thresholds())) for i, name in enumerate(MILESTONES)}
    assert demand["head_control"] < demand["sit_5s"] < demand["sit_10s"] < demand["sit_30s"]
    assert demand["sit_30s"] < demand["stand_with_support"] < demand["stand"] < demand["walk"]
    assert demand["stand_with_support"] < demand["walk_with_support"] < demand["walk"]


def test_the_steeper_strength_limits_the_less_weakness_delays_those_who_are_able() -> None:
    def maturity_needed(steepness: float) -> float:
        parameters = dataclasses.replace(thresholds(), strength_steepness=jnp.asarray(steepness))
        able = float(strength_demand(MILESTONES.index("sit_10s"), parameters)) + 1.0
        ages = np.linspace(0.05, 1.0, 400)
        return float(ages[np.argmax([margin(able, age, "sit_10s", parameters) >= 0.0 for age in ages])])

    asked = float(thresholds().threshold[MILESTONES.index("sit_10s")])
    assert maturity_needed(1.0) > maturity_needed(2.0) > maturity_needed(4.0) >= asked - 1e-3


def test_all_margins_are_each_margin() -> None:
    everywhere = tuple(jnp.linspace(-2.0, 3.0, 5) for _ in MUSCLE_GROUPS)
    together = milestone_margins(everywhere, jnp.full(5, 0.7), thresholds())
    for place in range(len(MILESTONES)):
        alone = milestone_margin(everywhere, jnp.full(5, 0.7), place, thresholds())
        np.testing.assert_array_equal(together[place], alone)
