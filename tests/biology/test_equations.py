"""The equations of biology, one by one: direction of every effect, limits, and what must never happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.biology import growth, inflammation, junction, muscle, neurons, skeleton, smn
from motorpool.biology.influence import no_influence
from motorpool.biology.system import newborn_body, working_share
from motorpool.evidence.facts import load_facts
from tests.support import lives

SHARE = st.floats(0.0, 1.0, allow_subnormal=False)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def biology() -> Any:
    return lives.central_draw(jnp.float64).model.biology


def one(value: float) -> Any:
    return jnp.asarray([value], jnp.float64)


def person(**traits: Any) -> Any:
    who = lives.people(draw=lives.central_draw(jnp.float64), **traits)
    return jax.tree.map(jnp.asarray, who)


def test_need_of_smn_is_high_before_birth_and_falls_to_a_floor() -> None:
    parameters = biology().smn
    ages = jnp.linspace(-0.4, 60.0, 500)
    need = np.asarray(smn.need(ages, parameters))
    assert (np.diff(need) <= 0).all()
    assert need[0] == pytest.approx(float(parameters.need_before_birth))
    assert need[-1] == pytest.approx(float(parameters.need_later), rel=1e-6)


@given(level=st.floats(0.01, 2.0), more=st.floats(1.0, 3.0), age=st.floats(-0.4, 80.0))
def test_stress_lies_in_0_to_1_and_falls_with_smn(level: float, more: float, age: float) -> None:
    def stress(value: float) -> Any:
        levels = jnp.full((2, 4, 1), value)
        return np.asarray(smn.stress(levels, one(age), person(), biology().smn))

    lower, higher = stress(level), stress(level * more)
    assert (lower >= 0).all()
    assert (lower <= 1).all()
    assert (higher <= lower + 1e-12).all()


def test_more_vulnerable_classes_are_more_stressed() -> None:
    stress = np.asarray(smn.stress(jnp.full((2, 4, 1), 0.12), one(0.2), person(), biology().smn))
    assert (np.diff(stress[:, 0, 0, 0]) > 0).all()


def test_smn_adds_up_copies_splicing_and_transgene() -> None:
    who = person(smn2_copies=[2.0], smn1_copies=[1.0])
    nothing = no_influence(1, jnp.float64)
    base = np.asarray(smn.target_level(who, nothing))
    assert base == pytest.approx(float(who.smn1_level[0] + who.smn2_level[0]))
    import dataclasses

    spliced = dataclasses.replace(nothing, splicing_gain=jnp.ones((4, 1)))
    assert np.asarray(smn.target_level(who, spliced)) == pytest.approx(
        float(who.smn1_level[0] + 2 * who.smn2_level[0])
    )
    transduced = np.asarray(smn.target_level(who, dataclasses.replace(nothing, transgene_neurons=one(0.3))))
    assert transduced[0] == pytest.approx(base[0])
    assert transduced[1] == pytest.approx(base[1] + 0.3)


@given(
    alive=SHARE,
    sick=SHARE,
    stress=SHARE,
    inflamed=SHARE,
    protection=st.floats(-3, 3),
    age=st.floats(-0.4, 80),
)
def test_neurons_are_conserved_and_the_dead_stay_dead(
    alive: float, sick: float, stress: float, inflamed: float, protection: float, age: float
) -> None:
    sick_share = alive * sick
    d_alive, d_sick = neurons.rates_of_change(
        one(alive), one(sick_share), one(stress), one(inflamed), one(protection), one(age), biology().neurons
    )
    assert float(d_alive[0]) <= 0.0  # alive never rises
    d_working = float(d_alive[0]) - float(d_sick[0])
    if sick_share == 0.0:
        assert float(d_sick[0]) >= 0.0
    if sick_share == alive:
        assert d_working >= 0.0


def test_protection_inflammation_and_age_change_the_death_rate() -> None:
    def dying(inflamed: float = 0.0, protection: float = 0.0, age: float = 0.5) -> float:
        rates = neurons.rates_of_change(
            one(1.0), one(0.5), one(0.8), one(inflamed), one(protection), one(age), biology().neurons
        )
        return -float(rates[0][0])

    assert dying(inflamed=0.5) > dying() > dying(protection=0.5)
    assert dying(protection=-0.5) > dying()
    assert dying(age=0.0) > dying(age=2.0) > dying(age=20.0) > 0.0


def test_recovery_slows_with_age_and_needs_calm() -> None:
    def recovering(age: float, stress: float = 0.0) -> float:
        rates = neurons.rates_of_change(
            one(1.0), one(1.0), one(stress), one(0.0), one(0.0), one(age), biology().neurons
        )
        return -float(rates[1][0])

    assert recovering(-0.3) == pytest.approx(recovering(0.0))
    assert recovering(0.0) > recovering(4.0) > recovering(40.0) > 0.0
    late = float(biology().neurons.late_recovery_share)
    assert recovering(80.0) == pytest.approx(late * recovering(0.0), rel=1e-3)


@given(working=SHARE, sprouting=st.floats(1.0, 8.0))
def test_sprouting_keeps_fibres_innervated(working: float, sprouting: float) -> None:
    innervated = float(muscle.innervation(one(working), one(sprouting))[0])
    assert working - 1e-9 <= innervated <= 1.0 + 1e-9


def test_enlarged_motor_units_shrink_with_age_and_muscle_with_them() -> None:
    parameters, working = biology().muscle, one(0.3)

    def held(age: float, sprouting: float = 7.0) -> float:
        return float(muscle.sprouting_at(one(age), one(sprouting), parameters)[0])

    assert held(-0.3) == pytest.approx(7.0)
    assert held(0.0) > held(5.0) > held(50.0) > 1.0
    assert held(400.0) == pytest.approx(7.0 * float(parameters.late_sprouting_share), rel=1e-6)
    assert held(50.0, sprouting=1.0) == 1.0  # a neuron keeps its own territory
    young, old = (muscle.innervation(working, one(held(age))) for age in (2.0, 30.0))
    assert float(young[0]) > float(old[0]) > 0.3


def mass_target(**changes: float) -> float:
    given_values = {
        "innervated": 0.6,
        "transmission": 0.9,
        "mass": 0.5,
        "activity": 0.0,
        "nutrition": 0.9,
        "smn_muscle": 0.1,
        "support": 0.0,
        "myostatin_inhibition": 0.0,
        **changes,
    }
    arrays = {name: one(value) for name, value in given_values.items()}
    return float(muscle.target_mass(**arrays, parameters=biology().muscle)[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"innervated": 0.7},
        {"transmission": 1.0},
        {"mass": 0.6},
        {"activity": 0.5},
        {"nutrition": 1.0},
        {"smn_muscle": 0.2},
        {"support": 0.2},
        {"myostatin_inhibition": 0.2},
    ],
)
def test_muscle_grows_with_everything_that_feeds_it(changes: dict[str, float]) -> None:
    if "mass" in changes:  # mass feeds back both ways: less disuse, less room to grow
        assert mass_target(**changes) >= mass_target() - 1e-9
    else:
        assert mass_target(**changes) > mass_target()
    assert 0.0 <= mass_target(support=5.0, myostatin_inhibition=5.0) <= float(biology().muscle.ceiling)


def test_growth_signals_do_nothing_for_muscle_without_nerves() -> None:
    assert mass_target(innervated=0.0, myostatin_inhibition=1.0, support=1.0) == 0.0


@given(transmission=SHARE, working=SHARE, stress=SHARE)
def test_transmission_stays_in_bounds_and_support_bridges_only_a_deficit(
    transmission: float, working: float, stress: float
) -> None:
    rate = float(junction.rate_of_change(one(transmission), one(working), one(stress), biology().junction)[0])
    if transmission == 1.0:
        assert rate <= 0.0
    if transmission == 0.0:
        assert rate >= 0.0
    supported = float(junction.with_support(one(transmission), one(1.0))[0])
    assert transmission - 1e-9 <= supported <= 1.0 + 1e-9
    assert float(junction.with_support(one(transmission), one(0.0))[0]) == pytest.approx(
        transmission, abs=1e-300
    )


@given(transmission=SHARE, working=SHARE, stress=SHARE, more=SHARE)
def test_stress_weakens_transmission_however_few_neurons_work(
    transmission: float, working: float, stress: float, more: float
) -> None:
    def rate(working: float, stress: float) -> float:
        return float(
            junction.rate_of_change(one(transmission), one(working), one(stress), biology().junction)[0]
        )

    deficit = float(biology().junction.deficit_from_stress) / float(biology().junction.repair_time_years)
    assert rate(0.05, 0.0) - rate(0.05, 1.0) == pytest.approx(deficit, rel=1e-4)
    # More working neurons and less stress never lower it: the ordering behind "more SMN is never worse".
    assert rate(max(working, more), stress) >= rate(working, stress) - 1e-6
    assert rate(working, min(stress, more)) >= rate(working, stress) - 1e-6


@given(dead=SHARE, stress=SHARE, removed=st.floats(-1, 1))
def test_inflammation_follows_dying_under_stress(dead: float, stress: float, removed: float) -> None:
    quarter = jnp.full((4, 1), dead), jnp.full((4, 1), stress)
    parameters = biology().inflammation
    at_zero = float(inflammation.rate_of_change(one(0.0), *quarter, one(removed), parameters)[0])
    at_one = float(inflammation.rate_of_change(one(1.0), *quarter, one(removed), parameters)[0])
    assert at_zero >= 0.0
    assert at_one <= 0.0
    less = float(inflammation.rate_of_change(one(0.0), *quarter, one(1.0), parameters)[0])
    assert less == 0.0


def test_curves_and_contractures_grow_with_weakness_and_growth() -> None:
    parameters = biology().skeleton

    def cobb(mass: float, velocity: float = 1.0, brace: float = 0.0, fusion: float = 0.0) -> float:
        arguments = (one(20.0), one(mass), one(velocity), one(brace), one(fusion))
        return float(skeleton.cobb_rate(*arguments, person(), parameters)[0])

    assert cobb(0.2) > cobb(0.6) > cobb(1.0)
    assert cobb(1.0) == pytest.approx(0.0, abs=1e-6)
    assert cobb(0.2, velocity=0.0) == 0.0
    assert cobb(0.2, brace=1.0) < cobb(0.2)
    assert cobb(0.2, fusion=1.0) == 0.0

    def contracture(mass: float, activity: float = 0.0) -> float:
        arguments = (one(0.3), one(mass), one(1.0), one(activity))
        return float(skeleton.contracture_rate(*arguments, parameters)[0])

    assert contracture(0.2) > contracture(0.8) >= 0.0
    assert contracture(0.2, activity=1.0) < contracture(0.2)
    straight = skeleton.usable_range(one(0.0), one(0.0), one(0.0), parameters)
    assert float(straight[0]) == 1.0
    assert float(skeleton.usable_range(one(1.0), one(100.0), one(1.0), parameters)[0]) > 0.0


def test_growth_ends_and_maturity_rises() -> None:
    parameters = biology().growth
    ages = jnp.linspace(0.0, 40.0, 400)
    maturity = np.asarray(growth.maturity(ages, jax.tree.map(lambda leaf: leaf[0], person()), parameters))
    assert (np.diff(maturity) > 0).all()
    assert 0.0 <= maturity[0] < 0.01
    assert maturity[-1] > 0.99
    velocity = np.asarray(growth.growth_velocity(ages, parameters))
    assert velocity[0] == velocity.max()
    assert velocity[-1] < 0.01


def test_median_weight_is_the_reference_table() -> None:
    table = load_facts("growth").table("size_for_age")
    reference = lives.central_draw(jnp.float64).model.growth_reference
    for row, years in enumerate(table.column("age_years")):
        for female, column in ((1.0, "weight_median_kg_female"), (0.0, "weight_median_kg_male")):
            got = float(jnp.exp(growth.log_median_weight(one(years), one(female), reference))[0])
            assert got == pytest.approx(table.column(column)[row], rel=1e-6)


def test_a_newborn_body_is_whole() -> None:
    body = newborn_body(3, jnp.float64)
    who = person(smn2_copies=np.full(3, 2.0))
    assert np.asarray(working_share(body, who)) == pytest.approx(1.0)
