"""People and lives as plain arrays, by the names of their fields, and back again."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.recruit import Recruited
from motorpool.simulation.screening import Candidates

Value = TypeVar("Value")


def arrays_of(value: Any) -> dict[str, NDArray[Any]]:
    """All arrays in a structure of records, by path: `person.seed`. What is None is left out."""
    found: dict[str, NDArray[Any]] = {}
    for name in _hints(type(value)):
        field = getattr(value, name)
        if field is None:
            continue
        if _is_record(type(field)):
            found |= {f"{name}.{path}": array for path, array in arrays_of(field).items()}
        else:
            found[name] = np.asarray(field)
    return found


def record_of(kind: type[Value], arrays: Mapping[str, NDArray[Any]]) -> Value:
    """The structure of which these are the arrays."""
    fields: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        if _is_record(hint):
            begin = f"{name}."
            own = {
                path.removeprefix(begin): array for path, array in arrays.items() if path.startswith(begin)
            }
            fields[name] = record_of(hint, own)
        else:
            fields[name] = arrays.get(name)
    return kind(**fields)


def cohort_arrays(cohort: Recruited) -> dict[str, NDArray[Any]]:
    """A cohort as arrays; why others were refused is not kept."""
    found = {f"people.{path}": array for path, array in arrays_of(cohort.people).items()}
    return found | {
        "tried": np.asarray(cohort.tried),
        "effective": np.asarray(cohort.effective_sample_size),
        "patient_numbers": np.asarray(cohort.patient_numbers),
    }


def cohort_of(arrays: Mapping[str, NDArray[Any]]) -> Recruited:
    """The cohort of which these are the arrays."""
    own = {
        path.removeprefix("people."): array for path, array in arrays.items() if path.startswith("people.")
    }
    return Recruited(
        record_of(Candidates, own),
        int(arrays["tried"]),
        {},
        float(arrays["effective"]),
        arrays["patient_numbers"],
    )


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
