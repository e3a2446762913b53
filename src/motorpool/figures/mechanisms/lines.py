"""Line charts of functions: small panels beside each other, one legend each, the same look as the report's figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import balanced, data_of, layered, panel_title, side_by_side
from motorpool.figures.theme import ARM_COLOURS, ARM_DASHES, COMPARATOR_COLOUR, COMPARATOR_DASH, LINE_BREAK

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "Computed with the model's own functions."
PANEL_HEIGHT = 190
POINTS = 121  # places on every horizontal axis: one number, so that the model's functions are compiled once
Values = Any  # numbers of any array library, or a sequence of them


@dataclasses.dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        title: what it shows.
        x: title of the axis and values (N,).
        y: title of the axis.
        lines: name of a line to its values (N,).
        quiet: names of lines that are only there to compare with; grey and dashed.
        y_domain: limits of the axis; by default from zero.
        logarithmic: whether the vertical axis is logarithmic.
    """

    title: str
    x: tuple[str, Values]
    y: str
    lines: Mapping[str, Values]
    quiet: tuple[str, ...] = ()
    y_domain: tuple[float, float] | None = None
    logarithmic: bool = False

    def frame(self) -> pd.DataFrame:
        """The panel's numbers, one row per line and place."""
        import pandas as pd

        x = np.asarray(self.x[1], dtype=float)
        parts = [
            pd.DataFrame({"line": name, "x": x, "y": np.asarray(values, dtype=float)})
            for name, values in self.lines.items()
        ]
        return pd.concat(parts, ignore_index=True)


def line_figure(identifier: str, title: str, caption: str, panels: Sequence[Panel]) -> Figure:
    """A figure of panels beside each other, with its numbers as a table and its words for those who cannot see it."""
    import pandas as pd

    frames = [panel.frame() for panel in panels]
    tables = [
        frame.rename(columns={"line": "Line", "y": "Value"}).assign(Panel=panel.title)
        for panel, frame in zip(panels, frames, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)[["Panel", "Line", "x", "Value"]]

    def build(layout: Layout) -> Spec:
        columns = balanced(len(panels), 2 if layout.name == "wide" else 1)
        width = layout.panel_width(columns, gap=84)
        drawn = [_axes(panel, frame, width) for panel, frame in zip(panels, frames, strict=True)]
        if len(drawn) == 1:
            return drawn[0]
        whole = side_by_side(drawn, columns=columns, spacing=30)
        return whole | {"resolve": {"scale": {"color": "independent", "strokeDash": "independent"}}}

    return Figure(
        build=build,
        identifier=identifier,
        title=title,
        alt=f"{title}. " + " ".join(_words(panel) for panel in panels),
        caption=caption,
        source=SOURCE,
        table=table,
    )


def _words(panel: Panel) -> str:
    """A panel in words: where each line begins, lies half-way, and ends."""
    x = np.asarray(panel.x[1], dtype=float)
    unit = panel.x[0].replace(LINE_BREAK, " ")
    parts: list[str] = []
    for name, values in panel.lines.items():
        y = np.asarray(values, dtype=float)
        places = (0, len(y) // 2, len(y) - 1)
        parts.append(f"{name}: " + ", ".join(f"{y[place]:.3g} at {x[place]:.3g}" for place in places))
    return f"{panel.title} ({panel.y.replace(LINE_BREAK, ' ')} against {unit}): {'; '.join(parts)}."


def _axes(panel: Panel, frame: pd.DataFrame, width: int) -> Spec:
    import altair as alt

    names = list(panel.lines)
    loud = [name for name in names if name not in panel.quiet]
    colours = {name: ARM_COLOURS[place % len(ARM_COLOURS)] for place, name in enumerate(loud)}
    dashes = {name: ARM_DASHES[place % len(ARM_DASHES)] for place, name in enumerate(loud)}
    legend = alt.Legend(title=None, columns=1, labelLimit=0, symbolSize=160) if len(names) > 1 else None
    kind = "log" if panel.logarithmic else "linear"
    scale = alt.Scale(type=kind, zero=not panel.logarithmic)
    if panel.y_domain is not None:
        scale = alt.Scale(type=kind, domain=list(panel.y_domain), nice=False)
    axis = alt.Axis(format="~g", tickCount=5) if panel.logarithmic else alt.Axis()
    x = np.asarray(panel.x[1], dtype=float)
    chart = (
        alt.Chart()
        .mark_line(clip=True)
        .encode(
            x=alt.X(
                "x:Q", title=panel.x[0], scale=alt.Scale(domain=[float(x.min()), float(x.max())], nice=False)
            ),
            y=alt.Y("y:Q", title=panel.y, scale=scale, axis=axis),
            color=alt.Color(
                "line:N",
                legend=legend,
                scale=alt.Scale(domain=names, range=[colours.get(name, COMPARATOR_COLOUR) for name in names]),
            ),
            strokeDash=alt.StrokeDash(
                "line:N",
                legend=legend,
                scale=alt.Scale(domain=names, range=[dashes.get(name, COMPARATOR_DASH) for name in names]),
            ),
        )
    )
    heading = panel_title(panel.title, width + 40, 13)
    return layered([chart], data=data_of(frame), width=width, height=PANEL_HEIGHT, title=heading)
