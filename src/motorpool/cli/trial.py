"""The verbs `trial init|list|show|check|schema|run|power|compare|report`: design a study, see what it would find."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display, say
from motorpool.cli.study_text import hint, within
from motorpool.cli.trial_inputs import (
    CLUSTER_HELP,
    FILE_HELP,
    LEAST_PEOPLE,
    MOST_DRAWS,
    MOST_PEOPLE,
    MOST_REPLICATES,
    PEOPLE,
    SET_HELP,
    design_of,
    print_json,
    truth_of,
    workers_of,
)  # fmt: skip
from motorpool.cli.trial_questions import compare, power, report
from motorpool.report.trial.text import course_lines, result_rows

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
REPLICATES = 1000
TEMPLATE = "cells_addon_sitters"


@app.callback()
def trial(context: typer.Context) -> None:
    """Design a trial and see what it would find out.

    Patients come from the calibrated model; thousands of replicate trials are drawn from them and analysed as the
    design says. Research use only.

    \b
    Examples:
      motorpool trial list
      motorpool trial init my_trial.yaml
      motorpool trial check my_trial.yaml
      motorpool trial run my_trial.yaml
      motorpool trial power my_trial.yaml
      motorpool trial report my_trial.yaml
    """
    if context.invoked_subcommand is None:
        list_designs(as_json=False)


@app.command("init")
def init(
    file: Path = typer.Argument(Path("trial.yaml"), metavar="[FILE]", help="File to write."),
    template: str = typer.Option(TEMPLATE, "--from", metavar="NAME", help="Shipped design to start from."),
) -> None:
    """Write a design file to start from.

    A file that exists is never overwritten.

    \b
    Examples:
      motorpool trial init my_trial.yaml
      motorpool trial init my_trial.yaml --from cherish
    """
    text = _shipped_text(template)
    try:
        with file.expanduser().open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        message = f"{file}: exists already and is left as it is; choose another name."
        raise InputProblem(message) from None
    except OSError as error:
        raise InputProblem(f"{file}: cannot be written: {error.strerror}.") from None
    print(f"Change it, then run: motorpool trial check {file}, and motorpool trial power {file}")
    print(file.expanduser().absolute(), flush=True)


@app.command("list")
def list_designs(as_json: bool = typer.Option(False, "--json", help="Print the table as JSON.")) -> None:
    """List the designs that come with motorpool."""
    from motorpool.trials.analysis import endpoint_words
    from motorpool.trials.design_file import load_design, shipped_designs

    designs = [load_design(name) for name in shipped_designs()]
    if as_json:
        print_json(
            [
                {"name": one.name, "title": one.title, "patients": one.patients, "arms": list(one.arms)}
                for one in designs
            ]
        )
        return
    rows: list[tuple[str, ...]] = [("name", "arms", "patients", "first endpoint", "title")]
    rows += [
        (one.name, str(len(one.arms)), str(one.patients), endpoint_words(one, one.endpoints[0]), one.title)
        for one in designs
    ]
    print(aligned(rows))


@app.command("show")
def showdesign_of(name: str = typer.Argument(..., help="Name of a shipped design.")) -> None:
    """Print the file of a shipped design, ready to be saved and changed.

    \b
    Example:
      motorpool trial show endear > my_trial.yaml
    """
    sys.stdout.write(_shipped_text(name))


@app.command("check")
def check(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print the design with all defaults as JSON."),
) -> None:
    """Check a design and say in words what it is, without simulating anybody.

    Everything that contradicts itself is named with its place in the file. Whether anybody meets the criteria, and
    whether an endpoint can move, only a run can tell.

    \b
    Examples:
      motorpool trial check my_trial.yaml
      motorpool trial check cells_doses_adaptive --set "interims={information: [0.5]}"
    """
    from motorpool.report.trial.design_rows import design_rows
    from motorpool.report.trial.words import assumptions

    design = design_of(file, changes, None)
    if as_json:
        print_json(design.model_dump(mode="json", exclude_none=True))
        return
    print(f"{design.title}\n")
    print(aligned(design_rows(design)))
    print("\nAssumed:")
    for sentence in assumptions(design):
        print(f"- {sentence}")
    print(f"\nCost: {design.cost_of:g} {design.cost.unit}", flush=True)


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of design files, for editors and for programs that write them."""
    from motorpool.trials.design_file import design_schema_text

    sys.stdout.write(design_schema_text())


@app.command("run")
def run(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    replicates: int = typer.Option(REPLICATES, "--replicates", "-r", help="Number of trials."),
    truth: str = typer.Option(
        "model",
        "--truth",
        help="What is true: model, null, drift=POINTS_PER_YEAR, share=SHARE_WHO_RESPOND or cells=EFFECT.",
    ),
    draws: int = typer.Option(
        0, "--draws", "-d", help="Spread over draws of what is not known; 0: central values."
    ),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    keep: int = typer.Option(2, "--keep", help="Of how many trials ADSL, ADQS and ADTTE are written."),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Folder for the results. [default: NAME-trial]"
    ),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    as_json: bool = typer.Option(
        False, "--json", help="Print results.json, and nothing else, on standard output."
    ),
    overwrite: bool = typer.Option(
        False, "--overwrite", help="Replace results, or an unfinished run, of other inputs."
    ),
    cluster: str | None = typer.Option(None, "--cluster", metavar="ADDRESS", help=CLUSTER_HELP),
) -> None:
    """Simulate replicates of a trial, analyse each, and keep everything in a folder.

    The folder appears only when it is complete. A run that is interrupted goes on when the same command is given again.
    The last line printed is the folder's path.

    \b
    Examples:
      motorpool trial run cherish
      motorpool trial run my_trial.yaml --truth null --replicates 10000
      motorpool trial run my_trial.yaml --replicates 100000 --cluster local
      motorpool trial run my_trial.yaml --set patients=80 --set endpoints.0.analysis=mmrm --json
    """
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.errors import ClusterError
    from motorpool.simulation.part_files import unfinished_folder
    from motorpool.trials.blocks import Settings
    from motorpool.trials.run import keep_trial_run
    from motorpool.trials.store import read_results

    within("--replicates", replicates, 2, MOST_REPLICATES)
    within("--draws", draws, 0, min(MOST_DRAWS, replicates))
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    within("--keep", keep, 0, 1000)
    design = design_of(file, changes, seed)
    settings = Settings(replicates, truth_of(truth, design), draws, people)
    folder = (out or Path(f"{design.name}-trial")).expanduser().absolute()
    keep_compiled_programs()
    try:
        with progress_display() as progress:
            kept = keep_trial_run(
                design,
                settings,
                folder,
                keep=keep,
                overwrite=overwrite,
                workers=workers_of(cluster),
                progress=progress,
            )
    except (KeyboardInterrupt, OSError, MemoryError, ClusterError):
        if unfinished_folder(folder).is_dir():
            say("Finished parts of the run are kept: the same command goes on with them.")
        raise
    if kept.state == "complete already":
        say(f"{folder}: already complete.")
    if as_json:
        sys.stdout.write((folder / "results.json").read_text(encoding="utf-8"))
        say(f"Results: {folder}")
        return
    found = read_results(folder)
    print(design.title)
    print(f"{replicates} trials of {design.patients} people; true: {found['truth']['words']}\n")
    print(aligned(result_rows(design, found["characteristics"])))
    print()
    for line in course_lines(design, found):
        print(line)
    print(folder, flush=True)


def _shipped_text(name: str) -> str:
    from motorpool.trials.design_file import DESIGNS_FOLDER, shipped_designs

    if name not in shipped_designs():
        message = f"{name[:100]}: is not a shipped design ({', '.join(shipped_designs())})."
        raise InputProblem(message + hint(name, shipped_designs()))
    return (DESIGNS_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


app.command("power")(power)
app.command("compare")(compare)
app.command("report")(report)
