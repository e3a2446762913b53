"""The design of a trial: who, which arms, what is measured, what is to be estimated, how it is conducted and analysed.

`TrialDesign` is the validated, frozen form of a design file; everything that can be refused without simulating is
refused here. docs/reference/trial-design-file.md describes every key.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from motorpool.simulation.cohort_section import Cohort
from motorpool.simulation.scenario import MAXIMUM_SEED
from motorpool.therapies.courses import CellTherapy
from motorpool.therapies.fields import InputModel, Name, ShortText, Text, Within
from motorpool.trials.design_more import (
    Accrual,
    Cost,
    DataCut,
    Decision,
    ExternalControl,
    Interim,
    PublishedResult,
)
from motorpool.trials.design_rules import (
    ArmDropping,
    Multiplicity,
    Reestimation,
    ResponseAdaptive,
    Safety,
)
from motorpool.trials.design_sections import (
    MOST_PATIENTS,
    Conduct,
    Endpoint,
    Estimand,
    Sites,
    Strata,
    TrialArm,
    Visits,
)

MOST_ARMS = 6


class TrialDesign(InputModel):
    """A validated design file."""

    motorpool_trial: Literal[1]
    name: Name
    title: ShortText
    question: Text = ""
    description: Text = ""
    population: Cohort
    care: Literal["palliative", "standard", "proactive"] = "standard"
    blinding: Literal["double_blind", "open_label"] = "double_blind"
    arms: dict[Name, TrialArm] = Field(min_length=1, max_length=MOST_ARMS)
    control: Name | None = None
    patients: Annotated[int, Within(4, MOST_PATIENTS, "patients")]
    strata: Strata = Strata()
    visits: Visits
    endpoints: tuple[Endpoint, ...] = Field(min_length=1, max_length=12)
    alpha: Annotated[float, Within(0, 0.5, above=True)] = 0.05
    estimand: Estimand = Estimand()
    conduct: Conduct = Conduct()
    sites: Sites = Sites()
    interims: Interim | None = None
    data_cut: DataCut | None = None
    reestimation: Reestimation | None = None
    safety: Safety | None = None
    arm_dropping: ArmDropping | None = None
    response_adaptive: ResponseAdaptive | None = None
    multiplicity: Multiplicity = Multiplicity()
    external_control: ExternalControl | None = None
    accrual: Accrual
    cost: Cost = Cost()
    decision: Decision | None = None
    target_power: Annotated[float, Within(0.5, 0.999)] = 0.8
    published: PublishedResult | None = None
    seed: Annotated[int, Within(0, MAXIMUM_SEED)] = 1

    @model_validator(mode="before")
    @classmethod
    def _population_has_no_size(cls, data: Any) -> Any:
        """The population is written without a number of patients, which belongs to the trial."""
        if not isinstance(data, dict):
            return cast("object", data)
        section = cast("dict[str, Any]", data)
        population = section.get("population")
        if not isinstance(population, dict) or "patients" in population:
            return section
        return {**section, "population": {**cast("dict[str, Any]", population), "patients": 1}}

    @model_validator(mode="after")
    def _consistent(self) -> TrialDesign:
        from motorpool.trials.design_checks import refuse_contradictions

        refuse_contradictions(self)
        return self

    @property
    def control_arm(self) -> str:
        """The arm that the others are compared with; `external` where only people outside the trial are."""
        return self.control or "external"

    @property
    def test_arms(self) -> tuple[str, ...]:
        """The arms that are compared with the control."""
        return tuple(name for name in self.arms if name != self.control)

    @property
    def most_patients(self) -> int:
        """How many people the trial may enrol, should its size be raised."""
        if self.reestimation is None:
            return self.patients
        return math.ceil(self.patients * self.reestimation.largest_factor - 1e-9)

    @property
    def visit_months(self) -> tuple[float, ...]:
        """Months since enrolment of all visits, rising, from 0."""
        return self.visits.planned()

    @property
    def horizon_months(self) -> float:
        """When the last visit is."""
        return self.visit_months[-1]

    def month_of(self, endpoint: Endpoint) -> float:
        """When an endpoint is read: its own month, or the last visit."""
        return self.horizon_months if endpoint.at_month is None else endpoint.at_month

    def label_of(self, arm: str) -> str:
        """The arm's label, or its name in words."""
        if arm == "external":
            return "external control"
        return self.arms[arm].label or arm.replace("_", " ")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The scores that the endpoints, and the rescue rule, are about."""
        named = [endpoint.outcome for endpoint in self.endpoints]
        if self.conduct.rescue is not None:
            named.append(self.conduct.rescue.outcome)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def cells_decide(self) -> bool:
        """Whether cell therapy is what a test arm has and the control has not."""
        control = () if self.control is None else self.arms[self.control].therapies
        return any(
            isinstance(course, CellTherapy) for arm in self.test_arms for course in self.arms[arm].therapies
        ) and not any(isinstance(course, CellTherapy) for course in control)

    @property
    def cost_of(self) -> float:
        """Cost of the trial at full size, in `cost.unit`."""
        visits = len(self.visit_months)
        return self.cost.fixed + self.patients * (self.cost.per_patient + visits * self.cost.per_visit)


def dump_design(design: TrialDesign) -> str:
    """The design as YAML text with all defaults filled in; loading it gives an equal design."""
    key = design.model_dump_json()
    if key not in _DUMPED:
        if len(_DUMPED) >= MOST_DUMPED:
            _DUMPED.clear()
        _DUMPED[key] = _dumped(design)
    return _DUMPED[key]


# Every block of replicates asks for its design's text, and writing YAML takes as long as analysing the block.
_DUMPED: dict[str, str] = {}
MOST_DUMPED = 256


def _dumped(design: TrialDesign) -> str:
    import yaml

    data = design.model_dump(mode="json", exclude_none=True)
    del data["population"]["patients"]
    data["population"]["smn2_copies"] = design.population.smn2_copies
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
