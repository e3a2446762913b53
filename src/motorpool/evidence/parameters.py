"""Parameter records: every number the model uses, with unit, bounds, prior and source.

The records live in ``data/parameters/*.yaml``, one file per module of the model. Code never carries a biological,
clinical or cost number; it asks :class:`ParameterTable` to fill a typed parameter set from the records.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.special import ndtr, ndtri  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from motorpool.evidence.records import read_evidence_yaml

Value = float | tuple[float, ...]
ParameterSet = TypeVar("ParameterSet")


class ParameterError(ValueError):
    """A number is missing, unknown, outside its bounds or badly recorded."""


class Component(BaseModel):
    """One normal component of a mixture prior."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weight: float = Field(gt=0, le=1)
    mean: float
    sd: float = Field(gt=0)


class Prior(BaseModel):
    """What is believed about a parameter before calibration.

    ``normal`` and ``lognormal`` are centred on the record's value (``sd`` in its unit, ``log_sd`` on the log scale)
    and truncated at its bounds; ``fixed`` means a definition or a convention that is not uncertain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    distribution: Literal["normal", "lognormal", "uniform", "mixture", "fixed"]
    sd: float | None = Field(default=None, gt=0)
    log_sd: float | None = Field(default=None, gt=0)
    components: tuple[Component, ...] | None = None

    @model_validator(mode="after")
    def _fields_fit_the_distribution(self) -> Prior:
        needed = {"normal": "sd", "lognormal": "log_sd", "mixture": "components"}.get(self.distribution)
        given = {name for name in ("sd", "log_sd", "components") if getattr(self, name) is not None}
        if given != ({needed} if needed else set()):
            raise ValueError(
                f"a {self.distribution} prior needs {needed or 'no further field'}, got {sorted(given)}"
            )
        return self

    def quantile(self, u: float, value: float, bounds: tuple[float, float]) -> float:
        """Return the quantile ``u`` in (0, 1) of the truncated prior around ``value``."""
        low, high = bounds
        if self.distribution == "fixed":
            return value
        if self.distribution == "uniform":
            half = 0.5 * (high - low)
            return min(max(value + (2.0 * u - 1.0) * half, low), high)
        if self.distribution == "lognormal":
            assert self.log_sd is not None
            centre = math.log(value)
            return math.exp(_truncated_normal(u, centre, self.log_sd, _log(low), _log(high)))
        if self.distribution == "normal":
            assert self.sd is not None
            return _truncated_normal(u, value, self.sd, low, high)
        assert self.components is not None
        return _mixture_quantile(u, self.components, low, high)


class ParameterRecord(BaseModel):
    """One number (or one number per muscle group) with everything a reader needs to judge it.

    ``value`` is the centre of its prior. Where the origin is *calibration*, the shipped posterior says what the studies
    made of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    symbol: str
    value: Value
    unit: str
    bounds: tuple[float, float]
    prior: Prior
    sources: tuple[str, ...] = ()
    origin: Literal["publication", "calibration", "judgement"]
    description: str
    checked: bool = True

    @model_validator(mode="after")
    def _value_within_bounds(self) -> ParameterRecord:
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"bounds must be increasing, got {list(self.bounds)}")
        for value in self.values:
            if not low <= value <= high:
                raise ValueError(f"value {value} lies outside its bounds {list(self.bounds)}")
        if self.prior.distribution == "lognormal" and low < 0:
            raise ValueError("a lognormal prior needs bounds at or above 0")
        if self.origin == "publication" and not self.sources:
            raise ValueError("origin 'publication' needs at least one source id")
        return self

    @property
    def values(self) -> tuple[float, ...]:
        """The value as a tuple, of length one for a scalar."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def draw(self, seed: int, draw: int) -> Value:
        """Draw from the prior; depends on ``seed``, ``draw`` and the id alone, never on other parameters."""
        generator = np.random.Generator(
            np.random.Philox(key=[seed, zlib.crc32(self.id.encode())]).jumped(draw)
        )
        u = [float(generator.uniform()) for _ in self.values]
        drawn = tuple(self.prior.quantile(p, v, self.bounds) for p, v in zip(u, self.values, strict=True))
        return drawn if isinstance(self.value, tuple) else drawn[0]


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _truncated_normal(u: float, mean: float, sd: float, low: float, high: float) -> float:
    p_low, p_high = float(ndtr((low - mean) / sd)), float(ndtr((high - mean) / sd))
    value = mean + sd * float(ndtri(p_low + u * (p_high - p_low)))
    return min(max(value, low), high)


def _mixture_quantile(u: float, components: Sequence[Component], low: float, high: float) -> float:
    total = sum(component.weight for component in components)

    def probability(x: float) -> float:
        return sum(c.weight / total * float(ndtr((x - c.mean) / c.sd)) for c in components)

    target = probability(low) + u * (probability(high) - probability(low))
    left, right = low, high
    for _ in range(80):
        middle = 0.5 * (left + right)
        left, right = (middle, right) if probability(middle) < target else (left, middle)
    return 0.5 * (left + right)


class ParameterTable(Mapping[str, ParameterRecord]):
    """All parameter records by id (``module.name``)."""

    def __init__(self, records: Sequence[ParameterRecord]) -> None:
        """Index the records; raise :class:`ParameterError` on a repeated id."""
        self._records: dict[str, ParameterRecord] = {}
        for record in records:
            if record.id in self._records:
                raise ParameterError(f"parameter {record.id!r} is recorded twice")
            self._records[record.id] = record

    def __getitem__(self, key: str) -> ParameterRecord:
        try:
            return self._records[key]
        except KeyError:
            near = difflib.get_close_matches(key, self._records, n=1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            raise ParameterError(f"no record for parameter {key!r}{hint}") from None

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def central_values(self) -> dict[str, Value]:
        """Return the central value of every parameter by id."""
        return {key: record.value for key, record in self._records.items()}

    def drawn_values(self, seed: int, draw: int) -> dict[str, Value]:
        """Return one draw of every parameter from its prior by id."""
        return {key: record.draw(seed, draw) for key, record in self._records.items()}

    def fill(self, kind: type[ParameterSet], module: str, values: Mapping[str, Value]) -> ParameterSet:
        """Build the parameter set ``kind`` from the values of ``module``; field names are parameter names.

        Raises:
            ParameterError: a field of ``kind`` has no record.
        """
        filled: dict[str, Any] = {}
        for field in dataclasses.fields(kind):  # pyright: ignore[reportArgumentType]
            record = self[f"{module}.{field.name}"]
            value = values.get(record.id, record.value)
            filled[field.name] = (
                np.asarray(value, dtype=np.float64) if isinstance(value, tuple) else float(value)
            )
        return kind(**filled)

    def digest(self) -> str:
        """SHA-256 of values, bounds and priors of all records: the identity of the parameter set."""
        kept = {"value", "bounds", "prior"}
        text = json.dumps(
            {k: r.model_dump(mode="json", include=kept) for k, r in sorted(self._records.items())},
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def load_parameter_table() -> ParameterTable:
    """Load and validate every parameter file shipped with the package.

    Raises:
        ParameterError: naming file, parameter and what is wrong.
    """
    folder = resources.files("motorpool.evidence") / "data" / "parameters"
    records: list[ParameterRecord] = []
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".yaml"):
            continue
        content = read_evidence_yaml("parameters", path.name)
        module = content["module"]
        for name, fields in content["parameters"].items():
            try:
                records.append(ParameterRecord(id=f"{module}.{name}", **fields))
            except (ValidationError, TypeError) as error:
                raise ParameterError(f"{path.name}: {module}.{name}: {error}") from error
    return ParameterTable(records)
