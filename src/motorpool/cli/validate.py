"""`motorpool validate`: what the calibrated model predicts of studies it never saw, beside what they found."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display, say

if TYPE_CHECKING:
    from motorpool.studies.study import Study

CHOICES = ("validation", "apart", "calibration", "all")
MET = {True: "met", False: "NOT met", None: "not decided"}


def validate(
    studies: list[Path] = typer.Option(
        [], "--studies", metavar="FILE", help="Your own study file; can be given several times."
    ),
    chosen: str = typer.Option(
        "validation", "--set", help="validation, apart, calibration or all of the shipped studies."
    ),
    draws: int = typer.Option(32, "--draws", min=4, max=400, help="Posterior draws."),
    patients: int = typer.Option(
        128, "--patients", "-n", min=32, max=4096, help="Virtual people per arm and draw."
    ),
    out: Path | None = typer.Option(
        None, "--out", "-o", metavar="FILE", help="Also write a page with pictures."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON on standard output."),
    ship: bool = typer.Option(
        False,
        "--ship",
        help="Keep the result as the one that pages and reports quote (in a checkout you can write).",
    ),
) -> None:
    """Predict studies that were never fitted to, and compare.

    Every endpoint is predicted for a study of its own size, with a 90 % interval, and held against the published
    figure. The criteria were written before the first run (`acceptance.yaml`). What fails stays on the list.

    \b
    Examples:
      motorpool validate
      motorpool validate --set all --out page.html
      motorpool validate --studies my_study.yaml     your own study (docs/how-to/own-study.md)
    """
    if chosen not in CHOICES:
        from motorpool.cli.study_text import hint

        raise InputProblem(f"--set: {chosen} must be one of {', '.join(CHOICES)}.{hint(chosen, CHOICES)}")
    if ship and studies:
        raise InputProblem("--ship keeps the result on the shipped studies; leave --studies out.")
    if out is not None:
        out = out.expanduser().absolute()
        _refuse_unusable(out)
    own = _own_studies(studies)
    from motorpool.calibration.validate import run_validation
    from motorpool.calibration.validation_summary import SETS, report_data

    sets = SETS if chosen == "all" else (chosen,)
    begun = time.monotonic()
    with progress_display() as show:
        found = run_validation(sets, own=own, draws=draws, patients=patients, tell=show)
    data = report_data(found)
    if ship:
        say(f"Kept as {_ship(data)}")
    if out is not None:
        from motorpool.report.validation_page import write_validation_page

        say(f"Page: {write_validation_page(data, out)}")
    print(json.dumps(data, indent=1, allow_nan=False) if as_json else _table(data), flush=True)
    say(f"{time.monotonic() - begun:.0f} s")


def _own_studies(paths: Sequence[Path]) -> list[Study]:
    """The user's studies, each under a name of its own."""
    if not paths:
        return []
    from motorpool.studies.study import read_study

    read = {path: read_study(path) for path in paths}
    named: dict[str, Path] = {}
    for path, study in read.items():
        if study.name in named:
            raise InputProblem(
                f"{path}: study: {study.name} is also the name of the study in {named[study.name]}; "
                "each study needs its own."
            )
        if not study.endpoints:
            raise InputProblem(
                f"{path}: endpoints: every one has not_scored, so that nothing is to be predicted."
            )
        named[study.name] = path
    return list(read.values())


def _table(data: dict[str, Any]) -> str:
    rows: list[tuple[str, ...]] = [
        ("study", "endpoint", "published", "predicted (90 %)", "inside", "z", "width ratio")
    ]
    for entry in sorted(data["endpoints"], key=lambda e: (e["set"], e["study"], e["endpoint"])):
        rows.append(
            (
                entry["study"],
                entry["endpoint"] + ("" if entry["counted"] else " (too few people: not counted)"),
                f"{entry['published']:.4g}",
                f"{entry['predicted']:.4g} ({entry['predicted_low']:.4g} to {entry['predicted_high']:.4g})",
                "yes" if entry["inside_90"] else "NO",
                f"{entry['z']:+.1f}",
                "" if entry["width_ratio"] is None else f"{entry['width_ratio']:.2f}",
            )
        )
    lines = [aligned(rows), ""]
    for name, reason in data["not_predicted"].items():
        lines.append(f"not predicted: {name}: {reason}")
    for name, numbers in data["summary"].items():
        if not numbers["n"]:
            continue
        ratio = numbers["median_width_ratio"]
        lines.append(
            f"{name}: {numbers['inside_90']} of {numbers['n']} endpoints inside the 90 % interval "
            f"({100 * numbers['coverage_90']:.0f} %, 95 % interval over studies "
            f"{100 * numbers['coverage_90_low']:.0f} to {100 * numbers['coverage_90_high']:.0f} %)"
            + ("" if ratio is None else f"; median width ratio {ratio:.2f}")
        )
    for name, entry in data["baselines"].items():
        lines.append(
            f"mean log score on {entry['n']} endpoints: model {entry['model']:.2f}, {name} {entry['baseline']:.2f}"
        )
    for name, result in data["acceptance"].items():
        if isinstance(result, dict) and "floor_met" in result:
            goal = f", goal {MET[result['goal_met']]}" if result.get("goal") is not None else ""
            lines.append(f"acceptance, {name.replace('_', ' ')}: floor {MET[result['floor_met']]}{goal}")
    return "\n".join(lines)


def _refuse_unusable(target: Path) -> None:
    """Refuse, before anything is simulated, a file that cannot be written or that something else is in."""
    from motorpool.report.validation_page import MARK

    if target.is_dir():
        raise InputProblem(f"--out: {target} is a folder; give the name of a file.")
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace")[:2000]:
        raise InputProblem(f"--out: {target} exists and is not a validation page; choose another name.")
    parent = target.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputProblem(f"--out: {parent} is not a folder that can be written to; choose another name.")


def _ship(data: dict[str, Any]) -> Path:
    from importlib import resources

    path = Path(str(resources.files("motorpool.evidence").joinpath("data", "validation.json")))
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise InputProblem(f"{path}: {error.strerror}; --ship needs a checkout that you can write.") from None
    return path
