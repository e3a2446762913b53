"""Pictures of a validation: every figure published and predicted, coverage by family, and where forecasts were missed.

Inside and outside differ in shape and colour at once. Values are drawn in the unit in which people read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, INK, SOFT_INK

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

INSIDE, OUTSIDE, UNCOUNTED = "inside", "outside", "not counted"
COLOURS = {INSIDE: ARM_COLOURS[0], OUTSIDE: ARM_COLOURS[1], UNCOUNTED: COMPARATOR_COLOUR}
SHAPES = {INSIDE: "circle", OUTSIDE: "cross", UNCOUNTED: "diamond"}
SIZES = {INSIDE: 62, OUTSIDE: 120, UNCOUNTED: 62}
MOST_ROWS = 32  # of one picture, so that it fits a page
LOGARITHMIC = ("time", "hazard_ratio", "electrophysiology")
BINS = 10
LABEL = 300  # pixels beside the wide picture for the names of figures
VALUES = ("published", "published_low", "published_high", "predicted", "predicted_low", "predicted_high")
HOW_TO_READ = (
    "Upper bar and tick: predicted, the middle 90 % and the median, for a study of that size. Lower mark and line: "
    "published, with its 90 % interval where the paper gives one. Disc: inside; cross: outside; diamond: not counted, "
    "because too few simulated people are like those of the study."
)


def interval_figures(
    rows: Sequence[Mapping[str, Any]], family: str, words: str, unit: str, prefix: str
) -> list[Figure]:
    """Published and predicted values of the figures of a family, with both 90 % intervals; several pictures for many.

    Args:
        rows: with ``name``, ``how`` (one of the three above), ``z``, and the fields of ``VALUES`` in ``unit``.
        words: the family in words; prefix: start of the identifiers.
    """
    pieces = max(1, math.ceil(len(rows) / MOST_ROWS))
    size = math.ceil(len(rows) / pieces)
    found: list[Figure] = []
    for number in range(pieces):
        part = rows[number * size : (number + 1) * size]
        title = words if pieces == 1 else f"{words}, {number + 1} of {pieces}"
        name = f"{prefix}-{family}-{unit}".replace("_", "-")
        identifier = "".join(c for c in name.lower().replace(" ", "-") if c.isalnum() or c == "-").strip("-")
        found.append(_intervals(part, family, title, unit, f"{identifier}-{number + 1}"))
    return found


def _intervals(
    rows: Sequence[Mapping[str, Any]], family: str, title: str, unit: str, identifier: str
) -> Figure:
    import pandas as pd

    table = pd.DataFrame([{key: row.get(key) for key in ("name", "how", "z", *VALUES)} for row in rows])
    lowest = float(np.nanmin(table[list(VALUES)].to_numpy(float)))
    logarithmic = family in LOGARITHMIC and lowest > 0
    outside = [str(name) for name in table.loc[table["how"] == OUTSIDE, "name"]]
    shown = table.rename(columns={"name": "Figure", "how": "90 % interval", "z": "Distance, SDs"})
    renamed = {
        name: f"{name.replace('_', ', ', 1).capitalize()} ({unit})".replace(" ()", "") for name in VALUES
    }
    counted = int((table["how"] != UNCOUNTED).sum())
    return Figure(
        build=lambda layout: _interval_spec(table, unit, logarithmic, layout),
        identifier=identifier,
        title=title,
        alt=(
            f"{counted - len(outside)} of {counted} counted figures lie inside their predicted interval. "
            f"Outside: {', '.join(outside) or 'none'}."
        ),
        caption=HOW_TO_READ,
        source="Published values: the studies named.",
        table=shown.rename(columns=renamed),
    )


def _interval_spec(table: pd.DataFrame, unit: str, logarithmic: bool, layout: Layout) -> Spec:
    import altair as alt

    wide = layout.name == "wide"
    scale, ticks = _value_scale(table, logarithmic)
    order = [str(name) for name in table["name"]]
    axis = alt.Axis(labelLimit=LABEL, grid=True, ticks=False, domain=False, labelPadding=8) if wide else None
    y = alt.Y("name:N", title=None, sort=order, axis=axis)
    present = [how for how in COLOURS if (table["how"] == how).any()]
    legend = alt.Legend(title=None, values=present, symbolSize=90, symbolOpacity=1, symbolStrokeWidth=1)

    def scale_of(values: Mapping[str, Any]) -> alt.Scale:
        return alt.Scale(domain=list(values), range=list(values.values()))

    colour = alt.Color("how:N", legend=legend, scale=scale_of(COLOURS))
    shape = alt.Shape("how:N", legend=legend, scale=scale_of(SHAPES))
    size = alt.Size("how:N", legend=None, scale=scale_of(SIZES))
    shift = 0 if wide else 6

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=unit or None, scale=scale, axis=ticks)

    band = (
        alt.Chart()
        .mark_rule(strokeWidth=7, opacity=0.38, yOffset=shift - 5)
        .encode(x=x("predicted_low"), x2=alt.X2("predicted_high"), y=y, color=colour)
    )
    median = (
        alt.Chart()
        .mark_tick(thickness=2.4, size=11, yOffset=shift - 5, opacity=1)
        .encode(x=x("predicted"), y=y, color=colour)
    )
    line = (
        alt.Chart()
        .mark_rule(strokeWidth=1.6, color=INK, yOffset=shift + 4)
        .encode(x=x("published_low"), x2=alt.X2("published_high"), y=y)
        .transform_filter("isValid(datum.published_low) && isValid(datum.published_high)")
    )
    dot = (
        alt.Chart()
        .mark_point(filled=True, opacity=1, yOffset=shift + 4)
        .encode(x=x("published"), y=y, color=colour, shape=shape, size=size)
    )
    layers: list[Any] = [band, median, line, dot]
    if not wide:
        text = alt.Chart().mark_text(align="left", yOffset=-14, fontSize=10, color=INK)
        layers.append(text.encode(x=alt.value(0), y=y, text="name:N"))
    return layered(
        layers,
        data=data_of(table[["name", "how", *VALUES]]),
        width=layout.width - (LABEL - 40 if wide else 0),
        height={"step": 25 if wide else 44},
    )


def _value_scale(table: pd.DataFrame, logarithmic: bool) -> tuple[alt.Scale, alt.Axis]:
    """Scale and axis of the values: a logarithmic one has ticks at one, two and five."""
    import altair as alt

    if not logarithmic:
        return alt.Scale(zero=False, nice=True), alt.Axis()
    values = table[list(VALUES)].to_numpy(float)
    low, high = 0.9 * float(np.nanmin(values)), 1.1 * float(np.nanmax(values))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ones = [float(f"{lead}e{power}") for power in powers for lead in (1, 2, 5)]
    shown = [value for value in round_ones if low <= value <= high]
    return alt.Scale(type="log", domain=[low, high], nice=False), alt.Axis(values=shown)


def coverage_figure(rows: Sequence[Mapping[str, Any]], goal: float, floor: float) -> Figure | None:
    """Share inside by family, with its interval over studies.

    Args:
        rows: with ``family`` in words, ``n``, ``share``, ``low`` and ``high`` (fractions).
        goal, floor: the acceptance criteria, drawn as lines.
    """
    import pandas as pd

    if not rows:
        return None
    table = pd.DataFrame(
        [
            {
                "family": f"{row['family']} (n = {row['n']})",
                **{
                    key: None if row.get(key) is None else 100.0 * float(row[key])
                    for key in ("share", "low", "high")
                },
            }
            for row in rows
        ]
    )
    limits = pd.DataFrame(
        [{"limit": 100.0 * floor, "what": "floor"}, {"limit": 100.0 * goal, "what": "goal"}]
    )
    order = [str(name) for name in table["family"]]
    words = "; ".join(f"{row['family']}: {100 * float(row['share']):.0f} %" for row in rows)
    return Figure(
        build=lambda layout: _coverage_spec(table, limits, order, layout),
        identifier="coverage-by-family",
        title="Share of figures inside their 90 % interval, by family",
        alt=f"{words}.",
        caption=(
            "Dot: share inside; line: 95 % interval when whole studies are drawn anew, because the figures of one "
            "study go together. A family with one study, or without a miss, has no such interval. Upright lines: floor "
            "(dotted) and goal (dashed)."
        ),
        source="This validation run.",
        table=table.rename(
            columns={"family": "Family", "share": "Inside, %", "low": "95 % low", "high": "95 % high"}
        ),
    )


def _coverage_spec(table: pd.DataFrame, limits: pd.DataFrame, order: list[str], layout: Layout) -> Spec:
    import altair as alt

    wide = layout.name == "wide"
    scale = alt.Scale(domain=[0, 100], nice=False)
    axis = alt.Axis(labelLimit=250 if wide else 130, ticks=False, domain=False, grid=True)
    y = alt.Y("family:N", title=None, sort=order, axis=axis)
    marks = leaf(
        alt.Chart()
        .mark_rule(color=SOFT_INK, strokeWidth=1.3)
        .encode(
            x=alt.X("limit:Q", scale=scale, title="Inside, %"),
            strokeDash=alt.StrokeDash(
                "what:N", legend=None, scale=alt.Scale(domain=["floor", "goal"], range=[[2, 3], [6, 3]])
            ),
        )
    ) | {"data": data_of(limits).to_dict()}
    line = (
        alt.Chart()
        .mark_rule(strokeWidth=2, color=ARM_COLOURS[0], opacity=0.6)
        .encode(x=alt.X("low:Q", scale=scale, title="Inside, %"), x2=alt.X2("high"), y=y)
    )
    dot = (
        alt.Chart()
        .mark_point(filled=True, size=75, color=ARM_COLOURS[0], opacity=1)
        .encode(x=alt.X("share:Q", scale=scale, title="Inside, %"), y=y)
    )
    return layered(
        [marks, line, dot],
        data=data_of(table),
        width=layout.width - (200 if wide else 120),
        height={"step": 24},
    )


def pit_figure(values: Sequence[float]) -> Figure | None:
    """Where the published figures fall within their predictive distributions; even bars are what a true model gives."""
    import pandas as pd
    from scipy.stats import binom

    if not values:
        return None
    counts, edges = np.histogram(np.clip(np.asarray(values, float), 0.0, 1.0), bins=BINS, range=(0.0, 1.0))
    total = len(values)
    low, high = (float(binom.ppf(q, total, 1.0 / BINS)) for q in (0.05, 0.95))
    table = pd.DataFrame({"from": 100.0 * edges[:-1], "to": 100.0 * edges[1:], "figures": counts})
    expected = pd.DataFrame([{"low": low, "high": high, "even": total / BINS, "from": 0.0, "to": 100.0}])

    def build(layout: Layout) -> Spec:
        import altair as alt

        y_title = "Published figures"
        bars = (
            alt.Chart()
            .mark_bar(color=ARM_COLOURS[0], opacity=0.75, binSpacing=1)
            .encode(
                x=alt.X(
                    "from:Q",
                    title="Percentile of the published value in its forecast",
                    scale=alt.Scale(domain=[0, 100]),
                    axis=alt.Axis(values=[0, 20, 40, 60, 80, 100]),
                    bin="binned",
                ),
                x2=alt.X2("to"),
                y=alt.Y("figures:Q", title=y_title, axis=alt.Axis(tickMinStep=1)),
            )
        )
        data = data_of(expected).to_dict()
        x, x2 = alt.X("from:Q"), alt.X2("to")
        band = alt.Chart().mark_rect(color=COMPARATOR_COLOUR, opacity=0.2)
        even = alt.Chart().mark_rule(color=SOFT_INK, strokeDash=[6, 3], strokeWidth=1.4)
        return layered(
            [
                leaf(band.encode(x=x, x2=x2, y=alt.Y("low:Q", title=y_title), y2=alt.Y2("high")))
                | {"data": data},
                bars,
                leaf(even.encode(x=x, x2=x2, y=alt.Y("even:Q", title=y_title))) | {"data": data},
            ],
            data=data_of(table),
            width=min(layout.width, 480),
            height=190,
        )

    return Figure(
        build=build,
        identifier="probability-integral-transform",
        title="Where published figures fall in their forecasts",
        alt=f"Histogram of {total} percentiles in {BINS} bars: {', '.join(str(int(c)) for c in counts)}.",
        caption=(
            "Even bars are what forecasts of the right place and width give. A hill: intervals too wide; a bowl: too "
            "narrow; a slope: figures are predicted too low or too high. Grey: the middle 90 % for independent "
            "figures; those of one study go together, so that real bars vary more."
        ),
        source="This validation run.",
        table=table.rename(columns={"from": "From, %", "to": "To, %", "figures": "Figures"}),
    )
