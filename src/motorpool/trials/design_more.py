"""The sections of a design file about time, money and what follows: interims, external controls, accrual, decision."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from motorpool.therapies.fields import (
    InputModel,
    Name,
    Probability,
    ShortText,
    Within,
    refusal,
)

Share = Probability


class Interim(InputModel):
    """Looks at the data before the end: when, and which rules stop the trial."""

    information: tuple[Annotated[float, Within(0, 1, above=True)], ...] = Field(min_length=1, max_length=9)
    efficacy: Literal["obrien_fleming", "pocock", "none"] = "obrien_fleming"
    futility_conditional_power: Share | None = None

    @model_validator(mode="after")
    def _rising(self) -> Interim:
        looks = list(self.information)
        if looks != sorted(set(looks)) or looks[-1] >= 1.0:
            message = "must rise and stay below 1; the last look, at 1, is always there"
            raise refusal(message, allowed="rising shares below 1", at="information")
        if self.efficacy == "none" and self.futility_conditional_power is None:
            message = "is none, and there is no futility rule: these looks would do nothing"
            raise refusal(message, allowed="a boundary, or futility_conditional_power", at="efficacy")
        return self


class DataCut(InputModel):
    """When the trial ends although people are still followed: exactly one of events and months.

    events: of the first endpoint, in all arms together. months: since the first centre opened.
    """

    events: Annotated[int, Within(2, 20_000, "events")] | None = None
    months: Annotated[float, Within(0, 1200, "months", above=True)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> DataCut:
        if (self.events is None) == (self.months is None):
            allowed = "either events or months"
            raise refusal(f"must have {allowed}", allowed=allowed)
        return self


class ExternalControl(InputModel):
    """Controls from outside the trial: how many, how they differ, and how they are used.

    cohort: what differs from the population of the trial, in the words of a scenario's cohort. drift_points: how much
    better the external people's course is for other reasons than the therapy. weight: of the vague part of a robust_map
    prior, or the power of a power_prior. between_trials_sd: scale of the differences between trials' control means.
    """

    patients: Annotated[int, Within(2, 20_000, "patients")]
    cohort: dict[str, Any] = Field(default_factory=dict)
    care: Literal["palliative", "standard", "proactive"] | None = None
    drift_points: Annotated[float, Within(-1000, 1000)] = 0.0
    method: Literal["pooled", "robust_map", "power_prior"] = "pooled"
    weight: Share = 0.5
    between_trials_sd: Annotated[float, Within(0, 1000, above=True)] | None = None

    @model_validator(mode="after")
    def _prior_complete(self) -> ExternalControl:
        if (self.method == "robust_map") != (self.between_trials_sd is not None):
            needed = self.method == "robust_map"
            message = "is missing; robust_map needs it" if needed else "has a meaning only for robust_map"
            raise refusal(message, allowed="how far trials differ, for robust_map", at="between_trials_sd")
        return self


class Competing(InputModel):
    """Another trial that looks for the same people."""

    name: ShortText
    patients_per_year: Annotated[float, Within(0, 100_000)]


class Accrual(InputModel):
    """How people are found. Either a plain rate, or incidence: births, who is eligible, who is reached and agrees."""

    patients_per_month: Annotated[float, Within(0, 10_000, above=True)] | None = None
    region: Name | None = None
    births_per_year: Annotated[float, Within(0, 200_000_000, "births", above=True)] | None = None
    reached_share: Share | None = None
    consent_share: Share | None = None
    patients_per_site_month: Annotated[float, Within(0, 1000, above=True)] | None = None
    site_start_months: Annotated[float, Within(0, 120, "months")] = 0.0
    competing: tuple[Competing, ...] = ()
    feasible_years: Annotated[float, Within(0, 50, "years", above=True)] = 3.0

    @model_validator(mode="after")
    def _one_kind(self) -> Accrual:
        counted = self.region is not None or self.births_per_year is not None
        if self.region is not None and self.births_per_year is not None:
            raise refusal(
                "contradicts region: both say how many are born", allowed="one of them", at="births_per_year"
            )
        if counted == (self.patients_per_month is not None):
            allowed = "either patients_per_month, or region or births_per_year"
            raise refusal(f"must have {allowed}", allowed=allowed)
        if not counted:
            for key in ("reached_share", "consent_share", "patients_per_site_month"):
                if getattr(self, key) is not None:
                    raise refusal("has no meaning beside patients_per_month", allowed="leave it out", at=key)
            if self.competing:
                message = "has no meaning beside patients_per_month, which already counts it"
                raise refusal(message, allowed="leave it out", at="competing")
        return self


class Cost(InputModel):
    """What things cost, in any one unit of the reader's choice; designs are compared at equal cost."""

    per_patient: Annotated[float, Within(0, 1e12)] = 1.0
    per_visit: Annotated[float, Within(0, 1e12)] = 0.0
    fixed: Annotated[float, Within(0, 1e12)] = 0.0
    unit: ShortText = "patients"


class Decision(InputModel):
    """What hangs on the answer: the least effect that is worth having, in the first endpoint's unit, and for whom."""

    worthwhile: Annotated[float, Within(-1000, 1000)]
    unit: ShortText = ""
    people_per_year: Annotated[float, Within(0, 1e9)] | None = None
    years: Annotated[float, Within(0, 100, "years", above=True)] = 10.0


class PublishedResult(InputModel):
    """The published figure that this design's first endpoint found, by study and endpoint of the library."""

    study: ShortText
    endpoint: ShortText
