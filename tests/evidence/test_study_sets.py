"""The locked sets: complete, and no group of patients is both fitted to and predicted."""

from collections import defaultdict

import pytest

from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.records import EvidenceError, build_record
from motorpool.evidence.study_sets import StudySets, load_study_sets

SETS = load_study_sets()
# The two trials of which one endpoint is fitted to, because nothing else tells what their drug does, and the others are
# predicted.
SPLIT = {"SAPPHIRE": {"hfmse_difference"}, "SPACE": {"endurance_hazard_ratio"}}
ASKED_FOR = {
    "calibration": {
        "PNCR", "NeuroNEXT", "TYPE-GIVEN-COPIES", "ISMAC-TYPES-2-3", "ENDEAR", "STR1VE-US", "FIREFISH", "NURTURE",
        "CHERISH", "SUNFISH",
    },
    "validation": {
        "STR1VE-EU", "START", "RAINBOWFISH", "FIREFISH-PART-1", "CS3A", "ADULT-NUSINERSEN", "TOPAZ",
    },
    "apart": {"SPR1NT", "SHINE"},
}  # fmt: skip


def scored() -> list[tuple[str, str]]:
    """Every endpoint that is predicted, as (study, endpoint)."""
    return [
        (name, endpoint.id)
        for name in list_published()
        for endpoint in load_published(name).endpoints
        if load_published(name).run is not None and endpoint.not_scored is None
    ]


def test_every_study_is_in_a_set_or_says_why_it_is_not_simulated():
    for name in list_published():
        study = load_published(name)
        assert name in SETS.studies or study.not_run, name
        assert (study.run is None) == (study.not_run is not None), name


def test_the_sets_name_no_study_or_endpoint_that_does_not_exist():
    for name, member in SETS.studies.items():
        assert set(member.except_endpoints) <= {endpoint.id for endpoint in load_published(name).endpoints}


@pytest.mark.parametrize("chosen", ASKED_FOR)
def test_the_studies_that_the_experiment_is_about_are_where_they_were_locked(chosen: str):
    assert {name for name in ASKED_FOR[chosen] if SETS.studies[name].set != chosen} == set()


def test_only_two_trials_are_split_by_endpoint():
    found = {name: set(m.except_endpoints) for name, m in SETS.studies.items() if m.except_endpoints}
    assert found == SPLIT
    for name, endpoints in SPLIT.items():
        assert SETS.studies[name].set == "validation"
        assert {SETS.of(name, endpoint) for endpoint in endpoints} == {"calibration"}


def test_no_group_of_patients_is_in_both_calibration_and_validation():
    groups: dict[str, dict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, endpoint in scored():
        for group in load_published(name).patient_groups:
            groups[group][SETS.of(name, endpoint)].add(name)
    both = {
        group: studies["calibration"] | studies["validation"]
        for group, studies in groups.items()
        if studies["calibration"] and studies["validation"]
    }
    assert both == {name: {name} for name in SPLIT}


def test_every_study_names_its_groups_of_patients():
    assert [name for name in list_published() if not load_published(name).patient_groups] == []


def test_there_is_enough_to_judge_by():
    counted = defaultdict(int)
    for name, endpoint in scored():
        counted[SETS.of(name, endpoint)] += 1
    assert counted[None] == 0
    assert counted["calibration"] >= 60
    assert counted["validation"] >= 60


def test_a_study_that_is_not_listed_is_in_no_set():
    assert SETS.of("MY-CLINIC", "anything") is None


def test_an_unknown_set_is_refused():
    fields = {"decided": "2026", "studies": {"A": {"set": "training", "reason": "r"}}}
    with pytest.raises(EvidenceError, match="study_sets.yaml: studies.A.set: Input should be 'calibration'"):
        build_record(StudySets, fields, "study_sets.yaml")
