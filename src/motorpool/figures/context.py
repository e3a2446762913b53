"""What every figure of one results dataset needs: summary, arms and their styles, published results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.published_points import PublishedPoint, PublishedResults, published_results
from motorpool.figures.start_ages import start_ages
from motorpool.figures.theme import FULL_BANDS, ArmStyle, arm_styles
from motorpool.simulation.comparators import arm_comparators
from motorpool.simulation.layers import STATISTICS
from motorpool.simulation.summary import select, summary_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def simulated_by() -> str:
    """Where the numbers of a figure come from."""
    from motorpool.simulation.calibration_state import parameter_words

    return f"Simulated by motorpool, {parameter_words()}."


MOST_BANDS = 6
INFANT_MONTHS = 24.0
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
        """The summary table: one row per quantity, measure, arm and visit."""
        return summary_table(self.dataset)

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
        return arm_styles(self.labels, self.comparator, ordered=bool(start_ages(self.scenario)))

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
    def published_results(self) -> PublishedResults:
        """What the studies the scenario names say, drawn or not."""
        return published_results(self.scenario, max(self.months))

    @property
    def published(self) -> list[PublishedPoint]:
        """Published results that can be drawn, which may be none."""
        return self.published_results.points

    @property
    def draw_bands(self) -> bool:
        """Whether ranges of all arms can be drawn over each other and still be told apart."""
        return len(self.arms) <= MOST_BANDS

    @property
    def band_words(self) -> str:
        """What is shaded where all arms share one chart."""
        if self.draws > 1 and not self.draw_bands:
            return f"bars at the right end, {self.range_words}"
        if self.draws > 1 and len(self.arms) > FULL_BANDS:
            return f"shaded, and as bars at the right end, {self.range_words}"
        return self.marked("shaded, ")

    @property
    def pale_band_words(self) -> str:
        """What is shaded in small charts, which have no room for bars at the end."""
        if self.draws > 1 and not self.draw_bands:
            return "with this many arms the ranges of what we do not know are in the table only"
        return self.marked("shaded, ")

    def marked(self, mark: str) -> str:
        """What `mark` stands for; without it where one parameter set leaves no range to draw."""
        return f"{mark}{self.range_words}" if self.draws > 1 else self.range_words

    @cached_property
    def motor_scales(self) -> list[str]:
        """Motor scales at least half of the living can be assessed on at the end, the most fitting one first.

        Which scale fits follows from what people can do at enrolment: infants and people who do not sit,
        people who sit, people who walk.
        """
        able = {name: self._able_at_enrolment(name) for name in ("sit_5s", "walk")}
        infants = float(np.median(self.enrolment_age_months)) < INFANT_MONTHS
        if infants and able["sit_5s"] < 0.5:
            order = ("chop_intend", "hine2", "hfmse", "rulm", "mfm32", "six_minute_walk_m")
        elif able["walk"] >= 0.5:
            order = ("hfmse", "rulm", "six_minute_walk_m", "mfm32", "chop_intend", "hine2")
        elif able["sit_5s"] >= 0.5:
            order = ("hfmse", "rulm", "mfm32", "chop_intend", "hine2", "six_minute_walk_m")
        else:
            order = ("rulm", "mfm32", "chop_intend", "hfmse", "hine2", "six_minute_walk_m")
        living = float(np.asarray(self.dataset["alive"].isel(visit_month=-1).values, dtype=float).sum())
        found: list[str] = []
        for name in order:
            if f"{name}__true" not in self.dataset:
                continue
            scores = self.dataset[f"{name}__true"]
            ends = [np.isfinite(scores.isel(visit_month=place).values) for place in (0, -1)]
            everyone = ends[0].size
            if ends[0].sum() >= 0.5 * everyone and ends[1].sum() >= 0.5 * living:
                found.append(name)
        return found

    def _able_at_enrolment(self, milestone: str) -> float:
        if "milestone_status" not in self.dataset or milestone not in self.dataset["milestone"].values:
            return 0.0
        able = self.dataset["milestone_status"].isel(visit_month=0).sel(milestone=milestone)
        return float(np.asarray(able.values, dtype=float).mean())

    @property
    def range_words(self) -> str:
        """What the knowledge range is, in words fitting the number of draws."""
        if self.draws == 1:
            return "one parameter set, so what we do not know is not shown"
        return f"what we do not know: 95 % range over {self.draws} parameter sets"

    def rows(self, **conditions: Any) -> pd.DataFrame:
        """Summary rows of one kind, quantity and measure that meet conditions, without empty columns."""
        key = tuple(conditions.pop(name, None) for name in _GROUP)
        place = self._groups.get(key)
        found = self.summary.iloc[[]] if place is None else self.summary.take(place)
        found = select(found, **conditions)
        empty = [name for name in STATISTICS if found[name].isna().all() and name != "knowledge.mean"]
        return found.drop(columns=empty)

    def records(self, **conditions: Any) -> list[dict[str, Any]]:
        """The same rows as plain data, one dictionary a row."""
        return [
            {str(name): value for name, value in row.items()}
            for row in self.rows(**conditions).to_dict("records")
        ]

    @cached_property
    def _groups(self) -> dict[tuple[Any, ...], np.ndarray]:
        named = dict(zip(_GROUP, (self.summary[name] for name in _GROUP), strict=True))
        groups: dict[tuple[Any, ...], list[int]] = {}
        for place, key in enumerate(zip(*named.values(), strict=True)):
            groups.setdefault(key, []).append(place)
        return {key: np.asarray(places) for key, places in groups.items()}

    def part(self, kind: str, measure: str | None = None) -> pd.DataFrame:
        """Summary rows of everything of one kind, and of one measure where it is named."""
        return select(self.summary, kind=kind, **({} if measure is None else {"measure": measure}))

    @cached_property
    def last_visit(self) -> pd.DataFrame:
        """Summary rows of the last visit."""
        return select(self.summary, visit_month=max(self.months))

    def enough_people(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows in which at least one person in twenty, and at least two, are counted."""
        return frame[frame["people"] >= max(2.0, 0.05 * self.people)]

    @cached_property
    def enrolment_age_months(self) -> np.ndarray:
        """Ages at enrolment of everyone, in months."""
        return np.asarray(self.dataset["enrolment_age_years"].values, dtype=float) * 12.0
