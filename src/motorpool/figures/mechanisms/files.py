"""The figures of the mechanisms as files for the documentation."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from motorpool.figures.figure import WIDE, Figure, specification
from motorpool.figures.rendering import Renderer
from motorpool.figures.svg import smaller

PAPER = "#ffffff"
DIGITS = 3
MARK = "numbers sha256 "


def numbers_digest(figure: Figure) -> str:
    """Hash of the numbers of a figure, to three significant digits: the same on every machine."""
    rows = [
        [f"{value:.{DIGITS - 1}e}" if isinstance(value, float) else str(value) for value in row]
        for row in figure.table.itertuples(index=False, name=None)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def write_figures(figures: Sequence[Figure], folder: Path) -> list[Path]:
    """Write each figure as ``IDENTIFIER.svg`` with its description and the hash of its numbers; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    with Renderer() as renderer:
        specs = [specification(figure.build, WIDE) | {"background": PAPER} for figure in figures]
        numbers = [renderer.add(spec) for spec in specs]
        for figure, number in zip(figures, numbers, strict=True):
            path = folder / f"{figure.identifier}.svg"
            path.write_text(_for_a_file(renderer.svg(number), figure), encoding="utf-8")
            paths.append(path)
    return paths


def stored_digest(path: Path) -> str | None:
    """The hash of numbers written into a figure's file, or ``None`` where there is none."""
    found = re.search(rf"{MARK}([0-9a-f]+)", path.read_text(encoding="utf-8"))
    return found.group(1) if found else None


def _for_a_file(svg: str, figure: Figure) -> str:
    """SVG with coordinates to a hundredth of a pixel, a title, a description and the hash of the numbers."""
    from html import escape

    words = f"<title>{escape(figure.title)}</title><desc>{escape(figure.alt)}</desc>"
    mark = f"<!-- {MARK}{numbers_digest(figure)} -->"
    return re.sub(r"(<svg[^>]*>)", rf"\1{mark}{words.replace(chr(92), '')}", smaller(svg, 2), count=1) + "\n"
