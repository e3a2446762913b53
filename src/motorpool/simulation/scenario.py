"""A scenario: who is simulated, under which plans, for how long, what is measured, how sure we are.

`Scenario` is the validated, frozen form of a scenario file; `load_scenario` (in loading.py, re-exported here)
reads one. Everything that can be refused without simulating is refused here.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from motorpool.simulation.cohort_section import Cohort
from motorpool.simulation.consistency import refuse_contradictions
from motorpool.simulation.loading import load_scenario as load_scenario
from motorpool.simulation.vocabulary import OUTCOMES, OutcomeId
from motorpool.therapies.courses import Course
from motorpool.therapies.fields import (
    MAXIMUM_AGE_MONTHS,
    Flag,
    InputModel,
    Name,
    ShortText,
    Text,
    Within,
    nearest_name,
    refusal,
)
from motorpool.therapies.start_rules import StopRule

MAXIMUM_ARMS = 30
MAXIMUM_SEED = 2**31 - 1

VisitMonth = Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")]


class Arm(InputModel):
    """One plan: a label, the courses that begin at or after enrolment, and background courses it ends.

    `stop_background_months` after enrolment the background courses named by `stop_background` end; at enrolment where
    it is left out.
    """

    label: ShortText | None = None
    therapies: tuple[Course, ...]
    stop_background: tuple[Name, ...] = ()
    stop_background_months: VisitMonth | None = None
    comparator: Name | None = None

    @model_validator(mode="after")
    def _something_stops(self) -> Arm:
        if self.stop_background_months is not None and not self.stop_background:
            message = "has no meaning without stop_background"
            raise refusal(message, allowed="leave it out, or name what stops", at="stop_background_months")
        return self


class RegularVisits(InputModel):
    """A visit every so many months, from enrolment to the horizon."""

    every: Annotated[float, Within(0.1, MAXIMUM_AGE_MONTHS, "months")]


class Observation(InputModel):
    """How scores are taken: blinded, or open label with the inflation that comes with it."""

    blinding: Literal["blinded", "open_label"] = "blinded"


class Uncertainty(InputModel):
    """The three layers, each on or off: between people, what we do not know (draws), and chance."""

    between_people: Flag = True
    knowledge_draws: Annotated[int, Within(0, 1000, "draws")] = 0
    chance: Flag = True


def _check_outcomes(value: Any) -> Any:
    allowed = "all, or a list of " + ", ".join(OUTCOMES)
    if value == "all":
        return value
    if not isinstance(value, list | tuple) or not value:
        raise refusal(f"must be {allowed}", allowed=allowed)
    names = cast("list[object]", value)
    for name in names:
        if name not in OUTCOMES:
            nearest = nearest_name(str(name)[:60], OUTCOMES)
            hint = f" Did you mean {nearest}?" if nearest else ""
            raise refusal(
                f"has the unknown outcome {str(name)[:60]}; must be {allowed}.{hint}", allowed=allowed
            )
    if len(set(map(str, names))) < len(names):
        raise refusal("names an outcome twice", allowed="each outcome once")
    return tuple(names)


def _check_visits(value: Any) -> Any:
    if isinstance(value, list | tuple):
        months = cast("list[object]", value)
        numbers = [
            month for month in months if isinstance(month, int | float) and not isinstance(month, bool)
        ]
        rising = all(later > earlier for earlier, later in itertools.pairwise(numbers))
        if not numbers or len(numbers) < len(months) or not rising:
            allowed = "{every: months}, or a list of months in rising order"
            raise refusal(f"must be {allowed}", allowed=allowed)
        return tuple(numbers)
    return value


def _visit_kind(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else "regular"


OutcomeChoice = Annotated[
    Literal["all"] | tuple[OutcomeId, ...],
    BeforeValidator(_check_outcomes),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "array", "items": {"enum": list(OUTCOMES)}}]}),
]


VisitPlan = Annotated[
    Annotated[RegularVisits, Tag("regular")] | Annotated[tuple[VisitMonth, ...], Tag("list")],
    Discriminator(_visit_kind),
    BeforeValidator(_check_visits),
]


class Scenario(InputModel):
    """A validated scenario file; see docs/reference/scenario-file.md for every key."""

    motorpool: Literal[1]
    name: Name
    title: ShortText
    question: Text = ""
    description: Text = ""
    cohort: Cohort
    arms: dict[Name, Arm] = Field(min_length=1, max_length=MAXIMUM_ARMS)
    comparator: Name
    horizon_months: Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months", above=True)]
    visits_months: VisitPlan
    outcomes: OutcomeChoice = "all"
    care: Literal["palliative", "standard", "proactive"] = "standard"
    observation: Observation = Observation()
    uncertainty: Uncertainty = Uncertainty()
    published: tuple[ShortText, ...] = ()
    seed: Annotated[int, Within(0, MAXIMUM_SEED)] = 1

    @model_validator(mode="before")
    @classmethod
    def _first_arm_is_comparator(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "comparator" in data:
            return cast("object", data)
        section = cast("dict[str, Any]", data)
        arms = section.get("arms")
        names = list(cast("dict[str, Any]", arms)) if isinstance(arms, dict) else []
        return {**section, "comparator": names[0] if names else "first_arm"}

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        refuse_contradictions(self)
        return self

    @property
    def draws(self) -> int:
        """Number of knowledge draws that are simulated: at least one (the central parameter values)."""
        return max(1, self.uncertainty.knowledge_draws)

    @property
    def outcome_ids(self) -> tuple[str, ...]:
        """The outcomes that are reported."""
        return OUTCOMES if self.outcomes == "all" else cast("tuple[str, ...]", self.outcomes)

    def visit_months(self) -> tuple[float, ...]:
        """Months since enrolment of all visits, rising, always with 0 (the baseline)."""
        if isinstance(self.visits_months, RegularVisits):
            count = int(self.horizon_months / self.visits_months.every + 1e-9)
            return tuple(round(index * self.visits_months.every, 9) for index in range(count + 1))
        return tuple(sorted({0.0, *self.visits_months}))

    @property
    def people_visits(self) -> int:
        """The size of a run: patients x draws x arms x visits."""
        return self.cohort.patients * self.draws * len(self.arms) * len(self.visit_months())

    def label_of(self, arm: str) -> str:
        """The arm's label, or its name in words."""
        return self.arms[arm].label or arm.replace("_", " ")

    def comparator_of(self, arm: str) -> str:
        """The arm that this one is compared with: its own comparator, or the scenario's."""
        return self.arms[arm].comparator or self.comparator

    def courses_of(self, arm: str) -> tuple[Course, ...]:
        """All courses of an arm: the background (ended where the arm says so), then its own."""
        ended = self.arms[arm].stop_background
        end = StopRule(months_after_enrolment=self.arms[arm].stop_background_months or 0.0)
        background = tuple(
            course.model_copy(update={"stop": end}) if course.name in ended else course
            for course in self.cohort.background
        )
        return background + self.arms[arm].therapies


def dump_scenario(scenario: Scenario) -> str:
    """The scenario as YAML text with all defaults filled in; loading it gives an equal scenario."""
    import yaml

    data = scenario.model_dump(mode="json", exclude_none=True)
    data["cohort"]["smn2_copies"] = scenario.cohort.smn2_copies
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
