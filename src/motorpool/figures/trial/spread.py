"""What is known of the effect before the trial, and how the answer depends on the assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, COMPARATOR_DASH

BINS = 24
NORMAL_95 = 1.96


def known_effect_figure(found: Mapping[str, Any]) -> Figure | None:
    """Histogram of the true effect over what is not known, with the worthwhile effect."""
    import pandas as pd

    effects = np.asarray(found["assurance"]["effects"], float)
    if effects.size < 8 or float(np.ptp(effects)) == 0.0:
        return None
    counts, edges = np.histogram(effects, bins=min(BINS, max(6, effects.size // 4)))
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "share": 100.0 * counts / effects.size})
    value = found["value"]
    worthwhile = None if value is None else float(value["worthwhile"])

    def build(layout: Layout) -> Spec:
        import altair as alt

        bars = (
            alt.Chart()
            .mark_bar(color=ARM_COLOURS[0], opacity=0.75)
            .encode(
                x=alt.X("from:Q", title="True effect on the first endpoint", bin="binned"),
                x2=alt.X2("to"),
                y=alt.Y("share:Q", title="Share of draws (%)"),
            )
        )
        layers: list[Any] = [bars]
        if worthwhile is not None:
            rule = (
                alt.Chart()
                .mark_rule(color=COMPARATOR_COLOUR, strokeDash=COMPARATOR_DASH, strokeWidth=2)
                .encode(x=alt.X("level:Q", title="True effect on the first endpoint"))
            )
            layers.append(leaf(rule) | {"data": data_of(pd.DataFrame([{"level": worthwhile}])).to_dict()})
        return layered(layers, data=data_of(table), width=layout.width, height=200)

    low, high = found["assurance"]["effect_95"]
    dashed = "" if worthwhile is None else " Dashed: the least effect that is worth having."
    return Figure(
        build=build,
        identifier="known-effect",
        title="What is known of the effect before the trial",
        alt=(
            f"Histogram of the true effect over {effects.size} draws: median "
            f"{found['assurance']['effect_median']:.3g}, 95 % "
            f"from {low:.3g} to {high:.3g}."
        ),
        caption=f"Each draw is one set of everything that is not known, the effect of cells included.{dashed}",
        source="Draws from the posterior of the model and the priors of what it says nothing about.",
        table=table.rename(columns={"from": "From", "to": "To", "share": "Share of draws, %"}),
    )


def sensitivity_figure(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Power and type I error when one assumption changes."""
    import pandas as pd

    if len(rows) < 2:
        return None
    table = pd.DataFrame(
        [
            {
                "assumption": row["assumption"],
                "power": 100.0 * row["power"]["value"],
                "low": max(
                    0.0, 100.0 * (row["power"]["value"] - NORMAL_95 * row["power"]["monte_carlo_error"])
                ),
                "high": min(
                    100.0, 100.0 * (row["power"]["value"] + NORMAL_95 * row["power"]["monte_carlo_error"])
                ),
                "error": 100.0 * row["type_1_error"]["value"],
            }
            for row in rows
        ]
    )

    def build(layout: Layout) -> Spec:
        import altair as alt

        wide = layout.name == "wide"
        y = alt.Y(
            "assumption:N",
            title=None,
            sort=list(table["assumption"]),
            axis=alt.Axis(labelLimit=300 if wide else 150, grid=True, ticks=False, domain=False),
        )
        scale = alt.Scale(domain=[0, 100], nice=False)
        bars = (
            alt.Chart()
            .mark_rule(color=ARM_COLOURS[0], strokeWidth=3, opacity=0.5)
            .encode(y=y, x=alt.X("low:Q", title="Power (%)", scale=scale), x2=alt.X2("high"))
        )
        dots = (
            alt.Chart()
            .mark_point(filled=True, size=60, color=ARM_COLOURS[0])
            .encode(y=y, x=alt.X("power:Q", title="Power (%)", scale=scale))
        )
        return layered(
            [bars, dots],
            data=data_of(table),
            width=layout.width - (310 if wide else 120),
            height={"step": 24},
        )

    worst = min(table.to_dict("records"), key=lambda row: row["power"])
    return Figure(
        build=build,
        identifier="trial-sensitivity",
        title="Power when one assumption is changed",
        alt=f"Power under {len(table)} assumptions; lowest {worst['power']:.0f} % when {worst['assumption']}.",
        caption=(
            "Every row changes one assumption of the design and leaves the others as they are. Where people know or "
            "guess their arm, ratings rise without any effect: the type I error in the table rises with the power."
        ),
        source="Simulated trials; bars are 95 % Monte-Carlo intervals.",
        table=table.rename(
            columns={
                "assumption": "Assumption",
                "power": "Power, %",
                "low": "Low end, %",
                "high": "High end, %",
                "error": "Type I error, %",
            }
        ),
    )
