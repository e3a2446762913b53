"""A stand-in for the simulator, so that the verbs are tested without simulating."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from motorpool.simulation.scenario import Scenario

REPORT_NAME = "report.html"


class StandInResults:
    """Keeps just enough to write a results folder."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def save(self, directory: Path, *, finish: Callable[[Path], None] | None = None) -> Path:
        from motorpool.simulation import store

        directory = Path(directory)
        store.check_output_folder(directory)
        unfinished = directory.parent / f".{directory.name}.unfinished-test"
        unfinished.mkdir(parents=True)
        try:
            manifest = {"format": store.FORMAT, "version": store.FORMAT_VERSION, "run": {}}
            (unfinished / "manifest.json").write_text(json.dumps(manifest))
            (unfinished / "results.json").write_text(
                json.dumps({"patients": self.scenario.cohort.patients}) + "\n"
            )
            if finish is not None:
                finish(unfinished)
            store._put_in_place(unfinished, directory)
        except BaseException:
            import shutil

            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return directory


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace simulation and report; the record holds scenarios that ran, and may hold an error to raise."""
    record: dict[str, Any] = {"scenarios": [], "simulate": None, "report": None}

    def simulate(
        scenario: Scenario, *, progress: Callable[[str, float], None] | None = None
    ) -> StandInResults:
        record["scenarios"].append(scenario)
        if progress is not None:
            progress("Simulating", 0.0)
            progress("Simulating", 0.5)
            progress("Simulating", 1.0)
        if record["simulate"] is not None:
            raise record["simulate"]
        return StandInResults(scenario)

    def write_report(directory: Path) -> Path:
        if record["report"] is not None:
            raise record["report"]
        path = Path(directory) / REPORT_NAME
        path.write_text("<title>report</title>")
        return path

    api = types.ModuleType("motorpool.simulation.api")
    api.simulate = simulate  # type: ignore[attr-defined]
    report = types.ModuleType("motorpool.report")
    report.write_report = write_report  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "motorpool.simulation.api", api)
    monkeypatch.setitem(sys.modules, "motorpool.report", report)
    return record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
