"""Small scenarios for tests of whole runs, and a cache so that each is simulated once per session."""

from __future__ import annotations

import copy
import json
from typing import Any

import motorpool

Plain = dict[str, Any]
_RUNS: dict[str, Any] = {}

INFANTS: Plain = {
    "motorpool": 1,
    "name": "infants",
    "title": "Infants with two copies of SMN2",
    "cohort": {
        "patients": 24,
        "smn1_copies": 0,
        "smn2_copies": 2,
        "enrolment": {"age_months": {"min": 1, "max": 6}},
        "alive": True,
    },
    "arms": {"untreated": {"therapies": []}, "nusinersen": {"therapies": [{"therapy": "nusinersen"}]}},
    "comparator": "untreated",
    "horizon_months": 12,
    "visits_months": {"every": 3},
    "uncertainty": {"knowledge_draws": 0},
    "seed": 1,
}


def scenario(base: Plain = INFANTS, /, **changes: Any) -> Plain:
    """A copy with changes; ``cohort__patients=3`` changes a key of a section."""
    plain = copy.deepcopy(base)
    for path, value in changes.items():
        *sections, last = path.split("__")
        section = plain
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    return plain


def simulate(base: Plain = INFANTS, /, **changes: Any) -> Any:
    """The dataset of a scenario; simulated once."""
    plain = scenario(base, **changes)
    key = json.dumps(plain, sort_keys=False)
    if key not in _RUNS:
        _RUNS[key] = motorpool.simulate(plain).dataset
    return _RUNS[key]
