"""The figure of the error study: error against cost, one point per variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered
from motorpool.figures.theme import ARM_COLOURS, ARM_SHAPES, INK

HEIGHT = 340
RULE = 1e-3  # of the reference test


def error_figure(found: Sequence[Any]) -> Figure:
    """Largest error against CPU time per patient-year, for what the engine's own compiler makes."""
    timed = [one for one in found if one.microseconds_per_year is not None]
    frame = pd.DataFrame(
        {
            "group": [one.variant.group for one in timed],
            "variant": [one.variant.name if one.variant.group != "as shipped" else "" for one in timed],
            "cost": [float(one.microseconds_per_year) for one in timed],
            "error": [one.largest for one in timed],
        }
    )
    groups = list(dict.fromkeys(frame["group"]))

    def build(layout: Layout) -> Spec:
        scale = alt.Scale(domain=groups, range=list(ARM_COLOURS[: len(groups)]))
        shapes = alt.Scale(domain=groups, range=list(ARM_SHAPES[: len(groups)]))
        legend = alt.Legend(title=None, columns=1, labelLimit=0, symbolSize=120)
        places = alt.Chart().encode(
            x=alt.X("cost:Q", title="CPU time per patient-year, µs", scale=alt.Scale(type="log", nice=True)),
            y=alt.Y("error:Q", title="largest relative error", scale=alt.Scale(type="log")),
        )
        points = places.mark_point(filled=True, size=90).encode(
            color=alt.Color("group:N", scale=scale, legend=legend),
            shape=alt.Shape("group:N", scale=shapes, legend=legend),
        )
        words = places.mark_text(align="left", dx=8, fontSize=10, color=INK).encode(text="variant:N")
        rule = alt.Chart().mark_rule(strokeDash=[4, 3], color=INK).encode(y=alt.datum(RULE))
        return layered([rule, points, words], data=data_of(frame), width=layout.width - 220, height=HEIGHT)

    points = "; ".join(
        f"{row.group} {row.variant}: {row.error:.1e} at {row.cost:.1f} µs" for row in frame.itertuples()
    )
    return Figure(
        build=build,
        identifier="error-against-cost",
        title="Error against cost of the engine's numerical choices",
        alt=f"Largest relative error against CPU time per patient-year. {points}.",
        caption="Each point changes one choice of the shipped engine. Dashed: the rule of the reference test.",
        source="Computed with benchmarks/error_study.py.",
        table=frame.rename(
            columns={"group": "Choice", "variant": "Variant", "cost": "CPU time, µs", "error": "Error"}
        ),
    )
