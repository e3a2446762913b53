"""However a run is ended, the same command goes on with it and ends with the same bits."""

from __future__ import annotations

import filecmp
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from motorpool.cli.main import run
from tests.simulation.run_samples import scenario
from tests.support import struck

SMALL = {"cohort__patients": 12, "horizon_months": 3, "uncertainty": {"knowledge_draws": 3}}
PARTS = 3
FILES = ("motorpool.simulation.files", "flush")
WRITE = ("motorpool.simulation.part_files", "PartFiles.write")
NAME = ("motorpool.simulation.kept_run", "put_in_place")
CLOSE = ("motorpool.simulation.part_files", "PartFiles.close")
CHECKOUT = Path(__file__).resolve().parents[2]


def same(first: Path, second: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    others = sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    return names == others and filecmp.cmpfiles(first, second, names, shallow=False)[0] == names


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario file, and the results of an undisturbed run in `undisturbed`."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "small.yaml").write_text(yaml.safe_dump(scenario(**SMALL)), encoding="utf-8")
    assert run(command(folder, "undisturbed")) == 0
    return folder


def command(folder: Path, out: str) -> list[str]:
    return ["simulate", str(folder / "small.yaml"), "--out", str(folder / out), "--no-report"]


def child(
    folder: Path, out: str, strike: tuple[str, ...], **options: object
) -> subprocess.CompletedProcess[str]:
    """The same command in a process of its own that is struck."""
    paths = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
    arguments = [sys.executable, struck.__file__, *strike, *command(folder, out)]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=300, check=False, **options
    )


def parts_of(folder: Path, out: str) -> list[str]:
    return sorted(path.name for path in (folder / f".{out}.unfinished" / "parts").iterdir())


KILLS = {
    "after_the_first_part": (*WRITE, "1", "after"),
    "while_a_part_is_written": (*FILES, "4", "before"),
    "before_the_last_part": (*WRITE, str(PARTS), "before"),
    "before_the_results_have_their_name": (*NAME, "1", "before"),
    "before_tidying_up": (*CLOSE, "1", "before"),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", KILLS)
def test_a_killed_run_goes_on_and_ends_with_the_same_bits(place: Path, moment: str) -> None:
    ended = child(place, moment, (*KILLS[moment], "SIGKILL"))
    assert ended.returncode == -signal.SIGKILL
    assert (place / moment).exists() == (moment == "before_tidying_up")
    kept = parts_of(place, moment)
    assert kept
    before = {name: (place / f".{moment}.unfinished" / "parts" / name).stat().st_mtime_ns for name in kept}
    assert len([name for name in before if name.endswith(".part")]) == {
        "before_the_last_part": PARTS - 1
    }.get(moment, 1 if "part" in moment else PARTS)
    assert run(command(place, moment)) == 0
    assert same(place / "undisturbed", place / moment)
    assert not (place / f".{moment}.unfinished").exists()


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(place: Path) -> None:
    ended = child(place, "interrupted", (*WRITE, "1", "after", "SIGINT"))
    assert ended.returncode == 130
    assert "Finished parts of the run are kept: the same command goes on with them." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(parts_of(place, "interrupted")) == 1
    assert run(command(place, "interrupted")) == 0
    assert same(place / "undisturbed", place / "interrupted")


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_loses_nothing(place: Path) -> None:
    ended = child(place, "full", (*FILES, "5", "before", "FULL"))
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr and ".part" in ended.stderr
    assert "the same command goes on" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert all(name.endswith(".part") for name in parts_of(place, "full"))
    assert run(command(place, "full")) == 0
    assert same(place / "undisturbed", place / "full")


@pytest.mark.slow
def test_files_that_cannot_grow_are_never_kept_in_part(place: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    ended = child(place, "short", (*CLOSE, "9", "after", "SIGKILL"), preexec_fn=limit)
    assert ended.returncode == 1
    assert "File too large" in ended.stderr
    assert not (place / "short").exists()
    assert run(command(place, "short")) == 0
    assert same(place / "undisturbed", place / "short")
