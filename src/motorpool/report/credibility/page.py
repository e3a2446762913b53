"""The credibility report as one HTML file in the look of the other reports, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motorpool.report.credibility.tables import page_tables
from motorpool.report.write import BUNDLE_SNIPPET, _asset, _write_at_once  # pyright: ignore[reportPrivateUsage]

PAGE_NAME = "motorpool-credibility.html"
MARK = '<meta name="generator" content="motorpool credibility">'
STATUS_WORDS = {
    "calibrated": "Calibrated for exactly these equations and priors.",
    "not calibrated": "Not calibrated: the parameters are the centres of their priors.",
    "not calibrated for this model": "Not calibrated for this model: equations or priors changed since.",
}


def write_page(content: Mapping[str, Any], path: Path) -> Path:
    """Write the page and return its path; it appears only when it is complete."""
    target = path.expanduser().absolute()
    _write_at_once(target, page_html(content))
    return target


def page_html(content: Mapping[str, Any]) -> str:
    """The whole page as text."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    from motorpool.figures.rendering import bundle

    environment = Environment(
        loader=PackageLoader("motorpool.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    code = bundle(BUNDLE_SNIPPET).replace("</script", "<\\/script")
    return environment.get_template("credibility.html.j2").render(
        {
            "content": content,
            "state_words": STATUS_WORDS[content["state"]],
            "tables": page_tables(content),
            "pictures": _pictures(content),
            "mark": MARK,
            "style": _asset("style.css") + _asset("credibility.css"),
            "script": _asset("script.js"),
            "bundle": code,
        }
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
