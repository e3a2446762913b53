"""How long a person waits for a small study: 500 patients, three arms, five years, everything compiled before."""

from __future__ import annotations

import statistics
import time
from typing import Any

from motorpool.simulation.api import simulate
from motorpool.simulation.scenario import load_scenario

PATIENTS, YEARS = 500, 5
MONTHS_PER_YEAR, MONTHS_BETWEEN_VISITS = 12, 6
REPEATS = 5
SCENARIO: dict[str, Any] = {
    "motorpool": 1,
    "name": "latency",
    "title": "Infants under two plans and without treatment",
    "cohort": {"smn2_copies": 2, "enrolment": {"age_months": {"min": 3, "max": 12}}},
    "arms": {
        "untreated": {"label": "Untreated", "therapies": []},
        "nusinersen": {"label": "Nusinersen", "therapies": [{"therapy": "nusinersen"}]},
        "risdiplam": {"label": "Risdiplam", "therapies": [{"therapy": "risdiplam"}]},
    },
    "horizon_months": YEARS * MONTHS_PER_YEAR,
    "visits_months": {"every": MONTHS_BETWEEN_VISITS},
    "uncertainty": {"knowledge_draws": 0},
}


def latency(patients: int = PATIENTS) -> dict[str, float | int]:
    """Seconds from a scenario to all outcomes and summaries, the median of some warm runs, as plain data."""
    scenario = load_scenario(SCENARIO, [f"cohort.patients={patients}"])
    simulate(scenario)
    spent: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        simulate(scenario)
        spent.append(time.perf_counter() - begun)
    return {
        "patients": patients,
        "arms": len(SCENARIO["arms"]),
        "years": YEARS,
        "seconds": statistics.median(spent),
    }
