"""When doses are given: read from the log of doses that the compiled program keeps."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.engine.compile_plan import compile_plan
from motorpool.engine.dosing import NEVER_HOURS
from motorpool.evidence.facts import load_facts
from tests.support import lives
from tests.support.lives import Life

PEOPLE = BLOCK_PATIENTS  # a whole block

ENROLMENT_YEARS = 0.25
ENROLMENT_DAYS = ENROLMENT_YEARS * HOURS_PER_YEAR / HOURS_PER_DAY
STEP_DAYS = HOURS_PER_MONTH / 4 / HOURS_PER_DAY
MONTH_DAYS = HOURS_PER_MONTH / HOURS_PER_DAY
LOADING = [0.0, 14.0, 28.0, 63.0]
EXACT = 1.0 / HOURS_PER_DAY  # planned doses are given in the very hour


def life(
    *courses: dict[str, Any], until_years: float = 2.0, copies: Any = 2.0, traits: Any = None, **anchors: Any
) -> Life:
    when = {"enrolment_years": ENROLMENT_YEARS, **anchors}
    who = lives.people(smn2_copies=copies, **(traits or {}))
    return lives.live(lives.courses_from(*courses), who, until_years=until_years, **when)


def days(of: Life, course: int = 0, person: int = 0, since: float = ENROLMENT_DAYS) -> Any:
    return np.asarray([day for day, _ in of.dose_days(person, course)]) - since


def amounts(of: Life, course: int = 0, person: int = 0) -> list[float]:
    return [amount for _, amount in of.dose_days(person, course)]


def standard_days(until: float) -> list[float]:
    maintenance = [63.0 + 120.0 * n for n in range(1, 20)]
    return [day for day in [*LOADING, *maintenance] if day < until]


def test_standard_nusinersen_follows_its_label_to_the_hour() -> None:
    given_on = life({"therapy": "nusinersen"})
    expected = standard_days(2.0 * 365.25 - ENROLMENT_DAYS)
    assert days(given_on) == pytest.approx(expected, abs=EXACT)
    assert set(amounts(given_on)) == {12.0}


def test_high_dose_nusinersen_loads_with_50_and_keeps_28_mg() -> None:
    given_on = life({"therapy": "nusinersen", "regimen": "high_dose"})
    assert days(given_on)[:4] == pytest.approx([0, 14, 134, 254], abs=EXACT)
    assert amounts(given_on)[:4] == [50.0, 50.0, 28.0, 28.0]


def test_a_dose_counts_from_the_hour_it_is_given_and_a_visit_then_comes_before_it() -> None:
    """Timing convention: at the boundary of a dose the trajectory shows the state before the dose."""
    one = life({"therapy": "nusinersen"})
    row = int(np.flatnonzero(one.path.doses[:, 0, 0] > 0)[0])
    nothing = life()
    assert one.path.age_hours[row, 0] == round(ENROLMENT_YEARS * HOURS_PER_YEAR)
    at = nothing.path.outcomes[np.searchsorted(nothing.grid_hours[:, 0], one.grid_hours[row, 0]), :, 0]
    assert one.path.outcomes[row, :, 0] == pytest.approx(at, rel=1e-6)


@pytest.mark.parametrize(
    ("start", "anchors", "first_day"),
    [
        ({"at": "enrolment"}, {}, ENROLMENT_DAYS),
        ({"at": "enrolment", "delay_days": 40}, {}, ENROLMENT_DAYS + 40),
        ({"age_months": 9}, {}, 9 * MONTH_DAYS),
        ({"days_after_diagnosis": 14}, {"diagnosis_years": 0.5}, 0.5 * 365.25 + 14),
        ({"days_after_onset": 30}, {"onset_years": 0.4}, 0.4 * 365.25 + 30),
    ],
)
def test_a_course_starts_when_its_rule_says(start: dict[str, Any], anchors: Any, first_day: float) -> None:
    given_on = life({"therapy": "nusinersen", "start": start}, **anchors)
    assert days(given_on, since=first_day)[:4] == pytest.approx(LOADING, abs=EXACT)


def test_each_person_has_own_anchors() -> None:
    enrolled = np.asarray([0.1, 0.4, 1.1])
    given_on = life({"therapy": "nusinersen"}, copies=[2.0, 2.0, 3.0], enrolment_years=enrolled)
    for person, years in enumerate(enrolled):
        since = years * 365.25
        assert days(given_on, person=person, since=since)[:2] == pytest.approx([0, 14], abs=EXACT)


def test_what_never_happens_starts_nothing() -> None:
    course = {"therapy": "nusinersen", "start": {"days_after_onset": 1}}
    given_on = life(course, onset_years=np.inf)
    assert given_on.path.doses.sum() == 0.0
    assert given_on.end.start_hours[0, 0] >= NEVER_HOURS


@pytest.mark.parametrize(
    ("rule", "outcome", "limit"),
    [("chop_intend < 30", "chop_intend", 30.0), ("fvc_percent <= 70", "fvc_percent", 70.0)],
)
def test_a_state_rule_starts_the_course_at_the_first_step_at_which_it_holds(
    rule: str, outcome: str, limit: float
) -> None:
    who = {"log_vulnerability": np.asarray([0.3, 0.0, -0.8])}
    course = {"therapy": "risdiplam", "start": {"when": rule}}
    found = life(course, copies=np.asarray([2.0, 2.0, 4.0]), traits=who)
    values = found.outcome(outcome)
    for person in range(3):
        below = np.flatnonzero((values[:, person] < limit) & (found.grid_hours[:, person] > -HOURS_PER_YEAR))
        started = found.end.start_hours[0, person]
        if below.size:
            assert started == found.grid_hours[below[0], person]
        else:
            assert started >= NEVER_HOURS
    assert (found.end.start_hours[0] < NEVER_HOURS).tolist()[0]


def test_a_state_rule_above_a_limit_and_a_minimum_age() -> None:
    least = load_facts("protocols").fact("spine_surgery_minimum_age_years").number
    operated = life({"therapy": "spine_surgery", "cobb_threshold_degrees": 20}, copies=2.0, until_years=8)
    started = float(operated.end.start_hours[0, 0])
    assert started >= least * HOURS_PER_YEAR
    assert operated.outcome_at("cobb_degrees", started / HOURS_PER_YEAR)[0] >= 20.0
    assert operated.path.doses.sum() == 1.0


def curve_at_one_year(copies: float) -> float:
    """Cobb angle of an untreated child at one year: a limit that a treated one crosses somewhat later."""
    return round(float(life(until_years=1.5, copies=copies).outcome_at("cobb_degrees", 1.0)[0]), 2)


def test_a_state_rule_stops_the_course() -> None:
    limit = curve_at_one_year(3.0)
    course = {"therapy": "risdiplam", "stop": {"when": f"cobb_degrees > {limit}"}}
    found = life(course, copies=3.0, until_years=6)
    stop = float(found.end.stop_hours[0, 0])
    assert stop < NEVER_HOURS
    row = int(np.flatnonzero(found.grid_hours[:, 0] == stop)[0])
    assert found.outcome("cobb_degrees")[row, 0] > limit
    assert found.outcome("cobb_degrees")[row - 1, 0] <= limit


@pytest.mark.parametrize(
    ("stop", "last_day"),
    [
        ({"after_months": 6}, 6 * MONTH_DAYS),
        ({"age_years": 1}, 365.25 - ENROLMENT_DAYS),
        ({"months_after_enrolment": 8}, 8 * MONTH_DAYS),
    ],
)
def test_a_course_stops_when_its_rule_says(stop: dict[str, Any], last_day: float) -> None:
    found = life({"therapy": "nusinersen", "stop": stop}, {"therapy": "risdiplam", "stop": stop})
    assert days(found) == pytest.approx(standard_days(last_day), abs=EXACT)
    exposed = found.end.exposure_hours[1, 0] / HOURS_PER_DAY
    assert exposed == pytest.approx(last_day, abs=STEP_DAYS / 4)


def test_a_pause_leaves_doses_out_and_the_calendar_goes_on() -> None:
    paused = life({"therapy": "nusinersen", "pauses": [{"from_months": 5, "to_months": 11}]})
    expected = [day for day in standard_days(630) if not 5 * MONTH_DAYS <= day < 11 * MONTH_DAYS]
    assert days(paused)[: len(expected)] == pytest.approx(expected, abs=EXACT)


def test_a_pause_of_a_daily_drug_is_a_time_without_it() -> None:
    paused = life({"therapy": "risdiplam", "pauses": [{"from_months": 6, "to_months": 9}]})
    level = paused.end.amounts.risdiplam[0]
    assert level == pytest.approx(life({"therapy": "risdiplam"}).end.amounts.risdiplam[0], rel=1e-3)
    without = life({"therapy": "risdiplam", "pauses": [{"from_months": 6, "to_months": 30}]})
    assert without.end.amounts.risdiplam[0] < 1e-6


def test_dose_changes_hold_from_their_month_on() -> None:
    changes = [{"from_months": 3, "factor": 2.0}, {"from_months": 12, "factor": 0.5}]
    changed = life({"therapy": "nusinersen", "dose_changes": changes})
    for day, amount in zip(days(changed), amounts(changed), strict=True):
        factor = 0.5 if day >= 12 * MONTH_DAYS else 2.0 if day >= 3 * MONTH_DAYS else 1.0
        assert amount == pytest.approx(12.0 * factor), day


def test_missed_doses_are_those_that_were_numbered() -> None:
    missed = life({"therapy": "nusinersen", "missed_doses": [2, 5]})
    expected = [day for number, day in enumerate(standard_days(620), start=1) if number not in (2, 5)]
    assert days(missed)[: len(expected)] == pytest.approx(expected, abs=EXACT)


def test_doses_are_missed_at_random_as_often_as_stated() -> None:
    who = {"seed": np.arange(PEOPLE)}
    missed = life(
        {"therapy": "nusinersen", "missed_probability": 0.3}, copies=np.full(PEOPLE, 2.0), traits=who
    )
    planned = len(standard_days(2 * 365.25 - ENROLMENT_DAYS))
    share = 1.0 - (missed.path.doses[:, 0] > 0).sum() / (PEOPLE * planned)
    assert share == pytest.approx(0.3, abs=0.03)
    counts = (missed.path.doses[:, 0] > 0).sum(axis=0)
    assert np.unique(counts).size > 3  # people have luck of their own


def test_late_doses_come_late_and_never_early() -> None:
    who = {"seed": np.arange(PEOPLE)}
    late = life({"therapy": "nusinersen", "late_days_mean": 10.0}, copies=np.full(PEOPLE, 2.0), traits=who)
    delays: list[float] = []
    for person in range(PEOPLE):
        found = days(late, person=person)
        if found.size == len(standard_days(2 * 365.25 - ENROLMENT_DAYS)):
            delays += list(found[:4] - np.asarray(LOADING))
    assert min(delays) > -EXACT
    assert np.mean(delays) == pytest.approx(10.0 + STEP_DAYS / 2, abs=2.5)


def test_missed_days_lower_the_mean_of_a_daily_drug() -> None:
    kept = life({"therapy": "risdiplam"}).end.amounts.risdiplam[0]
    missed = life({"therapy": "risdiplam", "missed_probability": 0.25}).end.amounts.risdiplam[0]
    assert missed == pytest.approx(0.75 * kept, rel=1e-4)


def test_switching_starts_the_second_drug_after_the_first_and_a_washout() -> None:
    plan = (
        {"therapy": "risdiplam", "stop": {"after_months": 6}},
        {"therapy": "nusinersen", "start": {"after": "risdiplam", "washout_days": 21}},
    )
    switched = life(*plan)
    since = ENROLMENT_DAYS + 6 * MONTH_DAYS + 21
    assert days(switched, course=1, since=since)[:4] == pytest.approx(LOADING, abs=1.0)


def test_courses_follow_one_another_by_label_after_a_state_rule() -> None:
    rule = f"cobb_degrees > {curve_at_one_year(3.0)}"
    plan = (
        {"therapy": "nusinersen", "label": "first", "stop": {"when": rule}},
        {"therapy": "risdiplam", "start": {"after": "first", "washout_days": 5}},
    )
    switched = life(*plan, until_years=6, copies=3.0)
    assert switched.end.stop_hours[0, 0] < NEVER_HOURS
    assert switched.end.start_hours[1, 0] == switched.end.stop_hours[0, 0] + 5 * HOURS_PER_DAY
    assert max(days(switched)) < switched.end.stop_hours[0, 0] / HOURS_PER_DAY - ENROLMENT_DAYS + EXACT


@settings(phases=(Phase.explicit, Phase.generate), max_examples=8)
@given(interval=st.floats(1.0, 26.0), doses=st.integers(1, 20))
def test_cells_are_given_as_often_as_planned(interval: float, doses: int) -> None:
    course: dict[str, Any] = {"therapy": "cell_therapy", "doses": doses}
    if doses > 1:
        course["interval_weeks"] = interval
    given_on = days(life(course, until_years=3.0))
    expected = [n * round(interval * 7 * 24) / 24 for n in range(doses)]
    within = [day for day in expected if day < 3.0 * 365.25 - ENROLMENT_DAYS]
    assert given_on == pytest.approx(within, abs=EXACT)


def test_a_dose_per_week_for_years_is_given_in_full() -> None:
    """More doses than the grid has room for: some move to the next boundary, none is lost."""
    weekly = life({"therapy": "cell_therapy", "doses": 60, "interval_weeks": 1}, {"therapy": "nusinersen"})
    assert weekly.end.administrations[0, 0] == 60
    assert np.diff(days(weekly)).max() < 7 + 2 * STEP_DAYS


def test_doses_more_frequent_than_steps_are_not_lost() -> None:
    course = {"therapy": "cell_therapy", "doses": 60, "interval_weeks": 2 / 7}
    found = life(course, until_years=1.0)
    assert found.end.administrations[0, 0] == 60


def test_the_dead_are_given_nothing_more() -> None:
    draws = np.asarray([0.02, 1e9])
    found = life({"therapy": "nusinersen"}, copies=[2.0, 2.0], traits={"death_draw": draws})
    assert found.end.administrations[0, 0] < found.end.administrations[0, 1]
    assert found.end.exposure_hours[0, 0] < found.end.exposure_hours[0, 1]


def test_every_dose_of_a_short_course_is_given_even_when_it_is_late() -> None:
    who = {"seed": np.arange(100)}
    course = {"therapy": "cell_therapy", "doses": 4, "late_days_mean": 5.0}
    late = life(course, copies=np.full(100, 2.0), traits=who)
    assert (late.end.administrations[0] == 4).all()
    waiting = {"therapy": "cell_therapy", "doses": 4, "start": {"when": "fvc_percent < 90"}}
    by_rule = life(waiting, copies=2.0)
    assert by_rule.end.administrations[0, 0] == 4


def test_a_course_of_an_arm_never_starts_before_enrolment() -> None:
    courses = lives.courses_from({"therapy": "risdiplam", "start": {"age_months": 1}})
    anchors = lives.anchors_of(1, enrolment_years=1.0)
    early = compile_plan(courses, anchors)
    own = compile_plan(courses, dataclasses.replace(anchors, background_courses=0))
    assert int(early.start_hours[0, 0]) == round(730.5)
    assert int(own.start_hours[0, 0]) == int(anchors.enrolment[0])


def test_missed_doses_follow_the_course_and_not_its_place_in_the_plan() -> None:
    drug = {"therapy": "nusinersen", "missed_probability": 0.5, "start": {"age_months": 1}}
    other = {"therapy": "rehabilitation", "start": {"age_months": 1}}
    who = lives.people(smn2_copies=[3.0, 3.0, 3.0])
    alone = lives.live(lives.courses_from(drug), who, until_years=1.5)
    second = lives.live(lives.courses_from(other, drug), who, until_years=1.5)
    for person in range(3):
        assert alone.dose_days(person, 0) == second.dose_days(person, 1)
