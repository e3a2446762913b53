"""The six-minute walk, minute by minute: who tires while walking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import arm_bands, arm_colour, arm_dash, axis_words, data_of, layered
from motorpool.simulation.layers import knowledge

if TYPE_CHECKING:
    import pandas as pd

FAIR_SHARE = 0.2  # of all people, in at least one arm, who must be able to do the test


def walking_figure(context: FigureContext) -> Figure | None:
    """Metres in each minute at the last visit; None where few people walk."""
    if "walk_minute_m" not in context.dataset:
        return None
    table = _frame(context)
    if table.empty or table["people"].max() < FAIR_SHARE * context.people:
        return None
    words = axis_words("Distance", "m per minute", "higher is better")

    def build(layout: Layout) -> Spec:
        import altair as alt

        x = alt.X("x:O", title="Minute of the walk", axis=alt.Axis(labelAngle=0))
        scale = alt.Scale(zero=False, nice=True)
        layers: list[Any] = []
        columns = [c for c in ("label", "x", "mean", "low", "high") if c in table]
        if "low" in columns and context.draw_bands:
            low = alt.Y("low:Q", title=words, scale=scale)
            layers += arm_bands(context.styles, x, low, "high:Q", opacity=0.15)
        layers.append(
            alt.Chart()
            .mark_line(strokeWidth=2.2, point=True)
            .encode(
                x=x,
                y=alt.Y("mean:Q", title=words, scale=scale),
                color=arm_colour(context.styles, layout),
                strokeDash=arm_dash(context.styles, layout),
            )
        )
        width = min(layout.width, 420)
        return layered(layers, data=data_of(table[columns]), width=width, height=200)

    parts = [
        f"{label}: {rows['mean'].iloc[0]:.0f} m in the first, "
        f"{rows['mean'].iloc[-1]:.0f} m in the last minute"
        for label, rows in table.groupby("label", sort=False)
    ]
    names = {
        "label": "Arm",
        "x": "Minute",
        "mean": "Metres",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
        "people": "People counted",
    }
    return Figure(
        build=build,
        identifier="walk-by-minute",
        title=f"The six-minute walk by minute, after {max(context.months):g} months",
        alt="Line chart of the distance walked in each minute. " + "; ".join(parts) + ".",
        caption=(
            f"Average of people alive and able to do the test; {context.range_words}. A line that falls from "
            "left to right means people tire while walking."
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def _frame(context: FigureContext) -> pd.DataFrame:
    import pandas as pd

    last = context.dataset["walk_minute_m"].isel(visit_month=-1)
    metres = np.asarray(last.transpose("arm", "minute", "draw", "patient").values, dtype=float)
    walks = np.nansum(metres, axis=1, keepdims=True) > 0
    metres = np.where(walks, metres, np.nan)
    known = knowledge(metres)
    people = np.sum(~np.isnan(metres), axis=-1).mean(axis=-1)
    arms = [str(arm) for arm in context.dataset["arm"].values]
    rows: list[dict[str, Any]] = []
    for arm in context.arms:
        place = arms.index(arm)
        for index, minute in enumerate(context.dataset["minute"].values):
            if people[place, index] < 2:
                continue
            row: dict[str, Any] = {"label": context.labels[arm], "x": int(minute)}
            row |= {"mean": float(known["mean"][place, index]), "people": float(people[place, index])}
            if "q2.5" in known:
                row |= {
                    "low": float(known["q2.5"][place, index]),
                    "high": float(known["q97.5"][place, index]),
                }
            rows.append(row)
    return pd.DataFrame(rows)
