"""Type I error and coverage under the model's null: fixed and group-sequential analyses of simulated patients.

    python -m benchmarks.trial_null_study [REPLICATES] [FOLDER]      # 10000 replicates, in trial-null-study

Each trial keeps its finished blocks in FOLDER: the same command goes on where it was interrupted, and prints the table
at once where all is there. Another posterior or version is refused until the folder is removed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from motorpool.simulation.api import keep_compiled_programs
from motorpool.trials.blocks import Settings
from motorpool.trials.design_file import load_design
from motorpool.trials.run import keep_trial_run
from motorpool.trials.store import read_results
from motorpool.trials.truth import NULL

PEOPLE = 1024
LOOK = "interims={information: [0.5], efficacy: %s}"
FIRST = "endpoints=[{name: hfmse_change, outcome: hfmse, measure: change, at_month: 12}]"
SURVIVAL = (
    "endpoints=[{name: event_free, event: death_or_permanent_ventilation_16h_21d, measure: time_to_event, "
    "analysis: logrank}]"
)
TRIALS = {
    "children who sit, fixed": ("cells_addon_sitters", []),
    "children who sit, two looks, O'Brien-Fleming": (
        "cells_addon_sitters",
        [LOOK % "obrien_fleming", FIRST],
    ),
    "children who sit, two looks, Pocock": ("cells_addon_sitters", [LOOK % "pocock", FIRST]),
    "infants with type 1, fixed": ("endear", []),
    "infants with type 1, after 60 events, look after 30": (
        "endear",
        [SURVIVAL, "data_cut={events: 60}", LOOK % "obrien_fleming"],
    ),
}


def main() -> None:
    """Print the table, per cent with Monte-Carlo errors."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "trial-null-study")
    folder.mkdir(parents=True, exist_ok=True)
    keep_compiled_programs()
    print(
        "| trial | endpoint | type I error | coverage, naive | adjusted | no answer |\n|---|---|---:|---:|---:|---:|"
    )
    for place, (words, (name, changes)) in enumerate(TRIALS.items()):
        design = load_design(name, changes)
        kept = keep_trial_run(
            design, Settings(replicates, NULL, 0, PEOPLE), folder / f"{place}-{name}", keep=0
        )
        for row in read_results(kept.folder)["characteristics"]:
            both = row["estimation"]
            adjusted = "" if both is None else _percent(both["adjusted"]["coverage"])
            cells = (words, row["endpoint"], _percent(row["rejection"]), _percent(row["coverage"]), adjusted)
            print(f"| {' | '.join(cells)} | {100 * row['no_answer']:.1f} |", flush=True)


def _percent(figure: dict[str, float | None]) -> str:
    value, error = figure["value"], figure["monte_carlo_error"]
    return "-" if value is None or error is None else f"{100 * value:.2f} ± {100 * error:.2f}"


if __name__ == "__main__":
    main()
