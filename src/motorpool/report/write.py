"""Writes the report: one HTML file that needs no network, good on a phone and on paper."""

from __future__ import annotations

import os
import tempfile
from importlib import resources
from pathlib import Path

from motorpool.report.content import report_content
from motorpool.simulation.results import Results, load_results

REPORT_NAME = "report.html"
BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def write_report(results: Results | str | Path, path: str | Path | None = None) -> Path:
    """Write the report of results and return its path.

    Args:
        results: results, or the folder they were saved in.
        path: where to write; by default `report.html` in the results folder, or in the current folder.

    Raises:
        OutputFolderError: the folder holds no finished results.
    """
    if isinstance(results, Results):
        target = Path(path) if path is not None else Path(REPORT_NAME)
        loaded = results
    else:
        target = Path(path) if path is not None else Path(results) / REPORT_NAME
        loaded = load_results(results)
    target = target.expanduser().absolute()
    _write_at_once(target, report_html(loaded))
    return target


def report_html(results: Results) -> str:
    """The whole report as text."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    from motorpool.figures.rendering import bundle

    environment = Environment(
        loader=PackageLoader("motorpool.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    content = report_content(results)
    code = bundle(BUNDLE_SNIPPET).replace("</script", "<\\/script")
    return environment.get_template("report.html.j2").render(
        {**content, "style": _asset("style.css"), "script": _asset("script.js"), "bundle": code}
    )


def _asset(name: str) -> str:
    return resources.files("motorpool.report").joinpath("templates", name).read_text(encoding="utf-8")


def _write_at_once(target: Path, text: str) -> None:
    """Write under a temporary name and rename, so that a report is never half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
