"""A run is cut into parts: the people are the same however it is cut, and every draw finds its parts in any order."""

from __future__ import annotations

import random

import numpy as np
import pytest

import motorpool
from motorpool.simulation import part, partition
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.part import Facts, Task
from motorpool.simulation.partition import DrawPlan, Kept
from tests.simulation.run_samples import scenario

KEPT = Kept(people=True, tally=True)


def plan(patients: int, **changes: object) -> DrawPlan:
    return DrawPlan(load_scenario(scenario(cohort__patients=patients, **changes)), 0, KEPT)


def pretend(task: Task, share: float) -> Facts:
    """What simulating a part would find where a share of all candidates fits."""
    if task.blocks is None:
        low, high = task.people or (0, task.scenario.cohort.patients)
        return Facts(high - low, 1, {}, float(high - low))
    first, stop = task.blocks
    found = int(stop * 128 * share) - int(first * 128 * share)
    people = found if task.at_most is None else min(found, task.at_most)
    return Facts(people, stop * 128, {"too old": (stop - first) * 128 - found}, float(people))


@pytest.mark.parametrize("share", [1.0, 0.3, 0.004])
@pytest.mark.parametrize("side_by_side", [1, 5])
def test_every_draw_is_completed_with_exactly_the_people_wanted(share, side_by_side):
    luck = random.Random(1)
    asked = plan(50_000)
    work: list[Task] = []
    while not asked.complete:
        for task in asked.tasks():
            if len(work) < side_by_side and task.number not in [other.number for other in work]:
                work.append(task)
        task = work.pop(luck.randrange(len(work)))
        asked.add(task.number, pretend(task, share))
    assert asked.people == 50_000
    assert list(asked.tasks()) == []
    blocks = [asked._blocks(number) for number in asked.in_order]
    assert all(earlier[1] == later[0] for earlier, later in zip(blocks, blocks[1:], strict=False))
    assert abs(asked.parts_expected - len(asked.in_order)) <= 1


def test_a_small_cohort_is_one_part():
    (task,) = plan(partition.PART_PEOPLE).tasks()
    assert task.blocks is None and task.people is None


def test_a_large_cohort_with_a_target_is_chosen_as_a_whole():
    targets = {"chop_intend": {"mean": 25.0, "sd": 8.0}}
    tasks = list(plan(partition.PART_PEOPLE + 5, cohort__baseline=targets).tasks())
    assert [task.people for task in tasks] == [(0, 8192), (8192, 8197)]


def test_parts_hold_fewer_people_where_arms_and_visits_are_many():
    assert plan(5).part_people == partition.PART_PEOPLE
    assert plan(5, horizon_months=600).part_people == 1024
    assert plan(5, horizon_months=960, visits_months={"every": 0.5}).part_people == 128


def test_a_cohort_that_nobody_fits_is_refused():
    asked = plan(50_000)
    with pytest.raises(ScenarioError, match="only 0 of the 50000 people needed were found among .*too old"):
        for _ in range(10):
            task = next(asked.tasks())
            asked.add(task.number, pretend(task, 0.0))


def test_people_are_the_same_however_the_run_is_cut(monkeypatch):
    asked = scenario(cohort__patients=700, horizon_months=3, uncertainty={"knowledge_draws": 2})
    whole = motorpool.simulate(asked).dataset
    for module in (partition, part):
        monkeypatch.setattr(module, "BLOCKS_TOGETHER", 1)
    cuts = []
    for people in (100, 300):
        monkeypatch.setattr(partition, "PART_PEOPLE", people)
        told: list[str] = []
        cuts.append(motorpool.simulate(asked, progress=lambda stage, share, told=told: told.append(stage)))
        assert len({stage for stage in told if ", part " in stage}) >= 4
    for cut in cuts:
        for name in whole.data_vars:
            first, second = whole[name].values, cut.dataset[name].values
            assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f"), name
    assert cuts[0].dataset.attrs == cuts[1].dataset.attrs
