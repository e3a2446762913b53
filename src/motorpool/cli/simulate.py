"""The verbs `simulate` and `demo`: run a scenario, keep the results, write the report."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from motorpool.cli.console import progress_display, say

if TYPE_CHECKING:
    from motorpool.simulation.kept_run import KeptRun
    from motorpool.simulation.scenario import Scenario

REPORT = "report.html"
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
    overwrite: bool = typer.Option(
        False,
        "--overwrite",
        help="Replace results, or an unfinished run, of other inputs in the same folder.",
    ),
    keep_people: bool = typer.Option(
        False,
        "--keep-people",
        help="Keep everybody's results of a large run too, in results.zarr; small runs always keep them.",
    ),
    cluster: str | None = typer.Option(
        None,
        "--cluster",
        metavar="ADDRESS",
        help="Simulate on the workers of this Dask scheduler, such as tcp://10.0.0.5:8786; `local` starts a worker "
        "for each core of this machine.",
    ),
) -> None:
    """Simulate a scenario; write results and report.

    The folder appears only when everything in it is complete. A run that is interrupted, however, goes on when the
    same command is given again. A run of more than 3 million people-visits (patients x draws x arms x visits) is
    large: it keeps summaries only and has no report. The last line printed is the report's path, or the folder's.

    \b
    Examples:
      motorpool simulate my_study.yaml
      motorpool simulate endear_like --patients 50 --out quick_look
      motorpool simulate endear_like --set arms.nusinersen.therapies.0.regimen=high_dose
      motorpool simulate demo --set uncertainty.knowledge_draws=0 --json
      motorpool simulate endear_like --patients 1000000 --cluster local
    """
    from motorpool.simulation.loading import load_scenario

    scenario = load_scenario(file, _all_changes(changes, patients, seed))
    folder = (out or Path(f"{scenario.name}-results")).expanduser().absolute()
    path = _run(
        scenario,
        folder,
        with_report=not no_report,
        overwrite=overwrite,
        keep_people=keep_people,
        cluster=cluster,
    )
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
    path = _run(scenario, folder, with_report=True, overwrite=True)
    _describe(scenario, folder)
    if open_report or (open_report is None and _has_screen()):
        import webbrowser

        if not webbrowser.open(path.as_uri()):
            say("No browser could be opened; open the file below yourself.")
    print(path, flush=True)


def _all_changes(changes: list[str], patients: int | None, seed: int | None) -> list[str]:
    extra = [("cohort.patients", patients), ("seed", seed)]
    return [*changes, *(f"{path}={value}" for path, value in extra if value is not None)]


def _run(
    scenario: Scenario,
    folder: Path,
    *,
    with_report: bool,
    overwrite: bool,
    keep_people: bool = False,
    cluster: str | None = None,
) -> Path:
    """Simulate and keep everything in `folder`; gives the report's path, or the folder's without a report."""
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.cluster import PARTS, cluster_workers
    from motorpool.simulation.errors import ClusterError
    from motorpool.simulation.kept_run import keep_run
    from motorpool.simulation.part_files import unfinished_folder

    keep_compiled_programs()
    try:
        with progress_display() as progress:

            def add_report(unfinished: Path) -> None:
                from motorpool.report import write_report

                progress("Writing the report", 0.0)
                write_report(unfinished)

            kept = keep_run(
                scenario,
                folder,
                keep_people=keep_people,
                overwrite=overwrite,
                workers=None if cluster is None else cluster_workers(cluster, PARTS),
                progress=progress,
                finish=add_report if with_report else None,
            )
            if kept.state == "complete already":
                say(f"{folder}: already complete.")
                if with_report and not kept.large and not (folder / REPORT).exists():
                    add_report(folder)
    except (KeyboardInterrupt, OSError, MemoryError, ClusterError):
        if unfinished_folder(folder).is_dir():
            say("Finished parts of the run are kept: the same command goes on with them.")
        raise
    _warn(kept)
    return folder / REPORT if with_report and (folder / REPORT).exists() else folder


def _warn(kept: KeptRun) -> None:
    """Say what a reader of the results must know."""
    wrong = kept.wrong
    if wrong.people:
        say(
            f"Numbers of {wrong.people} people went wrong; they are left out of all summaries (see results.json):"
        )
        for found in wrong.first[:5]:
            when = "" if found["visit_month"] is None else f", month {found['visit_month']:g}"
            say(
                f"  person {found['person']}, draw {found['draw']}, arm {found['arm']}{when}: "
                f"{found['quantity']} is {found['value']}"
            )
    if kept.large:
        left = "everybody's results, but no report" if kept.people_kept else "summaries only"
        say(f"This run is large: the folder holds {left}.")


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
