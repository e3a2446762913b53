"""Writes the pages of a trial: single HTML files in the look of the other reports, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motorpool.figures.trial.curves import accrual_figure, power_by_effect_figure, power_by_size_figure
from motorpool.figures.trial.spread import known_effect_figure, sensitivity_figure
from motorpool.report.html_page import filled_page, write_at_once
from motorpool.report.trial.tables import trial_tables
from motorpool.report.trial.words import assumptions, funder_words, limits
from motorpool.simulation.calibration_state import parameter_words
from motorpool.simulation.errors import OutputFolderError
from motorpool.trials.design import TrialDesign, dump_design

REPORT, FUNDER = "report.html", "funder.html"
POWER = "power.json"


def write_trial_pages(
    design: TrialDesign, found: Mapping[str, Any], sensitivity: Sequence[Mapping[str, Any]], folder: Path
) -> tuple[Path, Path]:
    """Write both pages, and the numbers behind them, and return the paths of the pages.

    Args:
        found: what :func:`motorpool.trials.power.power_report` found.
        sensitivity: rows of :func:`motorpool.trials.sensitivity.sensitivity_of`; may be empty.

    Raises:
        OutputFolderError: the folder cannot be used.
    """
    from motorpool.trials.store import json_text

    check_folder(folder)
    report, funder = trial_pages(design, found, sensitivity)
    write_at_once(folder / POWER, json_text({**found, "sensitivity": list(sensitivity)}) + "\n")
    return write_at_once(folder / REPORT, report), write_at_once(folder / FUNDER, funder)


def check_folder(folder: Path) -> None:
    """Refuse a folder that is a file or holds something else, before anything is simulated.

    Raises:
        OutputFolderError: the folder cannot be used.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputFolderError(f"{folder}: is a file; the pages need a folder.")
    if folder.is_dir():
        foreign = sorted(
            entry.name for entry in folder.iterdir() if entry.name not in (REPORT, FUNDER, POWER)
        )
        if foreign:
            message = f"{folder}: holds other files ({', '.join(foreign[:3])}); choose a new or empty folder."
            raise OutputFolderError(message)


def trial_pages(
    design: TrialDesign, found: Mapping[str, Any], sensitivity: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """The report and the funder's page as text."""
    from motorpool.figures.rendering import Renderer
    from motorpool.report.pictures import order, picture

    figures = {
        "effect": power_by_effect_figure(found),
        "size": power_by_size_figure(found),
        "accrual": accrual_figure(found),
        "known": known_effect_figure(found),
        "sensitivity": sensitivity_figure([row for row in sensitivity if row["power"] is not None]),
    }
    with Renderer() as renderer:
        orders = {
            name: order(renderer, figure, narrow=name != "sensitivity")
            for name, figure in figures.items()
            if figure is not None
        }
        pictures = {name: picture(renderer, made) for name, made in orders.items()}
    content = {
        "design": design,
        "found": found,
        "pictures": pictures,
        "tables": trial_tables(design, found, sensitivity),
        "varied": next((row["replicates"] for row in sensitivity if row["replicates"] is not None), None),
        "assumptions": assumptions(design),
        "limits": limits(design),
        "funder": funder_words(design, found),
        "design_text": dump_design(design),
        "state_words": parameter_words(),
    }
    return filled_page("trial.html.j2", content), filled_page("trial_funder.html.j2", content)
