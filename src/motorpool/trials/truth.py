"""What is true in a simulated trial: the model's own effect, none, another size of effect, or a drift of the times."""

from __future__ import annotations

import dataclasses
from typing import Literal

Kind = Literal["model", "null", "drift", "share", "cells"]


@dataclasses.dataclass(frozen=True)
class Truth:
    """The truth under which replicates are drawn.

    model: the arms as the model simulates them. null: every arm has the control's lives. drift: null, and people who
    enter a year later have a course better by `value` points. share: a share `value` of the treated respond as the
    model says and the others have the control's lives. cells: cell therapy has the total effect `value`, as a
    standardised difference over a year, through the model.
    """

    kind: Kind = "model"
    value: float = 0.0

    @property
    def words(self) -> str:
        """The truth in words, for tables."""
        return {
            "model": "the model's effect",
            "null": "no effect",
            "drift": f"no effect, and times that change by {self.value:g} points a year",
            "share": f"{100 * self.value:g} % of the treated respond",
            "cells": f"cells with a standardised effect of {self.value:g}",
        }[self.kind]

    @property
    def is_null(self) -> bool:
        """Whether treated and control have the same lives."""
        return self.kind in ("null", "drift") or (self.kind == "share" and self.value == 0.0)

    @property
    def cells_effect(self) -> float | None:
        """The effect of cells that the pool must be simulated with; None for the file's."""
        return self.value if self.kind == "cells" else None


MODEL, NULL = Truth("model"), Truth("null")
