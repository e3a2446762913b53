"""The verb `report`: write the report of earlier results again."""

from __future__ import annotations

from pathlib import Path

import typer

from motorpool.cli.console import progress_display


def report(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of earlier results."),
) -> None:
    """Write the report of earlier results again.

    Nothing is simulated. The last line printed is the path of the report.

    \b
    Example:
      motorpool report motorpool-demo
    """
    from motorpool.cli.console import InputProblem
    from motorpool.simulation.store import is_results_folder

    directory = folder.expanduser().absolute()
    if not is_results_folder(directory):
        message = (
            f"{directory}: is not a folder of motorpool results. "
            "Give the folder that `motorpool simulate` or `motorpool demo` wrote."
        )
        raise InputProblem(message)
    from motorpool.report import write_report

    with progress_display() as progress:
        progress("Writing the report", 0.0)
        path = write_report(directory)
        progress("Writing the report", 1.0)
    print(Path(path).absolute(), flush=True)
