"""The `cohort` section of a scenario: who is simulated, when they enrol, and what they had before."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from motorpool.simulation.distribution import AnyNumber, DaysSpread, Distribution, MonthsSpread
from motorpool.simulation.vocabulary import MilestoneId, OutcomeId, easier_milestones
from motorpool.therapies.fields import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    MAXIMUM_AGE_MONTHS,
    Flag,
    InputModel,
    Within,
    exactly_one,
    refusal,
)
from motorpool.therapies.plan import Course
from motorpool.therapies.start_rules import describe_range, outcome_range

MAXIMUM_PATIENTS = 10_000_000
MAXIMUM_SMN2_COPIES = 8

SHARE_TOLERANCE = 1e-6


class Enrolment(InputModel):
    """When people enter the study: exactly one of age_months, days_after_diagnosis, days_after_onset."""

    age_months: MonthsSpread | None = None
    days_after_diagnosis: DaysSpread | None = None
    days_after_onset: DaysSpread | None = None

    @model_validator(mode="after")
    def _one_anchor(self) -> Enrolment:
        exactly_one(self, ("age_months", "days_after_diagnosis", "days_after_onset"))
        return self

    @property
    def kind(self) -> Literal["age", "diagnosis", "onset"]:
        """What enrolment counts from; the same words as StartRule.kind."""
        if self.age_months is not None:
            return "age"
        return "diagnosis" if self.days_after_diagnosis is not None else "onset"

    @property
    def spread(self) -> Distribution:
        """The distribution that is set, in months (age) or days (diagnosis, onset)."""
        return cast("Distribution", self.age_months or self.days_after_diagnosis or self.days_after_onset)

    @property
    def hours_per_unit(self) -> float:
        """Hours in one unit of `spread`."""
        return HOURS_PER_MONTH if self.kind == "age" else HOURS_PER_DAY


class Span(InputModel):
    """A range of months that people must lie in; a missing limit does not restrict."""

    min: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")] | None = None
    max: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.min is None and self.max is None:
            raise refusal("must have min, max or both", allowed="min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refusal("contradicts max: nobody can meet both", allowed=f"at most {self.max:g}", at="min")
        return self


class BaselineCriterion(InputModel):
    """A condition on a score at enrolment: min and max reject people, mean and sd reweight them."""

    min: AnyNumber | None = None
    max: AnyNumber | None = None
    mean: AnyNumber | None = None
    sd: Annotated[float, Within(0, 1_000_000, above=True)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> BaselineCriterion:
        if self.min is None and self.max is None and self.mean is None and self.sd is None:
            raise refusal("must have min, max, or mean with sd", allowed="min, max, mean with sd")
        if (self.mean is None) != (self.sd is None):
            missing, given = ("sd", "mean") if self.sd is None else ("mean", "sd")
            raise refusal(f"is missing; {given} needs it", allowed="mean together with sd", at=missing)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refusal("contradicts max: nobody can meet both", allowed=f"at most {self.max:g}", at="min")
        if self.mean is not None and (
            (self.min is not None and self.mean < self.min) or (self.max is not None and self.mean > self.max)
        ):
            raise refusal("lies outside min to max", allowed="a mean from min to max", at="mean")
        return self


class Diagnosis(InputModel):
    """How people are diagnosed: some months after the first symptoms, or by screening at an age in days."""

    by: Literal["symptoms", "newborn_screening"]
    delay_months: MonthsSpread | None = None
    age_days: DaysSpread | None = None

    @model_validator(mode="after")
    def _matching(self) -> Diagnosis:
        needed, other = (
            ("delay_months", "age_days") if self.by == "symptoms" else ("age_days", "delay_months")
        )
        if getattr(self, other) is not None:
            message = f"has no meaning for diagnosis by {self.by}; use {needed}"
            raise refusal(message, allowed=needed, at=other)
        if getattr(self, needed) is None:
            raise refusal(f"is missing; diagnosis by {self.by} needs it", allowed=needed, at=needed)
        return self


def _check_copies(value: Any) -> Any:
    allowed = f"a whole number from 1 to {MAXIMUM_SMN2_COPIES}, or shares such as {{2: 0.8, 3: 0.2}}"
    if not isinstance(value, int | dict):
        raise refusal(f"must be {allowed}", allowed=allowed)
    pairs = cast("dict[object, object]", value) if isinstance(value, dict) else {value: 1.0}
    shares: dict[int, float] = {}
    for key, share in pairs.items():
        text = str(key)
        copies = int(text) if len(text) == 1 and text.isdigit() and not isinstance(key, bool) else 0
        if not 1 <= copies <= MAXIMUM_SMN2_COPIES or isinstance(key, float):
            raise refusal(f"must be {allowed}", allowed=allowed)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise refusal("must be a share from 0 to 1", allowed="a share from 0 to 1", at=text)
        shares[copies] = float(share)
    if abs(sum(shares.values()) - 1.0) > SHARE_TOLERANCE:
        message = f"has shares that add to {sum(shares.values()):g}; they must add to 1"
        raise refusal(message, allowed="shares that add to 1")
    return shares if isinstance(value, dict) else value


CopiesField = Annotated[
    int | dict[int, float],
    PlainValidator(_check_copies),
    PlainSerializer(lambda copies: copies, return_type=Any),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAXIMUM_SMN2_COPIES},
                {
                    "type": "object",
                    "patternProperties": {"^[1-8]$": {"type": "number", "minimum": 0, "maximum": 1}},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]


class Cohort(InputModel):
    """Who is simulated. SMA type is never set: it is what the untreated twin of a person reaches."""

    patients: Annotated[int, Within(1, MAXIMUM_PATIENTS, "patients")]
    smn1_copies: Annotated[int, Within(0, 2)] = 0
    smn2_copies: CopiesField
    sma_type: tuple[Annotated[int, Within(0, 4)], ...] | None = None
    sex: Literal["any", "female", "male"] = "any"
    enrolment: Enrolment
    onset_age_months: Span | None = None
    disease_duration_months: Span | None = None
    baseline: dict[OutcomeId, BaselineCriterion] = Field(default_factory=dict)
    able_to: tuple[MilestoneId, ...] = ()
    not_able_to: tuple[MilestoneId, ...] = ()
    alive: Flag = True
    unventilated: Flag = False
    background: tuple[Course, ...] = ()
    diagnosis: Diagnosis | None = None

    @property
    def smn2_shares(self) -> dict[int, float]:
        """Share of people by number of SMN2 copies; adds to 1."""
        return {self.smn2_copies: 1.0} if isinstance(self.smn2_copies, int) else dict(self.smn2_copies)

    @model_validator(mode="after")
    def _consistent(self) -> Cohort:
        if self.sma_type is not None and (not self.sma_type or len(set(self.sma_type)) < len(self.sma_type)):
            raise refusal(
                "must list each type once, at least one", allowed="types 0 to 4, each once", at="sma_type"
            )
        if self.smn1_copies > 0 and self.sma_type is not None and set(self.sma_type) != {0}:
            message = "contradicts smn1_copies: people with a copy of SMN1 have no SMA (type 0)"
            raise refusal(message, allowed="[0], or smn1_copies: 0", at="sma_type")
        both = sorted(set(self.able_to) & set(self.not_able_to))
        if both:
            message = f"contradicts able_to: nobody can meet both for {', '.join(both)}"
            raise refusal(message, allowed="a milestone in one of the two lists only", at="not_able_to")
        implied = {easier for milestone in self.able_to for easier in easier_milestones(milestone)}
        against = sorted(implied & set(self.not_able_to))
        if against:
            message = f"contradicts able_to, which implies {', '.join(against)}"
            raise refusal(message, allowed="milestones that able_to does not imply", at="not_able_to")
        for outcome, criterion in self.baseline.items():
            low, high = outcome_range(outcome)
            for name in ("min", "max", "mean"):
                value = getattr(criterion, name)
                if value is not None and not low <= value <= high:
                    allowed = f"a number, {describe_range(low, high)}"
                    raise refusal(f"must be {allowed}", allowed=allowed, at=f"baseline.{outcome}.{name}")
        return self
