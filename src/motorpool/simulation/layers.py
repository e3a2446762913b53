"""The three layers of uncertainty, kept apart in every row of a summary.

- `between_people`: how different people are from each other. Quantiles over the people of one knowledge
  draw, averaged over draws, so that doubt about parameters does not widen them.
- `knowledge`: what we do not know. Quantiles over draws of the mean (or proportion) over people.
- `chance`: what luck alone does: measurement error, the Monte-Carlo error of a finite virtual cohort, and how
  far a new group of 100 people scatters around a proportion.

Arrays carry the draw and the person as their last two axes; NaN marks a person who is not counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

BETWEEN_PEOPLE = "between_people"
KNOWLEDGE = "knowledge"
CHANCE = "chance"
PEOPLE_QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
KNOWLEDGE_QUANTILES = (0.025, 0.5, 0.975)
COLUMNS = (
    "kind",
    "quantity",
    "measure",
    "arm",
    "comparator",
    "visit_month",
    "layer",
    "statistic",
    "value",
    "unit",
    "people",
    "draws",
    "counted",
)


_TEXT_COLUMNS = ("comparator", "unit", "counted")


def quantile_name(quantile: float) -> str:
    """The name of a quantile in summaries, in percent: 0.025 is `q2.5`."""
    return f"q{quantile * 100:g}"


def mean_over_people(values: Array) -> Array:
    """Mean over the last axis ignoring uncounted people; NaN where nobody is counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=-1))


def between_people(values: Array) -> dict[str, Array]:
    """Quantiles over people within each draw, averaged over draws. `values` has shape (..., draw, person)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        per_draw = np.nanquantile(values, PEOPLE_QUANTILES, axis=-1)
        averaged = np.nanmean(per_draw, axis=-1)
    return {quantile_name(q): averaged[index] for index, q in enumerate(PEOPLE_QUANTILES)}


def knowledge(values: Array) -> dict[str, Array]:
    """Mean over draws, and quantiles over draws, of the mean over people.

    With one draw there is no knowledge layer to show: only the mean is returned, never a zero-width range.
    """
    per_draw = mean_over_people(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = {"mean": np.asarray(np.nanmean(per_draw, axis=-1))}
        if values.shape[-2] > 1:
            spread = np.nanquantile(per_draw, KNOWLEDGE_QUANTILES, axis=-1)
            result |= {quantile_name(q): spread[index] for index, q in enumerate(KNOWLEDGE_QUANTILES)}
    return result


def monte_carlo_standard_error(values: Array, effective_people: Array | None = None) -> Array:
    """Standard error of the overall mean that comes from simulating finitely many people.

    `effective_people` has shape (draw,): how many people each draw's cohort is worth after reweighting.
    """
    counted = np.sum(~np.isnan(values), axis=-1).astype(float)
    if effective_people is not None:
        counted = counted * np.minimum(1.0, effective_people / values.shape[-1])
    draws = values.shape[-2]
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        variance = np.nanvar(values, axis=-1)
        return np.sqrt(np.nanmean(variance / counted, axis=-1) / draws)


def layer_frame(
    values: Array,
    axes: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    *,
    proportion: bool = False,
    effective_people: Array | None = None,
    measurement_error: Array | None = None,
) -> pd.DataFrame:
    """Tidy rows of all three layers for one quantity.

    Args:
        values: shape (len of each axis..., draw, person); NaN is not counted; 0 or 1 for proportions.
        axes: column name to coordinate values, in the order of the leading axes of `values`.
        fixed: columns that are the same in every row.
        proportion: the values are 0 or 1, so quantiles over people would say nothing.
        effective_people: what each draw's cohort is worth, shape (draw,).
        measurement_error: observed minus true, same shape as `values`; adds its standard deviation.
    """
    statistics: list[tuple[str, str, Array]] = []
    if not proportion:
        statistics += [(BETWEEN_PEOPLE, name, value) for name, value in between_people(values).items()]
    known = knowledge(values)
    statistics += [(KNOWLEDGE, name, value) for name, value in known.items()]
    error = monte_carlo_standard_error(values, effective_people)
    statistics.append((CHANCE, "monte_carlo_standard_error", error))
    if proportion:
        share = known["mean"]
        scatter = np.sqrt(100.0 * share * (1.0 - share))
        statistics.append((CHANCE, "binomial_sd_of_100_people", scatter))
    if measurement_error is not None:
        statistics.append((CHANCE, "measurement_sd", _pooled_sd(measurement_error)))
    people = np.sum(~np.isnan(values), axis=-1).mean(axis=-1)
    return _assemble(statistics, people, axes, {**fixed, "draws": values.shape[-2]})


def _pooled_sd(error: Array) -> Array:
    flat = error.reshape(*error.shape[:-2], -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanstd(flat, axis=-1))


def _assemble(
    statistics: Sequence[tuple[str, str, Array]],
    people: Array,
    axes: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
) -> pd.DataFrame:
    import pandas as pd

    index = list(product(*axes.values()))
    size, repeats = len(index), len(statistics)
    columns: dict[str, Any] = {name: "" if name in _TEXT_COLUMNS else np.nan for name in COLUMNS}
    columns |= fixed
    for place, name in enumerate(axes):
        columns[name] = [row[place] for row in index] * repeats
    columns["people"] = np.tile(np.ravel(people), repeats)
    columns["layer"] = np.repeat(np.array([layer for layer, _, _ in statistics], dtype=object), size)
    columns["statistic"] = np.repeat(np.array([name for _, name, _ in statistics], dtype=object), size)
    columns["value"] = np.concatenate([np.ravel(value) for _, _, value in statistics])
    frame = pd.DataFrame(columns, index=range(size * repeats))
    return frame[(frame["people"] > 0) & frame["value"].notna()].reset_index(drop=True)
