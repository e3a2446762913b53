"""What each arm adds over its comparator at every visit: the same people with the same luck in both arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec, keep_rows
from motorpool.figures.marks import (
    arm_bands,
    arm_colour,
    arm_dash,
    data_of,
    end_ranges,
    layered,
    month_axis,
)
from motorpool.figures.theme import INK, SOFT_INK
from motorpool.simulation.labels import OutcomeView, outcome_view

if TYPE_CHECKING:
    import pandas as pd


def difference_course_figure(context: FigureContext, outcome: str) -> Figure | None:
    """Average difference to the comparator over time; None without another arm, or where hardly anybody is counted.

    Counts as the forest of differences does: death as the worst score where the scale has one.
    """
    view = outcome_view(outcome)
    measure = "difference_death_as_worst" if view.worst is not None else "difference_among_living"
    frame = context.rows(kind="outcome", quantity=outcome, measure=measure)
    frame = context.enough_people(frame) if len(frame) else frame
    if frame.empty or frame["visit_month"].nunique() < 2:
        return None
    frame = frame.assign(label=frame["arm"].map(context.labels), x=frame["visit_month"])
    styles = [style for style in context.styles if style.arm in set(frame["arm"])]

    def build(layout: Layout) -> Spec:
        return _chart(context, frame, view, layout, styles)

    last = frame.groupby("arm", sort=False).last()
    ends = "; ".join(_end(context, last, arm) for arm in context.arms if arm in last.index)
    return Figure(
        build=build,
        identifier=f"difference-{outcome}".replace("_", "-"),
        title=f"{view.label}: what each arm adds over its comparator, over time",
        alt=f"Line chart of the average difference in {view.label} to the comparator over months. {ends}.",
        caption=(
            f"Average difference between the same people under both; {context.band_words}. Zero: no difference. "
            + (f"{view.better.capitalize()}. " if view.better else "")
            + ("Death counts as the worst score. " if view.worst is not None else "")
            + (
                "The grey strip marks differences smaller than the smallest that people notice or clinicians call "
                "important."
                if view.minimal_important_difference
                else ""
            )
        ),
        source=simulated_by(),
        table=_table(context, frame),
    )


def _end(context: FigureContext, last: pd.DataFrame, arm: str) -> str:
    row: dict[Any, Any] = last.loc[arm].to_dict()
    text = f"{context.labels[arm]}: {row['knowledge.mean']:+.1f} at {row['x']:g} months"
    if "knowledge.q2.5" in row:
        text += f" (range {row['knowledge.q2.5']:+.1f} to {row['knowledge.q97.5']:+.1f})"
    return text


def _chart(
    context: FigureContext, frame: pd.DataFrame, view: OutcomeView, layout: Layout, styles: list[Any]
) -> Spec:
    import altair as alt

    columns = ["label", "x", "knowledge.mean", "knowledge.q2.5", "knowledge.q97.5"]
    data = frame[[c for c in columns if c in frame]].rename(
        columns={"knowledge.mean": "mean", "knowledge.q2.5": "low", "knowledge.q97.5": "high"}
    )
    x = month_axis("Months since enrolment", max(context.months), layout.width)
    words = f"Difference{f', {view.unit}' if view.unit else ''}"
    layers: list[Any] = []
    important = view.minimal_important_difference
    if important:
        layers.append(
            alt.Chart(keep_rows([{"from": -important, "to": important}]))
            .mark_rect(color=SOFT_INK, opacity=0.12)
            .encode(y=alt.Y("from:Q", title=words), y2=alt.Y2("to"))
        )
    layers.append(
        alt.Chart(keep_rows([{"at": 0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(y=alt.Y("at:Q", title=words))
    )
    if "low" in data and context.draw_bands:
        layers += arm_bands(styles, x, alt.Y("low:Q", title=words), "high:Q", opacity=0.16)
    layers.append(
        alt.Chart()
        .mark_line(strokeWidth=2.6)
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=words),
            color=arm_colour(styles, layout),
            strokeDash=arm_dash(styles, layout),
        )
    )
    layers += end_ranges(styles, data, max(context.months), words)
    return layered(layers, data=data_of(data), width=layout.width, height=220)


def _table(context: FigureContext, frame: pd.DataFrame) -> pd.DataFrame:
    names = {
        "label": "Arm",
        "versus": "Compared with",
        "x": "Months since enrolment",
        "knowledge.mean": "Average difference",
        "knowledge.q2.5": "Low end of what we do not know",
        "knowledge.q97.5": "High end of what we do not know",
        "between_people.q2.5": "People: 2.5 %",
        "between_people.q25": "People: 25 %",
        "between_people.q75": "People: 75 %",
        "between_people.q97.5": "People: 97.5 %",
        "people": "People counted",
    }
    versus = [context.labels[context.comparators[str(arm)]] for arm in frame["arm"]]
    table = frame.assign(versus=versus)
    return table[[name for name in names if name in table]].rename(columns=names)
