"""When a course of therapy starts and stops: by age, diagnosis, onset, enrolment, state or another course.

Times are offsets from an anchor. `offset_hours` gives them as whole hours, the time unit of the engine
(730.5 hours per month). A state rule such as "fvc_percent < 50" is parsed here and evaluated by the engine.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema, model_validator

from motorpool.therapies.fields import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    MAXIMUM_AGE_MONTHS,
    MAXIMUM_AGE_YEARS,
    MAXIMUM_SPAN_DAYS,
    InputModel,
    Name,
    Within,
    exactly_one,
    nearest_name,
    refusal,
)

STATE_RULE_OUTCOMES = (
    "fvc_percent",
    "cobb_degrees",
    "ventilation_hours_per_day",
    "chop_intend",
    "hfmse",
    "rulm",
    "swallowing_percent",
)
Operator = Literal["<", "<=", ">", ">="]
StartKind = Literal["enrolment", "age", "diagnosis", "onset", "state", "after_course"]
StopKind = Literal["duration", "age", "enrolment", "state"]

_RULE_PATTERN = re.compile(r"^\s*([a-z0-9_]+)\s*(<=|>=|<|>)\s*([+-]?\d{1,12}(?:\.\d{1,12})?)\s*$")
_RULE_ALLOWED = "a rule like 'fvc_percent < 50' with one of " + ", ".join(STATE_RULE_OUTCOMES)


def outcome_range(outcome: str) -> tuple[float, float]:
    """Lowest and highest possible value of an outcome, in its own unit; infinite where it has no limit."""
    from motorpool.evidence.outcome_catalogue import load_outcome_catalogue

    entry = load_outcome_catalogue()[outcome]
    low = -math.inf if entry.minimum is None else entry.minimum
    high = math.inf if entry.maximum is None else entry.maximum
    return low, high


def describe_range(low: float, high: float) -> str:
    """The range in words; an infinite limit is left out."""
    if math.isinf(low) and math.isinf(high):
        return "any number"
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


class StateRule(BaseModel):
    """A comparison of one true outcome with a value; it fires the first time that it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: str
    operator: Operator
    value: float

    def __str__(self) -> str:
        return f"{self.outcome} {self.operator} {self.value:g}"


def parse_state_rule(rule: Any) -> StateRule:
    """Parse text such as 'cobb_degrees >= 50'. The value must lie within the range of the outcome."""
    if isinstance(rule, StateRule):
        return rule
    match = _RULE_PATTERN.match(rule) if isinstance(rule, str) and len(rule) < 200 else None
    if match is None:
        raise refusal(f"must be {_RULE_ALLOWED}", allowed=_RULE_ALLOWED)
    outcome, operator, value = match.group(1), match.group(2), float(match.group(3))
    if outcome not in STATE_RULE_OUTCOMES:
        nearest = nearest_name(outcome, STATE_RULE_OUTCOMES)
        hint = f"; did you mean {nearest}?" if nearest else ""
        raise refusal(f"must be {_RULE_ALLOWED}{hint}", allowed=_RULE_ALLOWED)
    low, high = outcome_range(outcome)
    allowed = f"a rule with a value of {outcome} {describe_range(low, high)}"
    if not low <= value <= high:
        raise refusal(f"must be {allowed}", allowed=allowed)
    if (operator == "<" and value == low) or (operator == ">" and value == high):
        raise refusal(f"can never become true; must be {allowed}", allowed=allowed)
    if (operator == "<=" and value == high) or (operator == ">=" and value == low):
        raise refusal(f"is always true; must be {allowed}", allowed=allowed)
    return StateRule.model_validate({"outcome": outcome, "operator": operator, "value": value})


WhenRule = Annotated[
    StateRule,
    BeforeValidator(parse_state_rule),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*({'|'.join(STATE_RULE_OUTCOMES)})\s*(<=|>=|<|>)\s*[+-]?\d+(\.\d+)?\s*$",
            "examples": ["fvc_percent < 50"],
        }
    ),
]


class StartRule(InputModel):
    """When a course starts: exactly one anchor.

    Anchors are at, age_months, days_after_diagnosis, days_after_onset, when and after. delay_days goes with
    `at`; washout_days goes with `after` and counts from the end of that course.
    """

    at: Literal["enrolment"] | None = None
    delay_days: Annotated[float, Within(0, MAXIMUM_SPAN_DAYS, "days")] = 0.0
    age_months: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")] | None = None
    days_after_diagnosis: Annotated[float, Within(0, MAXIMUM_SPAN_DAYS, "days")] | None = None
    days_after_onset: Annotated[float, Within(0, MAXIMUM_SPAN_DAYS, "days")] | None = None
    when: WhenRule | None = None
    after: Name | None = None
    washout_days: Annotated[float, Within(0, MAXIMUM_SPAN_DAYS, "days")] = 0.0

    @model_validator(mode="after")
    def _one_anchor(self) -> StartRule:
        anchor = exactly_one(
            self, ("at", "age_months", "days_after_diagnosis", "days_after_onset", "when", "after")
        )
        if self.delay_days and anchor != "at":
            message = f"delay_days goes with `at: enrolment`, not with {anchor}"
            raise refusal(message, allowed="delay_days together with at", at="delay_days")
        if self.washout_days and anchor != "after":
            message = f"washout_days goes with `after`, not with {anchor}"
            raise refusal(message, allowed="washout_days together with after", at="washout_days")
        return self

    @property
    def kind(self) -> StartKind:
        """The anchor: enrolment, age (since birth), diagnosis, onset, state or after_course."""
        if self.at is not None:
            return "enrolment"
        if self.age_months is not None:
            return "age"
        if self.days_after_diagnosis is not None:
            return "diagnosis"
        if self.days_after_onset is not None:
            return "onset"
        return "state" if self.when is not None else "after_course"

    @property
    def offset_hours(self) -> int:
        """Whole hours from the anchor to the start; 0 for a state rule; the washout for `after`."""
        if self.age_months is not None:
            return round(self.age_months * HOURS_PER_MONTH)
        days = self.days_after_diagnosis or self.days_after_onset or self.delay_days or self.washout_days
        return round(days * HOURS_PER_DAY)


class StopRule(InputModel):
    """When a course ends: exactly one of its keys; after_months counts from the start of the course."""

    after_months: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months", above=True)] | None = None
    age_years: Annotated[float, Within(0, MAXIMUM_AGE_YEARS, "years", above=True)] | None = None
    months_after_enrolment: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")] | None = None
    when: WhenRule | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> StopRule:
        exactly_one(self, ("after_months", "age_years", "months_after_enrolment", "when"))
        return self

    @property
    def kind(self) -> StopKind:
        """What the end counts from: duration (the course's start), age (birth), enrolment or state."""
        if self.after_months is not None:
            return "duration"
        if self.age_years is not None:
            return "age"
        return "enrolment" if self.months_after_enrolment is not None else "state"

    @property
    def offset_hours(self) -> int:
        """Whole hours since the course's start (duration), birth (age) or enrolment; 0 for a state rule."""
        if self.age_years is not None:
            return round(self.age_years * HOURS_PER_YEAR)
        return round((self.after_months or self.months_after_enrolment or 0.0) * HOURS_PER_MONTH)
