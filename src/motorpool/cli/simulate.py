"""The verbs `simulate` and `demo`: run a scenario, keep the results, write the report."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from motorpool.cli.console import InputProblem, progress_display, say

if TYPE_CHECKING:
    from motorpool.simulation.scenario import Scenario

DEMO_SCENARIO = "demo"


def simulate(
    file: str = typer.Argument(
        ...,
        metavar="FILE",
        help="Scenario file, or the name of a shipped scenario (see `motorpool scenarios`).",
    ),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Folder for the results. [default: NAME-results in the current folder]"
    ),
    patients: int | None = typer.Option(
        None, "--patients", "-n", help="People per arm, instead of the file's."
    ),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option(
        [],
        "--set",
        metavar="PATH=VALUE",
        help="Change one entry of the scenario; can be given several times.",
    ),
    as_json: bool = typer.Option(
        False, "--json", help="Print results.json, and nothing else, on standard output."
    ),
    no_report: bool = typer.Option(False, "--no-report", help="Keep the results without writing a report."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace earlier results in the same folder."),
) -> None:
    """Simulate a scenario; write results and report.

    The folder appears only when everything in it is complete. The last line printed is the report's path.

    \b
    Examples:
      motorpool simulate my_study.yaml
      motorpool simulate endear_like --patients 50 --out quick_look
      motorpool simulate endear_like --set arms.nusinersen.therapies.0.regimen=high_dose
      motorpool simulate demo --set uncertainty.knowledge_draws=0 --json
    """
    from motorpool.simulation.loading import load_scenario

    scenario = load_scenario(file, _all_changes(changes, patients, seed))
    folder = (out or Path(f"{scenario.name}-results")).expanduser().absolute()
    _refuse_unusable(folder, overwrite)
    path = _run(scenario, folder, with_report=not no_report)
    if as_json:
        sys.stdout.write((folder / "results.json").read_text(encoding="utf-8"))
        say(f"Results: {folder}")
        return
    _describe(scenario, folder)
    print(path, flush=True)


def demo(
    out: Path = typer.Option(Path("motorpool-demo"), "--out", "-o", help="Folder for the results."),
    open_report: bool | None = typer.Option(
        None, "--open/--no-open", help="Open the report in a browser. [default: where there is a screen]"
    ),
    patients: int | None = typer.Option(None, "--patients", "-n", help="People per arm."),
    seed: int | None = typer.Option(None, "--seed", help="Random seed."),
) -> None:
    """Write a report of infants with type 1 SMA.

    Simulates them under several treatment plans; published trial results are drawn over the curves.
    Takes about a minute on two cores. Earlier results of the demo in the same folder are replaced.
    The last line printed is the path of the report.

    \b
    Examples:
      motorpool demo
      motorpool demo --patients 50 --out quick_look --no-open
    """
    from motorpool.simulation.loading import load_scenario

    scenario = load_scenario(DEMO_SCENARIO, _all_changes([], patients, seed))
    folder = out.expanduser().absolute()
    _refuse_unusable(folder, overwrite=True)
    path = _run(scenario, folder, with_report=True)
    _describe(scenario, folder)
    if open_report or (open_report is None and _has_screen()):
        import webbrowser

        if not webbrowser.open(path.as_uri()):
            say("No browser could be opened; open the file below yourself.")
    print(path, flush=True)


def _all_changes(changes: list[str], patients: int | None, seed: int | None) -> list[str]:
    extra = [("cohort.patients", patients), ("seed", seed)]
    return [*changes, *(f"{path}={value}" for path, value in extra if value is not None)]


def _refuse_unusable(folder: Path, overwrite: bool) -> None:
    """Refuse, before anything is simulated, a folder that cannot take the results."""
    from motorpool.simulation.store import check_output_folder, is_results_folder

    check_output_folder(folder)
    if not overwrite and folder.exists() and is_results_folder(folder):
        message = (
            f"{folder}: holds earlier results; add --overwrite to replace them, or choose another --out."
        )
        raise InputProblem(message)
    parent = folder.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        message = f"{folder}: {parent} is not a folder that can be written to; choose another --out."
        raise InputProblem(message)


def _run(scenario: Scenario, folder: Path, *, with_report: bool) -> Path:
    """Simulate and keep everything in `folder`; gives the report's path, or the folder's without a report."""
    from motorpool.simulation.api import simulate as simulate_scenario

    with progress_display() as progress:
        results = simulate_scenario(scenario, progress=progress)
        if not with_report:
            progress("Writing results", 0.0)
            return results.save(folder)
        from motorpool.report import write_report

        names: list[str] = []

        def add_report(unfinished: Path) -> None:
            progress("Writing the report", 0.0)
            names.append(Path(write_report(unfinished)).name)

        progress("Writing results", 0.0)
        return results.save(folder, finish=add_report) / names[0]


def _describe(scenario: Scenario, folder: Path) -> None:
    print(scenario.title)
    draws = f" x {scenario.draws} draws of what is not known" if scenario.draws > 1 else ""
    print(
        f"{scenario.cohort.patients} people x {len(scenario.arms)} arms{draws}, "
        f"{scenario.horizon_months:g} months: {', '.join(scenario.label_of(arm) for arm in scenario.arms)}"
    )
    print(f"Tables, arrays and the scenario as it was run: {folder}")


def _has_screen() -> bool:
    screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return screen and sys.stdout.isatty()
