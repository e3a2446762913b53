"""People whose steps were too long are counted, in the dataset and in results.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import motorpool
from motorpool.engine import blocks, step
from tests.simulation.run_samples import scenario


def test_nobody_needs_shorter_steps_by_default() -> None:
    assert motorpool.simulate(scenario()).dataset["steps_halved"].values.tolist() == [0]


def test_people_simulated_again_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Under a limit that no step can keep everybody is simulated again.
    monkeypatch.setattr(step, "ALLOWED_LOCAL_ERROR", 1e-9)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    blocks._program.cache_clear()
    found = motorpool.simulate(scenario())
    blocks._program.cache_clear()
    people = found.dataset.sizes["patient"]
    assert found.dataset["steps_halved"].values.tolist() == [people]
    written = json.loads((found.save(tmp_path / "results") / "results.json").read_text(encoding="utf-8"))
    assert written["cohort"]["steps_halved"] == [people]
