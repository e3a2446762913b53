"""Pictures of what is known of cells: the forest plot, studies by year and phase, animals, numbers of trials.

``python -m motorpool.figures.cells_known docs/images/cells`` writes those of the documentation.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, leaf
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, INK, ORDERED_COLOURS, SOFT_INK

if TYPE_CHECKING:
    import pandas as pd

Content = Mapping[str, Any]
BLINDED, OPEN, POOLED = "blinded study", "everybody knew", "put together"
COLOURS = {BLINDED: ARM_COLOURS[0], OPEN: ARM_COLOURS[1], POOLED: INK}
SHAPES = {BLINDED: "square", OPEN: "circle", POOLED: "diamond"}
LABEL = 270
EFFECT = "Standard deviations | cells worse \u2190 0 \u2192 cells better"
NO_SMA = "No study in SMA has a control group drawn by lot, so none is here."
PHASES = ("1", "1/2", "2", "3", "not stated")


def known_figures(content: Content) -> dict[str, Figure]:
    """Every picture by name: ``forest``, ``years``, ``animals``, ``designations``."""
    return {
        "forest": forest_figure(content),
        "years": years_figure(content["numbers"]),
        "animals": animals_figure(content["animals"]),
        "designations": designations_figure(content["numbers"]["designations"]),
    }


def forest_figure(content: Content) -> Figure:
    """Each controlled study with its 95 % interval, and below them the syntheses with the range of a further study."""
    import pandas as pd

    rows = [
        {
            "name": f"{study['name']} ({study['disease'].split(',')[0]})",
            "how": BLINDED if study["blinded"] else OPEN,
            "smd": study["effect"]["smd"],
            "low": study["effect"]["low_95"],
            "high": study["effect"]["high_95"],
            "people": study["treated"] + study["compared"],
        }
        for study in content["studies"]
        if study["effect"] is not None
    ]
    for pool in content["syntheses"]:
        found = pool["shown"]
        rows.append(
            {
                "name": f"{pool['short']} (k = {found['k']})",
                "how": POOLED,
                "smd": found["estimate"],
                "low": found["low"],
                "high": found["high"],
                "next_low": found["predictive_low"],
                "next_high": found["predictive_high"],
                "people": pool["people"],
                "i2": found["i2_percent"],
                "tau2": found["tau2"],
            }
        )
    table = pd.DataFrame(rows)
    said = "; ".join(
        f"{row['name']}: {row['smd']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for row in rows
    )
    names = {
        "name": "Study or synthesis",
        "how": "What",
        "smd": "Standardised difference",
        "low": "95 % low",
        "high": "95 % high",
        "next_low": "A further study: low",
        "next_high": "A further study: high",
        "people": "People",
        "i2": "I2, %",
        "tau2": "tau2",
    }
    return Figure(
        build=lambda layout: _forest_spec(table, layout),
        identifier="forest",
        title=_forest_title(content),
        alt=f"Forest plot. {NO_SMA if not content['sma']['pooled'] else ''} {said}.".replace("  ", " "),
        caption=(
            "Squares: blinded studies; discs: everybody knew who was given cells; diamonds: studies put "
            "together by REML with "
            "Hartung-Knapp intervals. Line: 95 % interval; pale bar: where the true effect of a further such "
            "study may fall. One standard deviation is "
            f"about {content['points_per_sd']:g} HFMSE points of change in a year."
        ),
        source="Effects derived from the published summaries of the studies named.",
        table=table.rename(columns=names),
    )


def _forest_title(content: Content) -> str:
    """A finding where the numbers have it, else a neutral statement."""
    nerves = [study for study in content["studies"] if study["group"] == "nervous_system"]
    clear = [one for one in nerves if one["blinded"] and one["effect"] and one["effect"]["low_95"] > 0.0]
    if clear or content["sma"]["pooled"]:
        return "Controlled studies of cells, and what they say together"
    return (
        "No blinded trial in a neighbouring disease of the nerves found a clear effect of cells; in SMA there is none "
        "to draw"
    )


def _forest_spec(table: pd.DataFrame, layout: Layout) -> Spec:
    import altair as alt

    wide = layout.name == "wide"
    order = [str(name) for name in table["name"]]
    axis = alt.Axis(labelLimit=LABEL, grid=False, ticks=False, domain=False, labelPadding=8) if wide else None
    y = alt.Y("name:N", title=None, sort=order, axis=axis)
    scale = alt.Scale(zero=True, nice=True)
    shift = 0 if wide else 8

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=EFFECT, scale=scale)

    legend = alt.Legend(title=None, symbolSize=90, columns=3 if wide else 1)
    domain = list(COLOURS)
    colour = alt.Color("how:N", legend=legend, scale=alt.Scale(domain=domain, range=list(COLOURS.values())))
    shape = alt.Shape("how:N", legend=legend, scale=alt.Scale(domain=domain, range=list(SHAPES.values())))
    none = leaf(alt.Chart().mark_rule(color=SOFT_INK, strokeDash=[4, 3]).encode(x=alt.XDatum(0)))
    further = (
        alt.Chart()
        .mark_rule(strokeWidth=9, opacity=0.25, color=COMPARATOR_COLOUR, yOffset=shift)
        .encode(x=x("next_low"), x2=alt.X2("next_high"), y=y)
        .transform_filter("isValid(datum.next_low)")
    )
    line = (
        alt.Chart()
        .mark_rule(strokeWidth=2, yOffset=shift)
        .encode(x=x("low"), x2=alt.X2("high"), y=y, color=colour)
    )
    dot = (
        alt.Chart()
        .mark_point(filled=True, opacity=1, size=80, yOffset=shift)
        .encode(x=x("smd"), y=y, color=colour, shape=shape)
    )
    layers: list[Any] = [further, none, line, dot]
    if not wide:
        text = alt.Chart().mark_text(align="left", yOffset=-8, fontSize=10, color=INK, limit=layout.width)
        layers.append(text.encode(x=alt.value(0), y=y, text="name:N"))
    return layered(
        layers,
        data=data_of(table),
        width=layout.width - (LABEL - 40 if wide else 0),
        height={"step": 26 if wide else 40},
    )


def years_figure(numbers: Content) -> Figure:
    """Studies of cells in people by year and phase."""
    import pandas as pd

    table = pd.DataFrame(numbers["by_year_and_phase"])
    total = ", ".join(f"{count} phase {phase}" for phase, count in numbers["by_phase"].items())

    def build(layout: Layout) -> Spec:
        import altair as alt

        present = [phase for phase in PHASES if (table["phase"] == phase).any()]
        bars = (
            alt.Chart()
            .mark_bar(size=14 if layout.name == "wide" else 9, stroke="white", strokeWidth=0.8)
            .encode(
                x=alt.X("year:Q", title="Year of publication", axis=alt.Axis(format="d", tickMinStep=1)),
                y=alt.Y("studies:Q", title="Studies", axis=alt.Axis(tickMinStep=1), stack=True),
                color=alt.Color(
                    "phase:N",
                    title="Phase",
                    sort=present,
                    scale=alt.Scale(domain=present, range=[_phase_colour(phase) for phase in present]),
                    legend=alt.Legend(columns=5 if layout.name == "wide" else 3),
                ),
            )
        )
        return layered([bars], data=data_of(table), width=layout.width, height=170)

    return Figure(
        build=build,
        identifier="studies-by-year",
        title="Studies of cells in people in this library, by year and phase",
        alt=f"Bars by year. In all: {total}.",
        caption=(
            "SMA, ALS, multiple sclerosis, cerebral palsy and muscular dystrophy. These are the studies that "
            "were read for this library, and not a "
            "count of all that exist; studies without a year are left out of the picture."
        ),
        source="Studies of the table.",
        table=table.rename(columns={"year": "Year", "phase": "Phase", "studies": "Studies"}),
    )


def _phase_colour(phase: str) -> str:
    numbered = [name for name in PHASES if name != "not stated"]
    if phase == "not stated":
        return "#b9bfc7"
    return ORDERED_COLOURS[-2 - 1 * numbered.index(phase)]


def animals_figure(animals: Content) -> Figure:
    """Gain of life in mice: cells against restored SMN."""
    import pandas as pd

    rows = [
        {
            "name": f"{one['name']}{'' if one['smn_mouse'] else ' (ALS)'}",
            "what": "cells",
            "gain": 100.0 * one["gain"],
        }
        for one in animals["life_span"]
    ]
    rows += [
        {"name": f"SMN restored ({one['name']})", "what": "SMN restored", "gain": 100.0 * one["gain"]}
        for one in animals["smn_restored"]
    ]
    table = pd.DataFrame(rows)

    def build(layout: Layout) -> Spec:
        import altair as alt

        wide = layout.name == "wide"
        bars = (
            alt.Chart()
            .mark_bar(size=12)
            .encode(
                x=alt.X("gain:Q", title="Longer life than untreated mice, %"),
                y=alt.Y(
                    "name:N",
                    title=None,
                    sort=list(table["name"]),
                    axis=alt.Axis(labelLimit=LABEL if wide else 140, ticks=False, domain=False),
                ),
                color=alt.Color(
                    "what:N",
                    title=None,
                    scale=alt.Scale(domain=["cells", "SMN restored"], range=[ARM_COLOURS[1], ARM_COLOURS[0]]),
                ),
            )
        )
        return layered(
            [bars],
            data=data_of(table),
            width=layout.width - (LABEL - 80 if wide else 130),
            height={"step": 24},
        )

    return Figure(
        build=build,
        identifier="animals",
        title="In mice, restored SMN gains several times as much life as cells",
        alt="; ".join(f"{row['name']}: {row['gain']:.0f} %" for row in rows) + ".",
        caption=(
            "Mice were treated around birth, before most damage. Figures of cells in SMA mice are "
            "recalled and not re-read in the papers."
        ),
        source="Studies named.",
        table=table.rename(columns={"name": "Experiment", "what": "Treatment", "gain": "Longer life, %"}),
    )


def designations_figure(designations: Content) -> Figure:
    """Requests and grants of a regulator's designation by financial year."""
    import pandas as pd

    rows = [
        {"year": int(year), "what": what, "count": count}
        for what in ("requested", "granted")
        for year, count in designations[what].items()
    ]
    table = pd.DataFrame(rows)

    def build(layout: Layout) -> Spec:
        import altair as alt

        colour = alt.Color(
            "what:N",
            title=None,
            scale=alt.Scale(domain=["requested", "granted"], range=[COMPARATOR_COLOUR, ARM_COLOURS[0]]),
        )
        x = alt.X("year:O", title="Financial year", axis=alt.Axis(labelAngle=0))
        y = alt.Y("count:Q", title="Number")
        line = alt.Chart().mark_line().encode(x=x, y=y, color=colour, strokeDash=alt.StrokeDash("what:N"))
        dot = alt.Chart().mark_point(filled=True, size=50).encode(x=x, y=y, color=colour)
        return layered([line, dot], data=data_of(table), width=min(layout.width, 460), height=160)

    return Figure(
        build=build,
        identifier="designations",
        title="Requests to the FDA for the regenerative medicine designation",
        alt="; ".join(f"{row['what']} {row['year']}: {row['count']}" for row in rows) + ".",
        caption=(
            "All diseases. No designation of a cell product for SMA is known; designations are not all "
            "public. A designation is not an approval."
        ),
        source="FDA, cumulative counts to 31 December 2024.",
        table=table.rename(columns={"year": "Year", "what": "What", "count": "Number"}),
    )


def main(arguments: Sequence[str]) -> int:
    """Write the pictures of the documentation into a folder; returns the exit code."""
    from motorpool.cell_lab.known import known_content
    from motorpool.figures.mechanisms.files import write_figures

    if len(arguments) != 1:
        print("usage: python -m motorpool.figures.cells_known FOLDER", file=sys.stderr)
        return 2
    for path in write_figures(documentation_figures(known_content()), Path(arguments[0])):
        print(path)
    return 0


def documentation_figures(content: Content) -> list[Figure]:
    """The pictures that the documentation shows."""
    figures = known_figures(content)
    return [figures["forest"], figures["animals"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
