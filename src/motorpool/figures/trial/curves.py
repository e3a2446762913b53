"""Curves of a trial's operating characteristics, with the Monte-Carlo error of every point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, COMPARATOR_DASH

NORMAL_95 = 1.96
SOURCE = "Simulated trials of this design; vertical bars are 95 % Monte-Carlo intervals."


def power_by_effect_figure(found: Mapping[str, Any]) -> Figure | None:
    """Power against the true effect."""
    rows = found["power_by_effect"]
    if len(rows) < 2:
        return None
    unit = found["endpoints"][0]["words"]
    return _curve(
        rows,
        "effect",
        identifier="power-by-effect",
        title="Chance to find the effect, by how large it truly is",
        x_title="True effect",
        target=found["smallest_trial"]["target_power"],
        words=f"{found['patients']} people; {unit}.",
        caption=(
            "Each point is a set of simulated trials in which the true effect has this size. The "
            "dashed line is the power "
            "asked for. At no effect the curve is half the two-sided type I error."
        ),
    )


def power_by_size_figure(found: Mapping[str, Any]) -> Figure | None:
    """Power against the number of patients, under the reference effect."""
    rows = list(
        {
            row["patients"]: row for row in [*found["power_by_size"], *found["smallest_trial"]["tries"]]
        }.values()
    )
    if len(rows) < 2:
        return None
    reference = found["reference"]
    return _curve(
        sorted(rows, key=lambda row: row["patients"]),
        "patients",
        identifier="power-by-size",
        title="Chance to find the effect, by the size of the trial",
        x_title="People enrolled",
        target=found["smallest_trial"]["target_power"],
        words=f"True effect {reference['effect']:.3g}: {reference['words']}.",
        caption=(
            f"True effect {reference['effect']:.3g} ({reference['words']}). The dashed line is the power asked for."
        ),
    )


def _curve(
    rows: Sequence[Mapping[str, Any]],
    field: str,
    *,
    identifier: str,
    title: str,
    x_title: str,
    target: float,
    words: str,
    caption: str,
) -> Figure:
    import pandas as pd

    table = pd.DataFrame(
        [
            {
                "x": float(row[field]),
                "power": 100.0 * row["value"],
                "low": max(0.0, 100.0 * (row["value"] - NORMAL_95 * row["monte_carlo_error"])),
                "high": min(100.0, 100.0 * (row["value"] + NORMAL_95 * row["monte_carlo_error"])),
            }
            for row in rows
        ]
    )
    shown = "; ".join(f"{row.x:g}: {row.power:.0f} %" for row in table.itertuples(index=False))

    def build(layout: Layout) -> Spec:
        import altair as alt

        x = alt.X("x:Q", title=x_title)
        scale = alt.Scale(domain=[0, 100], nice=False)
        base = alt.Chart()
        line = base.mark_line(color=ARM_COLOURS[0], point={"size": 46, "color": ARM_COLOURS[0]}).encode(
            x=x, y=alt.Y("power:Q", title="Power (%)", scale=scale)
        )
        bars = base.mark_rule(color=ARM_COLOURS[0], opacity=0.6).encode(
            x=x, y=alt.Y("low:Q", title="Power (%)", scale=scale), y2=alt.Y2("high")
        )
        return layered([bars, line, _level(target)], data=data_of(table), width=layout.width, height=230)

    names = {"x": x_title, "power": "Power, %", "low": "Low end, %", "high": "High end, %"}
    return Figure(
        build=build,
        identifier=identifier,
        title=title,
        alt=f"{words} Power by {x_title.lower()}: {shown}.",
        caption=caption,
        source=SOURCE,
        table=table.rename(columns=names),
    )


def _level(target: float) -> Spec:
    import altair as alt
    import pandas as pd

    line = (
        alt.Chart()
        .mark_rule(color=COMPARATOR_COLOUR, strokeDash=COMPARATOR_DASH, strokeWidth=1.6)
        .encode(y=alt.Y("level:Q", title="Power (%)"))
    )
    return leaf(line) | {"data": data_of(pd.DataFrame([{"level": 100.0 * target}])).to_dict()}


def accrual_figure(found: Mapping[str, Any]) -> Figure | None:
    """Expected entries by year, with the size that is asked for."""
    import pandas as pd

    years = found["accrual"]["enrolled_by_year"]
    size = found["patients"]
    kept = next((place + 1 for place, value in enumerate(years) if value >= size), len(years))
    kept = min(len(years), max(kept + 1, int(found["accrual"]["feasible_years"]) + 1))
    table = pd.DataFrame({"x": [float(place) for place in range(kept + 1)], "people": [0.0, *years[:kept]]})

    def build(layout: Layout) -> Spec:
        import altair as alt

        y = alt.Y("people:Q", title="People enrolled")
        line = (
            alt.Chart()
            .mark_line(color=ARM_COLOURS[0], point={"size": 46, "color": ARM_COLOURS[0]})
            .encode(x=alt.X("x:Q", title="Years since the first centre opened"), y=y)
        )
        wanted = (
            alt.Chart()
            .mark_rule(color=COMPARATOR_COLOUR, strokeDash=COMPARATOR_DASH, strokeWidth=1.6)
            .encode(y=alt.Y("people:Q", title="People enrolled"))
        )
        level = leaf(wanted) | {"data": data_of(pd.DataFrame([{"people": float(size)}])).to_dict()}
        return layered([line, level], data=data_of(table), width=layout.width, height=200)

    shown = ", ".join(f"{row.people:.0f} by year {row.x:g}" for row in table.itertuples(index=False))
    return Figure(
        build=build,
        identifier="accrual",
        title="How many people can be enrolled",
        alt=f"Expected entries: {shown}. The design asks for {size}.",
        caption="Expected entries. The dashed line is the size of the design.",
        source="Births, prevalence at birth, who could enter according to the model, and stated "
        "shares who are reached and agree.",
        table=table.rename(columns={"x": "Year", "people": "People enrolled"}),
    )
