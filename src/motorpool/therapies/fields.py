"""Building blocks of everything a user writes in a scenario file: bounded numbers and strict sections.

Purpose: one place that decides how a wrong number or an unknown key is reported, so that every message
names what is allowed. The limits passed to `Within` say what the file format accepts. They are wide on
purpose and none of them is a therapeutic value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

HOURS_PER_DAY = 24
HOURS_PER_MONTH = 730.5
HOURS_PER_YEAR = 8766

MAXIMUM_AGE_YEARS = 100
MAXIMUM_AGE_MONTHS = 12 * MAXIMUM_AGE_YEARS
MAXIMUM_SPAN_DAYS = 36525

_UNIT_SUFFIXES = (
    "_days", "_weeks", "_months", "_years", "_hours", "_percent", "_degrees", "_kg", "_mg", "_mg_per_kg",
    "_per_week", "_per_day", "_m", "_mv",
)  # fmt: skip


def nearest_name(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name most like `name`, or None. The same name with another unit counts as nearest."""
    names = {str(candidate).lower(): str(candidate) for candidate in allowed}
    stem = _without_unit(name)
    for candidate in names.values():
        if candidate != name and _without_unit(candidate) == stem:
            return candidate
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return names[close[0]] if close else None


def _without_unit(name: str) -> str:
    for suffix in sorted(_UNIT_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


@dataclass(frozen=True, slots=True)
class Within:
    """Annotation of a finite number between two limits, both included (unless `above` is set).

    minimum, maximum: limits in `unit`. above: the minimum itself is refused. unit: word for messages.
    Text, true/false, infinity and not-a-number are refused; numbers are never converted between units.
    """

    minimum: float
    maximum: float
    unit: str = ""
    above: bool = False

    def describe(self, whole: bool) -> str:
        """What is allowed, in words, for example 'a number of months from 0 to 1200'."""
        kind = "a whole number" if whole else "a number"
        of_unit = f" of {self.unit}" if self.unit else ""
        low = f"above {_plain(self.minimum)} up to" if self.above else f"from {_plain(self.minimum)} to"
        return f"{kind}{of_unit} {low} {_plain(self.maximum)}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = source is int
        allowed = self.describe(whole)

        def check(value: Any) -> float | int:
            if isinstance(value, str):
                text = f"{allowed}; write a plain number, the unit is part of the key"
                raise PydanticCustomError("not_a_number", "must be {allowed}", {"allowed": text})
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise PydanticCustomError("not_a_number", "must be {allowed}", {"allowed": allowed})
            if isinstance(value, float) and not math.isfinite(value):
                raise PydanticCustomError("not_finite", "must be {allowed}", {"allowed": allowed})
            if whole and isinstance(value, float):
                raise PydanticCustomError("not_whole", "must be {allowed}", {"allowed": allowed})
            if value < self.minimum or value > self.maximum or (self.above and value == self.minimum):
                raise PydanticCustomError("out_of_range", "must be {allowed}", {"allowed": allowed})
            return value if whole else float(value)

        inner = core_schema.int_schema() if whole else core_schema.float_schema()
        return core_schema.no_info_before_validator_function(check, inner)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        result = handler(schema)
        result["exclusiveMinimum" if self.above else "minimum"] = self.minimum
        result["maximum"] = self.maximum
        return result


Flag = Annotated[bool, Strict()]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, StringConstraints(max_length=4000)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Probability = Annotated[float, Within(0, 1)]


class InputModel(BaseModel):
    """A section of a scenario file: unknown keys are refused with the nearest valid name; frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    refuses: ClassVar[tuple[str, ...]] = ()  # inherited keys that have no meaning in this section

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        allowed = [name for name in cls.model_fields if name not in cls.refuses]
        if not isinstance(data, Mapping):
            raise PydanticCustomError(
                "not_a_section", "must be a section with the keys {allowed}", {"allowed": ", ".join(allowed)}
            )
        section = cast("Mapping[object, object]", data)
        unknown = [str(key) for key in section if key not in cls.model_fields]
        if unknown:
            raise PydanticCustomError(
                "unknown_keys",
                "unknown key {first}; allowed here: {allowed_text}",
                {
                    "first": unknown[0],
                    "unknown": unknown,
                    "allowed": allowed,
                    "allowed_text": ", ".join(allowed),
                },
            )
        return {str(key): value for key, value in section.items()}


def refusal(message: str, *, allowed: str, at: str = "") -> PydanticCustomError:
    """An error to raise in a validator: what is wrong, what is allowed, and the key it is about."""
    return PydanticCustomError("refused", "{text}", {"text": message, "allowed": allowed, "at": at})


def exactly_one(section: BaseModel, names: tuple[str, ...]) -> str:
    """The one name among `names` that is set (not None) in `section`; an error names all that are allowed."""
    given = [name for name in names if getattr(section, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them"
        allowed = f"exactly one of {', '.join(names)}"
        raise refusal(f"must have {allowed}; it has {found}", allowed=allowed)
    return given[0]
