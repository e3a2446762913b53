"""Simulates parts, of a run or of replicate trials, on many machines, through Dask.

The scheduler hands parts to its workers; this process keeps what comes back. A part that a dying worker had is given
to another one. Where the scheduler dies the run ends, and the same command later goes on with the parts that are kept.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from motorpool.simulation.api import keep_compiled_programs
from motorpool.simulation.errors import ClusterError
from motorpool.simulation.identity import code_digest
from motorpool.simulation.manifest import packages
from motorpool.simulation.part import Part, Task, Tell, simulate_part
from motorpool.simulation.part_bytes import from_bytes, to_bytes

if TYPE_CHECKING:
    from distributed import Client

LOG = logging.getLogger(__name__)
TaskT = TypeVar("TaskT")
LOCAL = "local"
PARTS_FOR_EACH_THREAD = 2  # one in work and one waiting, so that nobody is idle
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Job(Generic[TaskT]):
    """What workers do with a task, and a digest of the code that decides the bits; both by name on every machine."""

    simulate: Callable[[TaskT], Part]
    code: Callable[[], str]


PARTS: Job[Task] = Job(simulate_part, code_digest)


@contextmanager
def cluster_workers(address: str, job: Job[TaskT]) -> Generator[DaskWorkers[TaskT]]:
    """Workers behind the scheduler at an address, or on this machine's cores for `local`.

    Args:
        address: of the scheduler, or `local`.
        job: what the workers do; :data:`PARTS` for the parts of a run.

    Raises:
        ClusterError: Dask is not installed, or nothing answers at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        message = '--cluster needs Dask: pip install "motorpool[cluster]"'
        raise ClusterError(message) from error
    # What goes wrong with the cluster is told in our own words.
    for name in ("distributed.client", "distributed.nanny", "distributed.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if address == LOCAL:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        options: dict[str, Any] = {
            "threads_per_worker": 1,
            "dashboard_address": None,
            "preload": [__name__],
            "silence_logs": logging.CRITICAL,
        }
        with LocalCluster(n_workers=cores or 1, **options) as cluster, Client(cluster) as client:
            yield DaskWorkers(client, address, job)
        return
    try:
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        message = (
            f"--cluster {address}: no Dask scheduler answers there; give its address, such as "
            "tcp://10.0.0.5:8786, or local"
        )
        raise ClusterError(message) from error
    with client:
        yield DaskWorkers(client, address, job)


def dask_setup(worker: Any) -> None:
    """Prepare a worker that was started for `local`; Dask calls this in each of them.

    It gets one core of its own, and leaves Ctrl-C to the process that started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.name) % len(cores)]})


class DaskWorkers(Generic[TaskT]):
    """The workers of a Dask scheduler."""

    def __init__(self, client: Client, address: str, job: Job[TaskT]) -> None:
        """Begin with nothing to do."""
        self._client: Any = client
        self._address = address
        self._job = job
        self._waiting: set[Any] = set()
        self._told_of_nobody = False

    @property
    def places(self) -> int:
        """How many parts may be waiting or in work at once."""
        with self._scheduler_needed():
            return PARTS_FOR_EACH_THREAD * max(1, sum(self._client.nthreads().values()))

    def submit(self, task: TaskT) -> None:
        """Take on a part."""
        with self._scheduler_needed():
            given = (self._job, task, self._job.code(), packages())
            self._waiting.add(self._client.submit(work, *given, pure=False))

    def next_part(self, tell: Tell) -> Part:
        """Wait until one of the parts taken on is done.

        Raises:
            ClusterError: the scheduler is gone, or workers cannot do the part.
        """
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            done = self._first_done()
            self._waiting.remove(done)
            part = from_bytes(done.result(), "")
        except CancelledError as error:
            raise self._gone from error
        except KilledWorker as error:
            message = f"--cluster {self._address}: several workers died over the same part; they may need more memory."
            raise ClusterError(message) from error
        assert part is not None
        return part

    def _first_done(self) -> Any:
        """Wait for the first of the parts, however long; a queue may take hours to start a worker."""
        from distributed import wait

        while True:
            try:
                with self._client.as_current():
                    return wait(self._waiting, PATIENCE_SECONDS, return_when="FIRST_COMPLETED").done.pop()
            except TimeoutError:
                self._tell_of_nobody()

    def _tell_of_nobody(self) -> None:
        """Say once that a scheduler has no worker; on this machine nobody would start another.

        Raises:
            ClusterError: the workers of `local` are gone.
        """
        with self._scheduler_needed():
            nobody = not self._client.nthreads()
        if nobody and self._address == LOCAL:
            message = "--cluster local: the workers on this machine died and could not be started again"
            raise ClusterError(message)
        if nobody and not self._told_of_nobody:
            LOG.warning("--cluster %s: the scheduler has no worker; waiting for one", self._address)
        self._told_of_nobody = nobody

    @property
    def _gone(self) -> ClusterError:
        return ClusterError(f"--cluster {self._address}: the scheduler is gone.")

    @contextmanager
    def _scheduler_needed(self) -> Generator[None]:
        from concurrent.futures import CancelledError

        try:
            yield
        except (CancelledError, OSError, ValueError) as error:  # a lost connection shows in each of these
            raise self._gone from error


def work(job: Job[TaskT], task: TaskT, code: str, versions: dict[str, str]) -> bytes:
    """Simulate a part on a worker, and pack it for the way back.

    Raises:
        ClusterError: the worker's code or packages are not those of the process that asks.
    """
    theirs = packages()
    unlike = [
        f"{name} {theirs[name]} instead of {versions[name]}"
        for name in versions
        if theirs[name] != versions[name]
    ]
    if code != job.code():
        unlike.insert(0, "another motorpool")
    if unlike:
        message = f"--cluster: a worker has {', '.join(unlike)}; install the same versions everywhere"
        raise ClusterError(message)
    keep_compiled_programs()
    return to_bytes(job.simulate(task), "")
