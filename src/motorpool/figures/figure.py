"""A figure: one Vega-Lite specification per layout, with words, data and source.

Figures are built twice, wide for screens and paper, narrow for phones, from the same data by the same code.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
        spec: Vega-Lite for screens and paper.
        narrow_spec: Vega-Lite for phones.
    """

    identifier: str
    title: str
    alt: str
    caption: str
    source: str
    table: pd.DataFrame
    spec: Spec
    narrow_spec: Spec

    def svg(self, *, narrow: bool = False) -> str:
        """The picture as SVG text."""
        return render_svg(self.narrow_spec if narrow else self.spec)


def make_figure(
    build: Callable[[Layout], Spec],
    *,
    identifier: str,
    title: str,
    alt: str,
    caption: str,
    source: str,
    table: pd.DataFrame,
) -> Figure:
    """Build both layouts of a figure from `build`, which composes a specification for a layout."""

    import altair
    from altair.utils.schemapi import debug_mode

    def specification(layout: Layout) -> Spec:
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

    return Figure(
        identifier=identifier,
        title=title,
        alt=alt,
        caption=caption,
        source=source,
        table=table,
        spec=specification(WIDE),
        narrow_spec=specification(NARROW),
    )


def keep_rows(rows: list[dict[str, Any]]) -> alt.NamedData:
    """Keep rows for the specification being built and return a reference to them.

    Altair copies inline data with every layer and concatenation; named data are stored once.
    """
    import altair as alt

    text = json.dumps(rows, sort_keys=True)
    name = "rows-" + hashlib.sha256(text.encode()).hexdigest()[:12]
    _ROWS.get()[name] = rows
    return alt.NamedData(name=name)


@lru_cache(maxsize=1)
def vega_lite_version() -> str:
    """The Vega-Lite version figures are written in, as the renderer names it."""
    import altair
    import vl_convert

    wanted = altair.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
    known: list[str] = vl_convert.get_vegalite_versions()
    return wanted if wanted in known else known[-1]


def render_svg(spec: Spec) -> str:
    """Render Vega-Lite to SVG without a browser or network."""
    import vl_convert

    return vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version())


def numbers(value: float, digits: int = 4) -> float | None:
    """A number short enough to embed; None when it is not a number."""
    return None if not math.isfinite(value) else float(f"{value:.{digits}g}")
