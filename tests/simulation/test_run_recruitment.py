"""Who is enrolled: type emerges, every condition holds, weights reach their targets, an empty cohort says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import motorpool
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.scenario import load_scenario
from tests.simulation.run_samples import scenario, simulate

UNTREATED: dict[str, Any] = {"untreated": {"therapies": []}}


def one_arm(**changes: Any) -> Any:
    return simulate(arms=UNTREATED, horizon_months=1, visits_months=[1], **changes)


def test_type_emerges_from_copies() -> None:
    """More copies, milder type; most people with 2 copies have type 1 and most with 4 walk (types 3 and 4)."""
    types = {
        copies: one_arm(cohort__smn2_copies=copies, cohort__patients=60, cohort__alive=False)[
            "sma_type"
        ].values[0]
        for copies in (2, 3, 4)
    }
    assert np.mean(types[2]) < np.mean(types[3]) < np.mean(types[4])
    assert (types[2] == 1).mean() > 0.5
    assert (types[4] >= 3).mean() > 0.5
    assert set(np.concatenate(list(types.values()))) <= {1, 2, 3, 4}


def test_conditions_hold_in_everybody_enrolled() -> None:
    data = one_arm(
        cohort__patients=30,
        cohort__smn2_copies={2: 0.5, 3: 0.5},
        cohort__sma_type=[1],
        cohort__enrolment={"age_months": {"min": 2, "max": 7}},
        cohort__onset_age_months={"min": 0, "max": 5},
        cohort__disease_duration_months={"min": 0.5, "max": 6},
        cohort__baseline={"chop_intend": {"min": 15, "max": 45}, "cmap_mv": {"min": 0.2}},
        cohort__not_able_to=["sit_5s"],
        cohort__alive=True,
        cohort__unventilated=True,
    )
    people = data.isel(draw=0)
    age_months = people["enrolment_age_years"].values * 12
    assert set(people["sma_type"].values) == {1}
    assert set(people["smn2_copies"].values) <= {2, 3}
    assert age_months.min() >= 2 - 0.01
    assert age_months.max() <= 7 + 0.01
    onset = people["onset_age_months"].values
    assert onset.min() >= 0
    assert onset.max() <= 5
    duration = age_months - onset
    assert duration.min() >= 0.5 - 0.01
    assert duration.max() <= 6 + 0.01
    start = people.isel(visit_month=0, arm=0)
    assert start["alive"].all()
    assert start["chop_intend"].values.min() >= 15
    assert start["chop_intend"].values.max() <= 45
    assert start["cmap_mv"].values.min() >= 0.2
    assert not start["milestone_status"].sel(milestone="sit_5s").any()
    assert start["ventilation_hours_per_day"].values.max() < 16
    assert int(people["tried"]) >= 30


def test_sitters_who_do_not_walk() -> None:
    data = one_arm(
        cohort__smn2_copies=3,
        cohort__enrolment={"age_months": {"min": 30, "max": 60}},
        cohort__able_to=["sit_10s"],
        cohort__not_able_to=["walk"],
    )
    status = data["milestone_status"].isel(arm=0, draw=0, visit_month=0)
    assert status.sel(milestone="sit_10s").all()
    assert not status.sel(milestone="walk").any()


def test_reweighting_reaches_mean_and_spread() -> None:
    free = one_arm(cohort__patients=120, cohort__unventilated=True)["chop_intend"].isel(
        arm=0, draw=0, visit_month=0
    )
    mean, sd = float(free.mean()) + 2.0, float(free.std()) * 0.9
    data = one_arm(
        cohort__patients=120,
        cohort__unventilated=True,
        cohort__baseline={"chop_intend": {"mean": mean, "sd": sd}},
    )
    scores = data["chop_intend"].isel(arm=0, draw=0, visit_month=0)
    assert float(scores.mean()) == pytest.approx(mean, abs=0.15 * sd)
    assert float(scores.std()) == pytest.approx(sd, rel=0.15)
    assert 20 <= float(data["effective_sample_size"][0]) <= float(data["tried"][0])


def test_targets_out_of_reach_are_refused() -> None:
    impossible = scenario(
        arms=UNTREATED,
        horizon_months=1,
        visits_months=[1],
        cohort__patients=40,
        cohort__baseline={"chop_intend": {"mean": 63, "sd": 1}},
    )
    with pytest.raises(ScenarioError, match="chop_intend"):
        motorpool.simulate(impossible)


def test_an_empty_cohort_says_how_many_were_tried_and_why() -> None:
    """Infants with two copies who can walk: nobody."""
    plain = scenario(cohort__patients=5, cohort__able_to=["walk"], cohort__enrolment={"age_months": 4})
    with pytest.raises(ScenarioError) as caught:
        motorpool.simulate(plain)
    message = str(caught.value)
    assert "able_to walk" in message
    assert any(character.isdigit() for character in message)
    assert "candidates" in message


def test_the_background_is_given_before_enrolment_and_can_be_stopped() -> None:
    background = [{"therapy": "nusinersen", "start": {"age_months": 1}}]
    data = simulate(
        cohort__enrolment={"age_months": {"min": 10, "max": 14}},
        cohort__background=background,
        arms={
            "goes_on": {"therapies": []},
            "stops": {"stop_background": ["nusinersen"], "therapies": []},
            "switches": {"stop_background": ["nusinersen"], "therapies": [{"therapy": "risdiplam"}]},
            "later": {"stop_background": ["nusinersen"], "stop_background_months": 6, "therapies": []},
        },
        comparator="goes_on",
    )
    punctures = data["procedure_count"].sel(procedure="lumbar_puncture", draw=0)
    alive = data["alive"].isel(visit_month=-1, draw=0).all("arm").values
    assert set(punctures.sel(arm="stops").values) == {0}
    later = punctures.sel(arm="later").values[alive]
    assert ((later > 0) & (later < punctures.sel(arm="goes_on").values[alive])).all()
    assert (punctures.sel(arm="goes_on").values[alive] >= 3).all()  # every four months, none counted before
    neurons = data["motor_neurons_dead"].isel(draw=0)
    at_start = neurons.isel(visit_month=0)
    assert np.array_equal(at_start.sel(arm="stops"), at_start.sel(arm="goes_on"))  # enrolment is shared
    last = neurons.isel(visit_month=-1, muscle_group=0)
    assert (last.sel(arm="stops").values >= last.sel(arm="goes_on").values).all()
    assert (last.sel(arm="switches").values <= last.sel(arm="stops").values).all()


def test_without_differences_between_people_all_true_courses_are_one() -> None:
    data = one_arm(
        uncertainty={"between_people": False, "knowledge_draws": 0},
        cohort__enrolment={"age_months": 3},
        cohort__sex="female",
    )
    # Chance is on: a tube that comes earlier in some feeds them better. Those without one are alike.
    no_tube = data["event_time_years"].sel(event="tube_feeding").isel(arm=0, draw=0).values > 0.0
    for name in ("chop_intend__true", "motor_neurons_working", "weight_kg__true"):
        values = data[name].isel(arm=0, draw=0).values
        alive = data["alive"].isel(arm=0, draw=0).values
        assert (alive[:, 0] & no_tube).sum() > 5
        assert np.ptp(values[alive[:, 0] & no_tube][:, 0], axis=0).max() < 1e-6, name


def test_without_chance_nothing_is_measured_with_noise_and_events_come_at_their_median() -> None:
    data = simulate(
        uncertainty={"chance": False, "between_people": False, "knowledge_draws": 0},
        cohort__smn2_copies=1,
        cohort__enrolment={"age_months": 3},
        cohort__sex="female",
        cohort__alive=False,
    )
    first = data.isel(arm=0, draw=0, visit_month=0)
    true, seen = first["chop_intend__true"].values, first["chop_intend"].values
    assert seen == pytest.approx(np.round(true), abs=1e-6)  # only the scale's steps remain
    deaths = data["event_time_years"].sel(arm="untreated", draw=0, event="death").values
    # What is left is the month of birth, which decides the season of infections.
    assert np.ptp(deaths) < 0.02
    assert np.isfinite(deaths).all()


def test_the_scenario_kept_with_the_results_is_the_one_that_ran() -> None:
    import json

    data = simulate()
    kept = json.loads(data.attrs["scenario"])
    assert load_scenario(kept).cohort.patients == 24
