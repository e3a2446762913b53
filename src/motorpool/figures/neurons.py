"""What happens to the motor neurons: working, sick and dead in each muscle group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import balanced, data_of, month_axis, panel_title, side_by_side, unit
from motorpool.figures.theme import NEURON_COLOURS

if TYPE_CHECKING:
    import pandas as pd

STATES = (("working", "Working"), ("sick", "Sick but alive"), ("dead", "Dead"))


def neuron_figure(context: FigureContext) -> Figure | None:
    """Stacked areas of the state of motor neurons, averaged over muscle groups for the picture."""
    if any(f"motor_neurons_{state}" not in context.dataset for state, _ in STATES):
        return None
    table = _frame(context)
    if table.empty:
        return None
    picture = table.groupby(["arm", "state", "order", "x"], sort=False)["percent"].mean().reset_index()

    def build(layout: Layout) -> Spec:
        import altair as alt

        columns = balanced(len(context.arms), 5 if layout.name == "wide" else 2)
        width = layout.panel_width(columns, gap=46)
        charts = [
            alt.Chart(data_of(picture[picture["arm"] == style.arm][["x", "state", "order", "percent"]]))
            .mark_area(stroke="#ffffff", strokeWidth=0.7)
            .encode(
                x=month_axis("Months", max(context.months), width),
                y=alt.Y(
                    "percent:Q",
                    stack="zero",
                    title="Of 100 motor neurons" if place % columns == 0 else None,
                    scale=alt.Scale(domain=[0, 100], nice=False),
                ),
                order=alt.Order("order:Q"),
                color=alt.Color(
                    "state:N",
                    scale=alt.Scale(
                        domain=[label for _, label in STATES],
                        range=[NEURON_COLOURS[key] for key, _ in STATES],
                    ),
                    sort=[label for _, label in STATES],
                    legend=alt.Legend(
                        title=None, columns=3 if layout.name == "wide" else 1, symbolType="square"
                    ),
                ),
            )
            for place, style in enumerate(context.styles)
        ]
        panels = [
            unit(chart, width=width, height=130, title=panel_title(style.label, width))
            for chart, style in zip(charts, context.styles, strict=True)
        ]
        return side_by_side(panels, columns=columns, spacing=22)

    last = picture[picture["x"] == picture["x"].max()]
    parts = [
        f"{context.labels[str(arm)]}: "
        + ", ".join(f"{row.state.lower()} {row.percent:.0f} %" for row in group.itertuples())
        for arm, group in last.groupby("arm", sort=False)
    ]
    return Figure(
        build=build,
        identifier="motor-neurons",
        title="Motor neurons: working, sick but alive, and dead",
        alt="Stacked areas of the state of motor neurons. At the end: " + "; ".join(parts) + ".",
        caption=(
            "Average of people alive at each visit and of all muscle groups; the table gives each group. "
            "Sick neurons can recover, dead ones cannot: this is why the time of treatment matters. More "
            "blue is better."
        ),
        source=simulated_by(),
        table=table[["label", "group", "state", "x", "percent"]].rename(
            columns={
                "label": "Arm",
                "group": "Muscle group",
                "state": "State",
                "x": "Months since enrolment",
                "percent": "Of 100 motor neurons",
            }
        ),
    )


def _frame(context: FigureContext) -> pd.DataFrame:
    import warnings

    import pandas as pd

    rows: list[dict[str, Any]] = []
    groups = [str(group) for group in context.dataset["muscle_group"].values]
    for order, (state, label) in enumerate(STATES):
        values = context.dataset[f"motor_neurons_{state}"].transpose(
            "arm", "muscle_group", "visit_month", "draw", "patient"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            mean = np.nanmean(np.asarray(values.values, dtype=float), axis=(-1, -2))
        for place, arm in enumerate(str(arm) for arm in context.dataset["arm"].values):
            for number, group in enumerate(groups):
                rows += [
                    {
                        "arm": arm,
                        "label": context.labels[arm],
                        "group": group.replace("_", " "),
                        "state": label,
                        "order": order,
                        "x": month,
                        "percent": 100.0 * float(mean[place, number, visit]),
                    }
                    for visit, month in enumerate(context.months)
                ]
    return pd.DataFrame(rows).dropna(subset=["percent"])
