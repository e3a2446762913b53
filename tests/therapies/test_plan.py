"""Courses of therapy: what may be written, what is refused, and what the engine gets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from motorpool.biology import vocabulary
from motorpool.therapies import fields
from motorpool.therapies.courses import THERAPIES, CellMechanisms, Course
from motorpool.therapies.plan import MAXIMUM_COURSES, plan_problems, validate_course
from motorpool.therapies.start_rules import StartRule, StopRule, parse_state_rule

HOURS_PER_MONTH = 730.5


def course(therapy: str, **settings: Any) -> Course:
    return validate_course({"therapy": therapy, **settings})


def message_of(therapy: str, **settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        course(therapy, **settings)
    return str(caught.value)


@pytest.mark.parametrize("therapy", THERAPIES)
def test_every_therapy_needs_nothing_but_its_name(therapy: str) -> None:
    plain = course(therapy)
    assert plain.name == therapy
    assert plain.start_rule.kind == "enrolment"
    assert plain.segments()[0].factor == 1.0
    assert validate_course(plain.model_dump(mode="json")) == plain


def test_hours_agree_with_those_of_the_model() -> None:
    assert fields.HOURS_PER_DAY == vocabulary.HOURS_PER_DAY
    assert fields.HOURS_PER_MONTH == vocabulary.HOURS_PER_MONTH
    assert fields.HOURS_PER_YEAR == vocabulary.HOURS_PER_YEAR


@pytest.mark.parametrize(
    ("rule", "kind", "hours"),
    [
        ({"at": "enrolment", "delay_days": 2}, "enrolment", 48),
        ({"age_months": 2}, "age", 1461),
        ({"age_months": 0}, "age", 0),
        ({"days_after_diagnosis": 14}, "diagnosis", 336),
        ({"days_after_onset": 30}, "onset", 720),
        ({"when": "fvc_percent < 50"}, "state", 0),
        ({"after": "first_drug", "washout_days": 30}, "after_course", 720),
    ],
)
def test_start_rules_are_hours_after_an_anchor(rule: dict[str, Any], kind: str, hours: int) -> None:
    start = StartRule.model_validate(rule)
    assert (start.kind, start.offset_hours) == (kind, hours)


@pytest.mark.parametrize(
    ("rule", "kind", "hours"),
    [
        ({"after_months": 2}, "duration", 1461),
        ({"age_years": 1}, "age", 8766),
        ({"months_after_enrolment": 0}, "enrolment", 0),
        ({"when": "cobb_degrees >= 50"}, "state", 0),
    ],
)
def test_stop_rules_are_hours_after_an_anchor(rule: dict[str, Any], kind: str, hours: int) -> None:
    stop = StopRule.model_validate(rule)
    assert (stop.kind, stop.offset_hours) == (kind, hours)


def test_a_state_rule_is_parsed_and_written_back() -> None:
    rule = parse_state_rule(" fvc_percent<=49.5 ")
    assert (rule.outcome, rule.operator, rule.value) == ("fvc_percent", "<=", 49.5)
    assert str(rule) == "fvc_percent <= 49.5"
    written = course("brace", start={"when": "cobb_degrees > 20"}).model_dump(mode="json")
    assert written["start"]["when"] == "cobb_degrees > 20"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("fvc < 50", "did you mean fvc_percent?"),
        ("fvc_percent = 50", "must be a rule like"),
        ("fvc_percent < fifty", "must be a rule like"),
        ("chop_intend < 80", "from 0 to 64"),
        ("chop_intend < 0", "can never become true"),
        ("hfmse <= 66", "is always true"),
        ("weight_kg < 5", "must be a rule like"),
        (50, "must be a rule like"),
    ],
)
def test_a_state_rule_without_sense_is_refused(rule: object, message: str) -> None:
    assert message in message_of("breathing_support", start={"when": rule})


def test_pauses_and_dose_changes_become_spans_with_one_factor_each() -> None:
    plan = course(
        "nusinersen",
        pauses=[{"from_months": 6, "to_months": 9}],
        dose_changes=[{"from_months": 12, "factor": 1.5}, {"from_months": 3, "factor": 0.5}],
    )
    spans = [(span.from_hours, span.to_hours, span.factor) for span in plan.segments()]
    months = [0, 3, 6, 9, 12]
    starts = [round(month * HOURS_PER_MONTH) for month in months]
    assert spans == list(zip(starts, [*starts[1:], None], [1.0, 0.5, 0.0, 0.5, 1.5], strict=True))


MONTHS = st.integers(0, 60).map(float)


@given(
    edges=st.lists(MONTHS, min_size=0, max_size=4, unique=True).map(sorted),
    changes=st.dictionaries(MONTHS, st.floats(0.1, 9), max_size=3),
)
def test_spans_cover_the_course_without_gaps(edges: list[float], changes: dict[float, float]) -> None:
    pairs = zip(edges[::2], edges[1::2], strict=False)
    pauses = [{"from_months": begin, "to_months": end} for begin, end in pairs]
    plan = course(
        "nusinersen",
        pauses=pauses,
        dose_changes=[{"from_months": month, "factor": factor} for month, factor in changes.items()],
    )
    spans = plan.segments()
    assert spans[0].from_hours == 0
    assert spans[-1].to_hours is None
    assert all(one.to_hours == other.from_hours for one, other in zip(spans, spans[1:], strict=False))
    paused = sum(end - begin for begin, end in zip(edges[::2], edges[1::2], strict=False))
    silent = sum((span.to_hours or 0) - span.from_hours for span in spans if span.factor == 0)
    assert abs(silent - paused * HOURS_PER_MONTH) <= len(spans)


@pytest.mark.parametrize(
    ("therapy", "settings", "message"),
    [
        ("nusinersen", {"start": {}}, "it has none of them"),
        ("nusinersen", {"start": {"at": "enrolment", "age_months": 3}}, "it has at and age_months"),
        ("nusinersen", {"start": {"age_months": 3, "delay_days": 2}}, "delay_days goes with"),
        ("nusinersen", {"start": {"age_months": 3, "washout_days": 2}}, "washout_days goes with"),
        ("nusinersen", {"start": {"age_months": -1}}, "from 0 to 1200"),
        ("nusinersen", {"stop": {"after_months": 0}}, "above 0"),
        ("nusinersen", {"start": {"age_months": 24}, "stop": {"age_years": 2}}, "stops before it starts"),
        ("nusinersen", {"start": {"at": "enrolment", "delay_days": 61},
                        "stop": {"months_after_enrolment": 2}}, "stops before it starts"),
        ("nusinersen", {"pauses": [{"from_months": 3, "to_months": 3}]}, "to_months after from_months"),
        ("nusinersen", {"pauses": [{"from_months": 1, "to_months": 4}, {"from_months": 3, "to_months": 5}]},
         "overlap: months 1 to 4 and 3 to 5"),
        ("nusinersen", {"stop": {"after_months": 6}, "pauses": [{"from_months": 7, "to_months": 8}]},
         "begin after the course has stopped"),
        ("nusinersen", {"dose_changes": [{"from_months": 1, "factor": 0}]}, "above 0 up to 10"),
        ("nusinersen", {"dose_changes": [{"from_months": 1, "factor": 2}, {"from_months": 1, "factor": 3}]},
         "twice in a month"),
        ("nusinersen", {"dose_changes": [{"from_months": month, "factor": 2} for month in range(1, 9)]},
         "more than 8 spans"),
        ("nusinersen", {"missed_doses": [0]}, "from 1 to 10000"),
        ("nusinersen", {"missed_doses": [2, 2]}, "same dose twice"),
        ("nusinersen", {"missed_probability": 1.1}, "from 0 to 1"),
        ("nusinersen", {"late_days_mean": -1}, "from 0 to 365"),
        ("nusinersen", {"dose_mg": 12}, "unknown key dose_mg"),
        ("risdiplam", {"missed_doses": [1]}, "taken every day"),
        ("onasemnogene", {"stop": {"after_months": 3}}, "given once"),
        ("onasemnogene", {"route": "oral"}, "'intravenous' or 'intrathecal'"),
        ("spine_surgery", {"pauses": [{"from_months": 1, "to_months": 2}]}, "done once"),
        ("spine_surgery", {"start": {"age_months": 120}, "cobb_threshold_degrees": 50}, "contradicts start"),
        ("transmission_support", {"dose_fraction": 0}, "above 0 up to 1"),
        ("breathing_support", {"niv": False, "cough_assist": False}, "and so is cough_assist"),
        ("nutrition_support", {"dietitian": False, "tube_feeding": False}, "and so is tube_feeding"),
        ("cell_therapy", {"million_cells_per_kg": -1}, "above 0 up to 1000"),
        ("cell_therapy", {"doses": 2.0}, "a whole number"),
        ("cell_therapy", {"doses": 1, "interval_weeks": 4}, "single dose"),
        ("cell_therapy", {"doses": 2, "missed_doses": [3]}, "beyond the last one"),
        ("cell_therapy", {"effect": "strong"}, "prior, none, or a number"),
        ("cell_therapy", {"effect": 4}, "from -3 to 3"),
        ("cell_therapy", {"mechanisms": dict.fromkeys(CellMechanisms.model_fields, False)}, "switched off"),
        ("brace", {"hours_per_day": 25}, "above 0 up to 24"),
        ("rehabilitation", {"sessions_per_week": "3"}, "write a plain number"),
        ("aspirin", {}, "does not match any of the expected tags"),
    ],
)  # fmt: skip
def test_a_course_without_sense_is_refused(therapy: str, settings: dict[str, Any], message: str) -> None:
    assert message in message_of(therapy, **settings)


def test_refused_settings_are_not_offered_as_allowed() -> None:
    assert "stop" not in message_of("onasemnogene", stopp=3).split("allowed here:")[1].split("[")[0]


def problems(*courses: Course) -> list[str]:
    return [f"{problem.course}.{problem.field}: {problem.message}" for problem in plan_problems(courses)]


def test_a_sensible_plan_has_no_problems() -> None:
    assert problems() == []
    assert (
        problems(
            course("nusinersen", stop={"after_months": 12}),
            course("risdiplam", start={"after": "nusinersen", "washout_days": 30}),
            course("cell_therapy"),
            course("rehabilitation"),
        )
        == []
    )


@pytest.mark.parametrize(
    ("courses", "message"),
    [
        ([("onasemnogene", {}), ("onasemnogene", {"start": {"at": "enrolment", "delay_days": 300}})],
         "1.therapy: is given twice"),
        ([("risdiplam", {}), ("risdiplam", {"label": "again"})], "1.start: overlaps"),
        ([("risdiplam", {"stop": {"when": "hfmse < 3"}}), ("risdiplam", {"label": "again"})],
         "1.start: overlaps"),
        ([("risdiplam", {"start": {"after": "risdiplam"}})], "0.start.after: names the course itself"),
        ([("risdiplam", {"start": {"after": "nusinersn"}})], "0.start.after: names no course"),
        ([("risdiplam", {"start": {"after": "nusinersen"}}), ("nusinersen", {"stop": {"after_months": 2}})],
         "0.start.after: names a course that is listed later"),
        ([("nusinersen", {}), ("risdiplam", {"start": {"after": "nusinersen"}})], "a course that never ends"),
        ([("brace", {"label": "x"}), ("risdiplam", {"label": "x"})], "1.label: is the label of another"),
        ([("brace", {})] * (MAXIMUM_COURSES + 1), f"{MAXIMUM_COURSES}.therapy: is course"),
    ],
)  # fmt: skip
def test_courses_that_contradict_each_other_are_named(
    courses: list[tuple[str, dict[str, Any]]], message: str
) -> None:
    found = problems(*(course(therapy, **settings) for therapy, settings in courses))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"start": {"age_months": 3}, "stop": {"age_years": 1}}, {"start": {"age_months": 12}}),
        ({"stop": {"after_months": 2}}, {"start": {"at": "enrolment", "delay_days": 61}}),
        ({"start": {"days_after_onset": 9}, "stop": {"months_after_enrolment": 0}}, {}),
        ({"stop": {"when": "hfmse < 3"}, "label": "first"}, {"start": {"after": "first"}}),
    ],
)
def test_the_same_drug_again_after_its_end_is_accepted(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert problems(course("nusinersen", **first), course("nusinersen", regimen="high_dose", **second)) == []
    assert problems(course("nusinersen", **first), course("nusinersen")) != [] or second == {}


def test_all_cells_of_a_plan_are_the_same_product() -> None:
    first = course("cell_therapy", doses=2, label="first")
    same = course("cell_therapy", doses=4, start={"after": "first", "washout_days": 90}, label="again")
    other = course("cell_therapy", effect=0.3, start={"after": "first", "washout_days": 90}, label="other")
    assert plan_problems([first, same]) == []
    assert [problem.field for problem in plan_problems([first, other])] == ["effect"]
