"""Outcome against the age at the start of one therapy, when that is all in which the arms differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, month_ticks, panel_title, side_by_side
from motorpool.figures.start_ages import start_ages
from motorpool.figures.survival import survival_title
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, COMPARATOR_DASH, LINE_BREAK
from motorpool.simulation.labels import milestone_label, outcome_view

if TYPE_CHECKING:
    import pandas as pd

SHARE = "Of 100 people"
SHARES = (
    ("event", "death_or_permanent_ventilation_16h_21d", "event_free_share"),
    ("milestone", "sit_10s", "able_share"),
    ("milestone", "walk", "able_share"),
)


def start_age_figure(context: FigureContext) -> Figure | None:
    """Small charts of what is reached at the end against the age at start."""
    ages = start_ages(context.scenario)
    if not ages:
        return None
    table = _frame(context, ages)
    if table.empty:
        return None
    panels = list(dict.fromkeys(table["panel"]))
    oldest = max(ages.values())
    without = [arm for arm in context.arms if arm not in ages]

    def build(layout: Layout) -> Spec:
        columns = 2 if layout.name == "wide" else 1
        width = layout.panel_width(columns, gap=70)
        charts = [_chart(table[table["panel"] == name], name, oldest, width) for name in panels]
        return side_by_side(charts, columns=columns, spacing=26)

    parts: list[str] = []
    for name in panels:
        rows = table[(table["panel"] == name) & table["age"].notna()]
        first, last = rows.iloc[0], rows.iloc[-1]
        parts.append(
            f"{name}: {first['mean']:.0f} with a start at {first['age']:g} months of age, "
            f"{last['mean']:.0f} with a start at {last['age']:g} months"
        )
    names = {
        "panel": "Outcome",
        "axis": "Unit",
        "label": "Arm",
        "age": "Age at start, months",
        "mean": "Average",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
        "people": "People counted",
    }
    end = f"{max(context.months):g} months after enrolment"
    dashed = " Dashed line: " + ", ".join(context.labels[arm] for arm in without) + "." if without else ""
    shaded = context.marked("shaded, ")
    return Figure(
        build=build,
        identifier="start-age",
        title=f"What is reached {end}, by the age at which treatment starts",
        alt=f"Line charts of what is reached {end} against the age at start. " + "; ".join(parts) + ".",
        caption=(
            f"The same virtual people start at each age. {shaded[:1].upper()}{shaded[1:]}.{dashed} Everyone "
            "enrolled is counted: people who die count as not able, and in the score as the lowest. "
            "Higher is better."
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def _frame(context: FigureContext, ages: dict[str, float]) -> pd.DataFrame:
    import pandas as pd

    last = max(context.months)
    pieces: list[pd.DataFrame] = []

    def add(name: str, factor: float, axis: str, rows: pd.DataFrame) -> None:
        if rows.empty or rows["knowledge.mean"].max() * factor < 0.5:
            return
        frame = pd.DataFrame(
            {
                "panel": name,
                "axis": axis,
                "arm": rows["arm"],
                "label": rows["arm"].map(context.labels),
                "age": rows["arm"].map(ages),
                "mean": rows["knowledge.mean"] * factor,
                "people": rows["people"],
            }
        )
        for name_, column in (("low", "knowledge.q2.5"), ("high", "knowledge.q97.5")):
            if column in rows:
                frame[name_] = rows[column] * factor
        pieces.append(frame.sort_values("age", kind="stable"))

    for kind, quantity, measure in SHARES:
        words = survival_title(quantity) if kind == "event" else milestone_label(quantity)
        found = context.rows(kind=kind, quantity=quantity, measure=measure, visit_month=last)
        add(words, 100.0, SHARE, found)
    for scale in context.motor_scales[:1]:
        view = outcome_view(scale)
        found = context.rows(kind="outcome", quantity=scale, measure="score_death_as_worst", visit_month=last)
        add(view.label, 1.0, view.unit or view.label, found)
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def _chart(data: pd.DataFrame, name: str, oldest: float, width: int) -> Spec:
    import altair as alt

    columns = [c for c in ("age", "mean", "low", "high") if c in data]
    started = data[data["age"].notna()][columns]
    without = data[data["age"].isna()][["mean"]]
    x = alt.X(
        "age:Q",
        title="Age at start (months)",
        scale=alt.Scale(domain=[0, oldest], nice=False),
        axis=alt.Axis(values=month_ticks(0.0, oldest, max(2, width // 40)), grid=False),
    )
    axis = str(data["axis"].iloc[0])
    share = axis == SHARE
    top = 100.0 if share else float(data[[c for c in ("mean", "high") if c in data]].max().max()) * 1.05
    scale = alt.Scale(domain=[0, top], nice=not share)
    words = f"{axis}{LINE_BREAK}\u2191 higher is better"
    base = alt.Chart(data_of(started))
    layers: list[Any] = []
    if "low" in columns:
        layers.append(
            base.mark_area(color=ARM_COLOURS[0], opacity=0.18).encode(
                x=x, y=alt.Y("low:Q", title=words, scale=scale), y2=alt.Y2("high")
            )
        )
    line = base.mark_line(color=ARM_COLOURS[0], strokeWidth=2.4, point={"size": 46, "color": ARM_COLOURS[0]})
    layers.append(line.encode(x=x, y=alt.Y("mean:Q", title=words, scale=scale)))
    if len(without):
        layers.append(
            alt.Chart(data_of(without))
            .mark_rule(color=COMPARATOR_COLOUR, strokeDash=COMPARATOR_DASH, strokeWidth=2)
            .encode(y=alt.Y("mean:Q", title=words, scale=scale))
        )
    return layered(layers, width=width, height=170, title=panel_title(name, width + 30, 13))
