"""The same bits from any workers, and no part lost when a worker or the scheduler is killed."""

from __future__ import annotations

import filecmp
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from motorpool.cli.main import run
from motorpool.simulation import cluster, partition
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.part_files import PartFiles
from motorpool.simulation.partition import Kept
from motorpool.simulation.run import InMemory, in_order, simulate_parts
from motorpool.simulation.workers import ThisProcess
from tests.simulation.run_samples import scenario
from tests.support import dying_worker

pytest.importorskip("distributed")

CHECKOUT = Path(__file__).resolve().parents[2]
SMALL = {"cohort__patients": 12, "horizon_months": 3, "uncertainty": {"knowledge_draws": 4}}
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario file, and the results of a run in one process in `alone`."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "small.yaml").write_text(yaml.safe_dump(scenario(**SMALL)), encoding="utf-8")
    assert run(command(folder, "alone")) == 0
    return folder


@pytest.fixture
def address() -> str:
    """An address at which nothing listens yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def start(place: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a part of Dask as a process; all are ended after the test."""
    begun: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)]),
        "MOTORPOOL_TEST_DEATH": str(tmp_path / "death"),
    }

    def begin(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.terminate()
    for process in begun:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def command(folder: Path, out: str, *more: str) -> list[str]:
    return ["simulate", str(folder / "small.yaml"), "--out", str(folder / out), "--no-report", *more]


def same(first: Path, second: Path) -> bool:
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    others = sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    return names == others and filecmp.cmpfiles(first, second, names, shallow=False)[0] == names


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_any_number_of_workers_gives_the_same_bits(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client, LocalCluster

    monkeypatch.setattr(partition, "PART_PEOPLE", 200)
    monkeypatch.setattr(partition, "BLOCKS_TOGETHER", 1)
    asked = load_scenario(scenario(cohort__patients=900, horizon_months=3))
    kept = Kept(people=True, tally=True)
    alone, together = InMemory(), InMemory()
    plans = simulate_parts(asked, kept, alone, ThisProcess())
    # Workers here are threads of the test process, however much memory its other tests have taken: with a limit they
    # would wait for ever.
    options = {"dashboard_address": None, "processes": False, "threads_per_worker": 1, "memory_limit": None}
    with LocalCluster(n_workers=workers, **options) as machines, Client(machines) as client:
        others = simulate_parts(asked, kept, together, cluster.DaskWorkers(client, "here", cluster.PARTS))
    assert list(in_order(plans)) == list(in_order(others))
    assert len(list(in_order(plans))) > 3
    for key in in_order(plans):
        mine, theirs = alone.read(key), together.read(key)
        assert mine.facts == theirs.facts
        for first, second in ((mine.people, theirs.people), (mine.counts, theirs.counts)):
            assert all(first[name].tobytes() == second[name].tobytes() for name in first)


@pytest.mark.slow
def test_local_starts_workers_and_gives_the_same_bits(place: Path) -> None:
    assert run(command(place, "local", "--cluster", "local")) == 0
    assert same(place / "alone", place / "local")


@pytest.mark.slow
def test_an_interrupt_ends_local_workers_without_noise(place: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "motorpool", *command(place, "interrupted", "--cluster", "local")],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    parts = place / ".interrupted.unfinished" / "parts"
    while not list(parts.glob("*.part")) and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    _, shown = process.communicate(timeout=60)
    if process.returncode != 0:  # 0: it was done before the signal came
        assert process.returncode == 130
        assert "the same command goes on" in shown
        assert "Traceback" not in shown
    assert run(command(place, "interrupted")) == 0
    assert same(place / "alone", place / "interrupted")


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(place: Path, address: str, start: Start, tmp_path: Path) -> None:
    start("dask_scheduler", "--port", address.rpartition(":")[2], "--host", "127.0.0.1", "--no-dashboard")
    start("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--preload", dying_worker.__file__)
    assert run(command(place, "worker", "--cluster", address)) == 0
    assert (tmp_path / "death").exists()
    assert same(place / "alone", place / "worker")


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told_and_waited_for(
    place: Path, address: str, start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 5)
    start("dask_scheduler", "--port", address.rpartition(":")[2], "--host", "127.0.0.1", "--no-dashboard")

    class LateWorker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            start("dask_worker", address, "--nthreads", "1", "--no-dashboard")

    late = LateWorker()
    cluster.LOG.addHandler(late)
    try:
        assert run(command(place, "late", "--cluster", address)) == 0
    finally:
        cluster.LOG.removeHandler(late)
    assert caplog.messages == [f"--cluster {address}: the scheduler has no worker; waiting for one"]
    assert same(place / "alone", place / "late")


@pytest.mark.slow
def test_a_killed_scheduler_is_one_message_and_loses_nothing(
    place: Path,
    address: str,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = address.rpartition(":")[2]
    scheduler = start("dask_scheduler", "--port", port, "--host", "127.0.0.1", "--no-dashboard")
    worker = start("dask_worker", address, "--nthreads", "1", "--no-dashboard")
    write = PartFiles.write

    def last_before_the_scheduler_dies(files: PartFiles, part: object) -> None:
        write(files, part)
        scheduler.kill()
        scheduler.wait()

    with monkeypatch.context() as patch:
        patch.setattr(PartFiles, "write", last_before_the_scheduler_dies)
        assert run(command(place, "scheduler", "--cluster", address)) == 2
    worker.terminate()
    shown = capsys.readouterr().err
    assert f"--cluster {address}: the scheduler is gone" in shown
    assert "the same command goes on" in shown
    assert "Traceback" not in shown
    assert len(list((place / ".scheduler.unfinished" / "parts").glob("*.part"))) >= 1
    assert run(command(place, "scheduler")) == 0
    assert same(place / "alone", place / "scheduler")


@pytest.mark.parametrize("given", ["tcp://127.0.0.1:1", "nonsense", "nonsense://1:2"])
def test_an_address_without_a_scheduler_is_one_message(
    place: Path, given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 1)
    begun = time.monotonic()
    assert run(command(place, "nowhere", "--cluster", given)) == 2
    assert time.monotonic() - begun < 30
    shown = capsys.readouterr().err
    assert f"--cluster {given}: no Dask scheduler answers there" in shown
    assert "Traceback" not in shown
    assert not list(place.glob("*nowhere*"))


def test_local_workers_that_are_gone_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from motorpool.simulation.errors import ClusterError

    class Nobody:
        def nthreads(self) -> dict[str, int]:
            return {}

        def as_current(self) -> nullcontext[None]:
            return nullcontext()

    def not_yet(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("distributed.wait", not_yet)
    nobody: Any = Nobody()
    with pytest.raises(ClusterError, match="died and could not be started again"):
        cluster.DaskWorkers(nobody, cluster.LOCAL, cluster.PARTS).next_part(lambda share: None)


def test_without_dask_the_message_says_what_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(command(place, "nowhere", "--cluster", "local")) == 2
    assert 'pip install "motorpool[cluster]"' in capsys.readouterr().err


def test_a_worker_with_other_versions_is_refused() -> None:
    from motorpool.simulation.errors import ClusterError
    from motorpool.simulation.manifest import packages
    from motorpool.simulation.partition import DrawPlan

    task = next(DrawPlan(load_scenario(scenario()), 0, Kept(people=True, tally=False)).tasks())
    with pytest.raises(ClusterError, match=r"another motorpool, jax .* instead of 0\.0"):
        cluster.work(cluster.PARTS, task, "other code", {**packages(), "jax": "0.0"})
