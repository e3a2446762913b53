"""The credibility report as one HTML file in the look of the other reports, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motorpool.report.credibility.tables import page_tables
from motorpool.report.html_page import filled_page, write_at_once

PAGE_NAME = "motorpool-credibility.html"
MARK = '<meta name="generator" content="motorpool credibility">'
STATUS_WORDS = {
    "calibrated": "Calibrated for exactly these equations and priors.",
    "not calibrated": "Not calibrated: the parameters are the centres of their priors.",
    "not calibrated for this model": "Not calibrated for this model: equations or priors changed since.",
}


def write_page(content: Mapping[str, Any], path: Path) -> Path:
    """Write the page and return its path; it appears only when it is complete."""
    return write_at_once(path, page_html(content))


def page_html(content: Mapping[str, Any]) -> str:
    """The whole page as text."""
    return filled_page(
        "credibility.html.j2",
        {
            "content": content,
            "state_words": STATUS_WORDS[content["state"]],
            "tables": page_tables(content),
            "pictures": _pictures(content),
            "mark": MARK,
        },
        "credibility.css",
    )


def _pictures(content: Mapping[str, Any]) -> dict[str, Any]:
    """Every figure that there are numbers for, ready for the page."""
    from motorpool.figures.credibility.applicability import map_figure
    from motorpool.figures.credibility.parameters import informed_figure, sensitivity_figure
    from motorpool.figures.credibility.validation import agreement_figure, distance_figure
    from motorpool.figures.rendering import Renderer
    from motorpool.report.pictures import order, picture

    endpoints = content["validation"].get("endpoints", [])
    figures = {
        "map": map_figure(content["applicability"]),
        "distances": distance_figure(endpoints),
        "agreement": agreement_figure(endpoints),
        "informed": informed_figure(content["calibration"].get("parameters", [])),
        "sensitivity": sensitivity_figure(content["sensitivity"].get("parameters", [])),
    }
    with Renderer() as renderer:
        orders = {
            name: order(renderer, figure, narrow=name == "distances")
            for name, figure in figures.items()
            if figure is not None
        }
        return {name: picture(renderer, made) for name, made in orders.items()}
