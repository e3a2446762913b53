"""Summaries of what happens to people: events, milestones, adverse events and procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.layers import Array, Columns, layer_columns
from motorpool.simulation.survival_summary import (
    difference_columns,
    effective_people,
    event_times,
    survival_columns,
)

if TYPE_CHECKING:
    import xarray as xr

EVERYONE = "everyone enrolled; people who died count as not able"
EVER = "everyone enrolled, over the whole of life so far including before enrolment"
YEARS_ALIVE = "everyone enrolled; total number divided by the years lived during follow-up"
AFFECTED = "everyone enrolled, over the whole of follow-up"


def event_columns(dataset: xr.Dataset) -> list[Columns]:
    """Event-free shares or cumulative incidence at every visit, with numbers at risk."""
    if "event_time_years" not in dataset:
        return []
    months = np.asarray(dataset["visit_month"].values, dtype=float)
    found = [survival_columns(dataset, str(event), months) for event in dataset["event"].values]
    return [columns for pair in found for columns in pair]


def milestone_columns(dataset: xr.Dataset) -> list[Columns]:
    """Share able at each visit, and share who ever reached the milestone."""
    if "milestone_status" not in dataset:
        return []
    arms = [str(arm) for arm in dataset["arm"].values]
    months = [float(month) for month in dataset["visit_month"].values]
    worth = effective_people(dataset)
    pieces: list[Columns] = []
    for milestone in dataset["milestone"].values:
        chosen = dataset.sel(milestone=milestone)
        able = chosen["milestone_status"].transpose("arm", "visit_month", "draw", "patient")
        fixed: dict[str, Any] = {
            "kind": "milestone",
            "quantity": str(milestone),
            "measure": "able_share",
            "unit": "share",
            "counted": EVERYONE,
        }
        share = np.asarray(able.values, dtype=float)
        axes: dict[str, list[Any]] = {"arm": arms, "visit_month": months}
        pieces.append(layer_columns(share, axes, fixed, proportion=True, effective_people=worth))
        pieces += difference_columns(dataset, share, axes, fixed)
        gained = chosen["milestone_gained_age_years"].transpose("arm", "draw", "patient")
        ever = (~np.isnan(np.asarray(gained.values, dtype=float))).astype(float)
        fixed = {**fixed, "measure": "ever_share", "counted": EVER, "visit_month": months[-1]}
        pieces.append(layer_columns(ever, {"arm": arms}, fixed, proportion=True, effective_people=worth))
    return pieces


def count_columns(dataset: xr.Dataset, kind: str) -> list[Columns]:
    """Rates per year lived and shares of people affected, for `adverse_event` or `procedure`."""
    variable = f"{kind}_count"
    if variable not in dataset:
        return []
    arms = [str(arm) for arm in dataset["arm"].values]
    counts = np.asarray(dataset[variable].transpose("arm", kind, "draw", "patient").values, dtype=float)
    names = [str(name) for name in dataset[kind].values]
    years = years_lived(dataset)[:, None]
    worth = effective_people(dataset)
    pieces: list[Columns] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        # Dividing by the mean years lived makes the mean over people the ordinary rate: total / years.
        rate = counts / years.mean(axis=-1, keepdims=True)
    measures = (
        ("rate_per_year_lived", rate, YEARS_ALIVE, "1/year", False),
        ("share_affected", (counts > 0).astype(float), AFFECTED, "share", True),
    )
    for measure, values, counted, unit, proportion in measures:
        fixed: dict[str, Any] = {
            "kind": kind,
            "measure": measure,
            "unit": unit,
            "counted": counted,
            "visit_month": float(dataset["visit_month"].values[-1]),
        }
        pieces.append(
            layer_columns(
                values,
                {"arm": arms, "quantity": names},
                fixed,
                proportion=proportion,
                group_only=not proportion,
                effective_people=worth,
            )
        )
    return pieces


def years_lived(dataset: xr.Dataset) -> Array:
    """Years lived from enrolment to death or the horizon, shape (arm, draw, patient)."""
    horizon = float(dataset.attrs["horizon_months"])
    return np.minimum(event_times(dataset, "death"), horizon) / 12.0
