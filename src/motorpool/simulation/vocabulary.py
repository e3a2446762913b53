"""Names a scenario may use: outcomes and milestones. A test keeps them equal to the outcome catalogue."""

from __future__ import annotations

from typing import Literal, get_args

OutcomeId = Literal[
    "chop_intend",
    "hine2",
    "hfmse",
    "rulm",
    "mfm32",
    "six_minute_walk_m",
    "walk_fatigue_percent",
    "endurance_percent",
    "cmap_mv",
    "mune",
    "pnfh_pg_per_ml",
    "fvc_percent",
    "ventilation_hours_per_day",
    "swallowing_percent",
    "weight_kg",
    "weight_z",
    "cobb_degrees",
    "utility",
]
MilestoneId = Literal[
    "head_control",
    "sit_5s",
    "sit_10s",
    "sit_30s",
    "crawl",
    "stand_with_support",
    "stand",
    "walk_with_support",
    "walk",
]
OUTCOMES: tuple[str, ...] = get_args(OutcomeId)
MILESTONES: tuple[str, ...] = get_args(MilestoneId)

# Each of these abilities contains the one it points to, by definition.
_CONTAINS = {
    "sit_10s": "sit_5s",
    "sit_30s": "sit_10s",
    "stand": "stand_with_support",
    "walk": "walk_with_support",
}


def easier_milestones(milestone: str) -> tuple[str, ...]:
    """Milestones that everybody who can do this one can do by definition."""
    easier: list[str] = []
    while milestone in _CONTAINS:
        milestone = _CONTAINS[milestone]
        easier.append(milestone)
    return tuple(easier)
