"""What every figure of one results dataset needs: summary, arms and their styles, published results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.published_points import PublishedPoint, published_points
from motorpool.figures.theme import ArmStyle, arm_styles
from motorpool.simulation.summary import select, summarise
from motorpool.simulation.summary_outcomes import arm_comparators

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SIMULATED = "Simulated by motorpool from preliminary parameters, not yet calibrated."


_GROUP = ("kind", "quantity", "measure")


@dataclass(frozen=True)
class FigureContext:
    """One results dataset, ready to be drawn."""

    dataset: xr.Dataset

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The effective scenario."""
        return json.loads(self.dataset.attrs["scenario"])

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The tidy summary."""
        return summarise(self.dataset)

    @cached_property
    def arms(self) -> list[str]:
        """Arm ids in the order of the scenario, so that figures do not depend on the order of the arrays."""
        present = [str(arm) for arm in self.dataset["arm"].values]
        ordered = [arm for arm in self.scenario.get("arms", {}) if arm in present]
        return ordered + [arm for arm in present if arm not in ordered]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Arm id to the name shown."""
        plans = self.scenario.get("arms", {})
        return {arm: str(plans.get(arm, {}).get("label") or arm.replace("_", " ")) for arm in self.arms}

    @property
    def comparator(self) -> str:
        """The arm the others are compared with."""
        return str(self.dataset.attrs["comparator"])

    @cached_property
    def comparators(self) -> dict[str, str]:
        """Arm to the arm it is compared with; arms that are compared with nothing are absent."""
        return arm_comparators(self.dataset)

    @cached_property
    def styles(self) -> list[ArmStyle]:
        """How each arm is drawn."""
        return arm_styles(self.labels, self.comparator)

    @property
    def draws(self) -> int:
        """Knowledge draws."""
        return int(self.dataset.sizes["draw"])

    @property
    def people(self) -> int:
        """People per knowledge draw."""
        return int(self.dataset.sizes["patient"])

    @cached_property
    def months(self) -> list[float]:
        """Visit months since enrolment."""
        return [float(month) for month in self.dataset["visit_month"].values]

    @cached_property
    def published(self) -> list[PublishedPoint]:
        """Published results the scenario asks for, which may be none."""
        return published_points(self.scenario)

    @property
    def range_words(self) -> str:
        """What the knowledge range is, in words fitting the number of draws."""
        if self.draws == 1:
            return "the run used one parameter set, so what we do not know is not shown"
        return f"what we do not know: 95 % range over {self.draws} parameter sets"

    def rows(self, **conditions: Any) -> pd.DataFrame:
        """Summary rows meeting the conditions; naming kind, quantity and measure makes it fast."""
        key = tuple(conditions.get(name) for name in _GROUP)
        if None in key:
            return select(self.summary, **conditions)
        rest = {name: value for name, value in conditions.items() if name not in _GROUP}
        place = self._groups.get(key)
        return select(self.summary.iloc[[]] if place is None else self.summary.iloc[place], **rest)

    @cached_property
    def _groups(self) -> dict[tuple[Any, ...], np.ndarray]:
        groups = self.summary.groupby(list(_GROUP), sort=False).indices
        return {tuple(key): np.asarray(place) for key, place in groups.items() if isinstance(key, tuple)}

    def wide_rows(self, index: list[str], **conditions: Any) -> pd.DataFrame:
        """Summary rows with one column per layer and statistic, named `layer.statistic`."""
        import pandas as pd

        rows = self.rows(**conditions)
        if rows.empty:
            return pd.DataFrame(columns=[*index, "people", "knowledge.mean"])
        rows = rows.assign(name=rows["layer"] + "." + rows["statistic"])
        table = rows.pivot_table(index=[*index, "people"], columns="name", values="value", sort=False)
        return table.reset_index().rename_axis(columns=None)

    def enough_people(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows in which at least one person in twenty, and at least two, are counted."""
        return frame[frame["people"] >= max(2.0, 0.05 * self.people)]

    @cached_property
    def enrolment_age_months(self) -> np.ndarray:
        """Ages at enrolment of everyone, in months."""
        return np.asarray(self.dataset["enrolment_age_years"].values, dtype=float) * 12.0
