"""What the plan builder offers: every option reaches the engine; what the engine does not know is refused by name."""

from typing import Any

import pytest

from motorpool.simulation.errors import ScenarioError
from motorpool.therapies.courses import THERAPIES
from motorpool.web.course_options import CHOICES, SETTINGS, course_class, settings_of
from motorpool.web.description import Description, pairs_of
from motorpool.web.plan_form import plan_facts
from motorpool.web.population import Population
from motorpool.web.problems import UnusableInput, checked, description_of, entered
from motorpool.web.scenario_of import plan_labels, scenario_of

CHILD: dict[str, Any] = {"copies": "2", "age_months": "8", "years": "2"}


def described(*courses: dict[str, Any], **more: Any) -> Description:
    data = {"age_months": 8.0, "years": 2.0, "plans": [{"name": "No drug"}, {"courses": list(courses)}]}
    return checked({**data, **more})


def course_of(description: Description, place: int = 0) -> Any:
    return scenario_of(description, 0).arms["plan_2"].therapies[place]


def test_a_switch_of_the_present_therapy_has_a_date_and_a_wait() -> None:
    query = {
        **CHILD,
        "present.therapy": "nusinersen", "present.how": "high_dose", "present.since_months": "3",
        "p1": "Go on", "p2": "", "p2.stop_present": "1", "p2.stop_month": "6",
        "p2.1.what": "risdiplam", "p2.1.begins": "after", "p2.1.after": "0", "p2.1.wait": "30",
        "p2.1.pause.1.from": "12", "p2.1.pause.1.to": "14",
        "p2.1.dose.1.from": "20", "p2.1.dose.1.percent": "50",
    }  # fmt: skip
    description = description_of(query.items())
    assert description_of(pairs_of(description)) == description
    scenario = scenario_of(description, 0)
    present, next_one = scenario.courses_of("plan_2")
    assert getattr(present, "regimen", None) == "high_dose"
    assert present.stop is not None
    assert present.stop.months_after_enrolment == 6
    assert scenario.courses_of("plan_1")[0].stop is None
    assert (next_one.start_rule.after, next_one.start_rule.washout_days) == ("present", 30)
    begins = 6 + 30 * 24 / 730.5
    assert next_one.pauses[0].from_months == pytest.approx(12 - begins)
    assert next_one.dose_changes[0].factor == 0.5
    assert plan_labels(description)[1] == "Nusinersen, risdiplam"


@pytest.mark.parametrize(
    ("course", "field", "value"),
    [
        ({"begins": "fvc_percent_below", "begins_level": 50}, "start.when", "fvc_percent < 50"),
        ({"begins": "cobb_degrees_reaches", "begins_level": 40}, "start.when", "cobb_degrees >= 40"),
        ({"begins": "first_signs", "wait_days": 30}, "start.days_after_onset", 30),
        ({"begins": "diagnosis", "wait_days": 14}, "start.days_after_diagnosis", 14),
        ({"ends": "hfmse_below", "ends_level": 3}, "stop.when", "hfmse < 3"),
        ({"from_months": 3, "to_months": 9}, "stop.after_months", 6),
        (
            {"begins": "fvc_percent_below", "begins_level": 50, "to_months": 9},
            "stop.months_after_enrolment",
            9,
        ),
        ({"missed_doses": [2, 5]}, "missed_doses", [2, 5]),
        ({"missed_percent": 10}, "missed_probability", 0.1),
        ({"late_days": 7}, "late_days_mean", 7),
        ({"from_months": 2, "pauses": [{"from_months": 6, "to_months": 9}]}, "pauses.0.from_months", 4),
        ({"dose_changes": [{"from_months": 6, "percent": 150}]}, "dose_changes.0.factor", 1.5),
    ],
)
def test_every_option_is_in_the_scenario(course: dict[str, Any], field: str, value: Any) -> None:
    description = described({"therapy": "nusinersen", **course})
    found: Any = course_of(description).model_dump(mode="json")
    for step in field.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    assert found == value
    assert description_of(pairs_of(description)) == description
    assert plan_labels(description)[1] != "Nusinersen"


def test_the_present_therapy_pauses_and_changes_its_dose_in_every_plan() -> None:
    query = {
        **CHILD,
        "present.therapy": "risdiplam", "present.since_months": "3", "present.missed_percent": "10",
        "present.pause.1.from": "6", "present.pause.1.to": "9",
        "present.dose.1.from": "12", "present.dose.1.percent": "50",
        "p1": "Go on", "p2": "Stop", "p2.stop_present": "1", "p2.stop_month": "3",
    }  # fmt: skip
    description = description_of(query.items())
    assert description_of(pairs_of(description)) == description
    for plan in ("plan_1", "plan_2"):
        present = scenario_of(description, 0).courses_of(plan)[0]
        assert [(one.from_months, one.to_months) for one in present.pauses] == [(9, 12)]
        assert [(one.from_months, one.factor) for one in present.dose_changes] == [(15, 0.5)]
        assert present.missed_probability == 0.1
    young = description.model_copy(update={"weeks_early": 17.0, "age_months": 3.0})
    assert (
        scenario_of(young, 0).courses_of("plan_1")[0].pauses[0].from_months == 6
    )  # it began at the due date


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"therapy": "onasemnogene", "pause.1.from": "1", "pause.1.to": "2"}, "present.pauses", "leave out pauses"),
        ({"therapy": "risdiplam", "pause.1.from": "3", "pause.1.to": "2"}, "present.pauses.0.to_months", "above 3"),
        ({"therapy": "risdiplam", "late": "2"}, "present.late_days", "leave out late_days"),
        ({"therapy": "risdiplam", "missed": "2"}, "present", "missed_doses"),
    ],
)  # fmt: skip
def test_what_the_present_therapy_cannot_have_is_refused_by_name(
    fields: dict[str, str], where: str, words: str
) -> None:
    with pytest.raises(UnusableInput) as caught:
        description_of({**CHILD, **{f"present.{name}": value for name, value in fields.items()}}.items())
    (problem,) = caught.value.problems
    assert problem["where"].startswith(where)
    assert words in f"{problem['where']} {problem['message']}"


def test_a_therapy_waits_for_the_diagnosis_that_follows_the_first_signs() -> None:
    course = {"therapy": "nusinersen", "begins": "diagnosis", "wait_days": 14}
    description = described(course, diagnosis_delay_months=2, no_signs_yet=True, age_months=1)
    scenario = scenario_of(description, 0)
    assert scenario.cohort.diagnosis is not None
    assert scenario.cohort.model_dump(mode="json")["diagnosis"]["delay_months"]["value"] == 2
    assert "diagnosis" not in scenario_of(described({"therapy": "nusinersen"}), 0).cohort.model_fields_set
    with pytest.raises(UnusableInput, match="no therapy begins by diagnosis"):
        described({"therapy": "nusinersen"}, diagnosis_delay_months=2)


@pytest.mark.parametrize("therapy", THERAPIES)
def test_every_setting_is_one_of_the_engine_and_is_kept(therapy: str) -> None:
    given: dict[str, Any] = {}
    for one in settings_of(therapy):
        assert one.name in course_class(therapy).model_fields
        if one.form == "choice":
            given[one.name] = list(CHOICES[one.name])[-1]
        elif one.form == "flag":
            given[one.name] = True
        else:
            given[one.name] = int(one.high) if one.form == "whole" else one.high / 2
            with pytest.raises(UnusableInput, match="nearest allowed is"):
                described({"therapy": therapy, "settings": {one.name: 2 * int(one.high)}})
    assert set(given) == set(SETTINGS.get(therapy, {}))
    description = described({"therapy": therapy, "settings": given})
    course = course_of(description)
    assert all(getattr(course, name) == value for name, value in given.items())
    assert description_of(pairs_of(description)) == description


def test_the_form_offers_what_the_engine_takes() -> None:
    facts = plan_facts(4)["therapies"]
    assert set(facts) == set(THERAPIES)
    assert facts["onasemnogene"]["refuses"] == ["pause", "dose", "missed", "missed_percent", "late"]
    assert facts["risdiplam"]["refuses"] == ["missed", "late"]
    assert facts["nusinersen"]["refuses"] == []
    assert (
        "12 mg on days 0, 14, 28 and 63, then 12 mg every 120 days"
        in facts["nusinersen"]["notes"]["standard"]
    )
    assert "from 2 years 0.25 mg per kg; from 20 kg 5 mg" in facts["risdiplam"]["notes"][""]


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"begins": "diagnosed"}, "begins", "Did you mean diagnosis?"),
        ({"begins": "loss_of_sitting"}, "begins", "no therapy can wait for an ability to be lost"),
        ({"begins": "walk"}, "begins", "no therapy can wait for an ability to be lost"),
        ({"begins": "fvc_percent_bellow"}, "begins", "Did you mean fvc_percent_below?"),
        ({"begins": "fvc_percent_below"}, "begins_level", "a number, at least 0"),
        ({"begins": "hfmse_below", "level": "90"}, "begins_level",
         "from 0 to 66; entered: 90; the nearest allowed is 66"),
        ({"ends": "cobb_degrees_reaches", "ends_level": "0"}, "ends_level", "always true"),
        ({"begins": "after", "after": "2"}, "after", "an earlier therapy that ends: none of this plan"),
        ({"begins": "after", "after": "0"}, "after", "the present therapy, which goes on"),
        ({"begins": "first_signs", "from": "3"}, "from_months", "leave it out; entered: 3"),
        ({"missed": "2"}, "missed_doses", "risdiplam is taken every day"),
        ({"set.doses": "2"}, "settings.doses", "no setting of risdiplam"),
        ({"pause.1.from": "3", "pause.1.to": "30", "to": "24", "pause.2.from": "25", "pause.2.to": "26"},
         "pauses.1.from_months", "from 0 to below 24; entered: 25"),
        ({"pause.1.from": "3", "pause.1.to": "7", "pause.2.from": "5", "pause.2.to": "8"}, "pauses.1.from_months",
         "lies in the pause of months 3 to 7"),
        ({"dose.1.from": "3", "dose.1.percent": "2000"}, "dose_changes.0.percent",
         "entered: 2000; the nearest allowed is 1000"),
        ({"from": "900"}, "from_months", "from 0 to 600; entered: 900; the nearest allowed is 600"),
    ],
)  # fmt: skip
def test_what_cannot_be_names_field_value_range_and_nearest(
    fields: dict[str, str], where: str, words: str
) -> None:
    query = {**CHILD, "p1": "Named", "p1.1.what": "risdiplam", **{f"p1.1.{k}": v for k, v in fields.items()}}
    with pytest.raises(UnusableInput) as caught:
        description_of(query.items())
    (problem,) = caught.value.problems
    assert problem["where"] == f"plans.0.courses.0.{where}"
    assert words in problem["message"]
    kept = entered(query.items())
    assert kept.plans[0].name == "Named"  # a mistake costs only itself
    assert kept.plans[0].courses == () or kept.plans[0].courses[0].therapy == "risdiplam"


@pytest.mark.parametrize(
    ("courses", "where"),
    [
        ([{"therapy": "risdiplam", "from_months": 99}], "plans.1.courses.0.from_months: 99 "),
        ([{"therapy": "risdiplam"}, {"therapy": "risdiplam", "from_months": 3}], "plans.1.courses.1.from_months"),
    ],
)  # fmt: skip
def test_what_the_scenario_refuses_is_told_in_fields_of_the_page(
    courses: list[dict[str, Any]], where: str
) -> None:
    with pytest.raises(ScenarioError, match=where):
        scenario_of(described(*courses), 0)


def test_options_act_through_the_engine() -> None:
    plans = [
        {"courses": [{"therapy": "nusinersen"}]},
        {"courses": [{"therapy": "nusinersen", "pauses": [{"from_months": 1.5, "to_months": 12}]}]},
        {"courses": [{"therapy": "cell_therapy", "settings": {"doses": 2, "interval_weeks": 8}},
                     {"therapy": "breathing_support", "begins": "fvc_percent_below", "begins_level": 55}]},
        {"courses": [{"therapy": "cell_therapy", "settings": {"doses": 5, "interval_weeks": 8}, "missed_doses": [2]},
                     {"therapy": "breathing_support", "begins": "fvc_percent_below", "begins_level": 1}]},
    ]  # fmt: skip
    description = checked({"age_months": 8, "years": 1, "care": "standard", "plans": plans})
    found = Population().dataset(scenario_of(description, 0))
    alive = found["alive"].isel(visit_month=-1, draw=0).all("arm").values
    assert alive.sum() > 5

    def punctures(arm: str) -> set[int]:
        counted = found["procedure_count"].sel(arm=arm, procedure="lumbar_puncture").isel(draw=0)
        return set(counted.values[alive].astype(int))

    assert punctures("plan_1") == {6}  # days 0, 14, 28, 63, then every 120 days
    assert punctures("plan_2") == {3}
    assert punctures("plan_3") == {2}
    assert punctures("plan_4") == {4}
    begun = found["therapy_started"].sel(therapy="breathing_support").isel(draw=0)
    assert begun.sel(arm="plan_3").values.sum() > begun.sel(arm="plan_4").values.sum()


def test_a_pause_of_the_present_therapy_and_a_late_diagnosis_act_through_the_engine() -> None:
    population = Population()

    def dataset(**described: Any) -> Any:
        return population.dataset(scenario_of(checked({"years": 1, **described}), 0))

    def punctures(pauses: list[dict[str, float]]) -> set[int]:
        present = {"therapy": "nusinersen", "since_months": 3, "pauses": pauses}
        found = dataset(age_months=8, present=present, plans=[{"name": "Go on"}])
        alive = found["alive"].isel(visit_month=-1, draw=0, arm=0).values
        counted = found["procedure_count"].sel(procedure="lumbar_puncture").isel(draw=0, arm=0)
        return set(counted.values[alive].astype(int))

    assert punctures([{"from_months": 0.5, "to_months": 11.5}]) != punctures([])
    waiting = [
        {"courses": [{"therapy": "risdiplam", "begins": begins}]} for begins in ("first_signs", "diagnosis")
    ]
    found = dataset(age_months=1, no_signs_yet=True, diagnosis_delay_months=9, plans=waiting)
    begun = found["therapy_started"].sel(therapy="risdiplam").isel(draw=0)
    assert begun.sel(arm="plan_1").values.sum() > begun.sel(arm="plan_2").values.sum()
