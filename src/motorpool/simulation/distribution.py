"""How a quantity spreads over people, as a scenario file writes it.

Every distribution is bounded and has a closed-form quantile function, so the same person keeps the same place
in it whatever else changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import BeforeValidator, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from motorpool.therapies.fields import MAXIMUM_AGE_MONTHS, MAXIMUM_SPAN_DAYS, InputModel, Within, refusal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AnyNumber = Annotated[float, Within(-1_000_000, 1_000_000)]
DistributionKind = Literal["fixed", "uniform", "median", "normal"]


class Distribution(InputModel):
    """How a quantity spreads over people: a number, {min, max}, {median, min, max} or {mean, sd, min, max}.

    {min, max} is uniform. {median, min, max}: half the people lie below the median and half above, evenly
    within each half. {mean, sd, min, max}: a normal distribution cut off at min and max.
    """

    value: AnyNumber | None = None
    min: AnyNumber | None = None
    median: AnyNumber | None = None
    mean: AnyNumber | None = None
    sd: Annotated[float, Within(0, 1_000_000, above=True)] | None = None
    max: AnyNumber | None = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number"}, handler(core_schema)]}

    @model_validator(mode="after")
    def _one_shape(self) -> Distribution:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        shapes = ({"value"}, {"min", "max"}, {"median", "min", "max"}, {"mean", "sd", "min", "max"})
        allowed = "a number, {min, max}, {median, min, max} or {mean, sd, min, max}"
        if given not in shapes:
            raise refusal(f"must be {allowed}", allowed=allowed)
        if self.min is not None and self.max is not None:
            if self.min > self.max:
                raise refusal("has min above max", allowed="min not above max", at="min")
            for name in ("median", "mean"):
                centre = getattr(self, name)
                if centre is not None and not self.min <= centre <= self.max:
                    raise refusal(
                        f"must lie from {self.min:g} to {self.max:g}", allowed="min to max", at=name
                    )
            if "sd" in given and self.min == self.max:
                raise refusal("has min equal to max", allowed="min below max", at="min")
        return self

    @property
    def kind(self) -> DistributionKind:
        """Which shape it has."""
        if self.value is not None:
            return "fixed"
        if self.median is not None:
            return "median"
        return "normal" if self.mean is not None else "uniform"

    @property
    def lower(self) -> float:
        """The smallest possible value."""
        return cast("float", self.value if self.min is None else self.min)

    @property
    def upper(self) -> float:
        """The largest possible value."""
        return cast("float", self.value if self.max is None else self.max)

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value below which a share `probability` of people lie; any shape, same unit as the limits."""
        import numpy as np

        u = np.asarray(probability, dtype=np.float64)
        if self.kind == "fixed":
            return np.full_like(u, self.lower)
        if self.median is not None:
            below = self.lower + (self.median - self.lower) * 2.0 * u
            above = self.median + (self.upper - self.median) * (2.0 * u - 1.0)
            return np.where(u < 0.5, below, above)
        if self.mean is not None and self.sd is not None:
            from scipy.special import ndtr, ndtri

            low, high = ndtr((self.lower - self.mean) / self.sd), ndtr((self.upper - self.mean) / self.sd)
            return np.clip(self.mean + self.sd * ndtri(low + (high - low) * u), self.lower, self.upper)
        return self.lower + (self.upper - self.lower) * u


class _Limited:
    """Wraps a plain number as {value: number}, and holds every number of a distribution within a range."""

    def __init__(self, minimum: float, maximum: float, unit: str) -> None:
        self.within: Within = Within(minimum, maximum, unit)

    def wrap(self, value: Any) -> Any:
        if isinstance(value, Distribution):
            return value
        if isinstance(value, dict):
            section = cast("dict[object, object]", value)
            for name in ("value", "min", "median", "mean", "max"):
                if section.get(name) is not None:
                    self._check_number(section[name], self.within.describe(False), name)
            return section
        allowed = (
            f"{self.within.describe(False)}, or {{min, max}}, {{median, min, max}}, {{mean, sd, min, max}}"
        )
        self._check_number(value, allowed, "")
        return {"value": value}

    def _check_number(self, value: object, allowed: str, at: str) -> None:
        if isinstance(value, str):
            text = f"{allowed}; write a plain number, the unit is part of the key"
            raise refusal(f"must be {text}", allowed=text, at=at)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.within.minimum <= cast("float", value) <= self.within.maximum:
            raise refusal(f"must be {allowed}", allowed=allowed, at=at)


_AGE_MONTHS = _Limited(0, MAXIMUM_AGE_MONTHS, "months")
_AGE_DAYS = _Limited(0, MAXIMUM_SPAN_DAYS, "days")
MonthsSpread = Annotated[Distribution, BeforeValidator(_AGE_MONTHS.wrap)]
DaysSpread = Annotated[Distribution, BeforeValidator(_AGE_DAYS.wrap)]
