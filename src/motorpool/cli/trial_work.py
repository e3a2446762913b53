"""Long work on designs at the command line: parts that an earlier attempt finished, and what is told of them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from motorpool.cli.console import say

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign


@contextmanager
def going_on(designs: Sequence[TrialDesign], **asked: Any) -> Generator[None]:
    """Keep finished parts while the work lasts; one that is interrupted goes on when the same is asked again.

    Args:
        asked: all that decides the work beside the designs, as plain data.
    """
    from motorpool.simulation.errors import ClusterError
    from motorpool.trials.design import dump_design
    from motorpool.trials.unfinished import unfinished_work

    with unfinished_work({"designs": [dump_design(one) for one in designs], **asked}) as work:
        if work.earlier:
            say(f"{work.earlier} parts that an earlier attempt finished are kept; going on with them.")
        try:
            yield
        except (KeyboardInterrupt, OSError, MemoryError, ClusterError):
            if work.kept:
                say("Finished parts are kept: the same command goes on with them.")
            raise
