"""The context of figures for a redraw: of the summary, only what is shown is worked out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext
from motorpool.simulation.layers import KNOWLEDGE, STATISTICS, Columns, exact_columns, together
from motorpool.simulation.plain import PlainResults, plain
from motorpool.simulation.summary import measures_of, select, summary_table
from motorpool.web.turns import checkpoint

if TYPE_CHECKING:
    import pandas as pd

MEAN = f"{KNOWLEDGE}.mean"
_Key = tuple[str, str | None, str | None]


class QuickContext(FigureContext):
    """As `FigureContext`, with the same numbers. A redraw shows a tenth of the summary, whose whole takes longer than
    the engine."""

    @cached_property
    def _plain(self) -> PlainResults:
        return plain(self.dataset)

    @cached_property
    def _parts(self) -> dict[_Key, Columns]:
        return {}

    def _part(self, kind: str, quantity: str | None, measure: str | None) -> Columns:
        key = (kind, quantity, measure)
        if key not in self._parts:
            checkpoint()
            wanted = measures_of(self._plain, kind, quantity)
            pieces = exact_columns(
                self._plain, (one for one in wanted if measure in (None, one.fixed["measure"]))
            )
            found = together(pieces)
            self._parts[key] = found if quantity is None else _where(found, quantity=quantity)
        return self._parts[key]

    def rows(self, **conditions: Any) -> pd.DataFrame:
        """Summary rows of one kind, quantity and measure that meet conditions, without empty columns."""
        import pandas as pd

        # Texts stay Python's own: a frame is small, and turning them into Arrow's takes longer than all else.
        found = self._found(conditions)
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=object) if values.dtype == object else values
                for name, values in found.items()
            }
        )

    def records(self, **conditions: Any) -> list[dict[str, Any]]:
        """The same rows as plain data: no frame is made."""
        found = self._found(conditions)
        rows = zip(*(values.tolist() for values in found.values()), strict=True)
        return [dict(zip(found, row, strict=True)) for row in rows]

    def _found(self, conditions: dict[str, Any]) -> Columns:
        key = (conditions.pop("kind"), conditions.pop("quantity"), conditions.pop("measure"))
        return {
            name: values
            for name, values in _where(self._part(*key), **conditions).items()
            if name not in STATISTICS or name == MEAN or not np.isnan(values).all()
        }

    def part(self, kind: str, measure: str | None = None) -> pd.DataFrame:
        """Summary rows of everything of one kind, and of one measure where it is named."""
        import pandas as pd

        return pd.DataFrame(self._part(kind, None, measure))

    @cached_property
    def last_visit(self) -> pd.DataFrame:
        """Summary rows of the last visit; what is measured in between is not looked at."""
        last = len(self.months) - 1
        ends = self.dataset.isel(visit_month=sorted({0, last}))
        return select(summary_table(ends), visit_month=self.months[last])


def _where(columns: Columns, **conditions: Any) -> Columns:
    keep = np.ones(len(columns["kind"]), dtype=bool)
    for name, value in conditions.items():
        keep &= np.asarray(columns[name] == value)
    return {name: values[keep] for name, values in columns.items()}
