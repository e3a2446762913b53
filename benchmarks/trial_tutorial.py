"""Runs the commands of the tutorial on trials and puts what they print into it.

    python -m benchmarks.trial_tutorial                                              # prints what they print
    python -m benchmarks.trial_tutorial --write docs/tutorials/design-a-trial.md    # and puts it into the page

Some minutes of one core. Longer commands go on where they were interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import tempfile
from pathlib import Path

from benchmarks.doc_tables import put
from motorpool.cli.main import run

# Name of the place in the page, and the command.
COMMANDS = {
    "one look": ["trial", "run", "my_trial.yaml", "--replicates", "200", "--out", "one_look"],
    "null": [
        "trial", "run", "my_trial.yaml", "--truth", "null", "--replicates", "10000", "--keep", "0", "--out", "null",
    ],
    "power": ["trial", "power", "my_trial.yaml", "--replicates", "1000", "--draws", "32"],
    "compare": [
        "trial", "compare", "my_trial.yaml",
        "--variant", "young:population.enrolment.age_months={min: 24, max: 72}",
        "--variant", "rulm:endpoints.0.outcome=rulm",
        "--variant", "few:visits.months=[0, 12]", "--smallest", "--replicates", "1000",
    ],
    "one dose": [
        "trial", "run", "my_trial.yaml", "--set", "arms.cells.therapies=[{therapy: cell_therapy, doses: 1}]",
        "--truth", "cells=0.7", "--replicates", "200", "--out", "one_dose",
    ],
}  # fmt: skip


def printed(arguments: list[str]) -> str:
    """What a command prints on standard output.

    Raises:
        RuntimeError: the command fails.
    """
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(arguments)
    if code:
        message = f"motorpool {' '.join(arguments)} ended with {code}"
        raise RuntimeError(message)
    return re.sub(rf"{re.escape(os.getcwd())}/", "", out.getvalue()).strip()


def main() -> None:
    """Run the commands in a folder of their own, print what they print, and put it into a page where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--only", choices=sorted(COMMANDS), action="append", help="Of these places alone.")
    given = parser.parse_args()
    page = None if given.write is None else given.write.absolute()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        printed(["trial", "init", "my_trial.yaml"])
        for name, arguments in COMMANDS.items():
            if given.only and name not in given.only:
                continue
            text = f"```text\n{printed(arguments)}\n```"
            print(text, flush=True)
            if page is not None:
                put(page, name, text)


if __name__ == "__main__":
    main()
