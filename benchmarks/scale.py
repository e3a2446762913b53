"""Time and memory of large runs, from a fresh process each: what `motorpool simulate` needs for more and more people.

    python -m benchmarks.scale                     # 10 thousand, 100 thousand and a million people
    python -m benchmarks.scale 10000 10000000

Programs are compiled before the first is timed. Prints rows of the table in results.md.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (10_000, 100_000, 1_000_000)
WARM = 1_000
YEARS = 5
ASK_FOR_ONE = "--one"
SCENARIO: dict[str, Any] = {
    "motorpool": 1,
    "name": "scale",
    "title": "Infants with two copies of SMN2 on nusinersen",
    "cohort": {"smn2_copies": 2, "enrolment": {"age_months": {"min": 1, "max": 6}}, "alive": True},
    "arms": {"nusinersen": {"therapies": [{"therapy": "nusinersen"}]}},
    "horizon_months": 12 * YEARS,
    "visits_months": {"every": 12},
    "uncertainty": {"knowledge_draws": 0},
    "seed": 1,
}


def one(people: int) -> dict[str, float]:
    """Simulate so many people as a large run in this process: seconds, CPU-seconds and the most memory in MiB."""
    from motorpool.simulation import kept_run
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.loading import load_scenario

    kept_run.MOST_KEPT = 0  # smaller runs are counted in parts too, as larger ones are
    keep_compiled_programs()
    scenario = load_scenario(SCENARIO, [f"cohort.patients={people}"])
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        kept_run.keep_run(scenario, Path(folder) / "results")
        seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu_seconds": time.process_time(), "mebibytes": memory}


def measured(people: int) -> dict[str, float]:
    """The same in a process of its own; seconds of the whole process, imports included."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.scale", ASK_FOR_ONE, str(people)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {**found, "process_seconds": time.perf_counter() - begun}


def main(arguments: list[str]) -> None:
    """Print one row for each number of people."""
    if arguments[:1] == [ASK_FOR_ONE]:
        print(json.dumps(one(int(arguments[1]))))
        return
    measured(WARM)
    print(
        "| people | seconds | with start and imports | CPU-seconds | microseconds per person, CPU | most memory |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    for people in [int(argument) for argument in arguments] or SIZES:
        found = measured(people)
        each = found["cpu_seconds"] / people * 1e6
        print(
            f"| {people:,} | {found['seconds']:.1f} | {found['process_seconds']:.1f} | {found['cpu_seconds']:.1f} | "
            f"{each:.0f} | {found['mebibytes']:.0f} MiB |",
            flush=True,
        )
    print(f"\nload of the machine at the end: {os.getloadavg()[0]:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
