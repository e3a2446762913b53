"""`validate` and `calibrate` at the door: what cannot be used is refused before anything runs, results are printed."""

from __future__ import annotations

import importlib.resources
import json
import pickle
import re
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from motorpool.calibration import validate
from motorpool.cli.validate import _ship
from motorpool.studies.study import load_study, read_study
from tests.support.command_line import COMPARED_KEYS, Capture, refused, shown
from tests.support.credibility_samples import made_up_posterior
from tests.support.study_example import example
from tests.support.validation_samples import made_up_validation_run

SUMMARY = {"n", "inside_90", "coverage_90", "median_width_ratio"}
SHIPPED = ("STR1VE-EU", "NEGATIVE-CONTROLS")
MISSED = "STR1VE-EU.event_free_age14"


def written(folder: Path, name: str = "mine.yaml", **changed: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({**example(), **changed}, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let the validation be made up; the list fills with what was asked of it."""
    record: list[dict[str, Any]] = []

    def run_validation(sets: Any, *, own: Any, tell: Any, **options: Any) -> Any:
        record.append({"sets": tuple(sets), "own": [study.name for study in own], **options})
        tell("predicting studies", 0.5)
        studies = own or [load_study(name) for name in SHIPPED]
        return made_up_validation_run(studies, missed=[MISSED])

    monkeypatch.setattr(validate, "run_validation", run_validation)
    return record


@pytest.mark.parametrize(("given", "nearest"), [("validaton", "validation"), ("calibrate", "calibration")])
def test_an_unknown_set_is_answered_with_the_nearest(
    given: str, nearest: str, asked: list[Any], capsys: Capture
) -> None:
    message = refused(["validate", "--set", given], capsys)
    assert "--set" in message
    assert "must be one of validation, apart, calibration, all" in message
    assert f"Did you mean {nearest}?" in message
    assert asked == []


@pytest.mark.parametrize(
    "arguments", [["--draws", "3"], ["--patients", "many"], ["--sets", "all"], ["STR1VE-EU"]]
)
def test_wrong_options_are_a_message(arguments: list[str], asked: list[Any], capsys: Capture) -> None:
    assert "--help" in refused(["validate", *arguments], capsys)
    assert asked == []


def test_a_bad_study_file_is_refused_where_it_is_wrong(
    tmp_path: Path, asked: list[Any], capsys: Capture
) -> None:
    absent = tmp_path / "absent.yaml"
    assert str(absent) in refused(["validate", "--studies", str(absent)], capsys)
    data = example()
    data["endpoints"][1]["metric"] = "proporton"
    bad = written(tmp_path, endpoints=data["endpoints"])
    message = refused(["validate", "--studies", str(bad)], capsys)
    assert f"{bad}: endpoints.1" in message
    assert "proportion" in message
    good = written(tmp_path, "good.yaml", study="GOOD")
    assert str(bad) in refused(["validate", "--studies", str(good), "--studies", str(bad)], capsys)
    assert asked == []


def test_two_studies_of_one_name_are_refused(tmp_path: Path, asked: list[Any], capsys: Capture) -> None:
    first, second = written(tmp_path), written(tmp_path, "again.yaml")
    message = refused(["validate", "--studies", str(first), "--studies", str(second)], capsys)
    assert f"{second}: study: OUR-CLINIC is also the name of the study in {first}" in message
    assert asked == []


def test_a_study_without_anything_to_predict_is_refused(
    tmp_path: Path, asked: list[Any], capsys: Capture
) -> None:
    unscored = [{**one, "not_scored": "a criterion"} for one in example()["endpoints"]]
    message = refused(["validate", "--studies", str(written(tmp_path, endpoints=unscored))], capsys)
    assert "not_scored" in message
    assert asked == []


def test_a_users_result_is_not_kept_as_the_shipped_one(
    tmp_path: Path, asked: list[Any], capsys: Capture
) -> None:
    message = refused(["validate", "--ship", "--studies", str(written(tmp_path))], capsys)
    assert "leave --studies out" in message
    assert asked == []


def test_a_page_never_replaces_another_file(tmp_path: Path, asked: list[Any], capsys: Capture) -> None:
    assert "is a folder" in refused(["validate", "--out", str(tmp_path)], capsys)
    other = tmp_path / "thesis.html"
    other.write_text("<p>Mine</p>")
    assert "is not a validation page" in refused(["validate", "--out", str(other)], capsys)
    assert other.read_text() == "<p>Mine</p>"
    under = other / "page.html"
    assert "not a folder that can be written to" in refused(["validate", "--out", str(under)], capsys)
    assert asked == []


def test_without_a_posterior_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(validate, "load_posterior", lambda: None)
    assert "run `motorpool calibrate` first" in refused(["validate"], capsys)


def test_json_holds_the_named_keys_and_nothing_else_is_printed(asked: list[Any], capsys: Capture) -> None:
    found = json.loads(shown(["validate", "--set", "all", "--draws", "8", "--json"], capsys))
    assert set(found) >= {"summary", "endpoints"}
    assert set(found["summary"]) == {"validation"}
    for numbers in found["summary"].values():
        assert set(numbers) >= SUMMARY
    assert found["endpoints"]
    for entry in found["endpoints"]:
        assert set(entry) >= COMPARED_KEYS
        assert entry["predicted_low"] <= entry["predicted"] <= entry["predicted_high"]
    outside = [f"{e['study']}.{e['endpoint']}" for e in found["endpoints"] if not e["inside_90"]]
    assert outside == [MISSED]
    counted = [entry for entry in found["endpoints"] if entry["counted"]]
    assert found["summary"]["validation"]["n"] == len(counted)
    assert found["summary"]["validation"]["inside_90"] == len(counted) - 1
    assert asked == [{"sets": ("validation", "apart", "calibration"), "own": [], "draws": 8, "patients": 128}]


def test_the_table_shows_every_endpoint_and_the_criteria(asked: list[Any], capsys: Capture) -> None:
    text = shown(["validate"], capsys)
    lines = {tuple(line.split()[:2]): line for line in text.splitlines() if line}
    for name in SHIPPED:
        for endpoint in load_study(name).endpoints:
            inside = "NO" if f"{name}.{endpoint.id}" == MISSED else "yes"
            assert f" {inside} " in lines[name, endpoint.id]
    assert re.search(r"^validation: \d+ of \d+ endpoints inside the 90 % interval", text, flags=re.MULTILINE)
    assert "acceptance, least endpoints: floor NOT met" in text
    assert "acceptance, negative controls: floor met" in text
    assert asked[0]["sets"] == ("validation",)


def test_a_users_own_study_is_compared(tmp_path: Path, asked: list[Any], capsys: Capture) -> None:
    page = tmp_path / "new" / "page.html"
    arguments = ["validate", "--studies", str(written(tmp_path)), "-n", "32", "--json", "--out", str(page)]
    found = json.loads(shown(arguments, capsys))
    assert {entry["set"] for entry in found["endpoints"]} == {"own"}
    assert [entry["endpoint"] for entry in found["endpoints"]] == [
        one["id"] for one in example()["endpoints"]
    ]
    assert found["acceptance"] == {}
    assert asked == [{"sets": ("validation",), "own": ["OUR-CLINIC"], "draws": 32, "patients": 32}]
    assert "OUR-CLINIC" in page.read_text(encoding="utf-8")
    assert list(page.parent.iterdir()) == [page]
    page.write_text(page.read_text(encoding="utf-8").replace("OUR-CLINIC", "OLD-CLINIC"), encoding="utf-8")
    shown(arguments, capsys)  # an earlier page is replaced
    assert "OLD-CLINIC" not in page.read_text(encoding="utf-8")


def test_a_kept_result_is_the_one_that_reports_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(importlib.resources, "files", lambda name: tmp_path)
        path = _ship({"summary": {}, "endpoints": []})
    assert path == tmp_path / "data" / "validation.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"summary": {}, "endpoints": []}
    assert list(path.parent.iterdir()) == [path]


def test_a_study_reaches_the_workers_whole(tmp_path: Path) -> None:
    study = read_study(written(tmp_path))
    assert pickle.loads(pickle.dumps(study)) == study


class Here(Executor):
    """Does at once, in this process, what a pool would do in others."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.slow
def test_a_users_own_study_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(validate, "worker_pool", Here)
    monkeypatch.setattr(validate, "load_posterior", made_up_posterior)
    arguments = [
        "validate",
        "--studies",
        str(written(tmp_path)),
        "--draws",
        "4",
        "--patients",
        "32",
        "--json",
    ]
    found = json.loads(shown(arguments, capsys))
    names = [entry["endpoint"] for entry in found["endpoints"]]
    names += [name.split(".")[1] for name in found["not_predicted"]]
    assert sorted(names) == sorted(one["id"] for one in example()["endpoints"])
    change = next(entry for entry in found["endpoints"] if entry["endpoint"] == "hfmse_change")
    assert -15.0 < change["predicted_low"] < change["predicted_high"] < 15.0
    assert set(change["baseline_log_scores"]) == {"natural history", "similar trials"}


def test_calibrate_refuses_a_file_for_a_folder(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "mine"
    file.write_text("precious")
    assert "is a file; give a folder" in refused(["calibrate", "--out", str(file)], capsys)
    assert file.read_text() == "precious"


def test_calibrate_prints_the_folder_of_the_posterior(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from motorpool.calibration import run as calibration
    from motorpool.calibration import shipping

    given: list[Any] = []

    def run_calibration(folder: Path, *, quick: bool, tell: Any) -> Path:
        given.append((folder, quick))
        tell("start", 0, 0)
        return folder / "posterior"

    monkeypatch.setattr(calibration, "run_calibration", run_calibration)
    monkeypatch.setattr(shipping, "describe", lambda made: ["made up"])
    shipped = SimpleNamespace(folder=None)
    monkeypatch.setattr(shipping, "ship_posterior", lambda folder: setattr(shipped, "folder", folder))
    folder = tmp_path / "run"
    assert shown(["calibrate", "--quick", "--out", str(folder)], capsys) == f"{folder / 'posterior'}\n"
    assert given == [(folder, True)]
    assert shipped.folder is None
    shown(["calibrate", "--out", str(folder), "--ship"], capsys)
    assert given[1:] == [(folder, False)]
    assert shipped.folder == folder
