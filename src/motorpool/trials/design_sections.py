"""The sections of a design file: arms, endpoints, estimand, conduct, sites, accrual and decision."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from motorpool.simulation.readout import EVENTS
from motorpool.simulation.scenario import VisitMonth
from motorpool.simulation.vocabulary import MilestoneId, OutcomeId
from motorpool.therapies.courses import Course
from motorpool.therapies.fields import (
    MAXIMUM_AGE_MONTHS,
    InputModel,
    Name,
    Probability,
    ShortText,
    Text,
    Within,
    exactly_one,
    nearest_name,
    refusal,
)
from motorpool.trials.analyses.covariance import Covariance
from motorpool.trials.analyses.multiple_imputation import Assumption

MOST_PATIENTS = 20_000
Months = Annotated[float, Within(0, MAXIMUM_AGE_MONTHS, "months")]
Share = Probability
Points = Annotated[float, Within(0, 1000)]

Measure = Literal["change", "response", "time_to_event", "joint_rank", "win_ratio", "ordinal"]
Method = Literal[
    "ancova", "mmrm", "cochran_mantel_haenszel", "logistic", "logrank", "cox", "restricted_mean",
    "competing_risks", "joint_rank", "win_ratio", "proportional_odds", "multiple_imputation", "gray",
]  # fmt: skip
METHODS: dict[str, tuple[str, ...]] = {
    "change": ("ancova", "mmrm", "multiple_imputation"),
    "response": ("cochran_mantel_haenszel", "logistic"),
    "time_to_event": ("logrank", "cox", "restricted_mean", "competing_risks", "gray"),
    "joint_rank": ("joint_rank",),
    "win_ratio": ("win_ratio",),
    "ordinal": ("proportional_odds",),
}
"""Which analyses answer for which measure; the first one is used where the file names none."""


def _event(value: Any) -> Any:
    if value not in EVENTS:
        nearest = nearest_name(str(value)[:60], EVENTS)
        hint = f". Did you mean {nearest}?" if nearest else ""
        allowed = "one of " + ", ".join(EVENTS)
        raise refusal(f"must be {allowed}{hint}", allowed=allowed)
    return value


EventId = Annotated[str, BeforeValidator(_event), WithJsonSchema({"enum": list(EVENTS)})]


class TrialArm(InputModel):
    """One arm: its plan, which background it ends, its share in the allocation and what stands in for treatment."""

    label: ShortText | None = None
    therapies: tuple[Course, ...] = ()
    stop_background: tuple[Name, ...] = ()
    ratio: Annotated[int, Within(1, 20)] = 1
    stand_in: Literal["none", "sham_procedure", "placebo"] = "none"


class RegularTrialVisits(InputModel):
    """A visit every so many months up to the end of follow-up."""

    every: Annotated[float, Within(0.25, MAXIMUM_AGE_MONTHS, "months")]
    until: Annotated[float, Within(0.25, MAXIMUM_AGE_MONTHS, "months")]


class Visits(InputModel):
    """When people are seen: months since enrolment, and how far a visit may lie from its day."""

    months: tuple[VisitMonth, ...] | None = None
    regular: RegularTrialVisits | None = None
    window_days: Annotated[float, Within(0, 90, "days")] = 0.0

    @model_validator(mode="after")
    def _one_kind(self) -> Visits:
        exactly_one(self, ("months", "regular"))
        if self.months is not None and (not self.months or sorted(set(self.months)) != list(self.months)):
            raise refusal("must rise from visit to visit", allowed="months in rising order", at="months")
        return self

    def planned(self) -> tuple[float, ...]:
        """Months of all visits, rising, always with 0 (the baseline)."""
        if self.regular is not None:
            count = int(self.regular.until / self.regular.every + 1e-9)
            return tuple(round(index * self.regular.every, 9) for index in range(count + 1))
        return tuple(sorted({0.0, *(self.months or ())}))


class Imputation(InputModel):
    """How missing visits are imputed; what follows a treated person's last visit is assumed, `delta` points are added.

    delta is added to what is imputed after the last visit of the treated; a harm where it points to the worse.
    """

    assumption: Assumption = "missing_at_random"
    delta: Annotated[float, Within(-1000, 1000)] = 0.0
    imputations: Annotated[int, Within(2, 200)] = 20


class Endpoint(InputModel):
    """One endpoint: what is measured, when, and how the arms are compared. Their order is the order of testing.

    test: that of the analysis, or `rerandomisation`, by allocations drawn again; estimate and interval stay.
    """

    name: Name
    outcome: OutcomeId | None = None
    milestone: MilestoneId | None = None
    event: EventId | None = None
    measure: Measure
    at_month: Months | None = None
    change_at_least: Annotated[float, Within(-1000, 1000)] | None = None
    analysis: Method | None = None
    adjust_for_baseline: bool = True
    levels: tuple[Annotated[float, Within(-1000, 1000)], ...] = ()
    covariance: Covariance | None = None
    imputation: Imputation | None = None
    test: Literal["analysis", "rerandomisation"] = "analysis"

    @property
    def method(self) -> str:
        """The analysis: the one the file names, or the usual one of the measure."""
        return self.analysis or METHODS[self.measure][0]

    @model_validator(mode="after")
    def _complete(self) -> Endpoint:
        needs: dict[str, tuple[str, ...]] = {
            "change": ("outcome",),
            "response": ("outcome",) if self.milestone is None else ("milestone",),
            "time_to_event": ("event",),
            "joint_rank": ("outcome", "event"),
            "win_ratio": ("outcome", "event"),
            "ordinal": ("outcome",),
        }
        wanted = needs[self.measure]
        for key in ("outcome", "milestone", "event"):
            given = getattr(self, key) is not None
            if given and key not in wanted:
                raise refusal(
                    f"has no meaning for a {self.measure}", allowed=f"only {', '.join(wanted)}", at=key
                )
            if not given and key in wanted:
                raise refusal(f"is missing; a {self.measure} needs it", allowed=key, at=key)
        if self.analysis is not None and self.analysis not in METHODS[self.measure]:
            allowed = "one of " + ", ".join(METHODS[self.measure])
            raise refusal(f"does not fit a {self.measure}; must be {allowed}", allowed=allowed, at="analysis")
        response = self.measure == "response" and self.milestone is None
        if response != (self.change_at_least is not None):
            message = (
                "is missing; a response of a score needs it"
                if response
                else "is only for a response of a score"
            )
            raise refusal(message, allowed="a change, for a response of a score", at="change_at_least")
        if (self.measure == "ordinal") != bool(self.levels):
            message = "are missing; an ordinal endpoint needs the changes that part its categories"
            raise refusal(
                message if not self.levels else "are only for an ordinal endpoint",
                allowed="changes",
                at="levels",
            )
        if list(self.levels) != sorted(set(self.levels)):
            raise refusal("must rise", allowed="changes in rising order", at="levels")
        for key, method in (("covariance", "mmrm"), ("imputation", "multiple_imputation")):
            if getattr(self, key) is not None and self.method != method:
                raise refusal(
                    f"has a meaning only for {method}", allowed=f"leave it out, or analysis: {method}", at=key
                )
        return self


Strategy = Literal["treatment_policy", "composite", "while_before", "hypothetical"]


class IntercurrentEvents(InputModel):
    """Which strategy of ICH E9(R1) answers each intercurrent event.

    composite: the event is the worst outcome. treatment_policy: what is measured counts, whatever happened.
    while_before: the last value before the event counts. hypothetical: as if the event had not happened.
    """

    death: Literal["composite", "while_before"] = "composite"
    permanent_ventilation: Literal["treatment_policy", "composite", "while_before"] = "treatment_policy"
    discontinuation: Strategy = "treatment_policy"
    rescue: Strategy = "treatment_policy"


class Estimand(InputModel):
    """What is to be estimated, in the five attributes of ICH E9(R1); variable and summary are the endpoint's."""

    population: ShortText = "all randomised people"
    intercurrent_events: IntercurrentEvents = IntercurrentEvents()
    note: Text = ""


class Rescue(InputModel):
    """Therapies begun when a score has fallen too far at a visit, whatever the arm."""

    outcome: OutcomeId
    fall_at_least: Annotated[float, Within(0, 1000, above=True)]
    share: Share = 1.0
    therapies: tuple[Course, ...] = Field(min_length=1)


class Missing(InputModel):
    """Visits that are missed and people who leave, and what decides it.

    mcar: nothing. mar: how much the last score taken lies below the baseline. mnar: how much the true score of that
    day lies below it, which nobody sees. log_odds_per_point: by how much the log-odds rise for each point lost.
    """

    mechanism: Literal["mcar", "mar", "mnar"] = "mcar"
    log_odds_per_point: Annotated[float, Within(0, 5)] = 0.0
    leave_per_year: Share = 0.0
    visits_missed: Share = 0.0

    @model_validator(mode="after")
    def _acts(self) -> Missing:
        if (self.mechanism == "mcar") != (self.log_odds_per_point == 0.0):
            message = (
                "must be 0 under mcar"
                if self.mechanism == "mcar"
                else f"must be above 0 under {self.mechanism}"
            )
            raise refusal(message, allowed="0 under mcar, above 0 otherwise", at="log_odds_per_point")
        return self


class Conduct(InputModel):
    """What happens between the protocol and the data: missing data, stopping, rescue, those who guess their arm.

    drift_points_per_year: by how much the course improves for other reasons in people who enter a year later; the
    type I error is also given under such a drift.
    """

    missing: Missing = Missing()
    discontinue_per_year: Share = 0.0
    rescue: Rescue | None = None
    unblinded_share: Share = 0.0
    drift_points_per_year: Annotated[float, Within(-100, 100)] = 0.0


class Sites(InputModel):
    """Centres and raters. rater_share: how much of the variance of one measurement belongs to the rater.

    level_sd and course_sd_per_year: how far centres differ in the first endpoint's score, and in its yearly change.
    """

    count: Annotated[int, Within(1, 500)] = 1
    raters_per_site: Annotated[int, Within(1, 50)] = 1
    rater_share: Annotated[float, Within(0, 0.99)] = 0.0
    level_sd: Points = 0.0
    course_sd_per_year: Points = 0.0


class Strata(InputModel):
    """Randomisation in blocks within strata, cut at these values."""

    age_months: tuple[Months, ...] = ()
    smn2_copies: tuple[Annotated[int, Within(1, 8)], ...] = ()
    baseline: tuple[Annotated[float, Within(-1000, 1000)], ...] = ()
    in_analysis: bool = True

    @property
    def any(self) -> bool:
        """Whether there is more than one stratum."""
        return bool(self.age_months or self.smn2_copies or self.baseline)
