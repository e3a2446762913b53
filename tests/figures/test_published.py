from __future__ import annotations

import pytest

from motorpool.evidence.published import COHORT_OUTCOMES, list_published, load_published
from motorpool.figures.comparisons import comparison_table
from motorpool.figures.context import FigureContext
from motorpool.figures.published_points import matching_arms, published_results
from tests.support.synthetic_results import synthetic_dataset

UNTREATED = {"therapies": []}
NUSINERSEN = {"therapies": [{"therapy": "nusinersen"}]}


def test_arms_match_by_what_was_given():
    scenario = {"arms": {"none": UNTREATED, "drug": NUSINERSEN}}
    assert matching_arms(load_published("ENDEAR"), scenario) == {"sham": "none", "nusinersen": "drug"}
    assert matching_arms(load_published("HEALTHY"), scenario) == {}


def test_the_background_counts_unless_an_arm_stops_it():
    scenario = {
        "cohort": {"background": [{"therapy": "nusinersen"}]},
        "arms": {
            "placebo": UNTREATED,
            "added": {"therapies": [{"therapy": "myostatin_inhibition"}]},
            "stopped": {"therapies": [], "stop_background": ["nusinersen"]},
        },
    }
    assert matching_arms(load_published("SAPPHIRE"), scenario) == {
        "apitegromab": "added",
        "placebo": "placebo",
    }
    assert matching_arms(load_published("ENDEAR"), scenario)["sham"] == "stopped"


def test_supportive_care_does_not_matter():
    scenario = {"arms": {"care": {"therapies": [{"therapy": "rehabilitation"}, {"therapy": "nusinersen"}]}}}
    assert matching_arms(load_published("ENDEAR"), scenario) == {"nusinersen": "care"}


def test_the_arm_that_starts_like_the_study_is_taken():
    late = {"therapies": [{"therapy": "onasemnogene", "start": {"days_after_diagnosis": 14}}]}
    early = {"therapies": [{"therapy": "onasemnogene", "start": {"age_months": 0.7}}]}
    found = matching_arms(load_published("SPR1NT"), {"arms": {"late": late, "early": early}})
    assert set(found.values()) == {"early"}


@pytest.mark.parametrize("study", ["ENDEAR", "FIREFISH", "STR1VE-US", "SPR1NT", "CHERISH", "SAPPHIRE"])
def test_every_published_number_is_drawn_or_explained(study):
    arms = {
        "none": UNTREATED,
        "drug": NUSINERSEN,
        "risdiplam": {"therapies": [{"therapy": "risdiplam"}]},
        "gene": {"therapies": [{"therapy": "onasemnogene"}]},
    }
    found = published_results({"arms": arms, "published": [study]}, 24.0)
    assert len(found.points) + len(found.not_drawn) == len(load_published(study).endpoints)
    assert all(left.reason for left in found.not_drawn)
    assert all(0 <= point.month <= 24 for point in found.points)


def test_numbers_after_the_end_are_not_drawn():
    found = published_results({"arms": {"drug": NUSINERSEN}, "published": ["ENDEAR"]}, 6.0)
    assert any("after the end of this run" in left.reason for left in found.not_drawn)
    assert any("no arm of this run was given the same" in left.reason for left in found.not_drawn)


def test_published_numbers_stand_beside_simulated_ones_of_the_same_kind():
    context = FigureContext(synthetic_dataset(patients=30, draws=3, visits=9))
    table = comparison_table(context)
    assert table["what"].str.contains("up by at least 4").any()
    shares = table[table["panel"] == "Of 100 people"]
    assert shares["simulated"].between(0, 100).all()
    assert (shares["low"] <= shares["simulated"] + 1e-9).all()
    assert (shares["simulated"] <= shares["high"] + 1e-9).all()
    assert table["row"].is_unique


LIFELONG = {
    "cohort": {"sma_type": [2], "enrolment": {"age_months": {"min": 18.0, "max": 36.0}}},
    "arms": {"none": UNTREATED},
}


def test_groups_of_another_type_are_not_drawn():
    found = published_results({**LIFELONG, "published": ["TYPES-1-2-SYDNEY"]}, 240.0)
    assert {point.study_arm for point in found.points} == {"type 2"}
    assert any("another SMA type" in left.reason for left in found.not_drawn)
    anyone = {**LIFELONG, "cohort": {**LIFELONG["cohort"], "sma_type": None}}
    everybody = published_results({**anyone, "published": ["TYPES-1-2-SYDNEY"]}, 240.0)
    assert {point.study_arm for point in everybody.points} == {"type 1", "type 2"}


def test_a_study_from_birth_is_put_on_the_clock_of_the_run():
    found = published_results({**LIFELONG, "published": ["GERMAN-POLISH-TYPES-2-3"]}, 240.0)
    alive = next(point for point in found.points if point.quantity == "death")
    assert alive.month == 60 - 27
    assert any(left.reason == "at an age before this run begins" for left in found.not_drawn)


@pytest.mark.parametrize("study", list_published())
def test_every_study_can_be_named_by_a_scenario(study):
    found = published_results({"arms": {"none": UNTREATED, "drug": NUSINERSEN}, "published": [study]}, 60.0)
    assert len(found.points) + len(found.not_drawn) == len(load_published(study).endpoints)
    assert not {point.quantity for point in found.points} & set(COHORT_OUTCOMES)
    assert not any("rule cannot be applied" in left.reason for left in found.not_drawn)
