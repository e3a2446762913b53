"""Stand-ins for the engine and the report, so that the verbs are tested without simulating."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from motorpool.simulation import workers
from motorpool.simulation.part import Part, Task, Tell
from tests.support.made_up_parts import made_up_part

REPORT_NAME = "report.html"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Make up the parts of runs; the record holds the tasks that were done, and may hold an error to raise."""
    record: dict[str, Any] = {"tasks": [], "simulate": None, "report": None}

    def simulate_part(task: Task, tell: Tell | None = None) -> Part:
        record["tasks"].append(task)
        if record["simulate"] is not None:
            raise record["simulate"]
        return made_up_part(task, tell)

    def write_report(directory: Path) -> Path:
        if record["report"] is not None:
            raise record["report"]
        path = Path(directory) / REPORT_NAME
        path.write_text("<title>report</title>")
        return path

    report = types.ModuleType("motorpool.report")
    report.write_report = write_report  # type: ignore[attr-defined]
    monkeypatch.setattr(workers, "simulate_part", simulate_part)
    monkeypatch.setitem(sys.modules, "motorpool.report", report)
    return record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
