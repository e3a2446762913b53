"""Scenario files: what is accepted, and that it means what it says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from motorpool.evidence.outcome_catalogue import load_milestone_catalogue, load_outcome_catalogue
from motorpool.simulation.distribution import Distribution
from motorpool.simulation.loading import SHIPPED_FOLDER, load_scenario, scenario_from_text, shipped_scenarios
from motorpool.simulation.scenario import Scenario, dump_scenario
from motorpool.simulation.scenario_schema import SCHEMA_FILE, build_scenario_schema, scenario_schema_text
from motorpool.simulation.vocabulary import MILESTONES, OUTCOMES
from tests.simulation.scenario_samples import sample

ISSUED = (
    "demo",
    "endear_like",
    "newborn_screening",
    "treatment_window",
    "later_onset",
    "adult",
    "cells_addon_sitters",
    "comprehensive_care",
    "long_term",
)


def test_the_names_in_the_format_are_those_of_the_outcome_catalogue() -> None:
    assert set(OUTCOMES) == set(load_outcome_catalogue())
    assert set(MILESTONES) == set(load_milestone_catalogue())


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_is_valid_and_named_like_its_file(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.question
    assert scenario.comparator in scenario.arms
    data = yaml.safe_load((SHIPPED_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(data)), build_scenario_schema())


def test_the_promised_scenarios_are_shipped() -> None:
    assert set(ISSUED) <= set(shipped_scenarios())


@pytest.mark.parametrize("name", shipped_scenarios())
def test_writing_and_reading_a_scenario_changes_nothing(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario_from_text(dump_scenario(scenario)) == scenario
    assert load_scenario(json.loads(scenario.model_dump_json())) == scenario


def test_every_arm_with_cells_is_compared_with_the_same_plan_without_cells() -> None:
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        for arm in scenario.arms:
            courses = scenario.courses_of(arm)
            without = [course for course in courses if course.therapy != "cell_therapy"]
            if len(without) < len(courses):
                assert without == list(scenario.courses_of(scenario.comparator_of(arm)))


def test_the_published_schema_is_that_of_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == scenario_schema_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def test_visits_always_include_enrolment_and_stay_within_the_horizon() -> None:
    assert load_scenario(sample()).visit_months() == (0.0, 6.0, 12.0, 18.0, 24.0)
    listed = load_scenario(sample(), ["visits_months=[1, 2.5]"])
    assert listed.visit_months() == (0.0, 1.0, 2.5)
    thirds = load_scenario(sample(), ["visits_months.every=0.1", "horizon_months=0.3"])
    assert thirds.visit_months() == (0.0, 0.1, 0.2, 0.3)


def test_without_a_comparator_the_first_arm_is_taken() -> None:
    data = sample()
    del data["comparator"]
    assert load_scenario(data).comparator == "untreated"


def test_an_arm_can_end_a_background_course_at_enrolment() -> None:
    scenario = load_scenario("switching")
    ended = scenario.courses_of("to_risdiplam")[0]
    assert ended.stop is not None
    assert (ended.stop.kind, ended.stop.offset_hours) == ("enrolment", 0)
    assert scenario.courses_of("stay")[0].stop is None


def test_a_scenario_is_loaded_from_path_name_data_or_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("﻿" + yaml.safe_dump(sample()), encoding="utf-8")
    by_path = load_scenario(path)
    assert by_path == load_scenario(str(path)) == load_scenario(sample()) == load_scenario(by_path)
    assert load_scenario(by_path, ["seed=7"]).seed == 7


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("cohort.patients=50", lambda s: s.cohort.patients == 50),
        (
            "arms.nusinersen.therapies.0.regimen=high_dose",
            lambda s: s.courses_of("nusinersen")[0].regimen[0] == "h",
        ),
        ("cohort.smn2_copies={2: 0.5, 3: 0.5}", lambda s: s.cohort.smn2_shares == {2: 0.5, 3: 0.5}),
        ("uncertainty.knowledge_draws=3", lambda s: s.draws == 3),
        ("outcomes=[hfmse, rulm]", lambda s: s.outcome_ids == ("hfmse", "rulm")),
        ("title='Another: title'", lambda s: s.title == "Another: title"),
        ("horizon_months=1.2e1", lambda s: s.horizon_months == 12),
    ],
)
def test_changes_from_the_command_line(change: str, read: Callable[[Any], bool]) -> None:
    assert read(load_scenario(sample(), [change]))


def test_changing_a_scenario_leaves_the_given_data_alone() -> None:
    data = sample()
    load_scenario(data, ["arms.nusinersen.therapies.0.regimen=high_dose"])
    assert data == sample()


def test_shares_of_copies_survive_as_numbers() -> None:
    scenario = load_scenario(sample(), ["cohort.smn2_copies={2: 0.25, 3: 0.75}", "cohort.smn2_copies.3=0.75"])
    assert scenario.cohort.smn2_shares == {2: 0.25, 3: 0.75}


def test_a_scenario_cannot_be_changed_in_place() -> None:
    scenario = load_scenario(sample())
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 3  # type: ignore[misc]
    assert isinstance(scenario, Scenario)


SPREADS = st.one_of(
    st.builds(lambda a: {"value": a}, st.floats(0, 1000)),
    st.builds(lambda a, b: {"min": min(a, b), "max": max(a, b)}, st.floats(0, 1000), st.floats(0, 1000)),
    st.builds(
        lambda x: {"min": x[0], "median": x[1], "max": x[2]},
        st.lists(st.floats(0, 1000), min_size=3, max_size=3).map(sorted),
    ),
    st.builds(
        lambda x, sd: {"min": x[0], "mean": x[1], "max": x[2] + 1, "sd": sd},
        st.lists(st.floats(0, 1000), min_size=3, max_size=3).map(sorted),
        st.floats(0.1, 1000),
    ),
)


@given(spread=SPREADS, probabilities=st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_quantiles_stay_within_the_limits_and_never_fall(
    spread: dict[str, float], probabilities: list[float]
) -> None:
    distribution = Distribution.model_validate(spread)
    values = distribution.quantile(np.sort(np.array(probabilities)))
    assert np.all(values >= distribution.lower)
    assert np.all(values <= distribution.upper)
    assert np.all(np.diff(values) >= -1e-9)


def test_half_the_people_lie_below_the_median() -> None:
    distribution = Distribution.model_validate({"median": 5, "min": 1, "max": 8})
    values = distribution.quantile((np.arange(1000) + 0.5) / 1000)
    assert np.sum(values < 5) == 500
