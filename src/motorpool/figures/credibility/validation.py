"""Predicted against published: distances by family, and both intervals of every endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf, panel_title, side_by_side
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, SOFT_INK

INSIDE, OUTSIDE = "inside its interval", "outside"
EDGE = 4.0  # larger distances are drawn here
NORMAL_90 = 1.645
SHARES = ("proportion", "survival")
POINTS = ("chop_intend", "hine2", "hfmse", "rulm", "mfm32", "hfmse_level", "rulm_level", "mfm32_level")


def distance_figure(endpoints: Sequence[Mapping[str, Any]]) -> Figure | None:
    """How far each validation endpoint lies from its prediction, in predictive standard deviations."""
    import pandas as pd

    rows = [
        {
            "name": f"{row['study']}.{row['endpoint']}",
            "family": str(row["family"]).replace("_", " "),
            "z": float(row["z"]),
            "shown": float(np.clip(row["z"], -EDGE, EDGE)),
            "how": INSIDE if row["inside_90"] else OUTSIDE,
        }
        for row in endpoints
        if row["set"] == "validation" and row["counted"] and row.get("z") is not None
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows)
    missed = table[table["how"] == OUTSIDE]

    def build(layout: Layout) -> Spec:
        import altair as alt

        wide = layout.name == "wide"
        y = alt.Y("family:N", title=None, axis=alt.Axis(labelLimit=150, grid=True, ticks=False, domain=False))
        band = (
            alt.Chart()
            .mark_rect(color=COMPARATOR_COLOUR, opacity=0.13)
            .encode(x=alt.X("low:Q"), x2=alt.X2("high"))
        )
        limits = data_of(pd.DataFrame([{"low": -NORMAL_90, "high": NORMAL_90}])).to_dict()
        dots = (
            alt.Chart()
            .mark_point(filled=True, size=62, opacity=0.75)
            .encode(
                x=alt.X(
                    "shown:Q",
                    title="Published less predicted, predictive SDs",
                    scale=alt.Scale(domain=[-EDGE, EDGE], nice=False),
                ),
                y=y,
                color=_colour(alt),
                shape=_shape(alt),
            )
        )
        return layered(
            [leaf(band) | {"data": limits}, dots],
            data=data_of(table[["family", "shown", "how"]]),
            width=layout.width - (170 if wide else 110),
            height={"step": 24},
        )

    worst = "; ".join(f"{row.name} {row.z:+.1f}" for row in missed.itertuples(index=False))
    return Figure(
        build=build,
        identifier="validation-distances",
        title="Published figures of unseen studies, in standard deviations from their prediction",
        alt=f"{len(table) - len(missed)} of {len(table)} endpoints lie inside. Outside: {worst or 'none'}.",
        caption=(
            "Each mark is one endpoint of a validation study; grey, the middle 90 % of a normal forecast. Distances "
            f"beyond {EDGE:g} are drawn at {EDGE:g}. Whether an endpoint is inside is decided by its own predictive "
            "interval."
        ),
        source="The stored validation run.",
        table=table[["name", "family", "z", "how"]].rename(
            columns={"name": "Endpoint", "family": "Family", "z": "Distance, SDs", "how": "90 % interval"}
        ),
    )


def agreement_figure(endpoints: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Predicted against published with both intervals: shares, and points of motor scales."""
    import pandas as pd

    panels = {"Shares of people, %": (SHARES, 100.0), "Motor scales, points": (POINTS, 1.0)}
    rows = [
        {
            "panel": panel,
            "name": f"{row['study']}.{row['endpoint']}",
            "how": INSIDE if row["inside_90"] else OUTSIDE,
            **{
                field: None if row.get(field) is None else factor * float(row[field])
                for field in (
                    "published",
                    "published_low",
                    "published_high",
                    "predicted",
                    "predicted_low",
                    "predicted_high",
                )
            },
        }
        for panel, (families, factor) in panels.items()
        for row in endpoints
        if row["set"] == "validation" and row["counted"] and row["family"] in families
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows)

    def build(layout: Layout) -> Spec:
        columns = 2 if layout.name == "wide" else 1
        width = layout.panel_width(columns, gap=80)
        shown = [name for name in panels if (table["panel"] == name).any()]
        drawn = [_agreement(table[table["panel"] == name], name, width) for name in shown]
        return drawn[0] if len(drawn) == 1 else side_by_side(drawn, columns=columns, spacing=30)

    return Figure(
        build=build,
        identifier="validation-agreement",
        title="Predicted against published, with both 90 % intervals",
        alt=f"Scatter of {len(table)} endpoints of validation studies around equality, listed in the table.",
        caption=(
            "On the line, prediction and publication agree. Upright: predictive interval of a study of that size, "
            "the model's own discrepancy included. Level: interval of the publication, where it gives one."
        ),
        source="The stored validation run.",
        table=table.rename(columns={"panel": "Kind", "name": "Endpoint", "how": "90 % interval"}),
    )


def _agreement(data: Any, name: str, width: int) -> Spec:
    import altair as alt
    import pandas as pd

    numbers = data[["published", "published_low", "published_high", "predicted_low", "predicted_high"]]
    low, high = float(numbers.min().min()), float(numbers.max().max())
    margin = 0.04 * (high - low)
    scale = alt.Scale(domain=[low - margin, high + margin], nice=False)
    x = alt.X("published:Q", title="Published", scale=scale)
    y = alt.Y("predicted:Q", title="Predicted", scale=scale)
    ends = data_of(
        pd.DataFrame([{"published": low, "predicted": low}, {"published": high, "predicted": high}])
    )
    line = leaf(alt.Chart().mark_line(color=SOFT_INK, strokeDash=[4, 3], strokeWidth=1.2).encode(x=x, y=y))
    upright = (
        alt.Chart()
        .mark_rule(opacity=0.45)
        .encode(
            x=x,
            y=alt.Y("predicted_low:Q", title="Predicted", scale=scale),
            y2=alt.Y2("predicted_high"),
            color=_colour(alt),
        )
    )
    level = (
        alt.Chart()
        .mark_rule(opacity=0.45)
        .encode(
            x=alt.X("published_low:Q", title="Published", scale=scale),
            x2=alt.X2("published_high"),
            y=y,
            color=_colour(alt),
        )
        .transform_filter("isValid(datum.published_low) && isValid(datum.published_high)")
    )
    dots = (
        alt.Chart()
        .mark_point(filled=True, size=50, opacity=0.9)
        .encode(x=x, y=y, color=_colour(alt), shape=_shape(alt))
    )
    columns = [column for column in data.columns if column not in ("panel", "name")]
    return layered(
        [line | {"data": ends.to_dict()}, upright, level, dots],
        data=data_of(data[columns]),
        width=width,
        height=width,
        title=panel_title(name, width, 13),
    )


def _colour(alt: Any) -> Any:
    return alt.Color(
        "how:N", title=None, scale=alt.Scale(domain=[INSIDE, OUTSIDE], range=[ARM_COLOURS[0], ARM_COLOURS[1]])
    )


def _shape(alt: Any) -> Any:
    return alt.Shape(
        "how:N", title=None, scale=alt.Scale(domain=[INSIDE, OUTSIDE], range=["circle", "cross"])
    )
