"""Share of people able to sit and to walk over time, with published shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import (
    arm_bands,
    arm_colour,
    arm_dash,
    data_of,
    layered,
    leaf,
    month_axis,
    panel_title,
    side_by_side,
)
from motorpool.figures.published_layer import published_layer, published_note
from motorpool.simulation.labels import milestone_label

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("head_control", "sit_5s", "sit_10s", "sit_30s", "stand", "walk")
WORDS = "Of 100 | \u2191 higher is better"
ALWAYS = ("sit_5s", "walk")


def ability_figure(context: FigureContext, *, plain: bool = False) -> Figure | None:
    """Small charts of the share able, for sitting and walking and every milestone with published results.

    Args:
        plain: with the names that families know.
    """
    import pandas as pd

    points = [p for p in context.published if p.measure == "able_share"]
    frames: dict[str, pd.DataFrame] = {}
    for milestone in SHOWN:
        if milestone in ALWAYS or any(p.quantity == milestone for p in points):
            frame = _frame(context, milestone)
            if len(frame):
                frames[milestone] = frame
    if not frames:
        return None
    drawn = [p for p in points if p.quantity in frames]

    def build(layout: Layout) -> Spec:
        columns = 1 if layout.name == "narrow" else 2 if len(frames) in (1, 2, 4) else 3
        width = layout.panel_width(columns, gap=64)
        ranges = any("low" in frame for frame in frames.values())
        layers = _layers(context, layout, width, ranges=ranges)
        panels = [
            _chart(milestone_label(name, plain=plain), frame, layers, width) for name, frame in frames.items()
        ]
        for name, panel in zip(frames, panels, strict=True):
            x = month_axis("Months since enrolment", max(context.months), width)
            here = [p for p in drawn if p.quantity == name]
            panel["layer"] += published_layer(context, here, x, WORDS, percent=True)
        return side_by_side(panels, columns=columns, spacing=26)

    table = pd.concat(
        [frame.assign(milestone=milestone_label(name, plain=plain)) for name, frame in frames.items()]
    )
    parts: list[str] = []
    for name, frame in frames.items():
        last = frame[frame["x"] == frame["x"].max()]
        values = ", ".join(f"{row.label} {row.mean:.0f}" for row in last.itertuples())
        parts.append(f"{milestone_label(name, plain=plain)}: {values}")
    names = {
        "milestone": "Milestone",
        "label": "Arm",
        "x": "Months since enrolment",
        "mean": "Able, of 100",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
    }
    return Figure(
        build=build,
        identifier="abilities",
        title="Of 100 people, how many can do it at each visit",
        alt="Line charts of the share able. At the end, of 100 people: " + "; ".join(parts) + ".",
        caption=(
            f"Average of each arm; {context.pale_band_words}. Everyone enrolled is counted; people who "
            "died "
            "count as not able. Higher is better." + published_note(drawn)
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def _frame(context: FigureContext, milestone: str) -> pd.DataFrame:
    frame = context.rows(kind="milestone", quantity=milestone, measure="able_share").rename(
        columns={
            "visit_month": "x",
            "knowledge.mean": "mean",
            "knowledge.q2.5": "low",
            "knowledge.q97.5": "high",
        }
    )
    shares = {column: frame[column] * 100.0 for column in ("mean", "low", "high") if column in frame}
    return frame.assign(label=frame["arm"].map(context.labels), **shares)


def _layers(context: FigureContext, layout: Layout, width: int, *, ranges: bool) -> list[Spec]:
    """Bands and lines, which are the same in every panel but for its data."""
    import altair as alt

    x = month_axis("Months since enrolment", max(context.months), width)
    scale = alt.Scale(domain=[0, 100])
    layers: list[Spec] = []
    if ranges and context.draw_bands:
        low = alt.Y("low:Q", title=WORDS, scale=scale)
        layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.14)
    lines = (
        alt.Chart()
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=WORDS, scale=scale),
            color=arm_colour(context.styles, layout),
            strokeDash=arm_dash(context.styles, layout),
        )
    )
    return [*layers, leaf(lines)]


def _chart(name: str, frame: pd.DataFrame, layers: list[Spec], width: int) -> Spec:
    columns = [c for c in ("label", "x", "mean", "low", "high") if c in frame]
    title = panel_title(name, width, 13)
    return layered(layers, data=data_of(frame[columns]), width=width, height=150, title=title)
