"""A calibration that was interrupted and goes on is the one that was never interrupted, on the toy problem."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motorpool.calibration import evaluate as evaluate_module
from motorpool.calibration import pipeline, run
from motorpool.calibration.evaluate import Evaluation, Job
from motorpool.calibration.pipeline import Calibration, Setting
from motorpool.evidence.parameters import Value, load_parameter_table
from tests.calibration.toy import Pool, emulator_of, space_of, targets_of_kinds

TARGETS, DIMENSIONS = 10, 3
SIMULATOR = emulator_of(TARGETS, DIMENSIONS, seed=5, bend=0.15)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """A calibration whose simulator is bent a little, and answers with numbers of many digits."""

    def evaluate(values: Mapping[str, Value], job: Job) -> Evaluation:
        z = np.array([values[axis.parameter] for axis in space.axes], float)
        return Evaluation(SIMULATOR.predict(z[None])[0], np.full(TARGETS, 1 / 3), np.full(TARGETS, 700 / 9))

    space = space_of(DIMENSIONS)
    monkeypatch.setattr(evaluate_module, "evaluate", evaluate)
    made = Setting(
        targets_of_kinds(TARGETS), space, load_parameter_table(), Job(("MADE-0",), "calibration", 128), "toy"
    )
    monkeypatch.setattr(run, "setting_of_calibration", lambda: made)
    monkeypatch.setattr(run, "targets_digest", lambda targets: "toy")
    return made


def silent(stage: str, done: int, of: int) -> None:
    """Nobody wants to know how far it is."""


def points_around(setting: Setting, folder: Path, pool: Any) -> np.ndarray:
    """The stages up to the points around the mode, each of them simulated."""
    work = Calibration(setting, folder, silent)
    points = work.around(*work.find_mode(pool), 6, seed=1)
    work.simulate(points, pool, "around")
    return np.stack(points)


@pytest.mark.parametrize("places", [(3,), (9,), (1, 2, 8), (4, 14), (-3,), (-1,)])
def test_the_points_around_the_mode_are_the_same(setting: Setting, tmp_path: Path, places: tuple[int, ...]):
    straight = Pool()
    wanted = points_around(setting, tmp_path / "straight", straight)
    everything = len(straight.asked)
    for place in places:
        pool = Pool(place if place >= 0 else everything + place)
        with pytest.raises(KeyboardInterrupt):
            points_around(setting, tmp_path / "interrupted", pool)
    last = Pool()
    np.testing.assert_array_equal(points_around(setting, tmp_path / "interrupted", last), wanted)
    assert len(last.asked) < everything


@pytest.mark.slow
def test_the_posterior_is_the_same(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, few in (("ROUGH_WARMUP", 40), ("ROUGH_DRAWS", 20), ("WARMUP", 60), ("DRAWS", 100)):
        monkeypatch.setattr(pipeline, name, few)
    for name, few in (
        ("SENSITIVITY_SAMPLES", 8),
        ("AROUND_MODE", 60),
        ("AT_POSTERIOR", 40),
        ("ROUNDS", 2),
        ("CHECKED", 8),
    ):
        monkeypatch.setattr(run, name, few)
    folders = {"straight": [Pool()], "interrupted": [Pool(7), Pool(40), Pool()]}
    for name, pools in folders.items():
        for pool in pools:
            monkeypatch.setattr(run, "worker_pool", lambda pool=pool: pool)
            ends_early = pytest.raises(KeyboardInterrupt) if pool.interrupted_at else contextlib.nullcontext()
            with ends_early:
                run.run_calibration(tmp_path / name, quick=False, tell=silent)
    for file in (
        "posterior/draws.csv",
        "posterior/posterior.json",
        "posterior/slopes.csv",
        "sensitivity.json",
    ):
        assert (tmp_path / "interrupted" / file).read_text() == (tmp_path / "straight" / file).read_text()


def test_what_waits_is_given_up():
    """Ctrl-C does not wait for everything that was asked of the pool."""
    asked = []
    with pytest.raises(KeyboardInterrupt), evaluate_module.worker_pool(1) as pool:
        asked = [pool.submit(time.sleep, 0.05) for _ in range(200)]
        raise KeyboardInterrupt
    ends = time.monotonic() + 60
    while not all(future.done() for future in asked):
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert sum(future.cancelled() for future in asked) > 150
