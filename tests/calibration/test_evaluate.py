"""What was simulated is written down and used again: after an interruption, but never for another model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motorpool.calibration import evaluate as module
from motorpool.calibration.evaluate import Evaluation, Evaluator, Job
from motorpool.evidence.parameters import Value
from tests.calibration.toy import Pool

JOB = Job(("PNCR", "ENDEAR"), "calibration", patients=16)
SETS: list[dict[str, Value]] = [{"made.rate": 0.1}, {"made.rate": 0.2}, {"made.rates": (0.3, 0.4)}]


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the simulator: figures that tell the parameter set."""

    def evaluate(values: Mapping[str, Value], job: Job) -> Evaluation:
        first = float(np.sum(next(iter(values.values()))))
        scatter = np.array([first / 3.0, np.nan])
        return Evaluation(np.array([first, np.nan]), scatter, np.array([job.patients / 7.0, 0.0]))

    monkeypatch.setattr(module, "evaluate", evaluate)


def run(evaluator: Evaluator, sets: list[dict[str, Value]] = SETS) -> tuple[list[Evaluation], Pool]:
    pool: Any = Pool()
    return evaluator.run(sets, pool), pool


def assert_same(one: list[Evaluation], other: list[Evaluation]) -> None:
    for left, right in zip(one, other, strict=True):
        for field in dataclasses.fields(Evaluation):
            np.testing.assert_array_equal(getattr(left, field.name), getattr(right, field.name), strict=True)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "simulations.jsonl"


def test_a_second_evaluator_uses_what_the_first_one_wrote(record: Path):
    first, pool = run(Evaluator(JOB, "model A", record))
    assert len(pool.asked) == 3
    second, pool = run(Evaluator(JOB, "model A", record))
    assert pool.asked == []
    assert_same(first, second)
    assert [evaluation.values[0] for evaluation in second] == pytest.approx([0.1, 0.2, 0.7])
    assert np.isnan(second[0].values[1])


def test_results_are_in_the_order_of_the_sets_whatever_was_known(record: Path):
    run(Evaluator(JOB, "model A", record), [SETS[2]])
    found, pool = run(Evaluator(JOB, "model A", record), [SETS[1], SETS[2], SETS[0]])
    assert pool.asked == [SETS[1], SETS[0]]
    assert [evaluation.values[0] for evaluation in found] == pytest.approx([0.2, 0.7, 0.1])


def test_a_set_asked_for_twice_is_simulated_once(record: Path):
    found, pool = run(Evaluator(JOB, "model A", record), [SETS[0], SETS[0]])
    assert len(pool.asked) == 1
    assert_same(found[:1], found[1:])


def test_another_model_or_another_job_starts_anew(record: Path):
    run(Evaluator(JOB, "model A", record))
    _, pool = run(Evaluator(JOB, "model B", record))
    assert len(pool.asked) == 3
    _, pool = run(Evaluator(Job(JOB.studies, JOB.chosen, patients=32), "model A", record))
    assert len(pool.asked) == 3
    for identity in ("model A", "model B"):
        _, pool = run(Evaluator(JOB, identity, record))
        assert pool.asked == []


def test_each_set_may_meet_luck_of_its_own(record: Path):
    """The same set under other luck is another simulation, and is kept as one."""
    pool: Any = Pool()
    Evaluator(JOB, "model A", record).run([SETS[0], SETS[0], SETS[1]], pool, luck=[1, 2, 1])
    assert [job.luck for job in pool.jobs] == [1, 2, 1]
    again: Any = Pool()
    evaluator = Evaluator(JOB, "model A", record)
    evaluator.run([SETS[0], SETS[1]], again, luck=[2, 3])
    assert [job.luck for job in again.jobs] == [3]
    evaluator.run([SETS[0]], again)
    assert again.jobs[-1].luck is None


def test_a_line_that_was_cut_off_is_simulated_again_and_costs_nothing_after_it(record: Path):
    run(Evaluator(JOB, "model A", record))
    *whole, last = record.read_text().splitlines(keepends=True)
    record.write_text("".join(whole) + last[: len(last) // 2])
    found, pool = run(Evaluator(JOB, "model A", record))
    assert len(pool.asked) == 1
    assert [evaluation.values[0] for evaluation in found] == pytest.approx([0.1, 0.2, 0.7])
    # What was added after the broken line can be read.
    _, pool = run(Evaluator(JOB, "model A", record))
    assert pool.asked == []


def test_progress_counts_what_was_known(record: Path):
    run(Evaluator(JOB, "model A", record), SETS[:1])
    told: list[tuple[int, int]] = []
    pool: Any = Pool()
    Evaluator(JOB, "model A", record).run(SETS, pool, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_without_a_record_nothing_is_written(tmp_path: Path):
    evaluator = Evaluator(JOB, "model A")
    _, pool = run(evaluator)
    assert len(pool.asked) == 3
    _, pool = run(evaluator)
    assert pool.asked == []
    assert list(tmp_path.iterdir()) == []


def test_the_record_is_lines_of_json_without_numbers_that_json_does_not_know(record: Path):
    run(Evaluator(JOB, "model A", record))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    lines = [json.loads(line, parse_constant=refuse) for line in record.read_text().splitlines()]
    assert [line["values"][1] for line in lines] == [None] * 3
    assert {line["identity"] for line in lines} == {"model A"}
