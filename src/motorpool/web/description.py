"""What a reader describes: a child, up to four plans, and how to show them; it lives in the address of the page.

A `Description` comes from the fields of a form (the query of the address) or from JSON, and turns into a scenario
that `motorpool simulate` runs to the same numbers. Nothing in it identifies anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from motorpool.simulation.vocabulary import MilestoneId
from motorpool.therapies.courses import THERAPIES
from motorpool.therapies.fields import Flag, InputModel, Within, nearest_name, refusal

MOST_PLANS = 4
MOST_COURSES = 6
OLDEST_MONTHS = 600
SCALES = ("chop_intend", "hfmse", "rulm", "hine2", "mfm32", "fvc_percent")

# Kinds of one therapy that a reader tells apart, and the settings each stands for.
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "nusinersen": {"standard": {}, "high_dose": {"regimen": "high_dose"}},
    "onasemnogene": {"intravenous": {}, "intrathecal": {"route": "intrathecal"}},
    "cell_therapy": {
        "mesenchymal": {"cell_type": "mesenchymal"},
        "neural": {"cell_type": "neural"},
    },
    "breathing_support": {"as_needed": {}, "cough_assist_only": {"niv": False}},
}
ONCE = ("onasemnogene", "cell_therapy", "spine_surgery")
TRUE = ("1", "on", "true", "yes")


def _therapy(value: Any) -> Any:
    allowed = ", ".join(THERAPIES)
    if value not in THERAPIES:
        nearest = nearest_name(str(value)[:60], THERAPIES)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise refusal(f"must be one of {allowed}.{hint}", allowed=allowed)
    return value


TherapyName = Annotated[str, BeforeValidator(_therapy), Field(json_schema_extra={"enum": list(THERAPIES)})]
Months = Annotated[float, Within(0, OLDEST_MONTHS, "months")]


class PlannedCourse(InputModel):
    """One therapy of a plan, in months from today; without an end it goes on, or is given once."""

    therapy: TherapyName
    from_months: Months = 0.0
    to_months: Months | None = None
    kind: str | None = Field(default=None, max_length=40)

    @model_validator(mode="after")
    def _possible(self) -> PlannedCourse:
        kinds = KINDS.get(self.therapy, {})
        if self.kind is not None and self.kind not in kinds:
            allowed = ", ".join(kinds) or "nothing"
            raise refusal(f"must be one of {allowed} for {self.therapy}", allowed=allowed, at="kind")
        if self.to_months is not None and self.therapy in ONCE:
            message = f"has no meaning for {self.therapy}, which is not stopped"
            raise refusal(message, allowed="leave it out", at="to_months")
        if self.to_months is not None and self.to_months <= self.from_months:
            raise refusal("must come after from_months", allowed="a later month", at="to_months")
        return self


class DescribedPlan(InputModel):
    """A plan: a name, and its courses."""

    name: str = Field(default="", max_length=60)
    stops_present: Flag = False  # what the child has now ends today
    courses: tuple[PlannedCourse, ...] = Field(default=(), max_length=MOST_COURSES)


class Present(InputModel):
    """A therapy that the child has now, and for how many months."""

    therapy: TherapyName
    since_months: Months = 0.0


Copies = Annotated[int, Within(1, 8)]
Score = Annotated[float, Within(0, 200)]


class Description(InputModel):
    """A child, the plans, and how to look at them.

    Ages are in months since birth; `weeks_early` is how long before 40 weeks a child was born. `onset_months` is the
    age at the first signs, absent where there are none yet. `scores` are what was last measured. `leave_out` names
    layers of uncertainty that the figure of the layers does not show.
    """

    copies: Copies = 2
    age_months: Months = 6.0
    onset_months: Months | None = None
    no_signs_yet: Flag = False
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
    leave_out: tuple[Literal["people", "knowledge", "discrepancy"], ...] = ()
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
        return self

    @property
    def corrected_age_months(self) -> float:
        """Age counted from the day the child was due; development follows it. Never below birth."""
        from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH

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
            else:
                number, _, field = rest.partition(".")
                courses: dict[str, Any] = plan.setdefault("courses", {})
                names = {"what": "therapy", "from": "from_months", "to": "to_months", "how": "kind"}
                courses.setdefault(number, {})[names.get(field, field)] = number_of(value)
        elif head == "score":
            data.setdefault("scores", {})[rest] = number_of(value)
        elif head in ("able_to", "not_able_to", "leave_out"):
            data[head] = (*data.get(head, ()), value)
        elif head == "present":
            data.setdefault("present", {})[rest or "therapy"] = number_of(value)
        elif head in ("no_signs_yet", "survival"):
            data[head] = value in TRUE
        else:
            data[key] = number_of(value)
    if "present" in data and "therapy" not in data["present"]:
        del data["present"]
    if plans:
        data["plans"] = tuple(
            {
                **plan,
                "courses": tuple(
                    row for _, row in sorted(plan.get("courses", {}).items()) if "therapy" in row
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
    for name in ("onset_months", "weeks_early", "sex", "care", "years", "voice"):
        value = getattr(description, name)
        if value is not None and value != getattr(plain, name):
            pairs.append((name, f"{value:g}" if isinstance(value, float) else str(value)))
    pairs += [(name, "1") for name in ("no_signs_yet", "survival") if getattr(description, name)]
    pairs += [(f"score.{name}", f"{value:g}") for name, value in description.scores.items()]
    pairs += [("able_to", name) for name in description.able_to]
    pairs += [("not_able_to", name) for name in description.not_able_to]
    pairs += [("leave_out", name) for name in description.leave_out]
    if description.present is not None:
        pairs += [("present.therapy", description.present.therapy)]
        pairs += [("present.since_months", f"{description.present.since_months:g}")]
    for place, plan in enumerate(description.plans, 1):
        pairs.append((f"p{place}", plan.name))
        pairs += [(f"p{place}.stop_present", "1")] if plan.stops_present else []
        for row, course in enumerate(plan.courses, 1):
            pairs.append((f"p{place}.{row}.what", course.therapy))
            pairs.append((f"p{place}.{row}.from", f"{course.from_months:g}"))
            if course.to_months is not None:
                pairs.append((f"p{place}.{row}.to", f"{course.to_months:g}"))
            if course.kind is not None:
                pairs.append((f"p{place}.{row}.how", course.kind))
    return pairs


def number_of(text: str) -> Any:
    """A number where the text of a field is one, else the text, which validation then refuses or takes."""
    if len(text) < 20:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    return text
