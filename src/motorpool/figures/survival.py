"""Time to death or permanent ventilation, with numbers at risk, and other events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import (
    above,
    arm_bands,
    arm_colour,
    arm_dash,
    data_of,
    end_ranges,
    layered,
    month_axis,
    month_ticks,
)
from motorpool.figures.published_layer import published_layer, published_note
from motorpool.figures.theme import LINE_BREAK
from motorpool.simulation.labels import event_label
from motorpool.simulation.survival_summary import LOST_MILESTONES, includes_death, survival_table

if TYPE_CHECKING:
    import pandas as pd

STEPS = 96


def survival_figure(context: FigureContext, event: str) -> Figure | None:
    """Share free of an end point (or who have had an event) over time, with numbers at risk."""
    if "event_time_years" not in context.dataset or event not in context.dataset["event"].values:
        return None
    horizon = max(context.months)
    grid = np.linspace(0.0, horizon, STEPS + 1)
    frame = _curves(context, event, grid)
    whole = includes_death(event)
    name = event_label(event)
    if frame.empty:
        return None
    lost = LOST_MILESTONES.get(event)
    able = "" if lost is None else able_words(lost)
    reached = 1 - frame["mean"].min() / 100 if whole else frame["mean"].max() / 100
    if reached <= 0 and event != "death":
        return None
    points = [p for p in context.published if p.quantity == event and p.measure == "event_free_share"]
    risk = _at_risk(context, event, np.array(month_ticks(0.0, horizon, 8)))

    def build(layout: Layout) -> Spec:
        curve = _curve_chart(context, frame, event, layout)
        x = month_axis("Months since enrolment", horizon, layout.width)
        curve["layer"] += published_layer(context, points, x, share_words(event), percent=True)
        ticks = month_ticks(0.0, horizon, max(2, layout.width // (75 if layout.name == "wide" else 60)))
        table = _risk_chart(context, risk[risk["x"].isin(ticks)], ticks, horizon, layout)
        # The legend of the lines is theirs alone; shared with the numbers below, colours and dashes would each get one.
        own = {"legend": {"color": "independent", "strokeDash": "independent"}}
        return {**above([curve, table], spacing=12), "resolve": own}

    ends = frame[frame["x"] == frame["x"].max()]
    what = "are free of it" if whole else "have had it"
    whom = f" who {able_verb(lost)} at enrolment" if lost else ""
    words = "; ".join(f"{row.label}: {row.mean:.0f} of 100{whom} {what}" for row in ends.itertuples())
    return Figure(
        build=build,
        identifier=f"survival-{event}".replace("_", "-"),
        title=survival_title(event),
        alt=f"Step curves for {name} over {horizon:g} months. At the end, {words}.",
        caption=(
            f"Line: average over parameter sets; {context.band_words}. "
            + (
                "Everyone enrolled is counted; death is part of the end point. Everybody is followed to "
                "the end, so this share equals the Kaplan-Meier estimate."
                if whole
                else f"{able or 'Everyone enrolled is counted'}; people who died first count as not having "
                "had the event (the Aalen-Johansen estimate under complete follow-up)."
            )
            + f" Numbers below: people alive and without the event, of {frame['people'].max():.0f} (average "
            "over parameter sets)." + published_note(points)
        ),
        source=simulated_by(),
        table=_table(context, event, horizon),
    )


def survival_title(event: str) -> str:
    """What the curve counts, as a title."""
    if event == "death":
        return "Alive"
    if not includes_death(event):
        return f"Have had it: {event_label(event)}"
    name = event_label(event.removeprefix("death_or_"))
    return f"Alive without {name[:1].lower()}{name[1:]}"


def share_words(event: str) -> str:
    """Axis title of the share that a curve shows."""
    if event == "death":
        return f"Of 100 people: alive{LINE_BREAK}\u2191 higher is better"
    if includes_death(event):
        return f"Of 100 people: alive and free of it{LINE_BREAK}\u2191 higher is better"
    return f"Of 100 people: have had it{LINE_BREAK}\u2193 lower is better"


def able_verb(milestone: str) -> str:
    """An ability as a verb: `sit`, `walk`."""
    return "walk" if milestone == "walk" else "sit"


def able_words(milestone: str) -> str:
    """Who is counted when an ability is lost."""
    return f"Only people able to {able_verb(milestone)} at enrolment are counted"


def _curves(context: FigureContext, event: str, grid: np.ndarray) -> pd.DataFrame:
    rows = survival_table(context.dataset, event, grid)
    measure = "event_free_share" if includes_death(event) else "cumulative_incidence"
    rows = rows[rows["measure"] == measure]
    table = rows[["arm", "people"]].assign(x=rows["visit_month"], label=rows["arm"].map(context.labels))
    for name, column in (("mean", "knowledge.mean"), ("low", "knowledge.q2.5"), ("high", "knowledge.q97.5")):
        if rows[column].notna().any():
            table[name] = 100.0 * rows[column]
    return table.reset_index(drop=True)


def _at_risk(context: FigureContext, event: str, months: np.ndarray) -> pd.DataFrame:
    fine = np.unique(np.concatenate([months, month_ticks(0.0, max(context.months), 3)]))
    rows = survival_table(context.dataset, event, fine)
    rows = rows[rows["measure"] == "at_risk_share"]
    return rows.assign(
        label=rows["arm"].map(context.labels),
        x=rows["visit_month"],
        number=(rows["knowledge.mean"] * rows["people"]).round().astype(int),
    )[["arm", "label", "x", "number"]]


def _curve_chart(context: FigureContext, frame: pd.DataFrame, event: str, layout: Layout) -> Spec:
    import altair as alt

    columns = [c for c in ("label", "x", "mean", "low", "high") if c in frame]
    x = month_axis("Months since enrolment", max(context.months), layout.width)
    words = share_words(event)
    scale = alt.Scale(domain=[0, 100])
    layers: list[Any] = []
    if "low" in frame and context.draw_bands:
        low = alt.Y("low:Q", title=words, scale=scale)
        layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.15, step=True)
    layers.append(
        alt.Chart()
        .mark_line(interpolate="step-after", strokeWidth=2.4)
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=words, scale=scale),
            color=arm_colour(context.styles, layout),
            strokeDash=arm_dash(context.styles, layout),
        )
    )
    layers += end_ranges(context.styles, frame, max(context.months), words)
    return layered(layers, data=data_of(frame[columns]), width=layout.width, height=270)


def _risk_chart(
    context: FigureContext, risk: pd.DataFrame, ticks: list[float], horizon: float, layout: Layout
) -> Spec:
    import altair as alt

    wide = layout.name == "wide"
    order = [style.label for style in context.styles]
    colours = {style.label: style.colour for style in context.styles}
    data = risk.assign(colour=risk["label"].map(colours))
    base = alt.Chart().encode(
        y=alt.Y(
            "label:N",
            sort=order,
            title=None,
            axis=alt.Axis(labels=False, ticks=False, domain=False),
        )
    )
    text = base.mark_text(fontSize=12 if wide else 11).encode(
        x=alt.X("x:Q", title=None, axis=None, scale=alt.Scale(domain=[0, horizon], nice=False)),
        text=alt.Text("number:Q"),
    )
    key = (
        base.transform_filter(f"datum.x == {ticks[0]:g}")
        .mark_point(filled=True, size=70, shape="square", xOffset=-26, opacity=1)
        .encode(x=alt.X("x:Q"), color=alt.Color("colour:N", scale=None, legend=None))
    )
    heading = {"text": "Number at risk", "fontSize": 11, "fontWeight": "normal", "dx": -26}
    return layered([text, key], data=data_of(data), width=layout.width, height=18 * len(order), title=heading)


def _table(context: FigureContext, event: str, horizon: float) -> pd.DataFrame:
    months = np.array(month_ticks(0.0, horizon, 12))
    curves = _curves(context, event, months)
    risk = _at_risk(context, event, months)
    table = curves.merge(risk[["arm", "x", "number"]], on=["arm", "x"], how="left")
    names = {
        "label": "Arm",
        "x": "Months since enrolment",
        "mean": "Of 100",
        "low": "Of 100, low end of what we do not know",
        "high": "Of 100, high end of what we do not know",
        "number": "At risk",
    }
    return table[[c for c in names if c in table]].rename(columns=names)
