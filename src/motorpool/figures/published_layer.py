"""Draws published results over simulated curves: open diamonds with their 95 % interval and the study's
name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from motorpool.figures.figure import Spec, keep_rows
from motorpool.figures.marks import leaf
from motorpool.figures.published_points import PublishedPoint
from motorpool.figures.theme import INK

if TYPE_CHECKING:
    import altair as alt

    from motorpool.figures.context import FigureContext


def published_layer(
    context: FigureContext, points: Sequence[PublishedPoint], x: alt.X, words: str, *, percent: bool = False
) -> list[Spec]:
    """Points and intervals in the colour of the arm they belong to, outlined in ink."""
    import altair as alt

    if not points:
        return []
    colours = {style.arm: style.colour for style in context.styles}
    names = _names(points)
    factor = 100.0 if percent else 1.0
    values: list[dict[str, Any]] = [
        {
            "x": point.month,
            "value": point.value * factor,
            "low": None if point.low is None else point.low * factor,
            "high": None if point.high is None else point.high * factor,
            "study": point.study,
            "name": names.get((point.study, point.month, point.value), ""),
            "fill": colours.get(point.arm, "#ffffff"),
            "group": point.group,
        }
        for point in points
    ]
    base = alt.Chart(keep_rows(values)).encode(x=x)
    rule = (
        base.mark_rule(color=INK, strokeWidth=1.4)
        .encode(y=alt.Y("low:Q", title=words), y2=alt.Y2("high"))
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
    )
    mark = base.mark_point(
        shape="diamond", size=110, filled=True, stroke=INK, strokeWidth=1.6, opacity=1
    ).encode(
        y=alt.Y("value:Q", title=words),
        fill=alt.Fill("fill:N", scale=None, legend=None),
        tooltip=["study:N", "group:N", "x:Q", "value:Q", "low:Q", "high:Q"],
    )
    name = base.mark_text(align="left", dx=9, dy=-7, fontSize=10, color=INK).encode(
        y=alt.Y("value:Q", title=words), text=alt.Text("name:N")
    )
    return [leaf(rule), leaf(mark), leaf(name)]


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
    return (
        f" Diamonds: published results ({', '.join(studies)}) with 95 % intervals where given, in the "
        "colour of the arm they belong to. The published people were not the same as the simulated ones."
    )


def published_records(context: FigureContext, points: Sequence[PublishedPoint]) -> list[dict[str, Any]]:
    """Rows for a data table."""
    return [
        {
            "Arm": f"Published: {point.study}"
            + (f" ({context.labels[point.arm]})" if point.arm in context.labels else ""),
            "Months since enrolment": point.month,
            "Average": point.value,
            "Average, low end of what we do not know": point.low,
            "Average, high end of what we do not know": point.high,
        }
        for point in points
    ]
