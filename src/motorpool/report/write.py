"""Writes the report: one HTML file that needs no network, good on a phone and on paper."""

from __future__ import annotations

from pathlib import Path

from motorpool.report.content import report_content
from motorpool.report.html_page import filled_page, write_at_once
from motorpool.simulation.results import Results, load_results

REPORT_NAME = "report.html"


def write_report(results: Results | str | Path, path: str | Path | None = None) -> Path:
    """Write the report of results and return its path.

    Args:
        results: results, or the folder they were saved in.
        path: where to write; by default `report.html` in the results folder, or in the current folder.

    Raises:
        OutputFolderError: the folder holds no finished results.
    """
    if isinstance(results, Results):
        loaded, folder = results, Path()
    else:
        loaded, folder = load_results(results), Path(results)
    return write_at_once(Path(path) if path is not None else folder / REPORT_NAME, report_html(loaded))


def report_html(results: Results) -> str:
    """The whole report as text."""
    return filled_page("report.html.j2", report_content(results))
