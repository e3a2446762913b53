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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.limits import Limits
from motorpool.simulation.plain import PlainResults

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
    "kind", "quantity", "measure", "arm", "comparator", "visit_month", "unit", "people", "draws", "counted",
)  # fmt: skip
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


@dataclass(frozen=True, eq=False)
class Measure:
    """One quantity of the summary: its name, who is counted, and everybody's values.

    Attributes:
        fixed: columns that are the same in every row.
        axes: column name to coordinate values, in the order of the leading axes of `values`.
        values: shape (len of each axis..., draw, person), of any kind of number; NaN is not counted.
        kind: `number`; `share` of values 0 or 1, whose quantiles over people would say nothing; or `group`, a mean
            that is a property of the group, so that quantiles over people would mislead.
        limits: between which values they lie; None for whole numbers.
        error: observed minus true, same shape as `values`.
        years: years lived, by which the total is divided to give a rate; shape that broadcasts with `values`.
        comparators: with which arm each arm is compared, for differences.
    """

    fixed: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    values: NDArray[Any]
    kind: Literal["number", "share", "group"]
    limits: Limits | None = None
    error: NDArray[Any] | None = None
    years: NDArray[Any] | None = None
    comparators: Mapping[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is known of a measure; every array ends with the draw.

    Attributes:
        count: how many people are counted.
        mean, variance: over these people.
        quantiles: over these people, PEOPLE_QUANTILES in front; None unless the measure is a number.
        error: the same of the measurement error, where it is known.
    """

    count: Array
    mean: Array
    variance: Array
    quantiles: Array | None = None
    error: Statistics | None = None


def exact_statistics(measure: Measure) -> Statistics:
    """Statistics of everybody's values."""
    values, quantiles = np.asarray(measure.values, dtype=float), None
    if measure.kind == "number":
        quantiles = quantiles_over_last(values, PEOPLE_QUANTILES)
    found = replace(_moments(values), quantiles=quantiles)
    if measure.years is not None:
        found = per_year(found, mean_over_last(measure.years))
    return found if measure.error is None else replace(found, error=_moments(measure.error))


def _moments(values: Array) -> Statistics:
    mean = mean_over_last(values)
    variance = mean_over_last((values - mean[..., None]) ** 2)
    return Statistics(np.sum(~np.isnan(values), axis=-1).astype(float), mean, variance)


def per_year(found: Statistics, years: Array) -> Statistics:
    """Statistics divided by the mean years lived: the mean becomes the ordinary rate, total / years."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return replace(found, mean=found.mean / years, variance=found.variance / years**2)


def _pooled_sd(found: Statistics) -> Array:
    """Standard deviation over the people of all draws together."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = found.count / found.count.sum(axis=-1, keepdims=True)
        mean = np.nansum(weight * found.mean, axis=-1, keepdims=True)
        return np.sqrt(np.nansum(weight * (found.variance + (found.mean - mean) ** 2), axis=-1))


def knowledge(values: Array) -> dict[str, Array]:
    """Mean over draws, and quantiles over draws, of the mean over people.

    With one draw there is no knowledge layer to show: only the mean is returned, never a zero-width range.
    """
    return _knowledge_of_means(mean_over_last(values))


def _knowledge_of_means(means: Array) -> dict[str, Array]:
    result = {"mean": mean_over_last(means)}
    if means.shape[-1] > 1:
        spread = quantiles_over_last(means, KNOWLEDGE_QUANTILES)
        result |= {quantile_name(q): spread[index] for index, q in enumerate(KNOWLEDGE_QUANTILES)}
    return result


def _monte_carlo_standard_error(found: Statistics, worth: Array | None) -> Array:
    """Standard error of the overall mean that comes from simulating finitely many people.

    `worth`, shape (draw,): what share of its people each draw's cohort is worth after reweighting.
    """
    counted = found.count if worth is None else found.count * np.minimum(1.0, worth)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(mean_over_last(found.variance / counted) / counted.shape[-1])


def columns_of(measure: Measure, found: Statistics, worth: Array | None = None) -> Columns:
    """Columns of the summary table of one measure, all three layers; rows without people are left out.

    Args:
        measure: names and axes; its values are not looked at.
        found: its statistics.
        worth: what share of its people each draw's cohort is worth after reweighting, shape (draw,).
    """
    statistics: dict[str, Array] = {}
    if found.quantiles is not None:
        averaged = mean_over_last(found.quantiles)
        for index, quantile in enumerate(PEOPLE_QUANTILES):
            statistics[f"{BETWEEN_PEOPLE}.{quantile_name(quantile)}"] = averaged[index]
    known = _knowledge_of_means(found.mean)
    statistics |= {f"{KNOWLEDGE}.{name}": value for name, value in known.items()}
    statistics[f"{CHANCE}.monte_carlo_standard_error"] = _monte_carlo_standard_error(found, worth)
    if measure.kind == "share":
        share = np.clip(known["mean"], 0.0, 1.0)
        statistics[f"{CHANCE}.binomial_sd_of_100_people"] = np.sqrt(100.0 * share * (1.0 - share))
    if found.error is not None:
        statistics[f"{CHANCE}.measurement_sd"] = _pooled_sd(found.error)
    people = np.ravel(found.count.mean(axis=-1))
    keep = (people > 0) & ~np.isnan(np.ravel(known["mean"]))
    size, axes = int(keep.sum()), measure.axes
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
            columns[name] = np.full(size, found.count.shape[-1])
        else:
            missing: Any = "" if name in _TEXT_KEYS else np.nan
            value = measure.fixed.get(name, missing)
            columns[name] = np.full(size, value, dtype=object if isinstance(value, str) else float)
    if measure.comparators is not None:
        columns["comparator"] = np.asarray([measure.comparators[arm] for arm in columns["arm"]], dtype=object)
    for name in STATISTICS:
        value = statistics.get(name)
        columns[name] = np.full(size, np.nan) if value is None else np.ravel(value)[keep]
    return columns


def exact_table(results: PlainResults, measures: Iterable[Measure]) -> pd.DataFrame:
    """The summary table of measures of results, from everybody's values."""
    return table_of(exact_columns(results, measures))


def exact_columns(results: PlainResults, measures: Iterable[Measure]) -> Iterator[Columns]:
    """The columns of the summary table of each measure of results, from everybody's values."""
    worth = None
    if "effective_sample_size" in results:
        worth = np.asarray(results.values("effective_sample_size", "draw"), dtype=float) / results.patients
    for measure in measures:
        kept = without_excluded(measure, results)
        yield columns_of(kept, exact_statistics(kept), worth)


def without_excluded(measure: Measure, results: PlainResults) -> Measure:
    """The measure without people whose numbers went wrong, if the results name any."""
    out = results.excluded
    if out is None:
        return measure

    def left(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else np.where(out, np.nan, values)

    values = np.where(out, np.nan, measure.values)
    return replace(measure, values=values, error=left(measure.error), years=left(measure.years))


def table_of(pieces: Iterable[Columns]) -> pd.DataFrame:
    """One summary table from the columns of many quantities."""
    import pandas as pd

    return pd.DataFrame(together(pieces))


def together(pieces: Iterable[Columns]) -> Columns:
    """The columns of many quantities below each other."""
    filled = [piece for piece in pieces if len(piece["kind"])]
    parts = {name: [piece[name] for piece in filled] for name in (*KEYS, *STATISTICS)}
    return {name: np.concatenate(some or [np.empty(0)]) for name, some in parts.items()}


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
