"""The verb `credibility`: what the model may be used for, and on what that rests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import typer

from motorpool.cli.console import InputProblem, progress_display, say


def credibility(
    out: Path | None = typer.Option(
        None,
        "--out",
        "-o",
        metavar="FILE",
        help="Page to write. [default: motorpool-credibility.html; none with --json]",
    ),
    as_json: bool = typer.Option(
        False, "--json", help="Print the content as JSON on standard output; a page only with --out."
    ),
    engine: bool = typer.Option(
        True, "--engine/--no-engine", help="Measure the error of the engine's steps, some seconds."
    ),
) -> None:
    """Write the credibility report.

    Context of use, assumptions, verification, calibration, validation, uncertainty, sensitivity, applicability and
    limits, as ASME V&V 40, FDA (2023) and ICH M15 ask for. One page without network; an earlier one is replaced.

    \b
    Examples:
      motorpool credibility
      motorpool credibility --out review/credibility.html
      motorpool credibility --json > credibility.json
    """
    from motorpool.report.credibility.page import PAGE_NAME

    target = out if out is not None else None if as_json else Path(PAGE_NAME)
    if target is not None:
        target = target.expanduser().absolute()
        _refuse_unusable(target)
    from motorpool.report.credibility.content import credibility_content, shipped_evidence
    from motorpool.report.credibility.statements import load_rules

    with progress_display() as progress:
        error = None
        if engine:
            from motorpool.report.credibility.engine_error import measure_engine_error

            progress("Measuring the engine's error", 0.0)
            error = measure_engine_error(load_rules().engine.quantile)
            progress("Measuring the engine's error", 1.0)
        content = credibility_content(shipped_evidence(error))
        if target is not None:
            from motorpool.report.credibility.page import write_page

            progress("Writing the report", 0.0)
            write_page(content, target)
            progress("Writing the report", 1.0)
    if as_json:
        sys.stdout.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        if target is not None:
            say(f"Page: {target}")
        return
    print(target, flush=True)


def _refuse_unusable(target: Path) -> None:
    """Refuse, before anything is computed, a file that cannot be written or that something else is in."""
    from motorpool.report.credibility.page import MARK

    if target.is_dir():
        raise InputProblem(f"--out: {target} is a folder; give the name of a file.")
    if target.exists():
        try:
            head = target.read_text(encoding="utf-8", errors="replace")[:2000]
        except OSError as error:
            raise InputProblem(f"--out: {target} cannot be read: {error.strerror}.") from None
        if MARK not in head:
            message = f"--out: {target} exists and is not a credibility report; choose another name."
            raise InputProblem(message)
    parent = target.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputProblem(f"--out: {parent} is not a folder that can be written to; choose another name.")
