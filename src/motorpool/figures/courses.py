"""Courses of a score: averages of all arms with what we do not know, and the spread between people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import (
    above,
    arm_bands,
    arm_colour,
    arm_dash,
    axis_words,
    balanced,
    data_of,
    end_ranges,
    layered,
    month_axis,
    month_ticks,
    panel_title,
    side_by_side,
)
from motorpool.figures.published_layer import published_layer, published_note, published_records
from motorpool.simulation.labels import OutcomeView, outcome_view

if TYPE_CHECKING:
    import pandas as pd

BANDS = (("q2.5", "q97.5", 0.16), ("q10", "q90", 0.2), ("q25", "q75", 0.3))
MEASURE = "score_among_living"


def course_figure(context: FigureContext, outcome: str) -> Figure | None:
    """The course of one score in every arm; None when hardly anybody can be assessed."""
    view = outcome_view(outcome)
    frame = context.enough_people(context.rows(kind="outcome", quantity=outcome, measure=MEASURE))
    if frame.empty or frame["visit_month"].nunique() < 2:
        return None
    frame = frame.assign(label=frame["arm"].map(context.labels), x=frame["visit_month"])
    points = [p for p in context.published if p.quantity == outcome and p.measure == "score"]

    def build(layout: Layout) -> Spec:
        averages = _averages(context, frame, view, layout)
        x = month_axis("Months since enrolment", max(context.months), layout.width)
        averages["layer"] += published_layer(
            context, points, x, axis_words(view.label, view.unit, view.better)
        )
        columns = balanced(len(context.arms), 5 if layout.name == "wide" else 2)
        width = layout.panel_width(columns, gap=44)
        panels = [
            _spread(context, frame[frame["arm"] == style.arm], view, index, columns, width)
            for index, style in enumerate(context.styles)
        ]
        spread = side_by_side(panels, columns=columns, spacing=22, shared_y=True)
        return above([averages, spread], spacing=34)

    last = frame.groupby("arm", sort=False).last()
    ends = "; ".join(
        f"{context.labels[arm]}: {last.loc[arm, 'knowledge.mean']:.1f} {view.unit} at "
        f"{last.loc[arm, 'x']:g} months (middle half of people {last.loc[arm, 'between_people.q25']:.1f} to "
        f"{last.loc[arm, 'between_people.q75']:.1f})"
        for arm in context.arms
        if arm in last.index
    )
    return Figure(
        build=build,
        identifier=f"course-{outcome}".replace("_", "-"),
        title=f"{view.label}: average course in each arm, and how far people differ",
        alt=f"Line chart of {view.label} over months since enrolment for {len(context.arms)} arms. {ends}.",
        caption=(
            f"Top: average over people; {context.band_words}. Below, one panel per arm: spread "
            "between people (darkest band half of them, then 80 %, palest 95 %) and the median person as a "
            "line. Only people alive and assessable at each visit are counted, so an arm in which the "
            "weakest have died can look better "
            "than it is; the table says how many are counted." + published_note(points)
        ),
        source=simulated_by(),
        table=_table(context, frame, published_records(context, points)),
    )


def _averages(context: FigureContext, frame: pd.DataFrame, view: OutcomeView, layout: Layout) -> Spec:
    import altair as alt

    columns = ["label", "x", "knowledge.mean", "knowledge.q2.5", "knowledge.q97.5"]
    data = frame[[c for c in columns if c in frame]].rename(
        columns={"knowledge.mean": "mean", "knowledge.q2.5": "low", "knowledge.q97.5": "high"}
    )
    x = month_axis("Months since enrolment", max(context.months), layout.width)
    words = axis_words(view.label, view.unit, view.better)
    scale = alt.Scale(zero=False, nice=True)
    layers: list[Any] = []
    if "low" in data and context.draw_bands:
        low = alt.Y("low:Q", title=words, scale=scale)
        layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.16)
    layers.append(
        alt.Chart()
        .mark_line(strokeWidth=2.6)
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=words, scale=scale),
            color=arm_colour(context.styles, layout),
            strokeDash=arm_dash(context.styles, layout),
        )
    )
    layers += end_ranges(context.styles, data, max(context.months), words)
    title = "Average of all arms, with what we do not know"
    return layered(layers, data=data_of(data), width=layout.width, height=250, title=title)


def _spread(
    context: FigureContext, frame: pd.DataFrame, view: OutcomeView, index: int, columns: int, width: int
) -> Spec:
    style = context.styles[index]
    wanted = {
        f"between_people.{q}": q.replace(".", "_")
        for q in ("q2.5", "q10", "q25", "q50", "q75", "q90", "q97.5")
    }
    data = frame[["x", *[c for c in wanted if c in frame]]].rename(columns=wanted)
    title = (view.unit or view.label) if index % columns == 0 else None
    # Plain specifications: these small panels are most of all marks of a report, and Altair is slow.
    horizon = max(context.months)
    ticks = month_ticks(0.0, horizon, max(2, width // 55))
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "title": "Months",
        "scale": {"domain": [0, horizon], "nice": False},
        "axis": {"values": ticks, "grid": False},
    }
    y: Spec = {"type": "quantitative", "title": title, "scale": {"zero": False, "nice": True}}
    layers: list[Spec] = [
        {
            "mark": {"type": "area", "color": style.colour, "opacity": opacity},
            "encoding": {
                "x": x,
                "y": {"field": low.replace(".", "_"), **y},
                "y2": {"field": high.replace(".", "_")},
            },
        }
        for low, high, opacity in BANDS
    ]
    line = {"type": "line", "color": style.colour, "strokeWidth": 2, "strokeDash": style.dash}
    layers.append({"mark": line, "encoding": {"x": x, "y": {"field": "q50", **y}}})
    heading = panel_title(style.label, width, 11, bold=False)
    return layered(layers, data=data_of(data), width=width, height=130, title=heading)


def _table(context: FigureContext, frame: pd.DataFrame, published: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    names = {
        "label": "Arm",
        "x": "Months since enrolment",
        "people": f"People counted (of {context.people})",
        "knowledge.mean": "Average",
        "knowledge.q2.5": "Average, low end of what we do not know",
        "knowledge.q97.5": "Average, high end of what we do not know",
        "between_people.q2.5": "People: 2.5 %",
        "between_people.q10": "People: 10 %",
        "between_people.q25": "People: 25 %",
        "between_people.q50": "People: median",
        "between_people.q75": "People: 75 %",
        "between_people.q90": "People: 90 %",
        "between_people.q97.5": "People: 97.5 %",
        "chance.measurement_sd": "Chance: measurement SD",
    }
    table = frame[[name for name in names if name in frame]].rename(columns=names)
    if published:
        table = pd.concat([table, pd.DataFrame(published)], ignore_index=True)
    return table
