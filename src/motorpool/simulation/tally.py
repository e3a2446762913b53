"""Counts from which the summary of any number of people is made, a part of them at a time.

A tally holds whole numbers only, so that adding the tallies of parts gives the same bits in any order and however
people are parted. Values are rounded to a millionth of what separates their limits (`LEVELS`), which moves no mean
that anybody could notice. Quantiles come from a count of people by value: each is the value on the grid of
`Limits.step` nearest to the exact quantile, so that it is off by hardly more than half a step (`quantile_error`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.layers import PEOPLE_QUANTILES, Array, Measure, Statistics, per_year
from motorpool.simulation.limits import Limits
from motorpool.simulation.plain import PlainResults, plain

if TYPE_CHECKING:
    import xarray as xr

Whole = NDArray[np.int64]

LEVELS = 1 << 20  # sums of squares of 16 million people still fit into 64 bits
YEARS = Limits(0.0, 128.0, 1.0)  # no life is longer


@dataclass(frozen=True, eq=False)
class Tally:
    """What is counted of some people of one draw.

    Attributes:
        moments: (row, 3): people counted, sum and sum of squares, in levels from the middle of the limits.
        people_by_value: for every row that has quantiles, how many people have each value of its grid; flat.
    """

    moments: Whole
    people_by_value: NDArray[Any]

    @classmethod
    def of_nobody(cls, measures: Iterable[Measure]) -> Tally:
        """A tally to which others can be added; the values of the measures are not looked at."""
        series = [part for measure in measures for part in _series(measure)]
        rows = [math.prod(values.shape[:-1]) for values, _, _ in series]
        places = sum(size * _grid_size(grid) for size, (_, _, grid) in zip(rows, series, strict=True) if grid)
        return cls(np.zeros((sum(rows), 3), np.int64), np.zeros(places, np.uint32))

    def add(self, other: Tally) -> None:
        """Count other people too."""
        np.add(self.moments, other.moments, out=self.moments)
        np.add(self.people_by_value, other.people_by_value, out=self.people_by_value, casting="same_kind")


def tally(dataset: xr.Dataset | PlainResults) -> Tally:
    """Count the people of one draw."""
    from motorpool.simulation.summary import counted_measures

    results = plain(dataset)
    smallest = np.min_scalar_type(results.patients)
    moments: list[Whole] = []
    people: list[NDArray[Any]] = []
    for measure in counted_measures(results, np.float32):
        for values, limits, grid in _series(measure):
            level, unknown = _levels(values.reshape(-1, values.shape[-1]), limits)
            moments.append(_moments(level, unknown))
            if grid is not None:
                people.append(_people_by_value(level, unknown, grid).astype(smallest))
    return Tally(np.concatenate(moments), np.concatenate(people) if people else np.zeros(0, smallest))


def tally_statistics(measures: Iterable[Measure], counted: Tally) -> list[Statistics]:
    """Statistics of each measure from the tally of one draw; the values of the measures are not looked at."""
    row = place = 0
    found: list[Statistics] = []
    for measure in measures:
        parts: list[Statistics] = []
        for values, limits, grid in _series(measure):
            shape = values.shape[:-1]
            rows = math.prod(shape)
            part = _statistics(counted.moments[row : row + rows], limits, shape)
            row += rows
            if grid is not None:
                places = rows * _grid_size(grid)
                people = counted.people_by_value[place : place + places].reshape(rows, -1)
                part = replace(part, quantiles=_quantiles(people, grid).reshape(-1, *shape))
                place += places
            parts.append(part)
        statistics = parts[0] if measure.error is None else replace(parts[0], error=parts[1])
        found.append(statistics if measure.years is None else per_year(statistics, parts[-1].mean))
    return found


def stack_draws(draws: Sequence[Statistics]) -> Statistics:
    """One measure's statistics of several draws together."""

    def joined(name: str) -> Any:
        arrays = [getattr(draw, name) for draw in draws]
        return None if arrays[0] is None else np.concatenate(arrays, axis=-1)

    errors = [draw.error for draw in draws if draw.error is not None]
    return Statistics(
        joined("count"),
        joined("mean"),
        joined("variance"),
        joined("quantiles"),
        stack_draws(errors) if errors else None,
    )


def quantile_error(limits: Limits) -> float:
    """How far a quantile can be from the exact one, in the unit of the values."""
    return limits.step / 2 + (limits.high - limits.low) / LEVELS  # and the rounding to levels


def _series(measure: Measure) -> list[tuple[Array, Limits | None, Limits | None]]:
    """What is counted of a measure, with the limits of its values, and again where it has quantiles: its values, then
    measurement errors and years lived where it has them."""
    series = [(measure.values, measure.limits, measure.limits if measure.kind == "number" else None)]
    if measure.error is not None and measure.limits is not None:
        series.append((measure.error, measure.limits.of_differences, None))
    if measure.years is not None:
        series.append((measure.years, YEARS, None))
    return series


def _levels(values: NDArray[Any], limits: Limits | None) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Whole levels from the middle of the limits, 0 where not known, and where that is, if anywhere; (row, person)."""
    if values.dtype.kind != "f":
        return values, None
    level = values.astype(np.float32)
    if limits is not None:
        level -= np.float32((limits.high + limits.low) / 2)
        level *= np.float32(LEVELS / (limits.high - limits.low))
        np.rint(level, out=level)
        np.clip(level, -LEVELS / 2, LEVELS / 2, out=level)
    unknown = np.isnan(level)
    if not unknown.any():
        return level, None
    level[unknown] = 0.0
    return level, unknown


def _moments(level: NDArray[Any], unknown: NDArray[np.bool_] | None) -> Whole:
    """People counted, sum and sum of squares; (row, 3)."""
    people = level.shape[1]
    counted = np.full(len(level), people) if unknown is None else people - np.count_nonzero(unknown, axis=1)
    wide = level.astype(
        np.float64
    )  # in which sums of squares of whole levels are exact: fast, and no rounding
    found = np.stack([counted, wide.sum(axis=1), np.einsum("ij,ij->i", wide, wide)], axis=1)
    return found.astype(np.int64)


def _grid_size(limits: Limits) -> int:
    return round((limits.high - limits.low) / limits.step) + 1


def _people_by_value(level: NDArray[Any], unknown: NDArray[np.bool_] | None, grid: Limits) -> NDArray[Any]:
    """How many people have each value of the grid, row by row; flat."""
    width = _grid_size(grid)
    step = LEVELS // (width - 1)
    value = (level.astype(np.int64) + (LEVELS // 2 + step // 2)) >> (step.bit_length() - 1)
    if unknown is not None:
        value[unknown] = width  # the last place of a row takes those who are not counted
    value += np.arange(len(value))[:, None] * (width + 1)
    counts = np.bincount(value.ravel(), minlength=len(value) * (width + 1))
    return counts.reshape(-1, width + 1)[:, :width].ravel()


def _statistics(moments: Whole, limits: Limits | None, shape: tuple[int, ...]) -> Statistics:
    count, total, squares = (column.astype(float).reshape(shape) for column in moments.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0.0)
    if limits is not None:
        width = (limits.high - limits.low) / LEVELS
        mean, variance = (limits.high + limits.low) / 2 + mean * width, variance * width**2
    return Statistics(count, mean, variance)


def _quantiles(people: NDArray[Any], limits: Limits) -> Array:
    """Quantiles (quantile, row) of values on the grid; linear between order statistics."""
    below = np.cumsum(people, axis=-1, dtype=np.int64)
    last = np.maximum(below[:, -1] - 1, 0)
    found = np.empty((len(PEOPLE_QUANTILES), len(people)))
    for row, cumulative in enumerate(below):
        place = np.asarray(PEOPLE_QUANTILES) * last[row]
        floor = np.floor(place)
        low = np.searchsorted(cumulative, floor, side="right")
        high = np.searchsorted(cumulative, np.minimum(floor + 1, last[row]), side="right")
        found[:, row] = (low + (high - low) * (place - floor)) * limits.step + limits.low
    found[:, below[:, -1] == 0] = np.nan
    return found
