"""Help, misspelt verbs, `init`, `scenarios`, `parameters` and `doctor`."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from motorpool.cli.main import run
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.sources import load_sources
from motorpool.simulation.loading import SHIPPED_FOLDER, load_scenario, scenario_from_text, shipped_scenarios

Capture = pytest.CaptureFixture[str]
VERBS = (
    "demo",
    "init",
    "simulate",
    "scenarios",
    "parameters",
    "evidence",
    "studies",
    "calibrate",
    "validate",
    "report",
    "serve",
    "benchmark",
    "doctor",
)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_verb_and_first_steps(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {verb} " in shown for verb in VERBS)
    assert "motorpool demo" in shown
    assert "..." not in shown.split("Commands:")[1]


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_an_example(verb: str, capsys: Capture) -> None:
    assert run([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example" in shown
    assert f"    motorpool {verb}" in shown


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["simulat", "x"], "simulate"),
        (["dmeo"], "demo"),
        (["scenarios", "lst"], "list"),
        (["parameters", "shw", "x"], "show"),
        (["simulate", "demo", "--patient", "3"], "--patients"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest(
    arguments: list[str], hint: str, capsys: Capture
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert hint in shown
    assert "--help" in shown


@pytest.mark.parametrize("arguments", [["simulate"], ["simulate", "demo", "--patients", "many"], ["report"]])
def test_missing_or_wrong_arguments_are_a_message(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err


def test_the_version_is_shown(capsys: Capture) -> None:
    import motorpool

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"motorpool {motorpool.__version__}\n"


def test_init_writes_a_scenario_that_is_valid(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "mine.yaml"
    assert run(["init", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(file)
    scenario = load_scenario(file)
    assert scenario.name == "my_study"
    text = file.read_text(encoding="utf-8")
    assert text.count("#") > 20


def test_the_commented_parts_of_the_template_are_valid_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    run(["init", str(file)])
    commented = re.compile(
        r"^( +)# ((?: *- therapy|stop|pauses|dose_changes|diagnosis|background| +start).*)$"
    )
    text = "\n".join(commented.sub(r"\1\2", line) for line in file.read_text(encoding="utf-8").splitlines())
    scenario = scenario_from_text(text)
    course = scenario.arms["risdiplam"].therapies[0]
    assert scenario.cohort.background and scenario.cohort.diagnosis
    assert course.stop is not None and course.pauses and course.dose_changes


def test_init_never_overwrites(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    assert run(["init", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert file.read_text() == "precious"
    assert run(["init", str(tmp_path / "no" / "folder.yaml")]) == 2


def test_scenarios_are_listed_shown_and_described(capsys: Capture) -> None:
    assert run(["scenarios"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in shipped_scenarios())
    assert run(["scenarios", "list"]) == 0
    assert capsys.readouterr().out == listed
    assert run(["scenarios", "show", "demo"]) == 0
    assert capsys.readouterr().out == (SHIPPED_FOLDER / "demo.yaml").read_text(encoding="utf-8")
    assert run(["scenarios", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "motorpool scenario"
    assert run(["scenarios", "show", "endear"]) == 2
    assert "endear_like" in capsys.readouterr().err


def test_every_parameter_is_listed_and_can_be_shown(capsys: Capture) -> None:
    table = load_parameter_table()
    assert run(["parameters", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["id"] for entry in listed} == set(table)
    name = next(key for key in table if table[key].sources)
    assert run(["parameters", "show", name]) == 0
    shown = capsys.readouterr().out
    assert table[name].unit in shown
    assert table[name].origin in shown
    assert all(load_sources()[source].citation() in shown for source in table[name].sources)


def test_parameters_are_searched(capsys: Capture) -> None:
    assert run(["parameters", "list", "sickening"]) == 0
    assert "neurons.sickening_rate_per_year" in capsys.readouterr().out
    assert run(["parameters", "list", "--origin", "publication"]) == 0
    assert "judgement" not in capsys.readouterr().out
    assert run(["parameters", "list", "no such thing"]) == 2
    assert run(["parameters", "list", "--origin", "guess"]) == 2
    assert "must be one of publication, calibration, judgement" in capsys.readouterr().err
    assert run(["parameters", "show", "sickening_rate_per_year"]) == 2
    assert "Did you mean neurons.sickening_rate_per_year?" in capsys.readouterr().err


def test_doctor_finds_this_machine_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in ("Python", "jax", "processor cores", "memory", "write access", "parameters"):
        assert word in shown
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("motorpool.cli.doctor.PACKAGES", ("a-package-nobody-has",))
    assert run(["doctor"]) == 1
    assert "WRONG  a-package-nobody-has" in capsys.readouterr().out


WAIT_FOR_A_SIGNAL = """
import sys, time, types
api = types.ModuleType("motorpool.simulation.api")
def keep_compiled_programs():
    print("started", file=sys.stderr, flush=True)
    time.sleep(60)
api.keep_compiled_programs = keep_compiled_programs
sys.modules["motorpool.simulation.api"] = api
from motorpool.cli.main import run
sys.exit(run(["simulate", "endear_like"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_program_cleanly(number: signal.Signals, tmp_path: Path, checkout: Path) -> None:
    environment = dict(os.environ, PYTHONPATH=str(checkout / "src"))
    with subprocess.Popen(
        [sys.executable, "-c", WAIT_FOR_A_SIGNAL],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A test run started in the background ignores Ctrl-C, and so would every program it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as program:
        assert program.stderr is not None
        assert program.stderr.readline() == "started\n"
        time.sleep(0.1)
        program.send_signal(number)
        out, err = program.communicate(timeout=30)
    assert program.returncode == 130
    assert out == ""
    assert err.strip() == "Interrupted; nothing half-written was left behind."
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(checkout: Path) -> None:
    environment = dict(os.environ, PYTHONPATH=str(checkout / "src"))
    command = f"{sys.executable} -m motorpool parameters list | head -1"
    done = subprocess.run(
        command, shell=True, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout.startswith("id ")
