"""Parts side by side in one process: the same bits as one after the other, and really at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import xarray as xr

from motorpool.simulation import workers
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.part import Part, Task, Tell
from motorpool.simulation.partition import Kept
from motorpool.simulation.run import InMemory, collect, simulate_parts
from motorpool.simulation.workers import ThisProcess
from tests.simulation.run_samples import scenario
from tests.support.made_up_parts import made_up_part

DRAWS = 4
ASKED = scenario(cohort__patients=8, horizon_months=3, uncertainty={"knowledge_draws": DRAWS})
PATIENCE_SECONDS = 60


def simulated(threads: int) -> tuple[xr.Dataset, list[float]]:
    """The dataset of the scenario, and the shares done that were told."""
    asked, parts, told = load_scenario(ASKED), InMemory(), list[float]()
    kept = Kept(people=True, tally=False)
    plans = simulate_parts(asked, kept, parts, ThisProcess(threads), lambda stage, share: told.append(share))
    return collect(asked, plans, parts), told


def test_any_number_of_threads_gives_the_same_bits() -> None:
    alone, _ = simulated(1)
    for threads in (2, 3):
        beside, told = simulated(threads)
        xr.testing.assert_identical(alone, beside)
        assert told == sorted(told) and told[-1] == 1.0


def test_parts_are_simulated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def waiting(task: Task, tell: Tell | None = None) -> Part:
        if task.draw in (1, 2):  # neither is done before the other has begun
            together.wait()
        return made_up_part(task, tell)

    monkeypatch.setattr(workers, "simulate_part", waiting)
    dataset, _ = simulated(2)
    assert dataset.sizes["draw"] == DRAWS


def test_a_part_that_cannot_be_simulated_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def failing(task: Task, tell: Tell | None = None) -> Part:
        begun.append(task.draw)
        if task.draw:
            raise ScenarioError.single("cohort", "nobody met the criteria")
        return made_up_part(task, tell)

    monkeypatch.setattr(workers, "simulate_part", failing)
    with pytest.raises(ScenarioError, match="nobody met the criteria"):
        simulated(2)
    assert begun[0] == 0


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 3), (8, 9)])
def test_one_part_waits_so_that_nobody_is_idle(threads: int, places: int) -> None:
    able: Any = ThisProcess(threads)
    assert able.places == places
