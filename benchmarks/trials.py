"""How long simulated trials take: the pool of patients, and replicates with each analysis.

    python benchmarks/trials.py [REPLICATES]

Prints seconds of wall-clock time; run it on an idle machine, twice, and read the second run: the first compiles.
"""

from __future__ import annotations

import sys
import time

from motorpool.simulation.api import keep_compiled_programs
from motorpool.trials.blocks import run_replicates
from motorpool.trials.design_file import load_design
from motorpool.trials.pool import simulate_pool
from motorpool.trials.truth import MODEL

MISSING = "{mechanism: mar, log_odds_per_point: 0.1, leave_per_year: 0.15, visits_missed: 0.03}"
SIX_VISITS = "visits={months: [0, 3, 6, 9, 12, 15]}"
CHANGE = "{name: change, outcome: hfmse, measure: change, at_month: 15, analysis: %s}"
EVENT = "{name: event_free, event: death_or_permanent_ventilation_16h_14d, measure: time_to_event, analysis: logrank}"


def main() -> None:
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    keep_compiled_programs()
    mixed = f"[{CHANGE % 'mmrm'}]"
    for words, endpoints, missing in (
        ("ANCOVA and log-rank", f"[{CHANGE % 'ancova'}, {EVENT}]", MISSING),
        ("MMRM, unstructured, Kenward-Roger, nobody missing", mixed, "{}"),
        ("MMRM, unstructured, Kenward-Roger, people leave and miss visits", mixed, MISSING),
    ):
        design = load_design(
            "cells_addon_sitters",
            ["patients=200", SIX_VISITS, f"endpoints={endpoints}", f"conduct.missing={missing}"],
        )
        begun = time.perf_counter()
        pool = simulate_pool(design)
        pooled = time.perf_counter()
        run_replicates(design, pool, MODEL, range(replicates))
        done = time.perf_counter()
        print(
            f"{words}: {replicates} replicates of 200 people and 6 visits in {done - begun:.1f} s "
            f"(pool of {pool.people} people {pooled - begun:.1f} s, replicates {done - pooled:.1f} s)"
        )


if __name__ == "__main__":
    main()
