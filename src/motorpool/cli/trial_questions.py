"""The verbs `trial power|compare|report`: what a design would find out, and which design finds out most."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display
from motorpool.cli.study_text import within
from motorpool.cli.trial_inputs import (
    CLUSTER_HELP,
    DRAWS,
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
    variants_of,
    workers_of,
)  # fmt: skip
from motorpool.cli.trial_work import going_on
from motorpool.report.trial.text import comparison_rows, estimation_lines, result_rows, value_lines

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign
    from motorpool.trials.power import PowerSettings

POWER_REPLICATES, COMPARE_REPLICATES, SENSITIVITY_REPLICATES = 2000, 2000, 500


def power(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    replicates: int = typer.Option(POWER_REPLICATES, "--replicates", "-r", help="Trials under each truth."),
    draws: int = typer.Option(DRAWS, "--draws", "-d", help="Draws of what is not known."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    effects: list[float] = typer.Option(
        [],
        "--effect",
        help="True effect to ask for: of cells, standardised; otherwise the share who respond.",
    ),
    sizes: list[int] = typer.Option(
        [], "--size", help="Number of patients to ask for; can be given several times."
    ),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    cluster: str | None = typer.Option(None, "--cluster", metavar="ADDRESS", help=CLUSTER_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
) -> None:
    """Power, errors, assurance, the smallest trial, years to enrol, and the value of the answer.

    Every share has its Monte-Carlo error. Type I error is counted under the null of the model, in which the treated
    live the control's lives. When it is interrupted, the same command goes on where it was.

    \b
    Examples:
      motorpool trial power my_trial.yaml
      motorpool trial power cells_addon_sitters --effect 0.3 --effect 0.6 --size 100 --size 400
      motorpool trial power my_trial.yaml --replicates 500 --draws 16 --json
      motorpool trial power my_trial.yaml --replicates 20000 --cluster tcp://10.0.0.5:8786
    """
    design = design_of(file, changes, seed)
    asked = _asked(design, replicates, draws, people, tuple(effects), tuple(sizes))
    with going_on([design], **asdict(asked)):
        found = _power(design, asked, cluster)
    if as_json:
        print_json(found)
        return
    print(design.title)
    for under in found["under"].values():
        print(f"\nTrue: {under['words']}")
        print(aligned(result_rows(design, under["characteristics"])))
        for line in estimation_lines(design, under["characteristics"]):
            print(line)
    print()
    for line in value_lines(design, found):
        print(line)
    print(f"\n{found['verdict']['words']}", flush=True)


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
    smallest: bool = typer.Option(
        False, "--smallest", help="Also look for the smallest trial of each design."
    ),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the files'."),
    cluster: str | None = typer.Option(None, "--cluster", metavar="ADDRESS", help=CLUSTER_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
) -> None:
    """Compare designs at equal cost: each gets as many patients as the first one's cost pays for.

    When it is interrupted, the same command goes on where it was.

    \b
    Examples:
      motorpool trial compare my_trial.yaml other.yaml
      motorpool trial compare my_trial.yaml --variant "young:population.enrolment.age_months={min: 24, max: 72}"
      motorpool trial compare my_trial.yaml --variant rulm:endpoints.0.outcome=rulm --smallest
    """
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.trials.comparison import compare_designs

    within("--replicates", replicates, 2, MOST_REPLICATES)
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    designs: dict[str, TrialDesign] = {}
    for file in files:
        design = design_of(file, [], seed)
        if design.name in designs:
            raise InputProblem(f"{file}: is a second design with the name {design.name}; give each its own.")
        designs[design.name] = design
    for name, changes in variants_of(variants).items():
        if name in designs:
            raise InputProblem(f"--variant {name}: is the name of a design already; choose another.")
        designs[name] = design_of(files[0], changes, seed)
    if len(designs) < 2:
        raise InputProblem(
            "compare needs at least two designs: give another FILE, or --variant NAME:PATH=VALUE."
        )
    first = next(iter(designs.values()))
    shared = None if truth is None else truth_of(truth, first)
    keep_compiled_programs()
    asked = {"replicates": replicates, "people": people, "truth": truth, "smallest": smallest}
    with (
        going_on(list(designs.values()), **asked),
        progress_display() as progress,
        workers_of(cluster) as workers,
    ):
        found = compare_designs(
            designs,
            replicates=replicates,
            people=people,
            truth=shared,
            find_smallest=smallest,
            workers=workers,
            progress=progress,
        )
    if as_json:
        print_json(found)
        return
    print(
        f"True: {found['truth']}; each design costs at most {found['cost']['value']:g} {found['cost']['unit']}.\n"
    )
    print(aligned(comparison_rows(found)), flush=True)


def report(
    file: str = typer.Argument(..., metavar="FILE", help=FILE_HELP),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Folder for both pages. [default: NAME-report in the current folder]"
    ),
    replicates: int = typer.Option(POWER_REPLICATES, "--replicates", "-r", help="Trials under each truth."),
    draws: int = typer.Option(DRAWS, "--draws", "-d", help="Draws of what is not known."),
    people: int = typer.Option(PEOPLE, "--people", "-n", help="Size of the pool of simulated patients."),
    sensitivity: bool = typer.Option(
        True, "--sensitivity/--no-sensitivity", help="Vary each assumption in turn."
    ),
    varied: int = typer.Option(
        SENSITIVITY_REPLICATES, "--sensitivity-replicates", help="Trials for each assumption that is varied."
    ),
    seed: int | None = typer.Option(None, "--seed", help="Random seed, instead of the file's."),
    changes: list[str] = typer.Option([], "--set", metavar="PATH=VALUE", help=SET_HELP),
    cluster: str | None = typer.Option(None, "--cluster", metavar="ADDRESS", help=CLUSTER_HELP),
) -> None:
    """Write the report for a protocol's appendix, and one page for a funder.

    Both are single files that need no network. When it is interrupted, the same command goes on where it was. The last
    line printed is the report's path.

    \b
    Examples:
      motorpool trial report my_trial.yaml
      motorpool trial report cherish --replicates 500 --draws 16 --no-sensitivity
    """
    from motorpool.report.trial.page import check_folder, write_trial_pages
    from motorpool.trials.sensitivity import sensitivity_of

    design = design_of(file, changes, seed)
    folder = (out or Path(f"{design.name}-report")).expanduser().absolute()
    check_folder(folder)
    within("--sensitivity-replicates", varied, 50, MOST_REPLICATES)
    asked = _asked(design, replicates, draws, people, (), ())
    rows: list[dict[str, Any]] = []
    with going_on([design], **asdict(asked)):
        found = _power(design, asked, cluster)
        if sensitivity:
            with progress_display() as progress, workers_of(cluster) as workers:
                rows = sensitivity_of(
                    design, replicates=varied, people=people, workers=workers, progress=progress
                )
    paths = write_trial_pages(design, found, rows, folder)
    print(f"One page for a funder: {paths[1]}")
    print(paths[0], flush=True)


def _asked(
    design: TrialDesign,
    replicates: int,
    draws: int,
    people: int,
    effects: tuple[float, ...],
    sizes: tuple[int, ...],
) -> PowerSettings:
    """How thoroughly a design is examined, checked."""
    from motorpool.trials.power import PowerSettings

    within("--replicates", replicates, 50, MOST_REPLICATES)
    within("--draws", draws, 2, min(MOST_DRAWS, replicates))
    within("--people", people, LEAST_PEOPLE, MOST_PEOPLE)
    least = 2 * sum(arm.ratio for arm in design.arms.values())
    for size in sizes:
        within("--size", size, least, 20_000)
    for effect in effects:
        limit = 3.0 if design.cells_decide else 1.0
        if not 0.0 < effect <= limit:
            raise InputProblem(f"--effect: {effect:g} must be above 0 and at most {limit:g}.")
    return PowerSettings(replicates, draws, people, effects, sizes)


def _power(design: TrialDesign, asked: PowerSettings, cluster: str | None) -> dict[str, Any]:
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.trials.power import power_report

    keep_compiled_programs()
    with progress_display() as progress, workers_of(cluster) as workers:
        return power_report(design, asked, workers=workers, progress=progress)
