"""Cells act through the body: nothing without effect, more with more doses, and no longer than they last."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from motorpool.cell_lab.measures import NEURONS, measures, values_of
from motorpool.cell_lab.mechanisms import Mechanisms, changed
from motorpool.cell_lab.people import People
from motorpool.cell_lab.plan import BasePlan, base_plan, changed_cells
from motorpool.cell_lab.unknowns import drawn, mechanism_effects, unknown_names
from motorpool.engine.native.program import Program
from motorpool.simulation.scenario import Arm
from motorpool.therapies.kinds import CELL_MECHANISMS

MONTHS = (3, 4, 5, 6, 12)


@pytest.fixture(scope="module")
def plan() -> BasePlan:
    """Sitters on risdiplam."""
    return base_plan("cells_addon_sitters", patients=16, months=MONTHS)


@pytest.fixture(scope="module")
def people(plan: BasePlan) -> People:
    """Two draws of biology."""
    found = People(plan, 2)
    found.recruit_all(lambda share: None)
    return found


@pytest.fixture(scope="module")
def untreated() -> People:
    """Sitters of two to three years without a drug, whose neurons still die."""
    changes = ("cohort.background=[]", "cohort.enrolment.age_months={min: 24, max: 40}")
    found = People(base_plan("cells_addon_sitters", patients=16, months=MONTHS, changes=changes), 2)
    found.recruit_all(lambda share: None)
    return found


TRANSMISSION, RECOVERY = CELL_MECHANISMS.index("transmission"), CELL_MECHANISMS.index("recovery")


def alone(place: int, smd: float = 0.5) -> NDArray[np.float64]:
    return np.eye(len(CELL_MECHANISMS))[place] * smd


def gains(
    people: People, effects: NDArray[Any], *changes: str, outcome: str = "rulm", **values: float
) -> Any:
    cells = changed_cells(people.plan.cells, changes)
    with_cells = values_of(people.with_cells(0, cells, effects, values), people.plan.months)[outcome]
    without = values_of(people.reference(0, cells), people.plan.months)[outcome]
    return np.nanmean(with_cells - without, axis=1)


def test_no_effect_in_all_mechanisms_is_exactly_the_base_plan(people: People):
    off = changed(Mechanisms(), [f"{name}=off" for name in CELL_MECHANISMS])
    values = drawn(2, 1)
    effects = off.effects(values)
    assert not effects.any()
    own = {name: float(of[0]) for name, of in values.items()}
    treated, base = people.with_cells(1, people.plan.cells, effects[0], own), people.group(1).base
    for name in ("true", "observed", "alive", "neurons_alive", "event_years"):
        assert np.array_equal(getattr(treated, name), getattr(base, name), equal_nan=True), name
    assert treated.procedures.sum() > base.procedures.sum()


def test_the_steps_that_cells_ask_for_leave_the_base_plan_as_it_is(people: People):
    reference, base = people.reference(0, people.plan.cells), people.group(0).base
    assert np.nanmax(np.abs(reference.true - base.true)) < 1e-2
    assert abs(float(np.nanmean(reference.true[-1, 2] - base.true[-1, 2]))) < 1e-4


def test_stated_effects_are_those_that_the_plan_itself_would_draw(people: People):
    """What the laboratory puts on top of a draw is what `effect: prior` does with the same numbers."""
    from motorpool.simulation.arm import simulate_arm

    group = people.group(0)
    scenario = people.plan.scenario
    arm = Arm(therapies=(*people.plan.courses(), people.plan.cells))
    drawn_by_plan = simulate_arm(
        scenario.model_copy(update={"arms": {"base": arm}}), "base", group.cohort, group.draw
    )
    values = {name: np.asarray([group.draw.values[f"cells.{name}"]], float) for name in unknown_names()}
    own = {name: float(of[0]) for name, of in values.items()}
    stated = people.with_cells(0, people.plan.cells, mechanism_effects(values)[0], own)
    assert stated.true == pytest.approx(np.asarray(drawn_by_plan.readout.true), abs=1e-4, nan_ok=True)
    assert np.nanmax(np.abs(stated.true - group.base.true)) > 1e-3


@pytest.mark.parametrize("name", CELL_MECHANISMS)
def test_every_mechanism_does_something_and_harms_when_it_is_turned_round(
    name: str, people: People, untreated: People
):
    saves_neurons = name in ("neuroprotection", "inflammation")
    outcome, chosen = (NEURONS, untreated) if saves_neurons else ("rulm", people)
    place = CELL_MECHANISMS.index(name)
    for_better = gains(chosen, alone(place), "doses=6", outcome=outcome)
    for_worse = gains(chosen, alone(place, -0.5), "doses=6", outcome=outcome)
    assert for_better[3] > 1e-4  # well above rounding
    assert for_worse[3] < -1e-4 or name == "recovery"  # cells cannot take neurons away


def test_more_doses_of_a_helpful_cell_never_do_less(people: People):
    by_doses = [gains(people, alone(TRANSMISSION), f"doses={doses}")[-1] for doses in (1, 2, 3, 6, 12)]
    assert np.all(np.diff(by_doses) >= -1e-6)
    assert by_doses[-1] > 2.0 * by_doses[0]


def test_the_effect_fades_after_the_last_dose_with_its_half_life(people: People):
    """The fall from month to month follows the half-life, once the cells themselves are gone.

    Endurance follows transmission at once; scores lag behind with the muscle.
    """
    for half_life_hours in (1000.0, 2000.0):
        found = gains(
            people,
            alone(TRANSMISSION, 0.2),
            "doses=1",
            outcome="endurance_percent",
            factor_half_life_hours=half_life_hours,
            cell_half_life_hours=24.0,
            half_saturation_level=10.0,
        )
        month = 0.5 ** (730.5 / half_life_hours)
        assert found[1:4] / found[:3] == pytest.approx(month, rel=0.01)


def test_the_interval_matters_as_the_half_life_says(people: People):
    """Doses close together fade together; doses spread out reach further, and long half-lives bridge the gaps."""
    near = gains(people, alone(TRANSMISSION), "doses=3", "interval_weeks=1", factor_half_life_hours=336.0)
    far = gains(people, alone(TRANSMISSION), "doses=3", "interval_weeks=10", factor_half_life_hours=336.0)
    assert near[0] < far[2]
    assert far[3] > 3.0 * near[3]
    lasting = gains(people, alone(TRANSMISSION), "doses=3", "interval_weeks=1", factor_half_life_hours=2160.0)
    assert lasting[-1] > 20.0 * near[-1]


def test_another_protocol_compiles_nothing_anew(people: People):
    def compiled() -> int:
        return sum(len(one._compiled) for one in gc.get_objects() if isinstance(one, Program))

    gains(people, alone(TRANSMISSION), "doses=3")
    before = compiled()
    for changes in (["doses=12", "interval_weeks=2"], ["route=intravenous"], ["cell_type=neural", "doses=1"]):
        gains(people, alone(RECOVERY), *changes)
    assert compiled() == before


def test_the_same_luck_for_other_cells_and_another_cohort_size(plan: BasePlan, people: People):
    few = People(base_plan("cells_addon_sitters", patients=8, months=plan.months), 1)
    first = few.with_cells(0, plan.cells, alone(TRANSMISSION), {})
    among_more = people.with_cells(0, plan.cells, alone(TRANSMISSION), {})
    assert np.array_equal(first.true, among_more.true[..., :8], equal_nan=True)


def test_measures_hold_every_outcome_and_three_rates_of_deterioration(people: People):
    values = values_of(people.group(0).base, people.plan.months)
    assert set(values) == set(measures())
    rate = values["hfmse_change_per_year"][-1]
    hfmse = people.group(0).base.true[:, list(measures()).index("hfmse")]
    assert rate == pytest.approx(hfmse[-1] - hfmse[0], nan_ok=True)  # at twelve months
    alive = values[NEURONS][np.isfinite(values[NEURONS])]
    assert (alive > 0).all() and (alive <= 100).all()


def test_people_who_are_carried_through_life_again_are_the_same_people(people: People):
    """An unchanged background gives everybody's base plan again; an earlier drug gives more neurons."""
    again = people.earlier(0, people.plan.scenario)
    assert np.array_equal(again.true, people.group(0).base.true, equal_nan=True)
    background = people.plan.scenario.cohort.background[0]
    sooner = background.model_copy(update={"start": type(background.start_rule)(age_months=1.0)})
    cohort = people.plan.scenario.cohort.model_copy(update={"background": (sooner,)})
    earlier = people.earlier(0, people.plan.scenario.model_copy(update={"cohort": cohort}))
    assert (earlier.neurons_alive[0] > people.group(0).base.neurons_alive[0]).mean() > 0.9
