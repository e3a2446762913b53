"""`simulate`, `demo` and `report`: what is written, what is printed, and what happens when they fail."""

import json
from pathlib import Path
from typing import Any

import pytest

from motorpool.cli.main import run
from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.results import load_results
from tests.simulation.test_scenario_errors import BAD

Capture = pytest.CaptureFixture[str]


def people_of(content: dict[str, Any]) -> int:
    """People in each draw, as results.json tells."""
    return content["cohort"]["people_per_draw"]


def test_simulate_writes_a_folder_and_ends_with_the_plain_path(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    assert run(["simulate", "endear_like"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == str(folder / "endear_like-results" / "report.html")
    assert (folder / "endear_like-results" / "report.html").is_file()
    assert "simulating, part 5 of 8: 50 %" in shown.err
    assert "left" in shown.err
    assert "simulating" not in shown.out


def test_a_long_path_is_printed_on_one_line(stand_in: dict[str, Any], folder: Path, capsys: Capture) -> None:
    out = folder / ("a folder with spaces " * 8).strip() / ("and more " * 15).strip()
    assert run(["simulate", "endear_like", "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "report.html")


def test_options_change_the_scenario(stand_in: dict[str, Any], folder: Path) -> None:
    changes = ["--set", "horizon_months=6", "--set", "visits_months.every=2"]
    assert run(["simulate", "demo", "--patients", "12", "--seed", "9", "--out", "x", *changes]) == 0
    scenario = stand_in["tasks"][0].scenario
    assert (scenario.cohort.patients, scenario.seed, scenario.horizon_months) == (12, 9, 6)
    assert scenario.visit_months() == (0, 2, 4, 6)


def test_json_is_all_that_is_printed(stand_in: dict[str, Any], folder: Path, capsys: Capture) -> None:
    assert run(["simulate", "endear_like", "--json", "-n", "7"]) == 0
    assert people_of(json.loads(capsys.readouterr().out)) == 7


def test_without_a_report_the_folder_is_named(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    assert run(["simulate", "endear_like", "--no-report", "--out", "plain"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "plain")
    assert not (folder / "plain" / "report.html").exists()


def test_earlier_results_are_replaced_only_when_asked(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    assert run(["simulate", "endear_like"]) == 0
    done = len(stand_in["tasks"])
    assert run(["simulate", "endear_like", "-n", "5"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert len(stand_in["tasks"]) == done
    assert run(["simulate", "endear_like", "-n", "5", "--overwrite"]) == 0
    assert people_of(json.loads((folder / "endear_like-results" / "results.json").read_text())) == 5


def test_the_same_inputs_are_not_simulated_twice(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    assert run(["simulate", "endear_like", "--no-report"]) == 0
    done = len(stand_in["tasks"])
    before = {path: path.stat().st_mtime_ns for path in (folder / "endear_like-results").iterdir()}
    capsys.readouterr()
    assert run(["simulate", "endear_like"]) == 0  # only the report was missing
    shown = capsys.readouterr()
    assert "already complete" in shown.err
    assert shown.out.splitlines()[-1] == str(folder / "endear_like-results" / "report.html")
    assert len(stand_in["tasks"]) == done
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_an_interrupted_run_goes_on(stand_in: dict[str, Any], folder: Path, capsys: Capture) -> None:
    stand_in["report"] = KeyboardInterrupt()
    assert run(["simulate", "endear_like"]) == 130
    shown = capsys.readouterr().err
    assert "the same command goes on" in shown
    assert [path.name for path in folder.iterdir()] == [".endear_like-results.unfinished"]
    done = len(stand_in["tasks"])
    assert run(["simulate", "endear_like", "-n", "5"]) == 2
    assert "an unfinished run of other inputs" in capsys.readouterr().err
    stand_in["report"] = None
    assert run(["simulate", "endear_like"]) == 0
    assert len(stand_in["tasks"]) == done
    assert [path.name for path in folder.iterdir()] == ["endear_like-results"]


def test_a_large_run_keeps_summaries_and_says_so(
    stand_in: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("motorpool.simulation.kept_run.MOST_KEPT", 1000)
    assert run(["simulate", "endear_like", "-n", "9", "--out", "x"]) == 0
    shown = capsys.readouterr()
    assert "the folder holds summaries only" in shown.err
    assert shown.out.splitlines()[-1] == str(folder / "x")
    assert not (folder / "x" / "results.zarr").exists()
    with pytest.raises(OutputFolderError, match="holds summaries only"):
        load_results(folder / "x")
    assert run(["simulate", "endear_like", "-n", "9", "--out", "y", "--keep-people"]) == 0
    assert (folder / "y" / "results.zarr").is_dir()


def test_wrong_numbers_are_told(
    stand_in: dict[str, Any], folder: Path, monkeypatch: Any, capsys: Capture
) -> None:
    from motorpool.simulation.results import WrongNumbers

    found = {
        "draw": 0,
        "person": 17,
        "arm": "nusinersen",
        "visit_month": 3.0,
        "quantity": "hfmse",
        "value": "nan",
    }
    monkeypatch.setattr("motorpool.simulation.kept_run.wrong_of", lambda plans: WrongNumbers(1, (found,)))
    assert run(["simulate", "endear_like"]) == 0
    shown = capsys.readouterr().err
    assert "Numbers of 1 people went wrong" in shown
    assert "person 17, draw 0, arm nusinersen, month 3: hfmse is nan" in shown
    content = json.loads((folder / "endear_like-results" / "results.json").read_text())
    assert content["excluded"] == {"people": 1, "first": [found]}


def test_a_folder_with_other_things_is_left_alone(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    assert run(["simulate", "endear_like", "--out", "mine", "--overwrite"]) == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert [path.name for path in (folder / "mine").iterdir()] == ["thesis.txt"]
    assert not stand_in["tasks"]


def test_the_demo_runs_twice(stand_in: dict[str, Any], folder: Path, capsys: Capture) -> None:
    assert run(["demo", "--no-open"]) == 0
    assert run(["demo", "--no-open", "--patients", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "motorpool-demo" / "report.html")
    assert stand_in["tasks"][-1].scenario.cohort.patients == 3


def test_the_demo_opens_the_report_when_asked(
    stand_in: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    assert run(["demo", "--open", "--out", "here"]) == 0
    assert opened == [(folder / "here" / "report.html").as_uri()]
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "here" / "report.html")


def test_a_report_is_written_again(stand_in: dict[str, Any], folder: Path, capsys: Capture) -> None:
    assert run(["simulate", "endear_like", "--no-report", "--out", "plain"]) == 0
    assert run(["report", "plain"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "plain" / "report.html")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_report_needs_a_results_folder(
    stand_in: dict[str, Any], folder: Path, capsys: Capture, name: str
) -> None:
    assert run(["report", name]) == 2
    assert "is not a folder of motorpool results" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("change", [row[0] for row in BAD[:-1]], ids=[row[0][:60] for row in BAD[:-1]])
def test_bad_input_gives_one_message_and_writes_nothing(
    stand_in: dict[str, Any], folder: Path, capsys: Capture, change: str
) -> None:
    file = folder / "study.yaml"
    import yaml

    from tests.simulation.scenario_samples import sample

    file.write_text(yaml.safe_dump(sample()), encoding="utf-8")
    assert run(["simulate", "study.yaml", "--set", change]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.strip()
    assert "Traceback" not in shown.err
    assert [path.name for path in folder.iterdir()] == ["study.yaml"]
    assert not stand_in["tasks"]


@pytest.mark.parametrize("content", [b"a: b: c", b"\xff\xfe", b"", b"- 1", b"seed: 1\nseed: 2"])
def test_a_file_that_is_no_scenario_gives_one_message(
    stand_in: dict[str, Any], folder: Path, capsys: Capture, content: bytes
) -> None:
    (folder / "study.yaml").write_bytes(content)
    assert run(["simulate", "study.yaml"]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("study.yaml: ")
    assert len(shown.err.strip().splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["study.yaml"]


def test_an_empty_cohort_found_while_sampling_is_a_message(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    from motorpool.simulation.errors import ScenarioError

    stand_in["simulate"] = ScenarioError.single("cohort", "nobody of 100000 candidates meets the criteria")
    assert run(["simulate", "endear_like"]) == 2
    assert "cohort: nobody of 100000 candidates" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_an_interrupt_before_the_first_part_leaves_nothing_behind(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    stand_in["simulate"] = KeyboardInterrupt()
    assert run(["simulate", "endear_like"]) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_an_interrupt_keeps_earlier_results(stand_in: dict[str, Any], folder: Path) -> None:
    assert run(["demo", "--no-open", "-n", "4"]) == 0
    stand_in["report"] = KeyboardInterrupt()
    assert run(["demo", "--no-open", "-n", "5"]) == 130
    results = folder / "motorpool-demo" / "results.json"
    assert people_of(json.loads(results.read_text())) == 4
    stand_in["report"] = None
    assert run(["demo", "--no-open", "-n", "5"]) == 0
    assert people_of(json.loads(results.read_text())) == 5
    assert [path.name for path in folder.iterdir()] == ["motorpool-demo"]


@pytest.mark.parametrize("debug", [False, True])
def test_an_unexpected_error_says_what_to_report(
    stand_in: dict[str, Any], folder: Path, capsys: Capture, debug: bool
) -> None:
    stand_in["simulate"] = RuntimeError("the sky fell")
    assert run(["simulate", "endear_like", *(["--debug"] if debug else [])]) == 1
    shown = capsys.readouterr().err
    assert "the sky fell" in shown
    assert "motorpool doctor" in shown
    assert ("Traceback" in shown) is debug
    assert list(folder.iterdir()) == []


def test_too_little_memory_says_what_to_lower(
    stand_in: dict[str, Any], folder: Path, capsys: Capture
) -> None:
    stand_in["simulate"] = MemoryError()
    assert run(["simulate", "endear_like"]) == 1
    assert "--patients" in capsys.readouterr().err
