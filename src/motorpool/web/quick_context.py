"""The context of figures for a redraw: of the summary, only what is shown is worked out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext
from motorpool.simulation.layers import STATISTICS
from motorpool.simulation.summary import select, summary_part, summary_table

if TYPE_CHECKING:
    import pandas as pd

_Key = tuple[str, str | None, str | None]


class QuickContext(FigureContext):
    """As `FigureContext`, with the same numbers. A redraw shows a tenth of the summary, whose whole takes longer than
    the engine."""

    @cached_property
    def _parts(self) -> dict[_Key, pd.DataFrame]:
        return {}

    def _part(self, kind: str, quantity: str | None, measure: str | None) -> pd.DataFrame:
        key = (kind, quantity, measure)
        if key not in self._parts:
            self._parts[key] = summary_part(self.dataset, kind, quantity, measure)
        return self._parts[key]

    def rows(self, **conditions: Any) -> pd.DataFrame:
        """Summary rows of one kind, quantity and measure that meet conditions, without empty columns."""
        key = (conditions.pop("kind"), conditions.pop("quantity"), conditions.pop("measure"))
        found = select(self._part(*key), **conditions)
        empty = [name for name in STATISTICS if found[name].isna().all() and name != "knowledge.mean"]
        return found.drop(columns=empty)

    def part(self, kind: str, measure: str | None = None) -> pd.DataFrame:
        """Summary rows of everything of one kind, and of one measure where it is named."""
        return self._part(kind, None, measure)

    @cached_property
    def last_visit(self) -> pd.DataFrame:
        """Summary rows of the last visit; what is measured in between is not looked at."""
        last = len(self.months) - 1
        ends = self.dataset.isel(visit_month=sorted({0, last}))
        return select(summary_table(ends), visit_month=self.months[last])
