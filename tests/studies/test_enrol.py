"""How many candidates are tried for a study, and how many people asked for, on made-up candidates."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

import numpy as np
import pytest

from motorpool.outcomes.panel import OUTCOME_INDEX, OUTCOMES
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.scenario import Scenario
from motorpool.studies import simulate
from motorpool.studies.conditioning import LEAST_EFFECTIVE_SHARE
from motorpool.studies.simulate import (
    ENOUGH_PEOPLE,
    FIRST_TRIED,
    MOST_TRIED,
    ArmPeople,
    enrol,
    simulate_study,
)
from motorpool.studies.study import Population, load_study
from tests.studies.hand_made import arm

PATIENTS = 128
BIRTHS: Any = types.SimpleNamespace(draw=None)


class Candidates:
    """Stands in for the simulator: one candidate of so many meets the criteria, with an HFMSE around 20."""

    def __init__(self, one_of: int) -> None:
        self.one_of = one_of
        self.asked: list[tuple[int, int]] = []  # people, candidates

    def gather(self, scenario: Scenario, births: object, most_tried: int) -> Any:
        wanted = scenario.cohort.patients
        self.asked.append((wanted, most_tried))
        found = min(wanted, most_tried // self.one_of)
        if found == 0:
            raise ScenarioError.single("cohort", f"nobody of {most_tried} candidates met the criteria")
        baseline = np.zeros((len(OUTCOMES), found))
        baseline[OUTCOME_INDEX["hfmse"]] = 20.0 + np.random.default_rng(1).normal(0.0, 5.0, found)
        return types.SimpleNamespace(
            patient_numbers=np.arange(found), people=types.SimpleNamespace(baseline=baseline)
        )


@pytest.fixture
def population() -> Population:
    return load_study("CHERISH").populations[0]


def enrolled(
    monkeypatch: pytest.MonkeyPatch, population: Population, one_of: int, targets: dict[str, Any]
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Weights of the people, and what was asked of the simulator."""
    candidates = Candidates(one_of)
    monkeypatch.setattr(simulate, "gather", candidates.gather)
    population = dataclasses.replace(population, targets=targets)
    scenario, _, weights = enrol(population, BIRTHS, PATIENTS, ENOUGH_PEOPLE)
    assert scenario.cohort.patients == candidates.asked[-1][0]
    return weights, candidates.asked


def test_a_wide_study_is_content_with_the_first_candidates(monkeypatch: Any, population: Population):
    weights, asked = enrolled(monkeypatch, population, one_of=4, targets={})
    assert weights.size == PATIENTS
    assert asked == [(PATIENTS, FIRST_TRIED)]


def test_a_narrow_study_tries_more_until_enough_are_found(monkeypatch: Any, population: Population):
    weights, asked = enrolled(monkeypatch, population, one_of=100, targets={})
    assert weights.size == 81
    assert asked == [(PATIENTS, FIRST_TRIED * factor) for factor in (1, 2, 4)]


def test_people_who_are_worth_little_after_weighting_are_joined_by_more(
    monkeypatch: Any, population: Population
):
    weights, asked = enrolled(monkeypatch, population, one_of=4, targets={"hfmse": (60.0, 4.0)})
    assert 1.0 / np.sum(weights**2) == pytest.approx(LEAST_EFFECTIVE_SHARE * weights.size)
    assert weights.size == 4 * PATIENTS
    assert [people for people, _ in asked] == [PATIENTS, 2 * PATIENTS, 4 * PATIENTS]


def test_the_search_ends_and_keeps_whom_it_found(monkeypatch: Any, population: Population):
    weights, asked = enrolled(monkeypatch, population, one_of=3000, targets={})
    assert weights.size == MOST_TRIED // 3000
    assert [tried for _, tried in asked] == [2048, 4096, 8192, MOST_TRIED]
    with pytest.raises(ScenarioError, match=f"nobody of {MOST_TRIED} candidates"):
        enrolled(monkeypatch, population, one_of=MOST_TRIED + 1, targets={})


@pytest.mark.parametrize(("size", "patients", "wanted"), [(84, 128, 64), (400, 128, 100), (84, 32, 32)])
def test_enough_is_a_share_of_a_large_study_and_never_more_than_was_asked_for(
    size: int, patients: int, wanted: float, monkeypatch: pytest.MonkeyPatch
):
    study = load_study("CHERISH")
    arms = {name: one.model_copy(update={"patients": size}) for name, one in study.run.arms.items()}
    study = dataclasses.replace(study, run=study.run.model_copy(update={"arms": arms}))
    asked: list[float] = []

    def enrol(population: Population, births: object, patients: int, enough: float) -> Any:
        asked.append(enough)
        return None, None, None

    def made(*_: object) -> ArmPeople:
        return arm(2)

    monkeypatch.setattr(simulate, "enrol", enrol)
    monkeypatch.setattr(simulate, "_arm", made)
    assert set(simulate_study(study, BIRTHS, patients)) == {"nusinersen", "sham"}
    assert set(asked) == {wanted}
