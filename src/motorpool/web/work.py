"""One job in a process of its own: `python -m motorpool.web.work FOLDER`. Tells its progress as lines of JSON.

It goes on where an earlier attempt was interrupted, and ends when the server that started it is gone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from motorpool.simulation.errors import ScenarioError

SIMULATING_SHARE = 0.9  # of the job; the rest is the report
RESULTS = "results"


def main(folder: Path) -> int:
    """Do what `scenario.json` of the folder asks for, into `results`; return the exit code."""
    from motorpool.cell_lab.errors import CellLabError
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.kept_run import keep_run
    from motorpool.simulation.loading import scenario_from_data

    def tell(stage: str, share: float) -> None:
        print(json.dumps({"stage": stage, "share": round(share, 4)}), flush=True)

    def report(unfinished: Path) -> None:
        from motorpool.report import write_report

        tell("writing the report", SIMULATING_SHARE)
        write_report(unfinished)

    keep_compiled_programs()
    try:
        asked = json.loads((folder / "scenario.json").read_text(encoding="utf-8"))
        if "task" in asked:
            from motorpool.web.task_work import do_task

            do_task(asked, folder / RESULTS, tell)
        else:
            keep_run(
                scenario_from_data(asked),
                folder / RESULTS,
                progress=lambda stage, share: tell(stage, SIMULATING_SHARE * share),
                finish=report,
            )
    except (ScenarioError, CellLabError) as error:
        print(json.dumps({"problem": str(error)}), flush=True)
        return 2
    except BrokenPipeError:  # the server has gone; finished parts are kept
        return 1
    tell("done", 1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
