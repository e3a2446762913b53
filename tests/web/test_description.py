"""The description: the address of the page holds all of it, and it becomes the scenario it says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorpool.simulation.vocabulary import MILESTONES
from motorpool.web.course_options import KINDS, ONCE
from motorpool.web.description import Description, fields_of, pairs_of
from motorpool.web.problems import UnusableInput, checked, description_of
from motorpool.web.scenario_of import measurement_sd, plan_labels, scenario_of, studies_like

THERAPIES = ("nusinersen", "risdiplam", "onasemnogene", "rehabilitation", "brace")


@st.composite
def courses(draw: st.DrawFn) -> dict[str, Any]:
    therapy = draw(st.sampled_from(THERAPIES))
    start = draw(st.integers(0, 24))
    course: dict[str, Any] = {"therapy": therapy, "from_months": start}
    if therapy not in ONCE and draw(st.booleans()):
        course["to_months"] = start + draw(st.integers(1, 24))
    if therapy in KINDS and draw(st.booleans()):
        course["kind"] = draw(st.sampled_from(list(KINDS[therapy])))
    return course


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    names = st.text("abc XYZ09&=+%#é", max_size=20).map(str.strip)
    plan = st.fixed_dictionaries(
        {"name": names, "stops_present": st.booleans(), "courses": st.lists(courses(), max_size=3).map(tuple)}
    )
    abilities = draw(st.permutations(MILESTONES))
    data: dict[str, Any] = {
        "copies": draw(st.integers(1, 5)),
        "age_months": draw(st.integers(1, 60)),
        "weeks_early": draw(st.integers(0, 16)),
        "scores": draw(st.dictionaries(st.sampled_from(["chop_intend", "hfmse"]), st.integers(0, 60))),
        "able_to": tuple(abilities[:2]),
        "not_able_to": tuple(abilities[2:3]),
        "plans": tuple(draw(st.lists(plan, min_size=1, max_size=4))),
        "years": draw(st.sampled_from([0.5, 1, 2.5, 10])),
        "voice": draw(st.sampled_from(["plain", "expert"])),
        "survival": draw(st.booleans()),
    }
    if draw(st.booleans()):
        data["onset_months"] = draw(st.integers(0, data["age_months"]))
    if draw(st.booleans()):
        data["present"] = {"therapy": "risdiplam", "since_months": draw(st.integers(0, data["age_months"]))}
    return checked(data)


@settings(max_examples=30)
@given(descriptions())
def test_the_address_holds_the_whole_description(description: Description) -> None:
    assert description_of(pairs_of(description)) == description


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=8))
def test_any_address_is_read_or_refused_with_reasons(pairs: list[tuple[str, str]]) -> None:
    try:
        description_of(pairs)
    except UnusableInput as error:
        assert error.problems
        assert all(problem["message"] for problem in error.problems)


@pytest.mark.parametrize(
    ("query", "where", "words"),
    [
        ({"copise": "2"}, "", "copise"),
        ({"age_months": "old"}, "age_months", "number"),
        ({"onset_months": "7", "age_months": "6"}, "onset_months", "at most 6"),
        ({"onset_months": "3", "no_signs_yet": "1"}, "onset_months", "no_signs_yet"),
        ({"p1.1.what": "nusinersin"}, "plans.0.courses.0.therapy", "Did you mean nusinersen"),
        (
            {"p1.1.what": "risdiplam", "p1.1.from": "6", "p1.1.to": "3"},
            "plans.0.courses.0.to_months",
            "later",
        ),
        ({"p1.1.what": "onasemnogene", "p1.1.to": "3"}, "plans.0.courses.0.to_months", "leave it out"),
        ({"p1.1.what": "nusinersen", "p1.1.how": "oral"}, "plans.0.courses.0.kind", "high_dose"),
        ({"p1": "a", "p2": "b", "p3": "c", "p4": "d", "p5": "e"}, "plans", "4"),
    ],
)
def test_what_cannot_be_is_refused_by_name(query: dict[str, str], where: str, words: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        description_of(query.items())
    (problem,) = caught.value.problems
    assert problem["where"] == where
    assert words in problem["message"]


def test_a_description_becomes_the_scenario_it_says() -> None:
    description = description_of(
        {
            "copies": "2", "age_months": "8", "onset_months": "4", "weeks_early": "8", "score.chop_intend": "30",
            "able_to": "head_control", "present.therapy": "risdiplam", "present.since_months": "2",
            "p1": "Go on", "p2": "", "p2.stop_present": "1", "p2.1.what": "nusinersen", "p2.1.how": "high_dose",
            "p2.1.from": "1", "p2.1.to": "13", "care": "proactive", "years": "3",
        }.items()
    )  # fmt: skip
    scenario = scenario_of(description, 8)
    cohort = scenario.cohort
    assert cohort.smn2_copies == 2
    assert cohort.enrolment.age_months is not None
    assert cohort.enrolment.age_months.upper == pytest.approx(8 - 8 * 7 * 24 / 730.5)
    assert cohort.onset_age_months is not None
    assert (cohort.onset_age_months.min, cohort.onset_age_months.max) == (3, 5)
    assert cohort.baseline["chop_intend"].mean == 30
    assert cohort.baseline["chop_intend"].sd == measurement_sd("chop_intend")
    assert cohort.able_to == ("head_control",)
    assert [course.therapy for course in scenario.courses_of("plan_1")] == ["risdiplam"]
    ended, started = scenario.courses_of("plan_2")
    assert ended.stop is not None
    assert ended.stop.months_after_enrolment == 0
    assert started.start_rule.offset_hours == pytest.approx(730.5, abs=1)
    assert started.stop is not None
    assert started.stop.after_months == 12
    assert getattr(started, "regimen", None) == "high_dose"
    assert (scenario.care, scenario.horizon_months, scenario.draws) == ("proactive", 36, 8)
    assert plan_labels(description) == ["Go on", "Nusinersen (high dose), months 1 to 13"]


def test_published_studies_are_those_of_like_children_given_the_like() -> None:
    infant = description_of({"age_months": "6", "p1": "No drug", "p2.1.what": "nusinersen"}.items())
    assert "ENDEAR" in studies_like(infant)
    assert not {"FIREFISH", "STR1VE-US", "CHERISH"} & set(studies_like(infant))
    child = description_of(
        {"age_months": "50", "copies": "3", "p1": "No drug", "p2.1.what": "nusinersen"}.items()
    )
    assert "CHERISH" in studies_like(child)
    assert "ENDEAR" not in studies_like(child)


def test_plans_with_one_name_are_told_apart() -> None:
    description = description_of({"p1": "Same", "p2": "Same"}.items())
    assert plan_labels(description) == ["Same", "Same (2)"]


def test_fields_left_empty_count_as_absent() -> None:
    assert fields_of([("onset_months", ""), ("p1", ""), ("present.since_months", "3")]) == {
        "plans": ({"courses": ()},)
    }
