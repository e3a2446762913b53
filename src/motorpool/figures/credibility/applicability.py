"""The applicability map: ages by therapies, one panel per number of SMN2 copies, green, amber and red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, layered, panel_title, side_by_side
from motorpool.figures.theme import INK

# Colours that colour-blind readers tell apart, and a sign in every cell for those who see none.
COLOURS = {"green": "#009e73", "amber": "#e69f00", "red": "#e8c4b8"}
SIGNS = {"green": "+", "amber": "~", "red": ""}
MISSED = "x"  # in a red cell that was studied
WORDS = {
    "green": "green: tested and met",
    "amber": "amber: studied, not enough tested",
    "red": "red: no study, or missed",
}
ROW_HEIGHT = 19


def map_figure(applicability: Mapping[str, Any]) -> Figure:
    """The map as coloured cells.

    Args:
        applicability: the section's data, with ``cells`` and ``counts``.
    """
    import pandas as pd

    cells: Sequence[Mapping[str, Any]] = applicability["cells"]
    table = pd.DataFrame(
        [
            {
                "therapy": cell["therapy"],
                "copies": cell["copies"],
                "age": cell["age"],
                "colour": WORDS[cell["colour"]],
                "sign": MISSED if cell["colour"] == "red" and cell["studies"] else SIGNS[cell["colour"]],
                "tested": cell["tested"],
                "inside": cell["inside"],
                "reason": cell["reason"],
                "studies": ", ".join(name for names in cell["studies"].values() for name in names),
            }
            for cell in cells
        ]
    )
    copies = list(dict.fromkeys(table["copies"]))
    therapies = list(dict.fromkeys(table["therapy"]))
    counts = applicability["counts"]

    def build(layout: Layout) -> Spec:
        wide = layout.name == "wide"
        columns = len(copies) if wide else 1
        width = max(90, (layout.width - 220) // len(copies)) if wide else layout.width - 150
        panels = [
            _panel(table[table["copies"] == number], number, width, labels=not wide or place == 0)
            for place, number in enumerate(copies)
        ]
        return side_by_side(panels, columns=columns, spacing=8)

    greens = table[table["colour"] == WORDS["green"]]
    listed = "; ".join(f"{row.therapy}, {row.copies} copies, {row.age}" for row in greens.itertuples())
    return Figure(
        build=build,
        identifier="applicability-map",
        title="Where the model was tested, and where it extrapolates",
        alt=(
            f"Map of {len(therapies)} plans by age and SMN2 copies: {counts['green']} cells green, {counts['amber']} "
            f"amber, {counts['red']} red. Green: {listed or 'none'}."
        ),
        caption=(
            "Panels: SMN2 copies. Age at the start of treatment; without treatment, age at which it was measured. "
            "A plus sign marks green, a wave amber, a cross red cells that were studied and missed; in empty cells "
            "there is no study. The table names the studies behind each cell."
        ),
        source="Derived from the studies, their sets and the stored validation result.",
        table=table.drop(columns="sign").rename(
            columns={
                "therapy": "Plan",
                "copies": "SMN2 copies",
                "age": "Age",
                "colour": "Colour",
                "tested": "Figures of validation studies",
                "inside": "Inside the interval",
                "reason": "Why",
                "studies": "Studies",
            }
        ),
    )


def _panel(data: Any, copies: str, width: int, *, labels: bool) -> Spec:
    import altair as alt

    axis = alt.Axis(labelLimit=230, ticks=False, domain=False, grid=False) if labels else None
    ages = list(dict.fromkeys(data["age"]))
    base = alt.Chart().encode(
        x=alt.X("age:O", sort=ages, title=None, axis=alt.Axis(labelAngle=-90, labelLimit=110, ticks=False)),
        y=alt.Y("therapy:O", sort=list(dict.fromkeys(data["therapy"])), title=None, axis=axis),
    )
    cells = base.mark_rect(stroke="#ffffff", strokeWidth=1.5).encode(
        color=alt.Color(
            "colour:N",
            scale=alt.Scale(domain=list(WORDS.values()), range=[COLOURS[key] for key in WORDS]),
            legend=alt.Legend(title=None, columns=1, symbolType="square"),
        )
    )
    signs = base.mark_text(color=INK, fontWeight="bold").encode(text="sign:N")
    return layered(
        [cells, signs],
        data=data_of(data[["therapy", "age", "colour", "sign"]]),
        width=width,
        height={"step": ROW_HEIGHT},
        title=panel_title(f"{copies} copies" if copies != "1" else "1 copy", width + 20, 12, frame="group"),
    )
