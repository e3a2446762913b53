"""What a reader describes: a child, up to four plans, and how to show them; it lives in the address of the page.

A `Description` comes from the fields of a form (the query of the address) or from JSON, and turns into a scenario
that `motorpool simulate` runs to the same numbers. Nothing in it identifies anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.simulation.vocabulary import MilestoneId
from motorpool.therapies.fields import Flag, InputModel, Within, refusal
from motorpool.web.course_address import course_data, course_pairs, left_out_pairs, put_field
from motorpool.web.course_options import ONCE
from motorpool.web.form_values import TRUE, number_of
from motorpool.web.planned_course import (
    MOST_COURSES,
    OLDEST_MONTHS,
    GivenTherapy,
    Months,
    PlannedCourse,
    check_pieces,
)

MOST_PLANS = 4
SCALES = ("chop_intend", "hfmse", "rulm", "hine2", "mfm32", "fvc_percent")
BANDS = (50, 80, 95)


class DescribedPlan(InputModel):
    """A plan: a name, and its courses; `stops_present` ends what the child has now in month `present_to_months`."""

    name: str = Field(default="", max_length=60)
    stops_present: Flag = False
    present_to_months: Months = 0.0
    courses: tuple[PlannedCourse, ...] = Field(default=(), max_length=MOST_COURSES)

    @model_validator(mode="after")
    def _possible(self) -> DescribedPlan:
        if self.present_to_months and not self.stops_present:
            message = "has no meaning where the present therapy goes on"
            raise refusal(message, allowed="leave it out, or stops_present", at="present_to_months")
        for place, course in enumerate(self.courses):
            if course.after is not None:
                self._check_order(place, course.after)
            end = OLDEST_MONTHS if course.to_months is None else course.to_months
            check_pieces(course, f"courses.{place}.", self.start_month(place), end)
        return self

    def _check_order(self, place: int, after: int) -> None:
        at = f"courses.{place}.after"
        if after == 0:
            if not self.stops_present:
                message = "waits for the end of the present therapy, which goes on"
                raise refusal(message, allowed="another therapy, or stops_present", at=at)
            return
        earlier = [
            number
            for number, one in enumerate(self.courses[:place], 1)
            if one.to_months is not None or one.ends is not None or one.therapy in ONCE
        ]
        if after not in earlier:
            allowed = ", ".join(map(str, earlier)) or "none of this plan"
            message = f"must be the place of an earlier therapy that ends: {allowed}"
            raise refusal(message, allowed=allowed, at=at)

    def start_month(self, place: int) -> float | None:
        """The month in which a course begins, from today; None where a rule decides."""
        course = self.courses[place]
        if course.begins_by == "month":
            return course.from_months
        if course.begins_by != "after" or course.after is None:
            return None
        end = self.present_to_months if course.after == 0 else self.courses[course.after - 1].to_months
        return None if end is None else end + course.wait_days * HOURS_PER_DAY / HOURS_PER_MONTH


class Present(GivenTherapy):
    """A therapy that the child has now, of which kind, and for how many months.

    Its pauses and changes of the dose hold in every plan, until the plan ends it.
    """

    since_months: Months = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Present:
        self.check_kind()
        self.check_left_out()
        check_pieces(self, "", 0.0)
        return self


Copies = Annotated[int, Within(1, 8)]
Score = Annotated[float, Within(0, 200)]


class Description(InputModel):
    """A child, the plans, and how to look at them.

    Ages are in months since birth; `weeks_early` is how long before 40 weeks a child was born. `onset_months` is the
    age at the first signs, absent where there are none yet; from them to a diagnosis it takes `diagnosis_delay_months`,
    which matters only where a therapy begins by it. `scores` are what was last measured. `leave_out` names
    layers of uncertainty, and `hide_bands` ranges between people in percent, that the figures do not show.
    """

    copies: Copies = 2
    age_months: Months = 6.0
    onset_months: Months | None = None
    no_signs_yet: Flag = False
    diagnosis_delay_months: Annotated[float, Within(0, 60, "months")] | None = None
    weeks_early: Annotated[float, Within(0, 17, "weeks")] = 0.0
    sex: Literal["any", "female", "male"] = "any"
    care: Literal["palliative", "standard", "proactive"] = "standard"
    scores: dict[Literal["chop_intend", "hfmse", "rulm", "hine2", "mfm32", "fvc_percent"], Score] = Field(
        default_factory=dict
    )
    able_to: tuple[MilestoneId, ...] = ()
    not_able_to: tuple[MilestoneId, ...] = ()
    present: Present | None = None
    plans: tuple[DescribedPlan, ...] = Field(
        default=(
            DescribedPlan(name="No drug"),
            DescribedPlan(courses=(PlannedCourse(therapy="nusinersen"),)),
        ),
        min_length=1,
        max_length=MOST_PLANS,
    )
    years: Annotated[float, Within(0.5, 20, "years")] = 2.0
    voice: Literal["plain", "expert"] = "plain"
    leave_out: tuple[Literal["people", "knowledge", "chance", "measurement", "discrepancy"], ...] = ()
    hide_bands: tuple[Literal[50, 80, 95], ...] = ()
    survival: Flag = False

    @model_validator(mode="after")
    def _consistent(self) -> Description:
        if self.no_signs_yet and self.onset_months is not None:
            message = "contradicts no_signs_yet"
            raise refusal(message, allowed="an age at the first signs, or no_signs_yet", at="onset_months")
        if self.onset_months is not None and self.onset_months > self.age_months:
            message = f"lies after today's age of {self.age_months:g} months"
            raise refusal(message, allowed=f"at most {self.age_months:g}", at="onset_months")
        if self.present is not None and self.present.since_months > self.age_months:
            message = f"is longer than the child's life of {self.age_months:g} months"
            raise refusal(message, allowed=f"at most {self.age_months:g}", at="present.since_months")
        if self.diagnosis_delay_months is not None and not self.waits_for_diagnosis:
            message = "has no meaning where no therapy begins by diagnosis"
            raise refusal(message, allowed="leave it out", at="diagnosis_delay_months")
        for number, plan in enumerate(self.plans):
            if plan.stops_present and self.present is not None and self.present.therapy in ONCE:
                message = f"has no meaning for {self.present.therapy}, which is not stopped"
                raise refusal(message, allowed="leave it out", at=f"plans.{number}.stops_present")
            waits = next((place for place, one in enumerate(plan.courses) if one.after == 0), None)
            if waits is not None and self.present is None:
                message = "waits for the end of the present therapy, and there is none"
                at = f"plans.{number}.courses.{waits}.after"
                raise refusal(message, allowed="the place of a therapy of the plan", at=at)
        return self

    @property
    def waits_for_diagnosis(self) -> bool:
        """Whether a therapy of a plan begins by the diagnosis."""
        return any(course.begins_by == "diagnosis" for plan in self.plans for course in plan.courses)

    @property
    def corrected_age_months(self) -> float:
        """Age counted from the day the child was due; development follows it. Never below birth."""
        return max(0.0, self.age_months - self.weeks_early * 7 * HOURS_PER_DAY / HOURS_PER_MONTH)


def fields_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Plain data for a `Description` from the fields of the form: `copies=2&p1.1.what=nusinersen&p1.1.from=0`.

    Empty fields count as absent. Unknown fields stay in, so that validation refuses them by name.
    """
    data: dict[str, Any] = {}
    plans: dict[int, dict[str, Any]] = {}
    for key, text in pairs:
        value = text.strip()
        if not value:
            if len(key) == 2 and key[0] == "p" and key[1].isdigit():
                plans.setdefault(int(key[1]), {})
            continue
        head, _, rest = key.partition(".")
        if len(head) == 2 and head[0] == "p" and head[1].isdigit():
            plan = plans.setdefault(int(head[1]), {})
            if rest in ("", "name"):
                plan["name"] = value
            elif rest == "stop_present":
                plan["stops_present"] = value in TRUE
            elif rest == "stop_month":
                plan["present_to_months"] = number_of(value)
            else:
                number, _, field = rest.partition(".")
                courses: dict[str, Any] = plan.setdefault("courses", {})
                put_field(courses.setdefault(number, {}), field, value)
        elif head == "score":
            data.setdefault("scores", {})[rest] = number_of(value)
        elif head in ("able_to", "not_able_to", "leave_out"):
            data[head] = (*data.get(head, ()), value)
        elif head == "hide_bands":
            data[head] = (*data.get(head, ()), number_of(value))
        elif head == "present":
            put_field(data.setdefault("present", {}), rest or "therapy", value)
        elif head in ("no_signs_yet", "survival"):
            data[head] = value in TRUE
        else:
            data[key] = number_of(value)
    if "present" in data and "therapy" not in data["present"]:
        del data["present"]
    elif "present" in data:
        data["present"] = course_data(data["present"])
    if plans:
        data["plans"] = tuple(
            {
                **plan,
                "courses": tuple(
                    course_data(row) for _, row in sorted(plan.get("courses", {}).items()) if "therapy" in row
                ),
            }
            for _, plan in sorted(plans.items())
        )
    return data


def pairs_of(description: Description) -> list[tuple[str, str]]:
    """The fields of the form, for the address; what is at its default is left out."""
    pairs: list[tuple[str, str]] = [
        ("copies", str(description.copies)),
        ("age_months", f"{description.age_months:g}"),
    ]
    plain = Description()
    for name in ("onset_months", "diagnosis_delay_months", "weeks_early", "sex", "care", "years", "voice"):
        value = getattr(description, name)
        if value is not None and value != getattr(plain, name):
            pairs.append((name, f"{value:g}" if isinstance(value, float) else str(value)))
    pairs += [(name, "1") for name in ("no_signs_yet", "survival") if getattr(description, name)]
    pairs += [(f"score.{name}", f"{value:g}") for name, value in description.scores.items()]
    pairs += [("able_to", name) for name in description.able_to]
    pairs += [("not_able_to", name) for name in description.not_able_to]
    pairs += [("leave_out", name) for name in description.leave_out]
    pairs += [("hide_bands", str(band)) for band in description.hide_bands]
    if description.present is not None:
        pairs += [("present.therapy", description.present.therapy)]
        pairs += [("present.since_months", f"{description.present.since_months:g}")]
        pairs += [("present.how", description.present.kind)] if description.present.kind else []
        pairs += [(f"present.{part}", text) for part, text in left_out_pairs(description.present)]
    for place, plan in enumerate(description.plans, 1):
        pairs.append((f"p{place}", plan.name))
        pairs += [(f"p{place}.stop_present", "1")] if plan.stops_present else []
        if plan.stops_present and plan.present_to_months:
            pairs.append((f"p{place}.stop_month", f"{plan.present_to_months:g}"))
        for row, course in enumerate(plan.courses, 1):
            pairs += [(f"p{place}.{row}.{part}", text) for part, text in course_pairs(course)]
    return pairs
