"""Running the calibration studies at many parameter sets, in one process per core, and keeping what was run.

XLA's own threads help little on programs of many small steps; a process per core, each held to its core, does twice
the work. Every finished evaluation is written down at once, so that an interrupted calibration goes on where it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.parameters import Value, load_parameter_table
from motorpool.evidence.study_sets import StudySet
from motorpool.simulation.api import keep_compiled_programs

if TYPE_CHECKING:
    from motorpool.studies.study import Study

Array = NDArray[np.float64]
PARENT_CHECK_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker is asked: endpoints of these studies, so many people per arm, so many replicate studies.

    luck: the seed of the people and of all that happens to them; ``None`` for each study's own.
    """

    studies: tuple[str, ...]
    chosen: StudySet
    patients: int
    count: int = 0
    luck: int | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Predictions at one parameter set: values (T,), NaN where nothing could be predicted; sampling SD of studies of
    the published size (T,); effective number of people (T,)."""

    values: Array
    sampling_sd: Array
    effective_people: Array


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def hold_to_a_core(counter: Any) -> None:
    """Start of a worker: take one core for oneself and share the compiled programs."""
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[number % len(allowed)]})
    keep_compiled_programs()


def _end_with_parent(parent: int) -> None:
    """End this worker when the process that started it is gone, however it ended."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


@contextlib.contextmanager
def worker_pool(workers: int | None = None) -> Generator[ProcessPoolExecutor]:
    """Processes held to one core each; what still waits is given up when the work is interrupted."""
    context = multiprocessing.get_context("spawn")
    counter = context.Value("i", 0)
    pool = ProcessPoolExecutor(
        workers or cores(), mp_context=context, initializer=hold_to_a_core, initargs=(counter,)
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def evaluate(values: Mapping[str, Value], job: Job) -> Evaluation:
    """Predict every target of the job at these parameter values (in this process)."""
    from motorpool.calibration.targets import targets_of
    from motorpool.simulation.model import draw_of_values
    from motorpool.studies.predict import predict_all
    from motorpool.studies.study import load_study, with_seed

    def study_of(name: str) -> Study:
        study = load_study(name)
        return study if job.luck is None else with_seed(study, job.luck)

    table = load_parameter_table()
    draw = draw_of_values({**table.central_values(), **values}, table)
    targets = [t for name in job.studies for t in targets_of(load_study(name), job.chosen)]
    wanted: dict[str, Any] = {}
    for target in targets:
        wanted.setdefault(target.study, (study_of(target.study), []))[1].append(target.endpoint)
    found = predict_all(wanted, draw, patients=job.patients, count=job.count)
    nothing = np.nan
    predictions = [found.get(target.name) for target in targets]
    return Evaluation(
        np.array([nothing if p is None else p.value for p in predictions]),
        np.array([nothing if p is None or not job.count else _finite_sd(p.replicates) for p in predictions]),
        np.array([0.0 if p is None else p.effective_people for p in predictions]),
    )


def _finite_sd(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.std(finite)) if finite.size > 1 else float("nan")


class Evaluator:
    """Evaluates parameter sets in parallel, and remembers them in a file of JSON lines.

    Args:
        job: what is predicted.
        identity: hash of model and targets; evaluations made under another one are not reused.
        record: where finished evaluations are written; ``None`` keeps them in memory alone.
    """

    def __init__(self, job: Job, identity: str, record: Path | None = None) -> None:
        """Read what was evaluated before."""
        self.job, self.identity, self.record = job, identity, record
        self.known: dict[str, Evaluation] = {}
        if record is not None and record.exists():
            for line in record.read_text().splitlines():
                entry = _read_line(line)
                if entry is not None and entry["identity"] == identity:
                    self.known[entry["key"]] = Evaluation(
                        *(
                            np.array(entry[name], float)
                            for name in ("values", "sampling_sd", "effective_people")
                        )
                    )

    def run(
        self,
        sets: Sequence[Mapping[str, Value]],
        pool: ProcessPoolExecutor,
        tell: Callable[[int, int], None] = lambda done, of: None,
        luck: Sequence[int] | None = None,
    ) -> list[Evaluation]:
        """Evaluate these parameter sets, in order.

        Args:
            tell: called with how many are done, and of how many.
            luck: a seed for each set; all meet the same luck, that of the job, without it.
        """
        seeds: Sequence[int | None] = [self.job.luck] * len(sets) if luck is None else luck
        jobs = [dataclasses.replace(self.job, luck=seed) for seed in seeds]
        keys = [_key(values, job) for values, job in zip(sets, jobs, strict=True)]
        asked = zip(keys, sets, jobs, strict=True)
        waiting = {key: (values, job) for key, values, job in asked if key not in self.known}
        done = len(sets) - len(waiting)
        tell(done, len(sets))
        futures = {pool.submit(evaluate, *work): key for key, work in waiting.items()}
        for future in as_completed(futures):
            self._keep(futures[future], future.result())
            done += 1
            tell(done, len(sets))
        return [self.known[key] for key in keys]

    def _keep(self, key: str, evaluation: Evaluation) -> None:
        self.known[key] = evaluation
        if self.record is None:
            return
        fields = {name: _plain(array) for name, array in dataclasses.asdict(evaluation).items()}
        # A line that an interruption cut off is closed first, or this one would be lost with it.
        text = "\n" if _is_cut_off(self.record) else ""
        with self.record.open("a") as file:
            file.write(text + json.dumps({"identity": self.identity, "key": key, **fields}) + "\n")


def _key(values: Mapping[str, Value], job: Job) -> str:
    text = json.dumps([sorted(values.items()), dataclasses.astuple(job)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(array: Array) -> list[float | None]:
    """Every digit, so that an interrupted calibration goes on as if it had not been; none for what is no number."""
    return [float(x) if np.isfinite(x) else None for x in array]


def _is_cut_off(record: Path) -> bool:
    """Whether the last line of the record lacks its end."""
    if not record.exists() or record.stat().st_size == 0:
        return False
    with record.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _read_line(line: str) -> dict[str, Any] | None:
    """An entry of the record; ``None`` for a line that was cut off while it was written."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
