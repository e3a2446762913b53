"""Long runs: nothing is lost when the server is struck, and what they find is what the command line finds."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from motorpool.simulation.loading import scenario_from_data
from motorpool.simulation.scenario import Scenario
from motorpool.web.job_store import JobStore
from motorpool.web.jobs import Jobs

PATIENCE = 300.0  # a machine with much to do takes its time


@pytest.fixture
def scenario() -> Scenario:
    return scenario_from_data(
        {
            "motorpool": 1,
            "name": "small",
            "title": "A small run",
            "cohort": {"patients": 32, "smn2_copies": 2, "enrolment": {"age_months": 6}},
            "arms": {"none": {"therapies": []}, "drug": {"therapies": [{"therapy": "nusinersen"}]}},
            "horizon_months": 6,
            "visits_months": {"every": 6},
            "outcomes": ["chop_intend"],
            "uncertainty": {"knowledge_draws": 3},
        }
    )


def until(condition: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"waited for {what} in vain"
        time.sleep(0.05)


def test_a_run_goes_on_after_its_server_was_struck(tmp_path: Path, scenario: Scenario) -> None:
    first = Jobs(JobStore(tmp_path), most_open=2)
    first.start()
    job = first.submit(scenario)
    assert job is not None
    until(lambda: first._process is not None, "the process")
    process = first._process
    assert process is not None
    first._ending.set()  # the server is gone: nothing of it writes any more
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    first.stop()
    left = JobStore(tmp_path).get(job.id)
    assert left is not None
    assert left.state == "running"

    second = Jobs(JobStore(tmp_path), most_open=2)
    second.start()
    try:
        until(
            lambda: (found := second.store.get(job.id)) is not None and found.state in ("done", "failed"),
            "the end",
        )
        ended = second.store.get(job.id)
        assert ended is not None
        assert (ended.state, ended.share) == ("done", 1.0), ended.message
        results = second.file(ended, "results.json")
        assert results is not None
        kept = json.loads(results.read_text(encoding="utf-8"))
        assert kept["scenario"] == scenario.model_dump(mode="json", exclude_none=True)
        assert second.file(ended, "report.html") is not None
        assert second.remove(ended)
        assert not second.store.place(job.id).exists()
    finally:
        second.stop()


def test_jobs_wait_are_cancelled_and_go_on(tmp_path: Path, scenario: Scenario) -> None:
    jobs = Jobs(JobStore(tmp_path), most_open=2)  # not started: everything waits
    one, two = jobs.submit(scenario), jobs.submit(scenario)
    assert one is not None
    assert two is not None
    assert jobs.submit(scenario) is None
    assert not jobs.remove(one)
    assert jobs.cancel(one)
    assert not jobs.cancel(one)
    assert jobs.resume(one)
    taken = jobs.store.take()
    assert taken is not None
    assert taken.id == one.id
    assert jobs.cancel(two)
    assert jobs.remove(two) is False or jobs.store.get(two.id) is None
    jobs.stop()


def test_time_left_is_told_once_it_can_be(tmp_path: Path, scenario: Scenario) -> None:
    jobs = Jobs(JobStore(tmp_path), most_open=2)
    job = jobs.submit(scenario)
    assert job is not None
    running = jobs.store.take()
    assert running is not None
    assert running.seconds_left is None
    jobs.store.change(job.id, ("running",), share=0.25, began=time.time() - 10)
    later = jobs.store.get(job.id)
    assert later is not None
    assert later.seconds_left == pytest.approx(30, rel=0.05)
    jobs.stop()
