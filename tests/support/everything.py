"""A plan with every kind of therapy, pauses, stops, late and missed doses, and starts that wait for a state."""

from __future__ import annotations

from typing import Any

EVERYTHING: tuple[dict[str, Any], ...] = (
    {"therapy": "nusinersen", "missed_doses": [4], "late_days_mean": 5},
    {
        "therapy": "risdiplam",
        "start": {"at": "enrolment", "delay_days": 100},
        "pauses": [{"from_months": 2, "to_months": 4}],
        "stop": {"after_months": 9},
    },
    {"therapy": "onasemnogene", "start": {"at": "enrolment", "delay_days": 20}},
    {"therapy": "myostatin_inhibition"},
    {"therapy": "transmission_support", "stop": {"after_months": 7}},
    {"therapy": "cell_therapy", "effect": 0.5, "doses": 5},
    {"therapy": "rehabilitation"},
    {"therapy": "breathing_support", "start": {"when": "fvc_percent < 80"}},
    {"therapy": "nutrition_support"},
    {"therapy": "brace"},
    {"therapy": "spine_surgery", "start": {"at": "enrolment", "delay_days": 300}},
)
