"""One course of one therapy, as a user writes it: eleven kinds, told apart by the key `therapy`.

A setting left at None means "the value of the label or of the published protocol"; the therapy's own module
takes it from the dosing facts. Limits only say what the file format accepts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from motorpool.therapies.base_course import BaseCourse
from motorpool.therapies.fields import Flag, InputModel, Within, refusal

IntervalWeeks = Annotated[float, Within(0, 520, "weeks", above=True)]

# Fields that make no sense for some therapies.
_DISCRETE = ("missed_doses", "late_days_mean")
_DOSE = ("dose_changes", "missed_probability", *_DISCRETE)


class Nusinersen(BaseCourse):
    """Intrathecal antisense oligonucleotide; loading doses, then maintenance until the course ends."""

    therapy: Literal["nusinersen"]
    regimen: Literal["standard", "high_dose"] = "standard"


class Risdiplam(BaseCourse):
    """Daily oral splicing modifier, dosed by age and weight as on the label."""

    refuses = _DISCRETE
    because = "risdiplam is taken every day; use pauses or missed_probability"
    therapy: Literal["risdiplam"]
    regimen: Literal["label"] = "label"


class Onasemnogene(BaseCourse):
    """Gene therapy, given once."""

    refuses = ("stop", "pauses", *_DOSE)
    because = "onasemnogene is given once and cannot be taken back"
    one_off = True
    therapy: Literal["onasemnogene"]
    route: Literal["intravenous", "intrathecal"] = "intravenous"


class MyostatinInhibition(BaseCourse):
    """Muscle-directed antibody, an infusion every few weeks."""

    therapy: Literal["myostatin_inhibition"]
    dose_mg_per_kg: Annotated[float, Within(0, 1000, "mg per kg", above=True)] | None = None
    interval_weeks: IntervalWeeks | None = None


class TransmissionSupport(BaseCourse):
    """Daily drug that helps signals to cross from nerve to muscle; a fraction of the full dose."""

    refuses = _DISCRETE
    because = "transmission support is taken every day; use pauses or missed_probability"
    therapy: Literal["transmission_support"]
    dose_fraction: Annotated[float, Within(0, 1, above=True)] = 1.0


class CellMechanisms(InputModel):
    """Which of the five mechanisms of a cell product act; the total effect is split over those that do."""

    neuroprotection: Flag = True
    transmission: Flag = True
    inflammation: Flag = True
    muscle: Flag = True
    recovery: Flag = True

    @property
    def any_on(self) -> bool:
        """Whether at least one mechanism acts."""
        return any((self.neuroprotection, self.transmission, self.inflammation, self.muscle, self.recovery))


def _check_effect(value: Any) -> Any:
    allowed = "prior, none, or a number from -3 to 3 (standardised mean difference over 12 months)"
    if isinstance(value, str) and value in ("prior", "none"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -3 <= value <= 3:
        raise refusal(f"must be {allowed}", allowed=allowed)
    return float(value)


CellEffect = Annotated[
    Literal["prior", "none"] | float,
    BeforeValidator(_check_effect),
    WithJsonSchema({"anyOf": [{"enum": ["prior", "none"]}, {"type": "number", "minimum": -3, "maximum": 3}]}),
]


class CellTherapy(BaseCourse):
    """Injected cells: their effect is a distribution (`prior`), none, or a stated standardised difference."""

    one_off = True
    therapy: Literal["cell_therapy"]
    cell_type: Literal["mesenchymal", "neural"] = "mesenchymal"
    route: Literal["intrathecal", "intravenous"] = "intrathecal"
    million_cells_per_kg: Annotated[float, Within(0, 1000, "million cells per kg", above=True)] | None = None
    doses: Annotated[int, Within(1, 60)] | None = None
    interval_weeks: IntervalWeeks | None = None
    viability: Annotated[float, Within(0, 1)] | None = None
    immunosuppression: Flag = False
    mechanisms: CellMechanisms = CellMechanisms()
    effect: CellEffect = "prior"
    adverse_events: Flag = True

    @model_validator(mode="after")
    def _protocol(self) -> CellTherapy:
        if not self.mechanisms.any_on and self.effect not in ("none", 0.0):
            message = "are all switched off, yet effect is not none"
            raise refusal(message, allowed="at least one mechanism, or effect: none", at="mechanisms")
        if self.doses == 1 and self.interval_weeks is not None:
            message = "has no meaning for a single dose"
            raise refusal(message, allowed="leave it out, or doses above 1", at="interval_weeks")
        if self.doses is not None and any(number > self.doses for number in self.missed_doses):
            message = f"names a dose beyond the last one, dose {self.doses}"
            raise refusal(message, allowed=f"numbers from 1 to {self.doses}", at="missed_doses")
        return self


class Rehabilitation(BaseCourse):
    """Physiotherapy and exercise, in supervised sessions per week."""

    refuses = _DISCRETE
    because = "rehabilitation runs all week; use pauses, dose_changes or missed_probability"
    therapy: Literal["rehabilitation"]
    sessions_per_week: Annotated[float, Within(0, 21, "sessions per week", above=True)] | None = None


class BreathingSupport(BaseCourse):
    """Non-invasive ventilation when it is needed, and help with coughing."""

    refuses = _DOSE
    because = "breathing support is given as needed; use pauses"
    therapy: Literal["breathing_support"]
    niv: Flag = True
    cough_assist: Flag = True

    @model_validator(mode="after")
    def _something_on(self) -> BreathingSupport:
        if not (self.niv or self.cough_assist):
            message = "is off, and so is cough_assist"
            raise refusal(message, allowed="at least one of niv, cough_assist", at="niv")
        return self


class NutritionSupport(BaseCourse):
    """A dietitian's care, and tube feeding when swallowing fails."""

    refuses = _DOSE
    because = "nutrition support is given as needed; use pauses"
    therapy: Literal["nutrition_support"]
    dietitian: Flag = True
    tube_feeding: Flag = True

    @model_validator(mode="after")
    def _something_on(self) -> NutritionSupport:
        if not (self.dietitian or self.tube_feeding):
            message = "is off, and so is tube_feeding"
            raise refusal(message, allowed="at least one of dietitian, tube_feeding", at="dietitian")
        return self


class Brace(BaseCourse):
    """A spinal brace, in hours worn per day."""

    refuses = _DISCRETE
    because = "a brace is worn every day; use pauses, dose_changes or missed_probability"
    therapy: Literal["brace"]
    hours_per_day: Annotated[float, Within(0, 24, "hours per day", above=True)] | None = None


class SpineSurgery(BaseCourse):
    """Spinal fusion, once: by default when the Cobb angle reaches the threshold after the minimum age."""

    refuses = ("stop", "pauses", *_DOSE)
    because = "spine surgery is done once and cannot be taken back"
    one_off = True
    therapy: Literal["spine_surgery"]
    cobb_threshold_degrees: Annotated[float, Within(0, 180, "degrees", above=True)] | None = None
    minimum_age_years: Annotated[float, Within(0, 100, "years")] | None = None

    @model_validator(mode="after")
    def _one_trigger(self) -> SpineSurgery:
        if self.start is not None and self.cobb_threshold_degrees is not None:
            message = "contradicts start: both say when to operate"
            raise refusal(message, allowed="start or cobb_threshold_degrees", at="cobb_threshold_degrees")
        return self


Course = Annotated[
    Nusinersen
    | Risdiplam
    | Onasemnogene
    | MyostatinInhibition
    | TransmissionSupport
    | CellTherapy
    | Rehabilitation
    | BreathingSupport
    | NutritionSupport
    | Brace
    | SpineSurgery,
    Field(discriminator="therapy"),
]

THERAPIES = (
    "nusinersen",
    "risdiplam",
    "onasemnogene",
    "myostatin_inhibition",
    "transmission_support",
    "cell_therapy",
    "rehabilitation",
    "breathing_support",
    "nutrition_support",
    "brace",
    "spine_surgery",
)
