"""What a simulation returns: labelled arrays, where they came from, and how to keep them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class WrongNumbers:
    """People left out of all summaries, because a number of theirs was not finite or cannot be.

    Attributes:
        people: how many, over all draws.
        first: for the first of them: draw, person, arm, visit_month, quantity and value.
    """

    people: int = 0
    first: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Results:
    """The outcome of one run.

    Attributes:
        dataset: labelled results with dimensions arm, draw (knowledge), patient, visit_month and more.
        manifest: what is needed to repeat the run: versions, seed, hashes of inputs and of the parameter set.
        wrong: people left out, because their numbers went wrong.
    """

    dataset: xr.Dataset
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    wrong: WrongNumbers = WrongNumbers()

    @property
    def scenario(self) -> dict[str, Any]:
        """The effective scenario the run was made from."""
        return json.loads(self.dataset.attrs["scenario"])

    def summary_table(self) -> pd.DataFrame:
        """One row per quantity, measure, arm and visit; columns `layer.statistic` hold the numbers."""
        from motorpool.simulation.summary import summary_table

        return summary_table(self.dataset)

    def summary(self) -> pd.DataFrame:
        """Tidy summary; every row names the layer of uncertainty it describes."""
        from motorpool.simulation.summary import summarise

        return summarise(self.dataset)

    def save(self, directory: str | Path, *, finish: Callable[[Path], None] | None = None) -> Path:
        """Write everything into `directory`, which appears only when it is complete.

        Args:
            directory: new, empty, or an earlier results folder, which is replaced.
            finish: called with the temporary folder before it is renamed, to add further files.

        Raises:
            OutputFolderError: the folder holds something that is not a results folder.
        """
        from motorpool.simulation.store import save_results

        return save_results(self, Path(directory), finish=finish)


def load_results(directory: str | Path) -> Results:
    """Read a results folder.

    Raises:
        OutputFolderError: the folder is missing, unfinished or not a results folder.
    """
    from motorpool.simulation.store import read_results

    return read_results(Path(directory))
