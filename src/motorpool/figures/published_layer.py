"""Draws published results over simulated curves: diamonds with their 95 % interval and the study's
name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from motorpool.figures.figure import Spec, keep_rows
from motorpool.figures.marks import leaf
from motorpool.figures.published_points import PublishedPoint
from motorpool.figures.theme import INK

if TYPE_CHECKING:
    import altair as alt

    from motorpool.figures.context import FigureContext


TOLD = ("study:N", "group:N", "x:Q", "value:Q", "low:Q", "high:Q")
LABEL_TURNS_AT = 0.8  # of the horizon; later points carry their name on the left


def published_layer(
    context: FigureContext, points: Sequence[PublishedPoint], x: alt.X, words: str, *, percent: bool = False
) -> list[Spec]:
    """Points and intervals in the colour of the arm they belong to, outlined in ink."""
    if not points:
        return []
    colours = {style.arm: style.colour for style in context.styles}
    shown = _names(points)
    factor = 100.0 if percent else 1.0
    values: list[dict[str, Any]] = [
        {
            "x": point.month,
            "value": point.value * factor,
            "low": None if point.low is None else point.low * factor,
            "high": None if point.high is None else point.high * factor,
            "study": point.study,
            "name": shown.get((point.study, point.month, point.value), ""),
            "fill": colours.get(point.arm, "#ffffff") if point.checked else "#ffffff",
            "rim": INK if point.checked else colours.get(point.arm, INK),
            "group": point.group,
        }
        for point in points
    ]
    data, across = keep_rows(values).to_dict(), x.to_dict(validate=False, context={})
    layers: list[Spec] = json.loads(_layers(words, LABEL_TURNS_AT * max(context.months)))
    return [{"data": data, **layer, "encoding": {"x": across, **layer["encoding"]}} for layer in layers]


@lru_cache(maxsize=64)
def _layers(words: str, turn: float) -> str:
    """The layers without data and time axis, as JSON; Altair is slow, and pages draw the same ones again and again.

    Args:
        words: title of the axis upwards.
        turn: month after which names stand on the left.
    """
    import altair as alt

    base = alt.Chart()
    rule = (
        base.mark_rule(color=INK, strokeWidth=1.4)
        .encode(y=alt.Y("low:Q", title=words), y2=alt.Y2("high"))
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
    )
    mark = base.mark_point(shape="diamond", size=110, filled=True, strokeWidth=1.6, opacity=1).encode(
        stroke=alt.Stroke("rim:N", scale=None, legend=None),
        y=alt.Y("value:Q", title=words),
        fill=alt.Fill("fill:N", scale=None, legend=None),
        tooltip=[
            alt.Tooltip(name) for name in TOLD
        ],  # bare names would be looked up in the whole schema, slowly
    )
    text = base.encode(y=alt.Y("value:Q", title=words), text=alt.Text("name:N"))
    early = text.mark_text(align="left", dx=9, dy=-7, fontSize=10, color=INK)
    late = text.mark_text(align="right", dx=-9, dy=-7, fontSize=10, color=INK)
    names = [
        early.transform_filter(f"datum.x <= {turn:g}"),
        late.transform_filter(f"datum.x > {turn:g}"),
    ]
    return json.dumps([leaf(rule), leaf(mark), *(leaf(name) for name in names)])


def _names(points: Sequence[PublishedPoint]) -> dict[tuple[str, float, float], str]:
    """Which points carry the name of their study: the highest of each study and month."""
    highest: dict[tuple[str, float], float] = {}
    for point in points:
        key = (point.study, point.month)
        highest[key] = max(point.value, highest.get(key, point.value))
    return {(study, month, value): study for (study, month), value in highest.items()}


def published_note(points: Sequence[PublishedPoint]) -> str:
    """A sentence for the caption naming the published results drawn; empty without any."""
    if not points:
        return ""
    studies = sorted({point.study for point in points})
    text = (
        f" Diamonds: published results ({', '.join(studies)}) with 95 % intervals where given, in the "
        "colour of the arm they belong to. The published people were not the same as the simulated ones."
    )
    if not all(point.checked for point in points):
        text += " Hollow diamonds are provisional: not yet checked against the source."
    return text


def published_records(context: FigureContext, points: Sequence[PublishedPoint]) -> list[dict[str, Any]]:
    """Rows for a data table."""
    return [
        {
            "Arm": f"Published: {point.study}{'' if point.checked else ', provisional'}"
            + (f" ({context.labels[point.arm]})" if point.arm in context.labels else ""),
            "Months since enrolment": point.month,
            "Average": point.value,
            "Average, low end of what we do not know": point.low,
            "Average, high end of what we do not know": point.high,
        }
        for point in points
    ]
