"""The summary of a results dataset, as a table and in tidy form.

`summary_table` has one row per quantity, measure, arm and visit, and one column per layer of uncertainty and
statistic. `summarise` is the same numbers in tidy form: one per row, and every row names its layer.

Columns of the tidy form: `kind` (outcome, event, milestone, adverse_event, procedure), `quantity` (its
id), `measure`, `arm`,
`comparator` (for differences), `visit_month` (months since enrolment), `layer` (between_people, knowledge,
chance), `statistic`, `value`, `unit`, `people` (how many are counted, mean over draws), `draws`, `counted`
(who is counted, in words).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.layers import Measure, exact_table, tidy, without_excluded
from motorpool.simulation.plain import PlainResults, plain
from motorpool.simulation.summary_events import count_measures, event_measures, milestone_measures
from motorpool.simulation.summary_outcomes import outcome_measures, outcome_names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def measures(
    dataset: xr.Dataset | PlainResults, precision: type[np.floating[Any]] = np.float64
) -> Iterator[Measure]:
    """Everything that a summary tells of a results dataset, in a fixed order, one at a time."""
    results = plain(dataset)
    for outcome in outcome_names(results):
        yield from outcome_measures(results, outcome, precision)
    yield from event_measures(results)
    yield from milestone_measures(results)
    yield from count_measures(results, "adverse_event")
    yield from count_measures(results, "procedure")


def measures_of(results: PlainResults, kind: str, quantity: str | None = None) -> Iterator[Measure]:
    """The measures of one kind, and of one quantity where it is named, in the order of `measures`.

    Rates and shares of adverse events and procedures stand together in one measure, which is given whole.
    """
    if kind == "outcome":
        for outcome in outcome_names(results):
            if quantity in (None, outcome):
                yield from outcome_measures(results, outcome)
    elif kind == "event":
        yield from event_measures(results, quantity)
    elif kind == "milestone":
        yield from milestone_measures(results, quantity)
    else:
        yield from count_measures(results, kind)


def counted_measures(results: PlainResults, precision: type[np.floating[Any]]) -> Iterator[Measure]:
    """Every measure without people whose numbers went wrong."""
    return (without_excluded(measure, results) for measure in measures(results, precision))


def summary_table(dataset: xr.Dataset) -> pd.DataFrame:
    """All rows of the summary table of a results dataset, in a fixed order."""
    results = plain(dataset)
    return exact_table(results, measures(results))


def summarise(dataset: xr.Dataset) -> pd.DataFrame:
    """All tidy rows of a results dataset, in a fixed order."""
    return tidy(summary_table(dataset))


def select(frame: pd.DataFrame, **conditions: Any) -> pd.DataFrame:
    """Rows whose columns equal the given values."""
    keep = np.ones(len(frame), dtype=bool)
    for column, value in conditions.items():
        keep &= np.asarray(frame[column] == value)
    return frame[keep]


def value_of(frame: pd.DataFrame, **conditions: Any) -> float:
    """The single value of the row that meets the conditions; NaN when there is none.

    Raises:
        ValueError: more than one row meets them.
    """
    rows = select(frame, **conditions)
    if len(rows) > 1:
        message = f"{len(rows)} rows meet {conditions}; name more columns"
        raise ValueError(message)
    return float(rows["value"].iloc[0]) if len(rows) else float("nan")


def cohort_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Who is in the virtual cohort: one row per trait with median and range over all people, or counts."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, label, unit, scale in (
        ("enrolment_age_years", "Age at enrolment", "months", 12.0),
        ("onset_age_months", "Age at onset", "months", 1.0),
        ("diagnosis_age_months", "Age at diagnosis", "months", 1.0),
    ):
        if name in dataset:
            rows.append(_spread_row(label, unit, np.asarray(dataset[name].values, dtype=float) * scale))
    for name, label, words in (
        ("smn2_copies", "SMN2 copies", None),
        ("sma_type", "SMA type of the untreated twin", {0: "none"}),
        ("sex", "Sex", {0: "female", 1: "male"}),
    ):
        if name in dataset:
            rows.append(_count_row(label, np.asarray(dataset[name].values), words))
    for outcome in outcome_names(dataset):
        from motorpool.simulation.labels import outcome_view

        first = dataset[outcome] if outcome in dataset else dataset[outcome + "__true"]
        baseline = np.asarray(first.isel(arm=0, visit_month=0).values, dtype=float)
        view = outcome_view(outcome)
        if np.isfinite(baseline).mean() >= 0.05:
            rows.append(_spread_row(f"{view.label} at enrolment", view.unit, baseline))
    return pd.DataFrame(rows)


def _spread_row(label: str, unit: str, values: np.ndarray) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    if not len(known):
        return {"trait": label, "unit": unit, "summary": "not applicable", "assessable_percent": 0.0}
    median, low, high = np.quantile(known, [0.5, 0.025, 0.975])
    return {
        "trait": label,
        "unit": unit,
        "summary": f"{_short(median)} (95 % of people {_short(low)} to {_short(high)})",
        "assessable_percent": round(100.0 * len(known) / values.size, 1),
    }


def _count_row(label: str, values: np.ndarray, words: dict[int, str] | None) -> dict[str, Any]:
    levels, counts = np.unique(values, return_counts=True)
    names = [(words or {}).get(int(level), f"{level:g}") for level in levels]
    shares = ", ".join(
        f"{name}: {100 * count / values.size:.0f} %" for name, count in zip(names, counts, strict=True)
    )
    return {"trait": label, "unit": "", "summary": shares, "assessable_percent": 100.0}


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"
