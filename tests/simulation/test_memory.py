"""Runs leave nothing behind in memory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import motorpool
from motorpool.simulation import kept_run
from motorpool.simulation.loading import load_scenario
from tests.simulation.run_samples import scenario

RUNS = 200
WARM = 40
MOST_GROWTH = 16e6  # bytes; a tenth of a megabyte a run would show


@pytest.fixture(autouse=True)
def earlier_objects_are_not_searched() -> Iterator[None]:
    """What earlier tests of this process keep would be gone through at every collection, which takes minutes in all."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_many_runs_in_one_process_keep_memory_flat() -> None:
    small = scenario(cohort__patients=4, horizon_months=1, visits_months={"every": 1})
    after: list[int] = []
    for seed in range(RUNS):
        motorpool.simulate(small, seed=seed % 7).summary()
        if seed >= WARM:
            after.append(resident_bytes())
    first, last = min(after[:20]), min(after[-20:])
    assert last - first < MOST_GROWTH, f"{(last - first) / 1e6:.0f} MB more after {len(after)} runs"


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_people(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.support.made_up_parts import made_up_part

    monkeypatch.setattr("motorpool.simulation.workers.simulate_part", made_up_part)
    used: list[int] = []

    def watch(stage: str, share: float) -> None:
        used.append(resident_bytes())

    asked = load_scenario(scenario(cohort__patients=400_000))
    done = kept_run.keep_run(asked, tmp_path / "large", progress=watch)
    assert done.large
    parts = len(used) // 2
    early, late = max(used[parts // 4 : parts // 2]), max(used[-parts // 4 :])
    assert late - early < 4 * MOST_GROWTH, f"{(late - early) / 1e6:.0f} MB more in later parts"
