"""Courses of a score: averages of all arms with what we do not know, and the spread between people."""

from __future__ import annotations

from dataclasses import dataclass
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

# Percent of people, the quantiles it lies between, opacity, and the word for it.
BANDS = (
    (95, "q2.5", "q97.5", 0.16),
    (80, "q10", "q90", 0.2),
    (50, "q25", "q75", 0.3),
)
MEASURE = "score_among_living"
MONTE_CARLO, MEASUREMENT = "chance.monte_carlo_standard_error", "chance.measurement_sd"
_MEASURED = ("measured_low", "measured_high")
NORMAL_95 = 1.96  # standard errors or deviations to each side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class CourseLayers:
    """Which layers of uncertainty a course shows.

    Attributes:
        bands: percent of people whose ranges are drawn, of 50, 80 and 95; none leaves the spread between people out.
        knowledge: what is not known of the average.
        chance: how far the average may be off because the people simulated are few.
        measurement: how far one measurement lies beside the score itself.
    """

    bands: tuple[int, ...] = (50, 80, 95)
    knowledge: bool = True
    chance: bool = False
    measurement: bool = False


REPORT = CourseLayers()


def course_figure(context: FigureContext, outcome: str, shown: CourseLayers = REPORT) -> Figure | None:
    """The course of one score in every arm; None when hardly anybody can be assessed."""
    view = outcome_view(outcome)
    frame = context.enough_people(context.rows(kind="outcome", quantity=outcome, measure=MEASURE))
    if frame.empty or frame["visit_month"].nunique() < 2:
        return None
    frame = frame.assign(label=frame["arm"].map(context.labels), x=frame["visit_month"])
    points = [p for p in context.published if p.quantity == outcome and p.measure == "score"]

    def build(layout: Layout) -> Spec:
        averages = _averages(context, frame, view, layout, shown)
        x = month_axis("Months since enrolment", max(context.months), layout.width)
        averages["layer"] += published_layer(
            context, points, x, axis_words(view.label, view.unit, view.better)
        )
        if not (shown.bands or shown.measurement):
            return averages
        columns = balanced(len(context.arms), 5 if layout.name == "wide" else 2)
        width = layout.panel_width(columns, gap=44)
        panels = [
            _spread(context, frame[frame["arm"] == style.arm], view, index, columns, width, shown)
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
        title=f"{view.label}: average course in each arm"
        + (", and how far people differ" if shown.bands else ""),
        alt=f"Line chart of {view.label} over months since enrolment for {len(context.arms)} arms. {ends}.",
        caption=_caption(context, shown) + published_note(points),
        source=simulated_by(),
        table=_table(context, frame, published_records(context, points), shown),
    )


def _caption(context: FigureContext, shown: CourseLayers) -> str:
    text = "Top: average over people"
    text += f"; {context.band_words}. " if shown.knowledge else ". "
    if shown.chance:
        text += (
            "Short upright lines: how far the average may be off because so few people are simulated (95 %). "
        )
    if shown.bands or shown.measurement:
        text += "Below, one panel per arm: the median person as a line"
        words = ", ".join("half of them" if band == 50 else f"{band} %" for band in sorted(shown.bands))
        text += f", and the spread between people ({words}; the darker, the fewer)" if shown.bands else ""
        text += "; dotted, where 95 % of single measurements of that person fall" if shown.measurement else ""
        text += ". "
    return (
        f"{text}Only people alive and assessable at each visit are counted, so an arm in which the weakest have died "
        "can look better than it is. The table says how many are counted."
    )


def _averages(
    context: FigureContext, frame: pd.DataFrame, view: OutcomeView, layout: Layout, shown: CourseLayers
) -> Spec:
    import altair as alt

    columns = ["label", "x", "knowledge.mean"]
    columns += ["knowledge.q2.5", "knowledge.q97.5"] if shown.knowledge else []
    data = frame[[c for c in columns if c in frame]].rename(
        columns={"knowledge.mean": "mean", "knowledge.q2.5": "low", "knowledge.q97.5": "high"}
    )
    if shown.chance and MONTE_CARLO in frame:
        half = NORMAL_95 * frame[MONTE_CARLO]
        data = data.assign(chance_low=data["mean"] - half, chance_high=data["mean"] + half)
    x = month_axis("Months since enrolment", max(context.months), layout.width)
    words = axis_words(view.label, view.unit, view.better)
    scale = alt.Scale(zero=False, nice=True)
    layers: list[Any] = []
    if "low" in data and context.draw_bands:
        low = alt.Y("low:Q", title=words, scale=scale)
        layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.16)
    if "chance_low" in data:
        layers.append(
            alt.Chart()
            .mark_rule(strokeWidth=1.4)
            .encode(
                x=x,
                y=alt.Y("chance_low:Q", title=words, scale=scale),
                y2=alt.Y2("chance_high"),
                color=arm_colour(context.styles, layout),
            )
        )
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
    title = "Average of all arms" + (
        ", with what we do not know" if shown.knowledge and context.draws > 1 else ""
    )
    return layered(layers, data=data_of(data), width=layout.width, height=250, title=title)


def _spread(
    context: FigureContext,
    frame: pd.DataFrame,
    view: OutcomeView,
    index: int,
    columns: int,
    width: int,
    shown: CourseLayers,
) -> Spec:
    style = context.styles[index]
    ends = [q for band, low, high, _ in BANDS if band in shown.bands for q in (low, high)]
    wanted = {f"between_people.{q}": q.replace(".", "_") for q in ("q50", *ends)}
    data = frame[["x", *[c for c in wanted if c in frame]]].rename(columns=wanted)
    if shown.measurement and MEASUREMENT in frame:
        half = NORMAL_95 * frame[MEASUREMENT]
        around = (data["q50"] - half, data["q50"] + half)
        data = data.assign(
            **{name: end.clip(view.low, view.high) for name, end in zip(_MEASURED, around, strict=True)}
        )
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
        for band, low, high, opacity in BANDS
        if band in shown.bands
    ]
    layers += [
        {
            "mark": {"type": "line", "color": style.colour, "strokeWidth": 1.4, "strokeDash": [1, 3]},
            "encoding": {"x": x, "y": {"field": name, **y}},
        }
        for name in _MEASURED
        if name in data
    ]
    line = {"type": "line", "color": style.colour, "strokeWidth": 2, "strokeDash": style.dash}
    layers.append({"mark": line, "encoding": {"x": x, "y": {"field": "q50", **y}}})
    heading = panel_title(style.label, width, 11, bold=False)
    return layered(layers, data=data_of(data), width=width, height=130, title=heading)


def _table(
    context: FigureContext, frame: pd.DataFrame, published: list[dict[str, Any]], shown: CourseLayers
) -> pd.DataFrame:
    import pandas as pd

    names: dict[str, str] = {
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
        MONTE_CARLO: "Chance: standard error of the average",
        MEASUREMENT: "Chance: measurement SD",
    }
    left_out = [f"between_people.{q}" for band, *ends, _ in BANDS if band not in shown.bands for q in ends]
    left_out += [] if shown.knowledge else ["knowledge.q2.5", "knowledge.q97.5"]
    left_out += [] if shown.chance else [MONTE_CARLO]
    # A report gives the error of one measurement in the table only.
    left_out += [] if shown.measurement or shown == REPORT else [MEASUREMENT]
    names = {name: words for name, words in names.items() if name not in left_out}
    table = frame[[name for name in names if name in frame]].rename(columns=names)
    if published:
        table = pd.concat([table, pd.DataFrame(published)], ignore_index=True)
    return table
