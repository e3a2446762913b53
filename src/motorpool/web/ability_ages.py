"""Abilities gained and lost, by age: of 100 children under each plan, how many, and at what ages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.labels import milestone_label

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext

SHOWN = ("head_control", "sit_5s", "sit_30s", "crawl", "stand", "walk_with_support", "walk")


def ability_ages(context: FigureContext) -> pd.DataFrame:
    """One row per ability and plan; counts are of 100 people, ages are those of the middle half, in months.

    A person gains an ability when it comes after today, and has lost it when it is not held at the end after having
    been held today or later.
    """
    import pandas as pd

    data = context.dataset
    order = ("arm", "draw", "patient", "milestone")
    status = data["milestone_status"].transpose(*order, "visit_month").values.astype(bool)
    gained = data["milestone_gained_age_years"].transpose(*order).values * 12.0
    lost = data["milestone_lost_age_years"].transpose(*order).values * 12.0
    today = data["enrolment_age_years"].transpose("draw", "patient").values[None, ..., None] * 12.0
    names = [str(name) for name in data["milestone"].values]
    arms = [str(arm) for arm in data["arm"].values]
    rows: list[dict[str, Any]] = []
    for milestone in (name for name in SHOWN if name in names):
        column = names.index(milestone)
        for arm in context.arms:
            place = arms.index(arm)
            held = status[place, ..., column, :]
            came = gained[place, ..., column]
            went = lost[place, ..., column]
            new = ~held[..., 0] & np.isfinite(came) & (came > today[0, ..., 0])
            gone = (held[..., 0] | new) & ~held[..., -1]
            rows.append(
                {
                    "Ability": milestone_label(milestone),
                    "Arm": context.labels[arm],
                    "Able today": 100.0 * held[..., 0].mean(),
                    "Gain it": 100.0 * new.mean(),
                    "Age when gained, months": _middle_half(came[new]),
                    "Lose it again": 100.0 * gone.mean(),
                    "Age when lost, months": _middle_half(went[gone & np.isfinite(went)]),
                    "Able at the end": 100.0 * held[..., -1].mean(),
                }
            )
    return pd.DataFrame(rows)


def _middle_half(ages: np.ndarray) -> str:
    if ages.size < 10:
        return "\u2013"
    low, high = np.quantile(ages, [0.25, 0.75])
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
