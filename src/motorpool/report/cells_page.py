"""Pages of the cell laboratory: the answer in plain words, pictures, tables, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.report.html_page import filled_page, write_at_once

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

MARK = '<meta name="generator" content="motorpool cells">'
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """One part of a page; tables are rows of one form with their captions."""

    id: str
    heading: str
    words: Sequence[str] = ()
    figures: Sequence[Figure | None] = ()
    tables: Sequence[tuple[Sequence[Mapping[str, Any]], str]] = ()
    folded: tuple[Sequence[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True)
class Page:
    """What one page says."""

    title: str
    question: str
    answer: Sequence[str]
    sections: Sequence[Section]
    made: str
    notes: Sequence[str] = field(default_factory=tuple)


def write_cells_page(data: Data, path: Path) -> Path:
    """Write the page of one of the laboratory's results and return its path; it appears only when it is complete."""
    return write_at_once(path, page_html(page_of(data)))


def page_of(data: Data) -> Page:
    """The page of a result, by what was asked."""
    from motorpool.report import cells_addon, cells_needed, cells_protocol, cells_uncontrolled

    pages = {
        "cells addon": cells_addon.page,
        "cells needed": cells_needed.page,
        "cells protocol": cells_protocol.page,
        "cells uncontrolled": cells_uncontrolled.page,
    }
    return pages[str(data["what"])](data)


def page_html(page: Page) -> str:
    """The whole page as text."""
    from motorpool.figures.rendering import Renderer
    from motorpool.report.pictures import order, picture
    from motorpool.simulation.calibration_state import parameter_words

    words = parameter_words()
    with Renderer() as renderer:
        orders = [[order(renderer, one) for one in part.figures if one is not None] for part in page.sections]
        pictures = [[picture(renderer, one) for one in part] for part in orders]
    sections = [
        {
            "id": part.id,
            "heading": part.heading,
            "words": part.words,
            "pictures": drawn,
            "tables": [table(rows, caption) for rows, caption in part.tables],
            "folded": table(*part.folded) if part.folded else "",
        }
        for part, drawn in zip(page.sections, pictures, strict=True)
    ]
    return filled_page(
        "cells.html.j2",
        {
            "title": page.title,
            "question": page.question,
            "answer": page.answer,
            "sections": sections,
            "made": page.made,
            "notes": page.notes,
            "mark": MARK,
            "state_words": f"{words[0].upper()}{words[1:]}.",
        },
        "validation.css",
    )


def table(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    """Rows of one form as an HTML table; empty without rows."""
    import pandas as pd

    from motorpool.report.tables import html_table

    return html_table(pd.DataFrame(rows, dtype=object), caption) if rows else ""


def made_words(data: Data, what: str) -> str:
    """How the numbers of a page were made."""
    manifest = data["manifest"]
    return (
        f"motorpool {manifest['motorpool']}; {what}; {data['people']} virtual people; "
        f"{data['biology_draws']} draws of what is "
        f"not known of the disease; seed {manifest['seed']}; parameter records {manifest['parameters_sha256'][:16]}. "
        f"The same command with the same seed gives the same numbers. {data['research_use']}"
    )


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign, a dash where there is none."""
    return "\u2013" if value is None else f"{value:+.{digits}f}".replace("-", "\u2212")


def percent(value: float | None) -> str:
    """A probability in per cent, a dash where there is none; small ones keep a digit that is not zero."""
    if value is None:
        return "\u2013"
    return f"{100 * value:.0f} %" if value >= 0.1 or value == 0 else f"{100 * value:.2g} %"
