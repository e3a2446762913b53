"""One look for every figure: colours that colour-blind readers can tell apart, calm lines, dark text.

Arms differ in colour, dash and marker at once, so that a grey print or a reader who sees no colour loses
nothing.
The colours are those of Okabe and Ito (2008), without the yellow, which is too pale on white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INK = "#1f2a37"
SOFT_INK = "#4b5563"
GRID = "#dfe3e8"
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
# Splits axis titles into lines. A newline would end up inside the spoken description, which may not hold one.
LINE_BREAK = " | "
FULL_BANDS = 3  # more bands over each other than these are drawn paler, with bars at the right end
COMPARATOR_COLOUR = "#5f6b7a"
ARM_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7b68b5")
ARM_DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 3], [1, 3], [6, 2, 2, 2])
ARM_SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "stroke",
)
# Dark to pale along the viridis scale, without its palest end, which is lost on white.
ORDERED_COLOURS = ("#440154", "#46307e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#8fce3f")
COMPARATOR_DASH = [5, 3]
COMPARATOR_SHAPE = "triangle-left"
# Lightness falls steadily from dark to pale, so the order survives a grey print.
STATE_COLOURS = {
    "walks": "#08519c",
    "stands": "#2f83bf",
    "sits": "#74b3d8",
    "head": "#b5d5e8",
    "none": "#f0e3c8",
    "ventilated": "#d9a441",
    "died": "#8a8f98",
}
NEURON_COLOURS = {"working": "#0072b2", "sick": "#e69f00", "dead": "#8a8f98"}


@dataclass(frozen=True)
class ArmStyle:
    """How one arm is drawn everywhere.

    Attributes:
        arm: id in the dataset.
        label: name shown.
        colour, dash, shape: redundant ways to recognise it.
    """

    arm: str
    label: str
    colour: str
    dash: list[int]
    shape: str


def arm_styles(labels: dict[str, str], comparator: str, *, ordered: bool = False) -> list[ArmStyle]:
    """A style for each arm; the comparator is always the neutral dashed one.

    `ordered` arms (the same therapy started ever later) get one scale of colours from dark to pale instead of
    colours that suggest different things.
    """
    others = [arm for arm in labels if arm != comparator]
    styles: list[ArmStyle] = []
    for arm, label in labels.items():
        if arm == comparator:
            styles.append(ArmStyle(arm, label, COMPARATOR_COLOUR, COMPARATOR_DASH, COMPARATOR_SHAPE))
            continue
        index = others.index(arm)
        place, turn = index % len(ARM_COLOURS), index // len(ARM_COLOURS)
        dash, shape = (
            ARM_DASHES[(place + turn) % len(ARM_DASHES)],
            ARM_SHAPES[(place + turn) % len(ARM_SHAPES)],
        )
        colour = ARM_COLOURS[place]
        if ordered:
            colour, dash = between(ORDERED_COLOURS, index / max(1, len(others) - 1)), ARM_DASHES[0]
        styles.append(ArmStyle(arm, label, colour, dash, shape))
    return styles


def between(colours: tuple[str, ...], share: float) -> str:
    """The colour at a share (0 to 1) of the way through a scale of colours."""
    place = share * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    first, second = ([int(colours[i][at : at + 2], 16) for at in (1, 3, 5)] for i in (low, low + 1))
    parts = [round(a + (b - a) * (place - low)) for a, b in zip(first, second, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def theme_config(layout: str) -> dict[str, Any]:
    """The Vega-Lite configuration shared by all figures; text is larger on phones."""
    size = 12 if layout == "wide" else 11
    return {
        "font": FONT,
        "lineBreak": LINE_BREAK,
        "view": {"stroke": None},
        "axis": {
            "labelColor": INK,
            "titleColor": INK,
            "labelFontSize": size,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "domainColor": SOFT_INK,
            "tickColor": SOFT_INK,
            "gridColor": GRID,
            "titlePadding": 8,
            "labelPadding": 4,
        },
        "axisX": {"grid": False},
        "legend": {
            "labelColor": INK,
            "titleColor": INK,
            "labelFontSize": size,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "labelLimit": 0,
            "symbolStrokeWidth": 2.5,
            "symbolSize": 220,
            "orient": "top",
            "offset": 10,
        },
        "title": {
            "color": INK,
            "fontSize": size + 1,
            "fontWeight": "bold",
            "anchor": "start",
            "offset": 8,
            "subtitleColor": SOFT_INK,
            "subtitleFontSize": size - 1,
        },
        "text": {"color": INK, "fontSize": size, "font": FONT},
        "concat": {"spacing": 26},
        "line": {"strokeWidth": 2.4, "strokeCap": "butt"},
    }
