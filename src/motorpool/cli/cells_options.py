"""Options that the verbs of the cell laboratory share, and what they accept."""

from __future__ import annotations

from pathlib import Path

import typer

from motorpool.cli import page_file
from motorpool.cli.console import InputProblem

MOST_PEOPLE = 1_000_000  # lives with and without cells that are held in memory; about two gigabytes

SCENARIO = typer.Argument(
    ...,
    metavar="SCENARIO",
    help="Scenario file, or the name of a shipped scenario (see `motorpool scenarios`).",
)
ARM = typer.Option(
    None, "--arm", help="Arm whose plan is the base. [default: what the arm with cells is compared with]"
)
PATIENTS = typer.Option(128, "--patients", "-n", min=8, max=4096, help="Virtual people under each draw.")
SEED = typer.Option(None, "--seed", help="Random seed, instead of the file's.")
CHANGES = typer.Option(
    [], "--set", metavar="PATH=VALUE", help="Change one entry of the scenario; repeatable."
)
CELLS = typer.Option(
    [],
    "--cells",
    metavar="NAME=VALUE",
    help="Change the cells, such as doses=6 or route=intravenous; repeatable.",
)
MECHANISM = typer.Option(
    [],
    "--mechanism",
    metavar="NAME=on|off|SD",
    help="Switch one of neuroprotection, transmission, inflammation, muscle, recovery, or set its effect; repeatable.",
)
MECHANISMS = typer.Option(None, "--mechanisms", metavar="FILE", help="The same for several, as a YAML file.")
EFFECT = typer.Option(
    None, "--effect", metavar="prior|none|SD", help="Total effect. [default: what the scenario's cells say]"
)
OUTCOME = typer.Option(
    None, "--outcome", help="Outcome to look at, such as hfmse or utility. [default: a motor scale that fits]"
)
OUT = typer.Option(None, "--out", "-o", metavar="FILE", help="Also write a page with pictures.")
AS_JSON = typer.Option(False, "--json", help="Print everything as JSON on standard output.")


def months_of(text: str) -> tuple[float, ...]:
    """Months as the user writes them, such as 6,12,24,60; raises InputProblem."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0.0 < month <= 600.0 for month in found):
        raise InputProblem(
            f"--months: {text[:60]!r} must be months above 0 and up to 600, such as 6,12,24,60."
        )
    return found


def not_too_large(patients: int, draws: int) -> None:
    """Refuse what would not fit into memory; raises InputProblem."""
    if patients * draws > MOST_PEOPLE:
        raise InputProblem(
            f"--draws: {draws} draws of {patients} people are more than {MOST_PEOPLE} lives; lower one of the two."
        )


def power_of_two(samples: int) -> None:
    """Refuse a number of samples that Sobol's sequence does not allow; raises InputProblem."""
    if samples & (samples - 1):
        nearest = 1 << (samples.bit_length() - 1)
        raise InputProblem(f"--sobol: {samples} must be 0 or a power of two, such as {nearest}.")


def usable_page(out: Path | None) -> Path | None:
    """The page to write; refuses, before anything is simulated, what cannot be written or holds something else."""
    from motorpool.report.cells_page import MARK

    return page_file.usable_page(out, MARK, "a page of `motorpool cells`")
