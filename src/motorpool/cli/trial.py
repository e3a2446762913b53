"""The verbs `trial init|list|show|schema|run|power|compare|report`: design a study and see what it would find out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display, say
from motorpool.cli.study_text import hint, within
from motorpool.cli.trial_text import (
    comparison_rows,
    course_lines,
    result_rows,
    value_lines,
)

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign
    from motorpool.trials.truth import Truth

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
REPLICATES, POWER_REPLICATES, COMPARE_REPLICATES = 1000, 2000, 2000
MOST_REPLICATES = 1_000_000
PEOPLE, LEAST_PEOPLE, MOST_PEOPLE = 1024, 32, 100_000
DRAWS, MOST_DRAWS = 64, 1000
TEMPLATE = "cells_addon_sitters"
FILE_HELP = "Design file, or the name of a shipped design (see `motorpool trial list`)."
SET_HELP = "Change one entry of the design; can be given several times."


@app.callback()
def trial(context: typer.Context) -> None:
    """Design a trial and see what it would find out.

    Patients come from the calibrated model; thousands of replicate trials are drawn from them and analysed as the
    design says. Research use only.

    \b
    Examples:
      motorpool trial list
      motorpool trial init my_trial.yaml
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
    print(f"Change it, then run: motorpool trial power {file}")
    print(file.expanduser().absolute(), flush=True)


@app.command("list")
def list_designs(as_json: bool = typer.Option(False, "--json", help="Print the table as JSON.")) -> None:
    """List the designs that come with motorpool."""
    from motorpool.trials.analysis import endpoint_words
    from motorpool.trials.design_file import load_design, shipped_designs

    designs = [load_design(name) for name in shipped_designs()]
    if as_json:
        _print_json(
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
def show_design(name: str = typer.Argument(..., help="Name of a shipped design.")) -> None:
    """Print the file of a shipped design, ready to be saved and changed.

    \b
    Example:
      motorpool trial show endear > my_trial.yaml
    """
    sys.stdout.write(_shipped_text(name))


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
    draws: int = typer.Option(0, "--draws", "-d", help="Spread over draws of what is not known; 0: central values."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    keep: int = typer.Option(2, "--keep", help="Of how many trials ADSL, ADQS and ADTTE are written."),
    out: Path | None = typer.Option(None, "--out", "-o", help="Folder for the results. [default: NAME-trial]"),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print results.json, and nothing else, on standard output."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace results, or an unfinished run, of other inputs."),
) -> None:
    """Simulate replicates of a trial, analyse each, and keep everything in a folder.

    The folder appears only when it is complete. A run that is interrupted goes on when the same command is given again.
    The last line printed is the folder's path.

    \b
    Examples:
      motorpool trial run cherish
      motorpool trial run my_trial.yaml --truth null --replicates 10000
      motorpool trial run my_trial.yaml --set patients=80 --set endpoints.0.analysis=mmrm --json
    """
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.part_files import unfinished_folder
    from motorpool.trials.blocks import Settings
    from motorpool.trials.run import keep_trial_run
    from motorpool.trials.store import read_results

    within("--replicates", replicates, 2, MOST_REPLICATES)
    within("--draws", draws, 0, min(MOST_DRAWS, replicates))
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    within("--keep", keep, 0, 1000)
    design = _design(file, changes, seed)
    settings = Settings(replicates, _truth(truth, design), draws, people)
    folder = (out or Path(f"{design.name}-trial")).expanduser().absolute()
    keep_compiled_programs()
    try:
        with progress_display() as progress:
            kept = keep_trial_run(design, settings, folder, keep=keep, overwrite=overwrite, progress=progress)
    except (KeyboardInterrupt, OSError, MemoryError):
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
    for line in course_lines(found):
        print(line)
    print(folder, flush=True)


@app.command("power")
def power(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    replicates: int = typer.Option(POWER_REPLICATES, "--replicates", "-r", help="Trials under each truth."),
    draws: int = typer.Option(DRAWS, "--draws", "-d", help="Draws of what is not known."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    effects: list[float] = typer.Option(
        [], "--effect", help="True effect to ask for: of cells, standardised; otherwise the share who respond."
    ),
    sizes: list[int] = typer.Option([], "--size", help="Number of patients to ask for; can be given several times."),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
) -> None:
    """Power, errors, assurance, the smallest trial, years to enrol, and the value of the answer.

    Every share has its Monte-Carlo error. Type I error is counted under the null of the model, in which the treated
    live the control's lives.

    \b
    Examples:
      motorpool trial power my_trial.yaml
      motorpool trial power cells_addon_sitters --effect 0.3 --effect 0.6 --size 100 --size 400
      motorpool trial power my_trial.yaml --replicates 500 --draws 16 --json
    """
    found = _power(file, changes, seed, replicates, draws, people, tuple(effects), tuple(sizes))[1]
    if as_json:
        _print_json(found)
        return
    design = _design(file, changes, seed)
    print(design.title)
    for under in found["under"].values():
        print(f"\nTrue: {under['words']}")
        print(aligned(result_rows(design, under["characteristics"])))
    print()
    for line in value_lines(design, found):
        print(line)
    print(f"\n{found['verdict']['words']}", flush=True)


@app.command("compare")
def compare(
    files: list[str] = typer.Argument(..., metavar="FILE...", help=FILE_HELP),
    variants: list[str] = typer.Option(
        [],
        "--variant",
        metavar="NAME:PATH=VALUE",
        help="The first design with an entry changed; the same NAME given again changes more of it.",
    ),
    truth: str | None = typer.Option(
        None, "--truth", help="What is true (see `trial run`). [default: the least effect worth having]"
    ),
    replicates: int = typer.Option(COMPARE_REPLICATES, "--replicates", "-r", help="Trials of each design."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    smallest: bool = typer.Option(False, "--smallest", help="Also look for the smallest trial of each design."),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the files'."),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
) -> None:
    """Compare designs at equal cost: each gets as many patients as the first one's cost pays for.

    \b
    Examples:
      motorpool trial compare my_trial.yaml other.yaml
      motorpool trial compare my_trial.yaml --variant "young:population.enrolment.age_months={min: 24, max: 72}"
      motorpool trial compare my_trial.yaml --variant rulm:endpoints.0.outcome=rulm --variant "few:visits.months=[0, 12]"
    """
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.trials.comparison import compare_designs

    within("--replicates", replicates, 2, MOST_REPLICATES)
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    designs: dict[str, TrialDesign] = {}
    for file in files:
        design = _design(file, [], seed)
        if design.name in designs:
            raise InputProblem(f"{file}: is a second design with the name {design.name}; give each its own.")
        designs[design.name] = design
    for name, changes in _variants(variants).items():
        if name in designs:
            raise InputProblem(f"--variant {name}: is the name of a design already; choose another.")
        designs[name] = _design(files[0], changes, seed)
    if len(designs) < 2:
        raise InputProblem("compare needs at least two designs: give another FILE, or --variant NAME:PATH=VALUE.")
    first = next(iter(designs.values()))
    keep_compiled_programs()
    with progress_display() as progress:
        found = compare_designs(
            designs,
            replicates=replicates,
            people=people,
            truth=None if truth is None else _truth(truth, first),
            find_smallest=smallest,
            progress=progress,
        )
    if as_json:
        _print_json(found)
        return
    print(f"True: {found['truth']}; each design costs at most {found['cost']['value']:g} {found['cost']['unit']}.\n")
    print(aligned(comparison_rows(found)), flush=True)


@app.command("report")
def report(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Folder for both pages. [default: NAME-report in the current folder]"
    ),
    replicates: int = typer.Option(POWER_REPLICATES, "--replicates", "-r", help="Trials under each truth."),
    draws: int = typer.Option(DRAWS, "--draws", "-d", help="Draws of what is not known."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    sensitivity: bool = typer.Option(True, "--sensitivity/--no-sensitivity", help="Vary each assumption in turn."),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
) -> None:
    """Write the report for a protocol's appendix, and one page for a funder.

    Both are single files that need no network. The last line printed is the report's path.

    \b
    Examples:
      motorpool trial report my_trial.yaml
      motorpool trial report cherish --replicates 500 --draws 16 --no-sensitivity
    """
    from motorpool.report.trial.page import write_trial_pages
    from motorpool.trials.sensitivity import sensitivity_of

    design, found = _power(file, changes, seed, replicates, draws, people, (), ())
    rows: list[dict[str, Any]] = []
    if sensitivity:
        with progress_display() as progress:
            rows = sensitivity_of(design, replicates=replicates, people=people, progress=progress)
    folder = (out or Path(f"{design.name}-report")).expanduser().absolute()
    paths = write_trial_pages(design, found, rows, folder)
    print(f"One page for a funder: {paths[1]}")
    print(paths[0], flush=True)


def _power(
    file: str,
    changes: Sequence[str],
    seed: int | None,
    replicates: int,
    draws: int,
    people: int,
    effects: tuple[float, ...],
    sizes: tuple[int, ...],
) -> tuple[TrialDesign, dict[str, Any]]:
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.trials.power import PowerSettings, power_report

    within("--replicates", replicates, 50, MOST_REPLICATES)
    within("--draws", draws, 2, min(MOST_DRAWS, replicates))
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    design = _design(file, list(changes), seed)
    least = 2 * sum(arm.ratio for arm in design.arms.values())
    for size in sizes:
        within("--size", size, least, 20_000)
    for effect in effects:
        limit = 3.0 if design.cells_decide else 1.0
        if not 0.0 < effect <= limit:
            raise InputProblem(f"--effect: {effect:g} must be above 0 and at most {limit:g}.")
    keep_compiled_programs()
    with progress_display() as progress:
        asked = PowerSettings(replicates, draws, people, effects, sizes)
        return design, power_report(design, asked, progress=progress)


def _design(file: str, changes: list[str], seed: int | None) -> TrialDesign:
    from motorpool.trials.design_file import load_design

    return load_design(file, [*changes, *([] if seed is None else [f"seed={seed}"])])


def _truth(text: str, design: TrialDesign) -> Truth:
    """The truth that an option names; says what is allowed and where it has a meaning."""
    from motorpool.trials.truth import Truth

    kind, equals, number = text.partition("=")
    plain, valued = ("model", "null"), ("drift", "share", "cells")
    if kind not in (*plain, *valued):
        raise InputProblem(
            f"--truth: {text!r} must be model, null, drift=NUMBER, share=NUMBER or cells=NUMBER."
            + hint(kind, [*plain, *valued])
        )
    if kind in plain:
        if equals:
            raise InputProblem(f"--truth: {kind} has no number.")
        return Truth("model" if kind == "model" else "null")
    try:
        value = float(number)
    except ValueError:
        raise InputProblem(f"--truth: {text!r} must be {kind}=NUMBER.") from None
    limits = {"drift": (-100.0, 100.0), "share": (0.0, 1.0), "cells": (-3.0, 3.0)}[kind]
    if not limits[0] <= value <= limits[1]:
        raise InputProblem(f"--truth: {value:g} must lie from {limits[0]:g} to {limits[1]:g}.")
    if kind == "cells":
        if not design.cells_decide:
            raise InputProblem(f"--truth: {text}: cells do not part the arms of {design.name}; use share=NUMBER.")
        return Truth("cells", value)
    if kind == "drift" and design.endpoints[0].outcome is None:
        raise InputProblem(f"--truth: {text}: the first endpoint of {design.name} is no score and cannot drift.")
    return Truth("drift" if kind == "drift" else "share", value)


def _variants(given: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in given:
        name, colon, change = each.partition(":")
        if not colon or not name.strip() or "=" not in change:
            raise InputProblem(f"--variant: {each!r} must be NAME:PATH=VALUE, for example few:patients=60.")
        found.setdefault(name.strip(), []).append(change.strip())
    return found


def _shipped_text(name: str) -> str:
    from motorpool.trials.design_file import DESIGNS_FOLDER, shipped_designs

    if name not in shipped_designs():
        message = f"{name[:100]}: is not a shipped design ({', '.join(shipped_designs())})."
        raise InputProblem(message + hint(name, shipped_designs()))
    return (DESIGNS_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def _print_json(content: Any) -> None:
    import json

    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
