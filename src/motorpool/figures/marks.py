"""Pieces of charts that several figures share: arm scales, bands, lines and direct words on axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from motorpool.figures.figure import Layout, Spec, keep_rows, numbers
from motorpool.figures.theme import FULL_BANDS, INK, LINE_BREAK, ArmStyle

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def leaf(chart: Any) -> Spec:
    """A finished unit chart as a specification that can be put into another."""
    spec: Spec = chart.to_dict(validate=False)
    for key in ("$schema", "config", "datasets"):
        spec.pop(key, None)
    if spec.get("data") in (None, {"name": "empty"}):  # Altair's mark for a chart that inherits its data
        spec.pop("data", None)
    return spec


def layered(layers: Sequence[Any], *, data: Any = None, **properties: Any) -> Spec:
    """Charts drawn over each other. Composed as plain specifications: Altair's own composition copies every
    part."""
    spec: Spec = {"layer": [layer if isinstance(layer, dict) else leaf(layer) for layer in layers]}
    if data is not None:
        spec["data"] = data.to_dict()
    return spec | properties


def unit(chart: Any, **properties: Any) -> Spec:
    """One chart with size and title."""
    return leaf(chart) | properties


def side_by_side(panels: Sequence[Spec], *, columns: int, spacing: int, shared_y: bool = False) -> Spec:
    """Panels in rows of `columns`."""
    spec: Spec = {"concat": list(panels), "columns": columns, "spacing": spacing}
    return spec | ({"resolve": {"scale": {"y": "shared"}}} if shared_y else {})


def above(panels: Sequence[Spec], *, spacing: int) -> Spec:
    """Panels above each other."""
    return {"vconcat": list(panels), "spacing": spacing}


def balanced(count: int, most: int) -> int:
    """Columns for `count` panels in rows of at most `most`, without a nearly empty last row."""
    return -(-count // -(-count // most))


def panel_title(text: str, width: int, size: int = 12, *, bold: bool = True, **more: Any) -> Spec:
    """A panel's title, broken into lines that fit its width in pixels."""
    import textwrap

    lines = textwrap.wrap(text, max(12, width // 6)) or [text]
    return {"text": lines, "fontSize": size, "fontWeight": "bold" if bold else "normal", **more}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame with short numbers, as inline data for a specification."""
    columns = {
        str(name): [numbers(value) if isinstance(value, float) else value for value in frame[name].tolist()]
        for name in frame
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def data_of(frame: pd.DataFrame) -> alt.NamedData:
    """Data of a chart by name; the rows are kept once and put into the finished specification."""
    return keep_rows(records(frame))


def arm_colour(styles: Sequence[ArmStyle], layout: Layout, *, legend: bool = True) -> alt.Color:
    """Colour channel of the arms."""
    import altair as alt

    shown = alt.Legend(title=None, columns=layout.legend_columns) if legend else None
    return alt.Color(
        "label:N",
        scale=alt.Scale(domain=[s.label for s in styles], range=[s.colour for s in styles]),
        legend=shown,
    )


def arm_bands(
    styles: Sequence[ArmStyle], x: alt.X, low: alt.Y, high: str, *, opacity: float, step: bool = False
) -> list[Spec]:
    """One band per arm in its colour. Constant colours keep the bands out of the legend of the lines.

    Many bands over each other are drawn paler.
    """
    import altair as alt

    shown = opacity if len(styles) <= FULL_BANDS else opacity / 3
    chart = (
        alt.Chart()
        .mark_area(color=INK, opacity=shown, interpolate="step-after" if step else "linear")
        .encode(x=x, y=low, y2=alt.Y2(high.removesuffix(":Q")))
    )
    band = leaf(chart)  # Altair is slow, and the bands differ only in colour and arm
    return [
        {
            **band,
            "transform": [{"filter": {"field": "label", "equal": style.label}}],
            "mark": {**band["mark"], "color": style.colour},
        }
        for style in styles
    ]


def end_ranges(styles: Sequence[ArmStyle], frame: pd.DataFrame, horizon: float, words: str) -> list[Spec]:
    """Ranges at the last visit as bars right of the chart, where bands cannot be told apart.

    `frame` has the columns label, x, low and high.
    """
    if len(styles) <= FULL_BANDS or "low" not in frame:
        return []
    last = frame[frame["x"] == frame["x"].max()].set_index("label")
    rows = [
        {
            "x": horizon,
            "low": numbers(float(last.loc[style.label, "low"])),
            "high": numbers(float(last.loc[style.label, "high"])),
            "mean": numbers(float(last.loc[style.label, "mean"])),
            "place": 10 + 7 * index,
            "colour": style.colour,
        }
        for index, style in enumerate(styles)
        if style.label in last.index
    ]
    made: list[Spec] = []
    for row in rows:
        colour, place = row.pop("colour"), row.pop("place")
        data = keep_rows([row]).to_dict()
        x = {"field": "x", "type": "quantitative"}
        y = {"type": "quantitative", "title": words}
        made += [
            {
                "data": data,
                "mark": {
                    "type": "rule",
                    "color": colour,
                    "strokeWidth": 3,
                    "xOffset": place,
                    "opacity": 0.75,
                },
                "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "data": data,
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 34,
                    "opacity": 1,
                    "color": colour,
                    "xOffset": place,
                },
                "encoding": {"x": x, "y": {"field": "mean", **y}},
            },
        ]
    return made


def arm_dash(styles: Sequence[ArmStyle], layout: Layout, *, legend: bool = True) -> alt.StrokeDash:
    """Dash channel of the arms; merges with the colour legend."""
    import altair as alt

    shown = alt.Legend(title=None, columns=layout.legend_columns) if legend else None
    return alt.StrokeDash(
        "label:N",
        scale=alt.Scale(domain=[s.label for s in styles], range=[s.dash for s in styles]),
        legend=shown,
    )


def arm_shape(styles: Sequence[ArmStyle], layout: Layout, *, legend: bool = True) -> alt.Shape:
    """Marker channel of the arms; merges with the colour legend."""
    import altair as alt

    shown = alt.Legend(title=None, columns=layout.legend_columns, symbolSize=90) if legend else None
    return alt.Shape(
        "label:N",
        scale=alt.Scale(domain=[s.label for s in styles], range=[s.shape for s in styles]),
        legend=shown,
    )


def month_axis(title: str, horizon: float, width: int) -> alt.X:
    """A time axis with whole, calm tick steps; `x` holds months."""
    import altair as alt

    return alt.X(
        "x:Q",
        title=title,
        scale=alt.Scale(domain=[0, horizon], nice=False),
        axis=alt.Axis(values=month_ticks(0.0, horizon, max(2, width // 55)), grid=False),
    )


def month_ticks(first: float, last: float, most: int) -> list[float]:
    """Ticks at round numbers of months, at most `most` intervals."""
    span = max(last - first, 1.0)
    steps = (1, 2, 3, 6, 12, 24, 36, 60, 120, 240, 480)
    step = next((step for step in steps if span / step <= most), steps[-1])
    start = -(-first // step) * step
    return [start + index * step for index in range(int((last - start) // step) + 1)]


def axis_words(label: str, unit: str, better: str) -> str:
    """An axis title that says the unit and which way is better."""
    arrow = {"higher is better": "\u2191 higher is better", "lower is better": "\u2193 lower is better"}.get(
        better
    )
    name = f"{label} ({unit})" if unit else label
    return f"{name}{LINE_BREAK}{arrow}" if arrow else name
