"""What is known of cells as one HTML page without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motorpool.report.html_page import filled_page, write_at_once

MARK = '<meta name="generator" content="motorpool cells evidence">'
STYLE = "credibility.css"


def write_known_page(content: Mapping[str, Any], path: Path) -> Path:
    """Write the page and return its path; it appears only when it is complete."""
    return write_at_once(path, known_page(content))


def known_page(content: Mapping[str, Any]) -> str:
    """The whole page as text."""
    from motorpool.cell_lab.known_words import NOTICE, answer
    from motorpool.figures.cells_known import known_figures
    from motorpool.figures.rendering import Renderer
    from motorpool.report.cells_tables import known_tables
    from motorpool.report.pictures import order, picture

    with Renderer() as renderer:
        orders = {name: order(renderer, figure) for name, figure in known_figures(content).items()}
        pictures = {name: picture(renderer, made) for name, made in orders.items()}
    sources = {source["id"]: source for study in content["studies"] for source in study["sources"]}
    groups = dict.fromkeys((study["group"], study["group_words"]) for study in content["studies"])
    return filled_page(
        "cells-known.html.j2",
        {
            "content": content,
            "answer": answer(content),
            "notice": NOTICE,
            "tables": known_tables(content),
            "groups": [{"id": name, "words": words} for name, words in groups],
            "pictures": pictures,
            "sources": sorted(sources.values(), key=lambda source: source["citation"]),
            "mark": MARK,
        },
        STYLE,
    )
