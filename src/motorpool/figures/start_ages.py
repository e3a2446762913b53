"""Finds scenarios whose arms differ only in the age at which one therapy starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FEWEST_STARTS = 3


def start_ages(scenario: Mapping[str, Any]) -> dict[str, float]:
    """Arm to the age in months at which its therapy starts, youngest first.

    Empty unless at least three arms have plans that are equal but for the age at which one course starts, and
    every other arm has no therapy at all.
    """
    ages: dict[str, float] = {}
    rest: set[str] = set()
    for arm, plan in (scenario.get("arms") or {}).items():
        courses: list[dict[str, Any]] = plan.get("therapies") or []
        if not courses:
            continue
        starts = [
            course["start"]["age_months"]
            for course in courses
            if (course.get("start") or {}).get("age_months") is not None
        ]
        if len(starts) != 1:
            return {}
        ages[str(arm)] = float(starts[0])
        others = [
            course
            if (course.get("start") or {}).get("age_months") is None
            else {**course, "start": {**course["start"], "age_months": None}}
            for course in courses
        ]
        ended = [plan.get("stop_background") or [], plan.get("stop_background_months") or 0.0]
        rest.add(json.dumps([others, ended], sort_keys=True))
    enough = len(rest) == 1 and len(set(ages.values())) == len(ages) >= FEWEST_STARTS
    return dict(sorted(ages.items(), key=lambda pair: pair[1])) if enough else {}
