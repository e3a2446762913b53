"""Results as plain arrays with named axes: what summaries read, without what labelled selecting costs.

A summary asks for its values some hundred times. A labelled dataset answers each time with a new labelled object, which
takes longer than to count a few thousand people; here an answer is a view of an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.comparators import comparators_of

if TYPE_CHECKING:
    import xarray as xr


class Variable(Protocol):
    """An array and the names of its axes."""

    @property
    def dims(self) -> tuple[Any, ...]:
        """Names of the axes."""
        ...

    @property
    def values(self) -> Any:
        """The array."""
        ...


class Axed(NamedTuple):
    """An array and the names of its axes."""

    dims: tuple[str, ...]
    values: NDArray[Any]


class PlainResults:
    """Variables by name, coordinates among them, and attributes."""

    def __init__(self, variables: Mapping[Any, Variable], attributes: Mapping[Any, Any]) -> None:
        """Take variables, of which those named like an axis are its coordinates, and attributes."""
        self._variables = variables
        self.attributes = attributes
        self._names: dict[str, list[str]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether there is such a variable."""
        return name in self._variables

    @property
    def variables(self) -> list[str]:
        """Names of all variables, in the order of the results."""
        return [str(name) for name in self._variables]

    def coordinate(self, axis: str) -> NDArray[Any]:
        """The coordinate of an axis."""
        return np.asarray(self._variables[axis].values)

    def names(self, axis: str) -> list[str]:
        """The entries of an axis, as text."""
        if axis not in self._names:
            self._names[axis] = [str(value) for value in self.coordinate(axis)]
        return self._names[axis]

    @cached_property
    def months(self) -> list[float]:
        """Months of the visits since enrolment."""
        return [float(month) for month in self.coordinate("visit_month")]

    def values(self, name: str, *axes: str) -> NDArray[Any]:
        """A variable with its axes in this order; those that it does not have are left out.

        Raises:
            ValueError: it has an axis that is not named.
        """
        found = self._variables[name]
        return np.transpose(found.values, [found.dims.index(axis) for axis in axes if axis in found.dims])

    def of_one(self, name: str, axis: str, entry: str, *axes: str) -> NDArray[Any]:
        """A variable at one entry of an axis, with the other axes in this order.

        Raises:
            KeyError: the axis has no such entry.
        """
        names = self.names(axis)
        if entry not in names:
            raise KeyError(entry)
        return self.values(name, axis, *axes)[names.index(entry)]

    @cached_property
    def comparators(self) -> dict[str, str]:
        """The arm each arm is compared with."""
        return comparators_of(self.names("arm"), self.attributes)

    @cached_property
    def excluded(self) -> NDArray[np.bool_] | None:
        """Whose numbers went wrong, (draw, patient); None where nobody's did."""
        if "excluded" not in self:
            return None
        out = np.asarray(self.values("excluded", "draw", "patient"), bool)
        return out if out.any() else None

    @property
    def patients(self) -> int:
        """How many people each draw has."""
        return int(self.coordinate("patient").size)


def plain(results: xr.Dataset | PlainResults) -> PlainResults:
    """The plain form of a labelled dataset; what is plain already is given back."""
    if isinstance(results, PlainResults):
        return results
    return PlainResults(results.variables, results.attrs)
