"""Preloaded into a Dask worker: the first process of all that begins a second part dies of SIGKILL.

MOTORPOOL_TEST_DEATH names the file that remembers it. The first part is done in peace: Dask does not start a worker
again that died before its nanny knew that it had started.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from motorpool.simulation import cluster

work = cluster.work
begun: list[Any] = []


def dies_once(*arguments: Any) -> Any:
    begun.append(arguments)
    if len(begun) == 1:
        return work(*arguments)
    try:
        os.close(os.open(os.environ["MOTORPOOL_TEST_DEATH"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return work(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


def dask_setup(worker: Any) -> None:
    """Dask calls this when the worker starts."""
    cluster.work = dies_once
