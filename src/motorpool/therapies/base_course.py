"""What every course of therapy has in common: start, stop, pauses, dose changes, missed and late doses."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from motorpool.therapies.fields import (
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    MAXIMUM_AGE_MONTHS,
    InputModel,
    Name,
    Probability,
    Within,
    refusal,
)
from motorpool.therapies.start_rules import StartRule, StopRule

MAXIMUM_SEGMENTS = 8
MAXIMUM_DOSE_NUMBER = 10_000

Months = Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")]
DoseNumber = Annotated[int, Within(1, MAXIMUM_DOSE_NUMBER)]


class Pause(InputModel):
    """A span without the therapy, in months since the start of the course."""

    from_months: Months
    to_months: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months", above=True)]

    @model_validator(mode="after")
    def _ordered(self) -> Pause:
        if self.to_months <= self.from_months:
            message = "must have to_months after from_months"
            raise refusal(message, allowed="to_months later than from_months", at="to_months")
        return self


class DoseChange(InputModel):
    """From this month of the course on, every dose is `factor` times the dose of the regimen."""

    from_months: Months
    factor: Annotated[float, Within(0, 10, above=True)]


@dataclass(frozen=True, slots=True)
class DoseSegment:
    """A span of a course with one dose factor: hours since its start, `to_hours` None = until its end.

    `factor` multiplies the dose of the regimen; 0 is a pause.
    """

    from_hours: int
    to_hours: int | None
    factor: float


class BaseCourse(InputModel):
    """What every course has: an optional label, start and stop, pauses, dose changes, missed doses."""

    because: ClassVar[str] = ""
    one_off: ClassVar[bool] = False

    label: Name | None = None
    start: StartRule | None = None
    stop: StopRule | None = None
    pauses: tuple[Pause, ...] = ()
    dose_changes: tuple[DoseChange, ...] = ()
    missed_doses: tuple[DoseNumber, ...] = Field(default=(), max_length=100)
    missed_probability: Probability = 0.0
    late_days_mean: Annotated[float, Within(0, 365, "days")] = 0.0

    @model_validator(mode="after")
    def _consistent(self) -> BaseCourse:
        for name in self.refuses:
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True):
                message = f"has no meaning here: {self.because}"
                raise refusal(message, allowed=f"leave out {name}", at=name)
        _check_times(self)
        if len(self.segments()) > MAXIMUM_SEGMENTS:
            message = f"cut the course into more than {MAXIMUM_SEGMENTS} spans, together with dose_changes"
            raise refusal(message, allowed=f"at most {MAXIMUM_SEGMENTS} spans", at="pauses")
        return self

    @property
    def name(self) -> str:
        """The label if there is one, otherwise the therapy's name: what `after` refers to."""
        return self.label or str(getattr(self, "therapy", ""))

    @property
    def start_rule(self) -> StartRule:
        """When the course starts; at enrolment if the user said nothing."""
        return self.start or StartRule(at="enrolment")

    @property
    def ends(self) -> bool:
        """Whether the course has an end, so that another can come `after` it."""
        return self.one_off or self.stop is not None

    def segments(self) -> tuple[DoseSegment, ...]:
        """The course as spans with one dose factor each, in order, from its start; pauses have factor 0."""
        cuts = {0.0}
        for pause in self.pauses:
            cuts.update((pause.from_months, pause.to_months))
        cuts.update(change.from_months for change in self.dose_changes)
        starts = sorted(cuts)
        spans: list[DoseSegment] = []
        for begin, end in itertools.zip_longest(starts, starts[1:]):
            to_hours = None if end is None else round(end * HOURS_PER_MONTH)
            spans.append(DoseSegment(round(begin * HOURS_PER_MONTH), to_hours, self._factor(begin)))
        return tuple(spans)

    def _factor(self, month: float) -> float:
        if any(pause.from_months <= month < pause.to_months for pause in self.pauses):
            return 0.0
        earlier = [change for change in self.dose_changes if change.from_months <= month]
        return max(earlier, key=lambda change: change.from_months).factor if earlier else 1.0


def _check_times(course: BaseCourse) -> None:
    """Refuse a stop before the start, overlapping pauses, repeated changes, and pauses after the stop."""
    start, stop = course.start_rule, course.stop
    if stop is not None:
        if start.kind == stop.kind and stop.offset_hours <= start.offset_hours and stop.kind != "state":
            hours_per_unit = HOURS_PER_YEAR if stop.kind == "age" else HOURS_PER_MONTH
            earliest = start.offset_hours / hours_per_unit
            unit = "age_years" if stop.kind == "age" else "months_after_enrolment"
            message = f"stops before it starts; {unit} must be above {earliest:g}"
            raise refusal(message, allowed=f"{unit} above {earliest:g}", at=f"stop.{unit}")
    ordered = sorted(course.pauses, key=lambda pause: pause.from_months)
    for earlier, later in itertools.pairwise(ordered):
        if later.from_months < earlier.to_months:
            first, second = (f"{one.from_months:g} to {one.to_months:g}" for one in (earlier, later))
            message = f"overlap: months {first} and {second}"
            raise refusal(message, allowed="pauses that do not overlap", at="pauses")
    changes = [change.from_months for change in course.dose_changes]
    if len(set(changes)) < len(changes):
        raise refusal("change the dose twice in a month", allowed="one change per month", at="dose_changes")
    if len(set(course.missed_doses)) < len(course.missed_doses):
        raise refusal("name the same dose twice", allowed="every number once", at="missed_doses")
    if stop is not None and stop.after_months is not None:
        for field, months in (
            ("pauses", [pause.from_months for pause in course.pauses]),
            ("dose_changes", changes),
        ):
            if any(month >= stop.after_months for month in months):
                message = f"begin after the course has stopped, at {stop.after_months:g} months"
                raise refusal(message, allowed=f"months below {stop.after_months:g}", at=field)
