"""A small valid scenario as plain data, for tests to bend."""

import copy
from typing import Any

_SAMPLE: dict[str, Any] = {
    "motorpool": 1,
    "name": "sample",
    "title": "A small study",
    "cohort": {
        "patients": 20,
        "smn2_copies": 2,
        "sma_type": [1],
        "enrolment": {"age_months": {"median": 5, "min": 1, "max": 8}},
        "baseline": {"chop_intend": {"min": 10, "max": 50}},
    },
    "arms": {
        "untreated": {"therapies": []},
        "nusinersen": {
            "therapies": [
                {"therapy": "nusinersen", "start": {"at": "enrolment"}, "stop": {"after_months": 12}},
                {"therapy": "risdiplam", "start": {"after": "nusinersen", "washout_days": 30}},
            ]
        },
    },
    "comparator": "untreated",
    "horizon_months": 24,
    "visits_months": {"every": 6},
}


def sample() -> dict[str, Any]:
    """A fresh copy of the sample."""
    return copy.deepcopy(_SAMPLE)
