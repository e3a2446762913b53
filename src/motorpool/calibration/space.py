"""The parameters that move, each on a scale on which its prior is a standard normal."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.parameters import ParameterTable, Value
from motorpool.studies.scale import CalibrationRules

Vector = NDArray[np.float64]
_INSIDE = 1e-6  # of the width of the bounds: values stay this far inside


@dataclasses.dataclass(frozen=True)
class Axis:
    """One number that moves: an entry of a parameter, with its prior centre and spread.

    ``value = centre x exp(spread z)`` for a lognormal prior and ``centre + spread z`` for a normal one, kept within the
    bounds of the record.
    """

    parameter: str
    index: int | None
    centre: float
    spread: float
    logarithmic: bool
    bounds: tuple[float, float]

    @property
    def name(self) -> str:
        """The parameter's id, with the entry's place where it has several."""
        return self.parameter if self.index is None else f"{self.parameter}.{self.index}"

    def value(self, z: Vector | float) -> Vector:
        """The parameter's value at ``z`` prior standard deviations from its centre."""
        x = np.asarray(z, np.float64) * self.spread
        moved = self.centre * np.exp(x) if self.logarithmic else self.centre + x
        low, high = self.bounds
        margin = _INSIDE * (high - low)
        return np.clip(moved, low + margin, high - margin)

    def standardised(self, value: float) -> float:
        """``z`` of a value: its distance from the prior's centre in prior standard deviations."""
        moved = math.log(max(value, 1e-300) / self.centre) if self.logarithmic else value - self.centre
        return moved / self.spread

    def reach(self) -> tuple[float, float]:
        """The range of ``z`` within the bounds."""
        low, high = self.bounds
        if self.logarithmic:
            edges = [math.log(max(edge, 1e-12) / self.centre) / self.spread for edge in (low, high)]
        else:
            edges = [(edge - self.centre) / self.spread for edge in (low, high)]
        return edges[0], edges[1]


@dataclasses.dataclass(frozen=True)
class ParameterSpace:
    """All axes, in a fixed order."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The axes' names."""
        return tuple(axis.name for axis in self.axes)

    def values(self, z: Vector, table: ParameterTable) -> dict[str, Value]:
        """Values of the moved parameters at ``z`` (D,), by id; entries that do not move keep the record's value."""
        return self.values_of([float(axis.value(z[i])) for i, axis in enumerate(self.axes)], table)

    def values_of(
        self, numbers: Mapping[int, float] | list[float], table: ParameterTable
    ) -> dict[str, Value]:
        """The same from the axes' values themselves."""
        found: dict[str, Value] = {}
        for place, axis in enumerate(self.axes):
            if axis.index is None:
                found[axis.parameter] = numbers[place]
            else:
                entries = list(found.get(axis.parameter, table[axis.parameter].value))  # type: ignore[arg-type]
                entries[axis.index] = numbers[place]
                found[axis.parameter] = tuple(entries)
        return found


def parameter_space(table: ParameterTable, rules: CalibrationRules) -> ParameterSpace:
    """The axes of all parameters that calibration moves."""
    extra: dict[str, list[int] | None] = {}
    for name in rules.also_calibrated:
        head, _, tail = name.rpartition(".")
        if tail.isdigit():
            known = extra.setdefault(head, [])
            assert known is not None
            known.append(int(tail))
        else:
            extra[name] = None
    axes: list[Axis] = []
    for parameter, record in table.items():
        chosen = parameter in extra or (
            record.origin == "calibration" and parameter not in rules.not_calibrated
        )
        prior = record.prior
        if not chosen or prior.distribution not in ("normal", "lognormal"):
            continue
        places = extra.get(parameter)
        for index, value in enumerate(record.values):
            if places is not None and index not in places:
                continue
            logarithmic = prior.distribution == "lognormal"
            spread = prior.log_sd if logarithmic else prior.sd
            assert spread is not None
            place = index if isinstance(record.value, tuple) else None
            axes.append(Axis(parameter, place, value, spread, logarithmic, record.bounds))
    return ParameterSpace(tuple(axes))
