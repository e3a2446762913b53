"""`motorpool calibrate`: re-make the posterior from the calibration studies."""

from __future__ import annotations

import time
from pathlib import Path

import typer

from motorpool.cli.console import InputProblem, progress_display, say

DEFAULT_FOLDER = Path("calibration-run")


def calibrate(
    out: Path = typer.Option(
        DEFAULT_FOLDER, "--out", metavar="DIR", help="Folder of the run. Run the same command again to go on."
    ),
    quick: bool = typer.Option(
        False,
        "--quick",
        help="Only the mode and the normal approximation there, from the shipped slopes: minutes instead of hours.",
    ),
    ship: bool = typer.Option(
        False,
        "--ship",
        help="Also make the result the posterior that motorpool uses (in a checkout you can write).",
    ),
) -> None:
    """Fit the model to the calibration studies.

    Every simulation is kept in the folder: an interrupted run goes on where it was when the same command is given
    again. The last line is the folder of the posterior that was written.

    \b
    Examples:
      motorpool calibrate --quick               mode and normal approximation
      motorpool calibrate --out my_run          the full posterior, resumable
      motorpool calibrate --out my_run --ship   the same, and used from now on
    """
    from motorpool.calibration.run import run_calibration
    from motorpool.calibration.shipping import describe, ship_posterior

    begun = time.monotonic()
    folder = out.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise InputProblem(f"--out {out}: is a file; give a folder.")
    with progress_display() as show:
        made = run_calibration(
            folder, quick=quick, tell=lambda stage, done, of: show(stage, done / max(of, 1))
        )
    for line in describe(made):
        say(line)
    if ship:
        say(f"Shipped to {ship_posterior(folder)}")
    say(f"{(time.monotonic() - begun) / 60:.1f} minutes in this run.")
    print(made, flush=True)
