"""Replicates on the workers of a cluster: the bits of one process, kept parts, and one message where it cannot be."""

import os
import pickle
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from motorpool.cli.main import run
from motorpool.simulation.cluster import DaskWorkers, work
from motorpool.simulation.errors import ClusterError
from motorpool.simulation.manifest import packages
from motorpool.trials.blocks import Settings, blocks_of
from motorpool.trials.comparison import compare_designs
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.run import keep_trial_run
from motorpool.trials.truth import MODEL
from motorpool.trials.workers import BLOCKS, BlockTask, simulated_trials

pytest.importorskip("distributed")

PEOPLE = 64
ASKED = Settings(60, MODEL, 2, PEOPLE)


@pytest.fixture(scope="module")
def trial() -> TrialDesign:
    return load_design("cells_addon_sitters", ["patients=40"])


@pytest.fixture(scope="module")
def workers() -> Any:
    from distributed import Client, LocalCluster

    # Workers here are threads of the test process: with a limit on its memory they might wait for ever.
    options: dict[str, Any] = {"dashboard_address": None, "processes": False, "memory_limit": None}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, **options) as machines,
        Client(machines, timeout=20) as client,
    ):
        yield DaskWorkers(client, "here", BLOCKS)


def test_any_workers_give_the_bits_of_one_process(
    trial: TrialDesign, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motorpool.trials.blocks.TOGETHER", 15)
    assert len(blocks_of(ASKED)) == 4
    shares: list[float] = []
    alone, together = simulated_trials(trial, ASKED), simulated_trials(trial, ASKED, workers, shares.append)
    assert alone.keys() == together.keys()
    assert all(alone[name].tobytes() == together[name].tobytes() for name in alone)
    assert shares == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_run_begun_on_a_cluster_that_is_lost_goes_on_in_one_process(
    trial: TrialDesign, workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motorpool.trials.blocks.TOGETHER", 15)
    keep_trial_run(trial, ASKED, tmp_path / "alone")
    in_work, collected = [], []

    class LostAfterTwo:
        places = 2

        def submit(self, task: BlockTask) -> None:
            in_work.append(task)
            workers.submit(task)

        def next_part(self, tell: Any) -> Any:
            if len(collected) == 2:
                raise ClusterError("the scheduler is gone")
            collected.append(workers.next_part(tell))
            return collected[-1]

    with pytest.raises(ClusterError, match="gone"):
        keep_trial_run(trial, ASKED, tmp_path / "lost", workers=nullcontext(LostAfterTwo()))
    for _ in range(len(in_work) - len(collected)):
        workers.next_part(lambda share: None)
    assert len(list((tmp_path / ".lost.unfinished" / "parts").glob("*.part"))) == 2
    assert not (tmp_path / "lost").exists()
    keep_trial_run(trial, ASKED, tmp_path / "lost")
    for name in ("results.json", "manifest.json", "replicates.csv", "ADSL.csv", "ADQS.csv"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "lost" / name).read_bytes()


def test_comparing_on_workers_gives_the_same_numbers(trial: TrialDesign, workers: Any) -> None:
    designs = {"one": trial, "two": load_design(trial, ["visits.months=[0, 12]"])}
    asked: dict[str, Any] = {"replicates": 20, "people": PEOPLE, "truth": MODEL, "find_smallest": True}
    assert compare_designs(designs, **asked) == compare_designs(designs, **asked, workers=workers)


def test_a_worker_with_other_code_is_refused(trial: TrialDesign) -> None:
    task = BlockTask(trial, ASKED, blocks_of(ASKED)[0])
    assert pickle.loads(pickle.dumps(task)) == task
    with pytest.raises(ClusterError, match=r"another motorpool, jax .* instead of 0\.0"):
        work(BLOCKS, task, "other code", {**packages(), "jax": "0.0"})


@pytest.mark.parametrize("verb", ["run", "power", "report"])
def test_an_address_without_a_scheduler_is_one_message(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("motorpool.simulation.cluster.PATIENCE_SECONDS", 1)
    assert run(["trial", verb, "cells_addon_sitters", "--cluster", "tcp://127.0.0.1:1"]) == 2
    shown = capsys.readouterr().err
    assert "--cluster tcp://127.0.0.1:1: no Dask scheduler answers there" in shown
    assert "Traceback" not in shown and "goes on" not in shown
    assert os.listdir(tmp_path) == []
