"""The three layers of uncertainty, kept apart in every row of a summary.

- `between_people`: how different people are from each other. Quantiles over the people of one knowledge
  draw, averaged over draws, so that doubt about parameters does not widen them.
- `knowledge`: what we do not know. Quantiles over draws of the mean (or proportion) over people.
- `chance`: what luck alone does: measurement error, the Monte-Carlo error of a finite virtual cohort, and how
  far a new group of 100 people scatters around a proportion.

Arrays carry the draw and the person as their last two axes; NaN marks a person who is not counted.

Summaries exist in two shapes: a table with one row per quantity, measure, arm and visit and one column per
layer and statistic, named `layer.statistic`; and the tidy form, one number per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
KEYS = (
    "kind",
    "quantity",
    "measure",
    "arm",
    "comparator",
    "visit_month",
    "unit",
    "people",
    "draws",
    "counted",
)
STATISTICS = (
    *(f"{BETWEEN_PEOPLE}.q{quantile * 100:g}" for quantile in PEOPLE_QUANTILES),
    f"{KNOWLEDGE}.mean",
    *(f"{KNOWLEDGE}.q{quantile * 100:g}" for quantile in KNOWLEDGE_QUANTILES),
    f"{CHANCE}.monte_carlo_standard_error",
    f"{CHANCE}.binomial_sd_of_100_people",
    f"{CHANCE}.measurement_sd",
)
_TEXT_KEYS = ("comparator", "unit", "counted")
Columns = dict[str, NDArray[Any]]


def quantile_name(quantile: float) -> str:
    """The name of a quantile in summaries, in percent: 0.025 is `q2.5`."""
    return f"q{quantile * 100:g}"


def mean_over_last(values: Array) -> Array:
    """Mean over the last axis ignoring NaN; NaN where there is nothing else."""
    counted = np.sum(~np.isnan(values), axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(values, axis=-1) / counted)


def quantiles_over_last(values: Array, quantiles: Sequence[float]) -> Array:
    """Quantiles over the last axis ignoring NaN, in front; linear between order statistics (numpy's default).

    All rows are sorted at once, because numpy's own version that ignores NaN visits them one by one.
    """
    ordered = np.sort(values, axis=-1)  # NaN last
    last = np.sum(~np.isnan(values), axis=-1) - 1
    place = np.asarray(quantiles).reshape(-1, *([1] * last.ndim)) * np.maximum(last, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(last, 0))

    def pick(index: NDArray[np.int_]) -> Array:
        return np.moveaxis(np.take_along_axis(ordered, np.moveaxis(index, 0, -1), axis=-1), -1, 0)

    low, high = pick(below), pick(above)
    return low + (high - low) * (place - below)


def between_people(values: Array) -> dict[str, Array]:
    """Quantiles over people within each draw, averaged over draws. `values` has shape (..., draw, person)."""
    averaged = mean_over_last(quantiles_over_last(values, PEOPLE_QUANTILES))
    return {quantile_name(q): averaged[index] for index, q in enumerate(PEOPLE_QUANTILES)}


def knowledge(values: Array) -> dict[str, Array]:
    """Mean over draws, and quantiles over draws, of the mean over people.

    With one draw there is no knowledge layer to show: only the mean is returned, never a zero-width range.
    """
    per_draw = mean_over_last(values)
    result = {"mean": mean_over_last(per_draw)}
    if values.shape[-2] > 1:
        spread = quantiles_over_last(per_draw, KNOWLEDGE_QUANTILES)
        result |= {quantile_name(q): spread[index] for index, q in enumerate(KNOWLEDGE_QUANTILES)}
    return result


def monte_carlo_standard_error(values: Array, effective_people: Array | None = None) -> Array:
    """Standard error of the overall mean that comes from simulating finitely many people.

    `effective_people` has shape (draw,): how many people each draw's cohort is worth after reweighting.
    """
    counted = np.sum(~np.isnan(values), axis=-1).astype(float)
    if effective_people is not None:
        counted = counted * np.minimum(1.0, effective_people / values.shape[-1])
    variance = mean_over_last((values - mean_over_last(values)[..., None]) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(mean_over_last(variance / counted) / values.shape[-2])


def layer_columns(
    values: Array,
    axes: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    *,
    proportion: bool = False,
    group_only: bool = False,
    effective_people: Array | None = None,
    measurement_error: Array | None = None,
) -> Columns:
    """Columns of the summary table of one quantity, all three layers; rows without people are left out.

    Args:
        values: shape (len of each axis..., draw, person); NaN is not counted; 0 or 1 for proportions.
        axes: column name to coordinate values, in the order of the leading axes of `values`.
        fixed: columns that are the same in every row.
        proportion: the values are 0 or 1, so quantiles over people would say nothing.
        group_only: the mean is a property of the group, so quantiles over people would mislead.
        effective_people: what each draw's cohort is worth, shape (draw,).
        measurement_error: observed minus true, same shape as `values`; adds its standard deviation.
    """
    statistics: dict[str, Array] = {}
    if not proportion and not group_only:
        statistics |= {f"{BETWEEN_PEOPLE}.{name}": value for name, value in between_people(values).items()}
    known = knowledge(values)
    statistics |= {f"{KNOWLEDGE}.{name}": value for name, value in known.items()}
    error = monte_carlo_standard_error(values, effective_people)
    statistics[f"{CHANCE}.monte_carlo_standard_error"] = error
    if proportion:
        share = np.clip(known["mean"], 0.0, 1.0)
        statistics[f"{CHANCE}.binomial_sd_of_100_people"] = np.sqrt(100.0 * share * (1.0 - share))
    if measurement_error is not None:
        statistics[f"{CHANCE}.measurement_sd"] = _pooled_sd(measurement_error)
    people = np.ravel(np.sum(~np.isnan(values), axis=-1).mean(axis=-1))
    keep = (people > 0) & ~np.isnan(np.ravel(known["mean"]))
    size = int(keep.sum())
    columns: Columns = {}
    grid = np.indices([len(coordinate) for coordinate in axes.values()]).reshape(len(axes), -1)[:, keep]
    for name in KEYS:
        if name in axes:
            place = list(axes).index(name)
            kind = float if name == "visit_month" else object
            columns[name] = np.asarray(axes[name], dtype=kind)[grid[place]]
        elif name == "people":
            columns[name] = people[keep]
        elif name == "draws":
            columns[name] = np.full(size, values.shape[-2])
        else:
            missing: Any = "" if name in _TEXT_KEYS else np.nan
            value = fixed.get(name, missing)
            columns[name] = np.full(size, value, dtype=object if isinstance(value, str) else float)
    for name in STATISTICS:
        found = statistics.get(name)
        columns[name] = np.full(size, np.nan) if found is None else np.ravel(found)[keep]
    return columns


def table_of(pieces: Iterable[Columns]) -> pd.DataFrame:
    """One summary table from the columns of many quantities."""
    import pandas as pd

    filled = [piece for piece in pieces if len(piece["kind"])]
    if not filled:
        return pd.DataFrame(columns=[*KEYS, *STATISTICS])
    return pd.DataFrame({name: np.concatenate([piece[name] for piece in filled]) for name in filled[0]})


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """The tidy form of a summary table: one number per row, with its layer and statistic."""
    import pandas as pd

    values = table[list(STATISTICS)].to_numpy(dtype=float)
    row, column = np.nonzero(~np.isnan(values))
    parts = [name.split(".", 1) for name in STATISTICS]
    keys = table[list(KEYS)].take(row)
    columns: dict[str, Any] = {name: keys[name].array for name in KEYS}
    columns["layer"] = pd.array([layer for layer, _ in parts], dtype="str").take(column)
    columns["statistic"] = pd.array([statistic for _, statistic in parts], dtype="str").take(column)
    columns["value"] = values[row, column]
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def _pooled_sd(error: Array) -> Array:
    flat = error.reshape(*error.shape[:-2], -1)
    return np.sqrt(mean_over_last((flat - mean_over_last(flat)[..., None]) ** 2))
