"""One therapy of a plan as a reader says it: what, when or by which rule, in which doses, with what left out.

All months count from today, as the timeline does; the scenario counts some of them from the start of a course.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from motorpool.therapies.base_course import MAXIMUM_SEGMENTS, DoseNumber
from motorpool.therapies.courses import THERAPIES
from motorpool.therapies.fields import InputModel, Within, nearest_name, refusal
from motorpool.web.course_options import (
    KINDS,
    ONCE,
    check_rule,
    check_settings,
    refuse_unknown,
    refused_because,
    rule_names,
)

MOST_COURSES = 6
MOST_PIECES = 6
OLDEST_MONTHS = 600
AFTER_DAYS = ("first_signs", "diagnosis")  # so many days after it
BEGINS = ("month", *AFTER_DAYS, "after", *rule_names())
NEEDED = "needed"  # spine surgery: when the curve reaches the threshold, after the least age
_PIECES = {"pauses": "pauses", "dose_changes": "dose_changes", "missed_doses": "missed_doses"}
_CHANCES = {"missed_percent": "missed_probability", "late_days": "late_days_mean"}


def _therapy(value: Any) -> Any:
    allowed = ", ".join(THERAPIES)
    if value not in THERAPIES:
        nearest = nearest_name(str(value)[:60], THERAPIES)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise refusal(f"must be one of {allowed}.{hint}", allowed=allowed)
    return value


TherapyName = Annotated[str, BeforeValidator(_therapy), Field(json_schema_extra={"enum": list(THERAPIES)})]
Months = Annotated[float, Within(0, OLDEST_MONTHS, "months")]
RuleName = Annotated[str, Field(max_length=60)]
Level = Annotated[float, Within(-1000, 10_000)]
SettingValue = bool | int | float | Annotated[str, Field(max_length=40)]


class PlannedPause(InputModel):
    """Months without the therapy."""

    from_months: Months
    to_months: Months


class PlannedDose(InputModel):
    """From this month on, every dose is so many percent of the usual one."""

    from_months: Months
    percent: Annotated[float, Within(0, 1000, "percent", above=True)]


class GivenTherapy(InputModel):
    """A therapy that is given, with what is left out or changed; months count from today.

    `missed_percent` of the doses are missed by chance, and doses come `late_days` late on average, from its first dose.
    """

    therapy: TherapyName
    kind: str | None = Field(default=None, max_length=40)
    pauses: tuple[PlannedPause, ...] = Field(default=(), max_length=MOST_PIECES)
    dose_changes: tuple[PlannedDose, ...] = Field(default=(), max_length=MOST_PIECES)
    missed_percent: Annotated[float, Within(0, 100, "percent")] = 0.0
    late_days: Annotated[float, Within(0, 365, "days")] = 0.0

    def check_kind(self) -> None:
        """Refuse a kind that the therapy does not have."""
        kinds = KINDS.get(self.therapy, {})
        if self.kind is not None and self.kind not in kinds:
            allowed = ", ".join(kinds) or "nothing"
            raise refusal(f"must be one of {allowed} for {self.therapy}", allowed=allowed, at="kind")

    def check_left_out(self) -> None:
        """Refuse what the engine refuses for this therapy, such as a pause of gene therapy."""
        for own, engine in {**_PIECES, **_CHANCES}.items():
            because = refused_because(self.therapy, engine)
            if because is not None and getattr(self, own, ()):
                raise refusal(f"has no meaning here: {because}", allowed=f"leave out {own}", at=own)

    def dose_data(self) -> dict[str, Any]:
        """Doses that are missed or late by chance, under the engine's names."""
        made: dict[str, Any] = {}
        if self.missed_percent:
            made["missed_probability"] = self.missed_percent / 100.0
        if self.late_days:
            made["late_days_mean"] = self.late_days
        return made

    def piece_data(self, start: float) -> dict[str, Any]:
        """Pauses and changes of the dose under the engine's names; they count from `start`, in months from today."""
        made: dict[str, Any] = {}
        if self.pauses:
            made["pauses"] = [
                {"from_months": pause.from_months - start, "to_months": pause.to_months - start}
                for pause in self.pauses
            ]
        if self.dose_changes:
            made["dose_changes"] = [
                {"from_months": change.from_months - start, "factor": change.percent / 100.0}
                for change in self.dose_changes
            ]
        return made


class PlannedCourse(GivenTherapy):
    """One therapy of a plan, in months from today; without an end it goes on, or is given once.

    It begins in a month, after the first signs or the diagnosis, after another therapy of the plan (`after` is its
    place, 0 the present therapy), or by a rule such as `fvc_percent_below`, whose value is `begins_level`; `ends` is
    such a rule too. `settings` are those of the therapy (`motorpool.web.course_options.SETTINGS`).
    """

    from_months: Months = 0.0
    to_months: Months | None = None
    begins: RuleName | None = None
    begins_level: Level | None = None
    after: Annotated[int, Within(0, MOST_COURSES)] | None = None
    wait_days: Annotated[float, Within(0, 3650, "days")] = 0.0
    ends: RuleName | None = None
    ends_level: Level | None = None
    missed_doses: tuple[DoseNumber, ...] = Field(default=(), max_length=100)
    settings: dict[Annotated[str, Field(max_length=40)], SettingValue] = Field(
        default_factory=dict, max_length=12
    )

    @model_validator(mode="after")
    def _possible(self) -> PlannedCourse:
        self.check_kind()
        self._check_begin()
        self._check_end()
        self._check_doses()
        return self

    @property
    def begins_by(self) -> str:
        """How it begins: what was said, or in a month; spine surgery without a month when the curve needs it."""
        if self.begins is not None:
            return self.begins
        return NEEDED if self.therapy == "spine_surgery" and not self.from_months else "month"

    def _check_begin(self) -> None:
        by = self.begins_by
        if by != NEEDED or self.begins is not None:
            own = (NEEDED, *BEGINS) if self.therapy == "spine_surgery" else BEGINS
            refuse_unknown("begins", by, own)
        if by in rule_names():
            check_rule("begins", by, self.begins_level)
        if by == "after" and self.after is None:
            message = "is missing; begins after needs it"
            raise refusal(message, allowed="the place of an earlier therapy of the plan", at="after")
        idle = {
            "from_months": self.from_months != 0.0 and by != "month",
            "begins_level": self.begins_level is not None and by not in rule_names(),
            "after": self.after is not None and by != "after",
            "wait_days": self.wait_days != 0.0 and by not in (*AFTER_DAYS, "after"),
        }
        for field in (name for name, wrong in idle.items() if wrong):
            raise refusal(f"has no meaning where it begins by {by}", allowed="leave it out", at=field)

    def _check_end(self) -> None:
        if self.therapy in ONCE and (self.to_months is not None or self.ends is not None):
            message = f"has no meaning for {self.therapy}, which is not stopped"
            at = "ends" if self.to_months is None else "to_months"
            raise refusal(message, allowed="leave it out", at=at)
        if self.to_months is not None and self.begins_by == "month" and self.to_months <= self.from_months:
            raise refusal("must come after from_months", allowed="a later month", at="to_months")
        if self.to_months == 0.0:
            raise refusal("must come after today", allowed="a later month", at="to_months")
        if self.ends is None:
            if self.ends_level is not None:
                raise refusal("has no meaning without ends", allowed="leave it out", at="ends_level")
            return
        refuse_unknown("ends", self.ends, rule_names())
        check_rule("ends", self.ends, self.ends_level)
        if self.to_months is not None:
            message = "says another end than ends"
            raise refusal(message, allowed="to_months or ends", at="to_months")

    def _check_doses(self) -> None:
        self.check_left_out()
        if len(set(self.missed_doses)) < len(self.missed_doses):
            raise refusal("names the same dose twice", allowed="every number once", at="missed_doses")
        if self.begins_by != NEEDED and "cobb_threshold_degrees" in self.settings:
            message = "contradicts begins: both say when to operate"
            raise refusal(message, allowed="leave one out", at="settings.cobb_threshold_degrees")
        check_settings(self.therapy, self.kind, self.settings, self.dose_data())

    def dose_data(self) -> dict[str, Any]:
        """Doses that are missed or late, under the engine's names."""
        numbered = {"missed_doses": list(self.missed_doses)} if self.missed_doses else {}
        return numbered | super().dose_data()


def check_pieces(course: GivenTherapy, at: str, start: float | None, end: float = OLDEST_MONTHS) -> None:
    """Refuse pauses and dose changes outside a course, or that overlap.

    Args:
        at: the place of the course in its plan or description, with a dot behind it.
        start: the month it begins in; None where a rule decides.
        end: the month it ends in.
    """
    ordered = sorted(course.pauses, key=lambda pause: pause.from_months)
    for name, months in (
        ("pauses", [pause.from_months for pause in course.pauses]),
        ("dose_changes", [change.from_months for change in course.dose_changes]),
    ):
        if months and start is None:
            message = "count from today, and a rule decides when this therapy begins"
            raise refusal(message, allowed="begins by month", at=f"{at}{name}")
        for number, month in enumerate(months):
            if start is not None and not start <= month < end:
                allowed = f"a month from {start:g} to below {end:g}"
                where = f"{at}{name}.{number}.from_months"
                raise refusal("lies outside the months of this therapy", allowed=allowed, at=where)
    for number, pause in enumerate(course.pauses):
        if pause.to_months <= pause.from_months:
            where = f"{at}pauses.{number}.to_months"
            raise refusal(
                "must come after from_months", allowed=f"a month above {pause.from_months:g}", at=where
            )
    for earlier, later in itertools.pairwise(ordered):
        if later.from_months < earlier.to_months:
            number = course.pauses.index(later)
            message = (
                f"lies in the pause of months {earlier.from_months:g} to {earlier.to_months:g}; "
                "pauses must not overlap"
            )
            allowed = f"at least {earlier.to_months:g}"
            raise refusal(message, allowed=allowed, at=f"{at}pauses.{number}.from_months")
    changes = [change.from_months for change in course.dose_changes]
    if len(set(changes)) < len(changes):
        raise refusal(
            "change the dose twice in a month", allowed="one change a month", at=f"{at}dose_changes"
        )
    cuts = {start, *changes, *(m for pause in ordered for m in (pause.from_months, pause.to_months))}
    if len(cuts) > MAXIMUM_SEGMENTS:
        message = f"cut this therapy into more than {MAXIMUM_SEGMENTS} spans, together with dose_changes"
        raise refusal(message, allowed=f"at most {MAXIMUM_SEGMENTS} spans", at=f"{at}pauses")
