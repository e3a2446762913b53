"""The six daily-life problems side by side."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import (
    arm_bands,
    arm_colour,
    arm_dash,
    data_of,
    layered,
    month_axis,
    panel_title,
    side_by_side,
)
from motorpool.simulation.labels import milestone_label, outcome_view

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Panel:
    """One panel: which daily-life problem, and the first of the named quantities that can be shown."""

    problem: str
    title: str
    outcomes: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()


PANELS = (
    Panel("arm_and_leg_weakness", "Weak arms and legs", outcomes=("hfmse", "chop_intend", "rulm")),
    Panel("breathing", "Breathing", outcomes=("fvc_percent", "ventilation_hours_per_day")),
    Panel("eating", "Eating", outcomes=("swallowing_percent",)),
    Panel("spinal_curvature", "Curved spine", outcomes=("cobb_degrees",)),
    Panel("fatigue", "Tiring quickly", outcomes=("endurance_percent",)),
    Panel("limited_independent_movement", "Moving independently", milestones=("walk", "sit_5s")),
)


@dataclass(frozen=True)
class Shown:
    """The numbers of one panel and the words of its axis."""

    panel: Panel
    name: str
    unit: str
    better: str
    frame: pd.DataFrame
    counted: str


def daily_life_figure(context: FigureContext) -> Figure | None:
    """Six small charts, one per problem: average of each arm with what we do not know."""
    shown = [found for panel in PANELS if (found := _choose(context, panel)) is not None]
    if not shown:
        return None

    def build(layout: Layout) -> Spec:
        columns = 3 if layout.name == "wide" else 1
        width = layout.panel_width(columns, gap=64)
        panels = [_chart(context, item, layout, width) for item in shown]
        return side_by_side(panels, columns=columns, spacing=26)

    import pandas as pd

    table = pd.concat([item.frame.assign(problem=item.panel.title, measure=item.name) for item in shown])
    parts: list[str] = []
    for item in shown:
        last = item.frame[item.frame["x"] == item.frame["x"].max()]
        values = ", ".join(f"{row.label} {row.mean:.0f}" for row in last.itertuples())
        parts.append(f"{item.panel.title} ({item.name}, {item.better}): {values}")
    names = {
        "problem": "Problem",
        "measure": "Measured by",
        "label": "Arm",
        "x": "Months since enrolment",
        "mean": "Average",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
        "people": "People counted",
    }
    return Figure(
        build=build,
        identifier="daily-life",
        title="Six problems of daily life, side by side",
        alt="Six small line charts. At the end: " + "; ".join(parts) + ".",
        caption=(
            f"Average of each arm; {context.pale_band_words}. The arrow on each axis says which way is "
            "better. Scores count people alive and assessable; \u201cmoving independently\u201d counts "
            "everyone enrolled, and people who died as not able."
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def _choose(context: FigureContext, panel: Panel) -> Shown | None:
    best: tuple[float, Shown] | None = None
    fitting = [name for name in context.motor_scales if name in panel.outcomes]
    for outcome in dict.fromkeys([*fitting, *panel.outcomes]):
        view = outcome_view(outcome)
        frame = _frame(context, kind="outcome", quantity=outcome, measure="score_among_living")
        if frame["x"].nunique() > 1:
            counted = float(frame["people"].sum())
            shown = Shown(panel, view.label, view.unit, view.better, frame, "living")
            # The first quantity that nearly everybody can be assessed on wins; else the one with most people.
            if best is None or counted > 1.25 * best[0]:
                best = (counted, shown)
    for milestone in panel.milestones:
        frame = _frame(context, kind="milestone", quantity=milestone, measure="able_share")
        if frame["x"].nunique() > 1 and frame["mean"].max() > 0.02:
            percent = frame.assign(**{c: frame[c] * 100 for c in ("mean", "low", "high") if c in frame})
            name = milestone_label(milestone)
            return Shown(panel, name, "of 100 people", "higher is better", percent, "everyone")
    return best[1] if best else None


def _frame(context: FigureContext, **conditions: Any) -> pd.DataFrame:
    frame = context.enough_people(context.rows(**conditions))
    frame = frame.rename(
        columns={
            "visit_month": "x",
            "knowledge.mean": "mean",
            "knowledge.q2.5": "low",
            "knowledge.q97.5": "high",
        }
    )
    return frame.assign(label=frame["arm"].map(context.labels))


def _chart(context: FigureContext, item: Shown, layout: Layout, width: int) -> Spec:
    import altair as alt

    columns = [c for c in ("label", "x", "mean", "low", "high") if c in item.frame]
    x = month_axis("Months since enrolment", max(context.months), width)
    arrow = {"higher is better": "\u2191 better", "lower is better": "\u2193 better"}.get(item.better, "")
    scale, axis = alt.Scale(zero=False, nice=True), alt.Axis(tickCount=4)
    layers: list[Any] = []
    if "low" in item.frame and context.draw_bands:
        low = alt.Y("low:Q", title=None, scale=scale, axis=axis)
        layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.14)
    layers.append(
        alt.Chart()
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x,
            y=alt.Y("mean:Q", title=None, scale=scale, axis=axis),
            color=arm_colour(context.styles, layout),
            strokeDash=arm_dash(context.styles, layout),
        )
    )
    measured = f"{item.name} ({item.unit})" if item.unit else item.name
    subtitle = [*textwrap.wrap(measured, max(16, (width + 40) // 6)), arrow]
    title = panel_title(item.panel.title, width, 13, subtitle=subtitle)
    return layered(layers, data=data_of(item.frame[columns]), width=width, height=130, title=title)
