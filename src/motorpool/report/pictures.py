"""Figures made ready for a page: SVG that follows the page's colours, and data to download without a
network."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from motorpool.figures.svg import smaller
from motorpool.figures.theme import ARM_COLOURS, COMPARATOR_COLOUR, GRID, INK, SOFT_INK
from motorpool.report.tables import html_table

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure, Spec
    from motorpool.figures.rendering import Renderer

CLIP = re.compile(r'(id="|url\(#|href="#)(clip|gradient|shape)')
LONG_PATH = re.compile(r'<path d="([^"]{60,})"')
OFTEN = 20

# Colours that need another lightness on a dark page; the style sheet holds both.
PAGE_COLOURS = {
    INK: "currentColor",
    GRID: "var(--grid)",
    SOFT_INK: "var(--soft-ink)",
    COMPARATOR_COLOUR: "var(--comparator)",
    ARM_COLOURS[0]: "var(--first-arm)",
}


@dataclass(frozen=True)
class Picture:
    """One figure as the page's template uses it; all texts are safe HTML or plain text as named."""

    identifier: str
    title: str
    alt: str
    caption: str
    source: str
    wide_svg: str
    narrow_svg: str
    table_html: str
    csv_uri: str
    spec_json: str


@dataclass(frozen=True)
class Order:
    """A picture that is being rendered.

    Attributes:
        figure: what is drawn.
        spec: specification of the wide layout.
        wide, narrow: numbers at the renderer; without a narrow picture, phones scroll the wide one.
    """

    figure: Figure
    spec: Spec
    wide: int
    narrow: int | None


def order(renderer: Renderer, figure: Figure, *, narrow: bool = True, lead: bool = False) -> Order:
    """Begin rendering a figure; `lead` is the size that fits beside the sentences of the first page."""
    spec = figure.lead_spec if lead else figure.spec
    return Order(figure, spec, renderer.add(spec), renderer.add(figure.narrow_spec) if narrow else None)


def picture(renderer: Renderer, made: Order) -> Picture:
    """The finished picture, ready for the page."""
    figure = made.figure
    narrow = "" if made.narrow is None else slim(renderer.svg(made.narrow))
    return Picture(
        identifier=figure.identifier,
        title=figure.title,
        alt=figure.alt,
        caption=figure.caption,
        source=figure.source,
        wide_svg=for_page(slim(renderer.svg(made.wide)), f"{figure.identifier}-wide"),
        narrow_svg=for_page(narrow, f"{figure.identifier}-narrow") if narrow else "",
        table_html=html_table(figure.table, figure.title),
        csv_uri=data_uri("text/csv;charset=utf-8", figure.table.to_csv(index=False, float_format="%.6g")),
        spec_json=script_json(with_tooltips(made.spec)),
    )


def with_tooltips(spec: Spec) -> Spec:
    """The specification with the numbers under the pointer shown, for the interactive view."""
    return {**spec, "config": {**spec["config"], "mark": {"tooltip": True}}}


def slim(svg: str) -> str:
    """SVG as small as a page needs it: coordinates to a tenth of a pixel, shapes that occur often written once."""
    return share_shapes(smaller(svg, 1))


def share_shapes(svg: str) -> str:
    """SVG in which a long path that occurs often is written once and used by name."""
    counts = Counter(LONG_PATH.findall(svg))
    shapes = [shape for shape, count in counts.items() if count >= OFTEN]
    for index, shape in enumerate(shapes):
        svg = svg.replace(f'<path d="{shape}"', f'<use href="#shape-{index}"')
    # A use element closes itself, as the paths it replaces do not always.
    svg = re.sub(r'(<use href="#shape-\d+"[^>]*[^/])></path>', r"\1/>", svg)
    written = "".join(f'<path id="shape-{index}" d="{shape}"/>' for index, shape in enumerate(shapes))
    return re.sub(r"(<svg[^>]*>)", rf"\1<defs>{written}</defs>", svg, count=1) if shapes else svg


def for_page(svg: str, prefix: str) -> str:
    """SVG for inlining: unique ids, the page's ink and grid colours, and a size that follows the column."""
    text = CLIP.sub(rf"\g<1>{prefix}-\g<2>", svg)
    for colour, name in PAGE_COLOURS.items():
        text = text.replace(colour, name)
    return text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def data_uri(kind: str, text: str) -> str:
    """A file as a link that needs no network."""
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def script_json(content: object) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
