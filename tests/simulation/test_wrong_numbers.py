"""A person whose numbers go wrong is named and left out; the others are not touched."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import motorpool
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation import kept_run, part
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.results import Results
from tests.simulation.run_samples import scenario

POISONED = 3
VISIT = 2


def poison(monkeypatch: pytest.MonkeyPatch, value: float, row: int, arm: str = "nusinersen") -> None:
    """Let the engine give one person of one arm a wrong number from one visit on."""
    healthy = part.simulate_arm

    def simulate_arm(asked: Any, name: str, *rest: Any) -> Any:
        found = healthy(asked, name, *rest)
        if name != arm:
            return found
        true = np.array(found.readout.true)
        alive = np.array(found.readout.alive)
        assert alive[VISIT, POISONED]
        true[VISIT:, row, POISONED] = np.where(alive[VISIT:, POISONED], value, np.nan)
        return dataclasses.replace(found, readout=found.readout._replace(true=true))

    monkeypatch.setattr(part, "simulate_arm", simulate_arm)


@pytest.fixture(scope="module")
def healthy() -> Results:
    return motorpool.simulate(scenario())


@pytest.mark.parametrize(
    ("outcome", "value", "told"),
    [
        ("hfmse", np.nan, "nan"),
        ("weight_kg", np.inf, "inf"),
        ("fvc_percent", -40.0, "-40"),
        ("hfmse", 90.0, "90"),
    ],
)
def test_one_wrong_number_excludes_one_person(
    healthy: Results, monkeypatch: pytest.MonkeyPatch, outcome: str, value: float, told: str
) -> None:
    poison(monkeypatch, value, OUTCOME_INDEX[outcome])
    found = motorpool.simulate(scenario())
    assert found.wrong.people == 1
    (named,) = found.wrong.first
    assert named == {
        "draw": 0,
        "person": named["person"],
        "arm": "nusinersen",
        "visit_month": 6.0,
        "quantity": outcome,
        "value": told,
    }
    assert found.dataset["excluded"].values.nonzero()[1].tolist() == [POISONED]
    others = [index for index in range(24) if index != POISONED]
    xarray_equal(found.dataset.isel(patient=others), healthy.dataset.isel(patient=others))
    expected = Results(healthy.dataset.isel(patient=others)).summary_table()
    table = found.summary_table()
    same = [name for name in table.columns if "standard_error" not in name]  # the cohort's size is in these
    pd.testing.assert_frame_equal(
        table[same], expected[same], rtol=1e-12
    )  # sums over people round in their order


def test_a_broken_state_shows_where_no_outcome_does(monkeypatch: pytest.MonkeyPatch) -> None:
    original = part.simulate_arm

    def simulate_arm(*arguments: Any) -> Any:
        found = original(*arguments)
        pools = np.array(found.readout.pools)
        pools[1, 0, 2, 7] = 1.2
        return dataclasses.replace(found, readout=found.readout._replace(pools=pools))

    monkeypatch.setattr(part, "simulate_arm", simulate_arm)
    found = motorpool.simulate(scenario())
    assert found.wrong.people == 1
    assert [named["arm"] for named in found.wrong.first] == ["untreated", "nusinersen"]
    assert {named["quantity"].rsplit("_", 1)[0] for named in found.wrong.first} == {"motor_neurons_working"}


def test_the_folder_tells_who_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    poison(monkeypatch, np.nan, OUTCOME_INDEX["utility"])
    for most_kept, name in ((10**9, "small"), (0, "large")):
        monkeypatch.setattr(kept_run, "MOST_KEPT", most_kept)
        done = kept_run.keep_run(load_scenario(scenario()), tmp_path / name)
        assert done.wrong.people == 1
        content = json.loads((tmp_path / name / "results.json").read_text())
        assert content["excluded"]["people"] == 1
        assert content["excluded"]["first"] == list(done.wrong.first)


def xarray_equal(first: Any, second: Any) -> None:
    for name in second.data_vars:
        if "patient" in second[name].dims:
            a, b = first[name].values, second[name].values
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name
