"""A figure: one Vega-Lite specification per layout, with words, data and source.

A figure can be built in two layouts, wide for screens and paper, narrow for phones, from the same data by the
same code; a layout nobody asks for is never built.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from motorpool.figures.rendering import render_svg
from motorpool.figures.theme import theme_config

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

Spec = dict[str, Any]
_ROWS: ContextVar[dict[str, list[dict[str, Any]]]] = ContextVar("rows of the specification being built")


@dataclass(frozen=True)
class Layout:
    """How much room a figure has.

    Attributes:
        name: `wide` or `narrow`.
        width: drawing width in pixels without axes.
        columns: small multiples beside each other.
        legend_columns: legend entries beside each other.
    """

    name: str
    width: int
    columns: int
    legend_columns: int

    def panel_width(self, columns: int, gap: int = 58) -> int:
        """Drawing width of each of `columns` panels beside each other."""
        return max(90, math.floor((self.width - gap * (columns - 1)) / columns))


WIDE = Layout("wide", width=640, columns=3, legend_columns=2)
LEAD = Layout("wide", width=520, columns=3, legend_columns=2)  # beside the sentences of the first page
NARROW = Layout("narrow", width=262, columns=1, legend_columns=1)


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    Attributes:
        identifier: short id, unique in a report.
        title: a finding or a neutral statement.
        alt: what the picture shows, in words with numbers.
        caption: how to read it: what lines, bands and marks are, and who is counted.
        source: where the numbers come from.
        table: the data as a table.
        build: composes the specification for a layout.
    """

    identifier: str
    title: str
    alt: str
    caption: str
    source: str
    table: pd.DataFrame
    build: Callable[[Layout], Spec]

    @cached_property
    def spec(self) -> Spec:
        """Vega-Lite for screens and paper."""
        return specification(self.build, WIDE)

    @cached_property
    def narrow_spec(self) -> Spec:
        """Vega-Lite for phones."""
        return specification(self.build, NARROW)

    @cached_property
    def lead_spec(self) -> Spec:
        """Vega-Lite for the first page, where the picture stands beside the sentences."""
        return specification(self.build, LEAD)

    def svg(self, *, narrow: bool = False) -> str:
        """The picture as SVG text."""
        return render_svg(self.narrow_spec if narrow else self.spec)


def specification(build: Callable[[Layout], Spec], layout: Layout) -> Spec:
    """A whole specification, with its data and the common look, in one layout."""
    import altair
    from altair.utils.schemapi import debug_mode

    # Validating every intermediate object takes most of the time; the tests validate whole figures.
    rows: dict[str, list[dict[str, Any]]] = {}
    token = _ROWS.set(rows)
    try:
        with debug_mode(False):
            spec: Spec = {"$schema": altair.SCHEMA_URL, **build(layout)}
    finally:
        _ROWS.reset(token)
    spec["datasets"] = rows
    spec["config"] = theme_config(layout.name)
    spec["background"] = "transparent"
    return spec


def keep_rows(rows: list[dict[str, Any]]) -> alt.NamedData:
    """Keep rows for the specification being built and return a reference to them.

    Altair copies inline data with every layer and concatenation; named data are stored once.
    """
    import altair as alt

    text = json.dumps(rows, sort_keys=True)
    name = "rows-" + hashlib.sha256(text.encode()).hexdigest()[:12]
    _ROWS.get()[name] = rows
    return alt.NamedData(name=name)


def numbers(value: float, digits: int = 4) -> float | None:
    """A number short enough to embed; None when it is not a number."""
    return None if not math.isfinite(value) else float(f"{value:.{digits}g}")
