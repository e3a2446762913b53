"""What the data say about each parameter, and which parameters the doubt about the endpoints comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR

NORMAL_90 = 1.645
LEVELS = {"well": ARM_COLOURS[0], "partly": ARM_COLOURS[2], "hardly": COMPARATOR_COLOUR}
SHAPES = {"well": "circle", "partly": "square", "hardly": "triangle-up"}
SHOWN = 40


def informed_figure(parameters: Sequence[Mapping[str, Any]], shown: int = SHOWN) -> Figure | None:
    """Posterior beside prior in prior standard deviations, the most informed parameters first."""
    import pandas as pd

    if not parameters:
        return None
    table = pd.DataFrame(
        [
            {
                "name": one["name"],
                "mean": one["shift"],
                "low": one["shift"] - NORMAL_90 * one["spread"],
                "high": one["shift"] + NORMAL_90 * one["spread"],
                "informed": one["informed"],
                "overlap": one["overlap"],
                "contraction": one["contraction"],
            }
            for one in parameters
        ]
    )
    drawn = table.head(shown)

    def build(layout: Layout) -> Spec:
        import altair as alt

        width = layout.width - (290 if layout.name == "wide" else 20)
        y = alt.Y(
            "name:N",
            sort=None,
            title=None,
            axis=alt.Axis(
                labelLimit=290 if layout.name == "wide" else 120, ticks=False, domain=False, grid=True
            ),
        )
        title = "Prior SDs from the prior's centre"
        colour = alt.Color(
            "informed:N",
            title="The data inform it",
            scale=alt.Scale(domain=list(LEVELS), range=list(LEVELS.values())),
        )
        band = leaf(
            alt.Chart()
            .mark_rect(color=COMPARATOR_COLOUR, opacity=0.12)
            .encode(x=alt.X("low:Q", title=title), x2=alt.X2("high"))
        )
        prior = data_of(pd.DataFrame([{"low": -NORMAL_90, "high": NORMAL_90}])).to_dict()
        lines = (
            alt.Chart()
            .mark_rule(strokeWidth=2.2)
            .encode(x=alt.X("low:Q", title=title), x2=alt.X2("high"), y=y, color=colour)
        )
        dots = (
            alt.Chart()
            .mark_point(filled=True, size=46, opacity=1)
            .encode(
                x=alt.X("mean:Q", title=title),
                y=y,
                color=colour,
                shape=alt.Shape(
                    "informed:N",
                    title="The data inform it",
                    scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())),
                ),
            )
        )
        return layered(
            [band | {"data": prior}, lines, dots],
            data=data_of(drawn[["name", "mean", "low", "high", "informed"]]),
            width=width,
            height={"step": 17},
        )

    counts = table["informed"].value_counts()
    words = ", ".join(f"{int(counts.get(level, 0))} {level}" for level in LEVELS)
    return Figure(
        build=build,
        identifier="prior-and-posterior",
        title="What the calibration studies say about each parameter",
        alt=f"Of {len(table)} calibrated parameters the data inform {words}; the table lists all.",
        caption=(
            f"Middle 90 % of the posterior against that of the prior (grey), the {len(drawn)} most informed "
            "parameters. A parameter that fills the grey band learned nothing from the studies; its value is its "
            "prior's."
        ),
        source="The shipped posterior.",
        table=table.rename(
            columns={
                "name": "Parameter",
                "mean": "Posterior mean, prior SDs",
                "low": "5 %",
                "high": "95 %",
                "informed": "Informed",
                "overlap": "Overlap of prior and posterior",
                "contraction": "Share of the prior's variance gone",
            }
        ),
    )


def sensitivity_figure(parameters: Sequence[Mapping[str, Any]], shown: int = 25) -> Figure | None:
    """The mean total index of each parameter over all endpoints."""
    import pandas as pd

    if not parameters:
        return None
    table = pd.DataFrame(
        [{"name": one["parameter"], "index": 100.0 * one["mean_total_index"]} for one in parameters]
    )
    drawn = table.head(shown)

    def build(layout: Layout) -> Spec:
        import altair as alt

        wide = layout.name == "wide"
        bars = (
            alt.Chart()
            .mark_bar(color=ARM_COLOURS[0], height=9)
            .encode(
                x=alt.X("index:Q", title="Mean total Sobol index, %"),
                y=alt.Y(
                    "name:N",
                    sort=None,
                    title=None,
                    axis=alt.Axis(labelLimit=290 if wide else 120, ticks=False, domain=False),
                ),
            )
        )
        return layered(
            [bars], data=data_of(drawn), width=layout.width - (290 if wide else 20), height={"step": 17}
        )

    first = "; ".join(f"{row.name} {row.index:.0f} %" for row in drawn.head(5).itertuples(index=False))
    return Figure(
        build=build,
        identifier="sensitivity",
        title="Which parameters the remaining doubt comes from",
        alt=f"Bars of the mean total index over all endpoints. Largest: {first}.",
        caption=(
            "Share of an endpoint's variance that a parameter takes part in, averaged over endpoints; the "
            f"{len(drawn)} largest. Shares of interacting parameters count for each of them."
        ),
        source="Sobol indices of the calibration's emulator; inputs spread as in the posterior, each on its own.",
        table=table.rename(columns={"name": "Parameter", "index": "Mean total index, %"}),
    )
