"""`studies list|show|run`: published studies are listed and shown, and one is simulated and compared."""

import dataclasses
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from motorpool.cli.main import run
from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.study_sets import load_study_sets
from motorpool.studies import compare
from motorpool.studies.compare import Compared, NotPredicted, StudyComparison
from motorpool.studies.study import Study, load_study, read_study
from tests.support.command_line import COMPARED_KEYS, Capture, refused, shown
from tests.support.study_example import example_text


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """The example of the how-to page as a file."""
    path = tmp_path / "my_study.yaml"
    path.write_text(example_text(), encoding="utf-8")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let the comparison of a study be made up; the list fills with what was asked of it."""
    record: list[dict[str, Any]] = []

    def compare_study(study: Study, *, tell: Any, **options: Any) -> StudyComparison:
        record.append({"study": study.name, **options})
        tell(0, 1)
        tell(1, 1)
        first, second, *others = study.endpoints
        inside = Compared(
            first, study.set_of(first), first.value, first.value - 1, first.value + 1,
            first.value + 0.1, first.value - 1, first.value + 2, 60.0, 1,
        )  # fmt: skip
        outside = dataclasses.replace(
            inside, endpoint=second, published=second.value, published_low=None, published_high=None,
            predicted_low=second.value + 1, predicted_high=second.value + 2,
        )  # fmt: skip
        left = tuple(NotPredicted(endpoint, "nobody who counts is left at that visit") for endpoint in others)
        return StudyComparison(study, 2, (inside, outside), left)

    monkeypatch.setattr(compare, "compare_study", compare_study)
    return record


def test_help_names_the_verbs_with_an_example(capsys: Capture):
    text = shown(["studies", "--help"], capsys)
    assert all(f"\n  {verb} " in text for verb in ("list", "show", "run"))
    for verb in ("list", "show", "run"):
        assert f"motorpool studies {verb}" in shown(["studies", verb, "--help"], capsys)


def test_every_study_is_listed_with_its_set(capsys: Capture):
    lines = shown(["studies"], capsys).splitlines()
    assert [line.split()[0] for line in lines[1:]] == list_published()
    assert shown(["studies", "list"], capsys).splitlines() == lines
    entries = {entry["study"]: entry for entry in json.loads(shown(["studies", "list", "--json"], capsys))}
    assert entries["ENDEAR"]["sets"] == ["calibration"]
    assert set(entries["SAPPHIRE"]["sets"]) == {"calibration", "validation"}
    assert entries["NUSINERSEN-COHORTS-POOLED"]["simulated"] is False
    assert entries["NUSINERSEN-COHORTS-POOLED"]["not_run"]
    assert entries["ENDEAR"]["targets"] == len(load_study("ENDEAR").endpoints)


def test_the_list_is_narrowed_to_a_set(capsys: Capture):
    entries = json.loads(shown(["studies", "list", "--set", "apart", "--json"], capsys))
    assert {entry["study"] for entry in entries} == {
        name for name, member in load_study_sets().studies.items() if member.set == "apart"
    }
    message = refused(["studies", "list", "--set", "validaton"], capsys)
    assert "must be one of calibration, validation, apart. Did you mean validation?" in message


def test_a_study_is_shown_with_people_plans_and_endpoints(capsys: Capture):
    text = shown(["studies", "show", "ENDEAR"], capsys)
    study = load_published("ENDEAR")
    assert study.title in text
    assert "therapy: nusinersen" in text
    assert "chop_intend: {mean: 26.63, sd: 8.13}" in text
    assert all(endpoint.id in text for endpoint in study.endpoints)
    assert "no target: baseline score used as an entry criterion of the run" in text
    assert "Nusinersen versus sham control in infantile-onset spinal muscular atrophy" in text
    data = json.loads(shown(["studies", "show", "ENDEAR", "--json"], capsys))
    assert len(data["endpoints"]) == len(study.endpoints)


def test_the_file_of_a_study_can_be_copied_and_changed(tmp_path: Path, capsys: Capture):
    text = shown(["studies", "show", "CHERISH", "--file"], capsys)
    copy = tmp_path / "copy.yaml"
    copy.write_text(text.replace("study: CHERISH", "study: MINE"), encoding="utf-8")
    assert read_study(copy).endpoints == load_study("CHERISH").endpoints


def test_ones_own_study_is_shown(own_file: Path, capsys: Capture):
    text = shown(["studies", "show", str(own_file)], capsys)
    assert "OUR-CLINIC" in text
    assert "Our clinic's records, 2026, not published" in text
    assert "in no set" in text


def test_an_unknown_study_names_the_nearest(capsys: Capture):
    for verb in ("show", "run"):
        assert "Did you mean CHERISH?" in refused(["studies", verb, "CHERRISH"], capsys)


def test_a_study_that_is_not_simulated_says_why(capsys: Capture):
    message = refused(["studies", "run", "TYPE-1-REGISTRY-ERAS"], capsys)
    assert "TYPE-1-REGISTRY-ERAS cannot be simulated: immortal time" in message


def test_a_bad_file_of_ones_own_is_refused_before_anything_is_simulated(
    own_file: Path, asked: list[dict[str, Any]], capsys: Capture
):
    own_file.write_text(own_file.read_text().replace("metric: mean_change", "metric: mean_chang", 1))
    message = refused(["studies", "run", str(own_file)], capsys)
    assert f"{own_file}: endpoints.0 (hfmse_change).metric: 'mean_chang' must be one of mean" in message
    assert "Did you mean mean_change?" in message
    assert asked == []


@pytest.mark.parametrize(
    ("option", "value"), [("--patients", "0"), ("--patients", "9999"), ("--draws", "-1"), ("--seed", "-7")]
)
def test_options_out_of_range_are_refused(
    option: str, value: str, asked: list[dict[str, Any]], capsys: Capture
):
    message = refused(["studies", "run", "CHERISH", option, value], capsys)
    assert option in message and value in message
    assert asked == []


def test_the_comparison_is_printed_endpoint_by_endpoint(asked: list[dict[str, Any]], capsys: Capture):
    assert run(["studies", "run", "CHERISH", "--patients", "32", "--draws", "2", "--seed", "5"]) == 0
    captured = capsys.readouterr()
    assert asked == [{"study": "CHERISH", "patients": 32, "draws": 2, "seed": 5}]
    study = load_study("CHERISH")
    assert all(endpoint.id in captured.out for endpoint in study.endpoints)
    first, second = (
        next(line for line in captured.out.splitlines() if line.startswith(f"{endpoint.id} "))
        for endpoint in study.endpoints[:2]
    )
    assert " yes " in first and first.endswith("calibration")
    assert " NO " in second
    assert "1 of 2 published values lie inside the predicted range." in captured.out
    assert f"{study.endpoints[0].id}: predicted in 1 of 2 draws only." in captured.out
    assert "nobody who counts is left at that visit" in captured.out
    assert "2 draws of what is not known" in captured.out
    assert "Simulating CHERISH: 100 %" in captured.err
    assert "Simulating" not in captured.out


def test_the_comparison_as_json(asked: list[dict[str, Any]], own_file: Path, capsys: Capture):
    data = json.loads(shown(["studies", "run", str(own_file), "--json"], capsys))
    assert data["study"] == "OUR-CLINIC"
    assert data["parameters"] in ("calibrated", "not calibrated for this model", "not calibrated")
    first, second = data["endpoints"]
    assert set(first) >= COMPARED_KEYS
    assert first["set"] is None
    assert first["inside_90"] is True and second["inside_90"] is False
    assert first["width_ratio"] == 1.5
    assert second["published_low"] is None and second["width_ratio"] is None
    assert [left["endpoint"] for left in data["not_predicted"]] == ["hfmse_change_waiting", "stands"]
    assert asked[0]["draws"] == 0


@pytest.mark.slow
def test_ones_own_study_is_simulated(own_file: Path, capsys: Capture):
    data = yaml.safe_load(own_file.read_text(encoding="utf-8"))
    data["arms"]["nobody"] = "Infants with type 1 who walk"
    data["run"]["arms"]["nobody"] = {"patients": 5, "cohort": {"sma_type": [1], "able_to": ["walk"]}}
    data["endpoints"] += [
        {**deepcopy(data["endpoints"][2]), "id": "nobody_change", "arm": "nobody"},
        {**deepcopy(data["endpoints"][2]), "id": "kept", "not_scored": "kept for the record"},
    ]
    own_file.write_text(yaml.safe_dump(data), encoding="utf-8")
    found = json.loads(shown(["studies", "run", str(own_file), "--patients", "64", "--json"], capsys))
    endpoints = {entry["endpoint"]: entry for entry in found["endpoints"]}
    assert set(endpoints) == {"hfmse_change", "hfmse_response", "hfmse_change_waiting", "stands"}
    for entry in endpoints.values():
        assert entry["predicted_low"] <= entry["predicted"] <= entry["predicted_high"]
        assert 0 < entry["effective_people"] < 8 * 64  # more people where weights leave few
    assert endpoints["hfmse_change"]["predicted"] > endpoints["hfmse_change_waiting"]["predicted"]
    # Eleven people scatter more than twenty-two.
    assert endpoints["hfmse_change_waiting"]["predicted_low"] < endpoints["hfmse_change_waiting"]["predicted"]
    reasons = {left["endpoint"]: left["reason"] for left in found["not_predicted"]}
    assert reasons["kept"] == "no target: kept for the record"
    assert re.match(
        r"arm nobody: nobody of \d+ candidates could enter; refused by \w+", reasons["nobody_change"]
    )
