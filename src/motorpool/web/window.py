"""The treatment window: what is reached against the age at which one therapy begins, and what screening gains."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import model_validator

from motorpool.simulation.scenario import Scenario
from motorpool.therapies.fields import Flag, InputModel, Within, refusal
from motorpool.web.scenario_of import PEOPLE, SEED

START_AGES_MONTHS = (0, 1, 2, 3, 6, 9, 12, 18, 24)  # as in the shipped scenario `treatment_window`
DOUBT_DRAWS = 4
Therapy = Literal["nusinersen", "risdiplam", "onasemnogene"]


class Window(InputModel):
    """Which children, which therapy, and when it begins.

    `screened_days`: age at the first dose after newborn screening; `delay_months`: from the first signs to the
    diagnosis without screening; `treated_days`: from the diagnosis to the first dose.
    """

    copies: Annotated[int, Within(1, 8)] = 2
    therapy: Therapy = "onasemnogene"
    years: Annotated[float, Within(1, 10, "years")] = 4.0
    screened_days: Annotated[float, Within(0, 365, "days")] = 21.0
    delay_months: Annotated[float, Within(0, 60, "months")] = 2.0
    treated_days: Annotated[float, Within(0, 365, "days")] = 14.0
    survival: Flag = False

    @model_validator(mode="after")
    def _long_enough(self) -> Window:
        if 12 * self.years <= self.delay_months:
            message = "is not longer than the time to a diagnosis"
            raise refusal(message, allowed=f"more than {self.delay_months / 12:g}", at="years")
        return self


def window_scenarios(window: Window, doubt: bool) -> dict[str, Scenario]:
    """The simulations behind the two parts of the page."""
    return {"starts": start_scenario(window, doubt), "screening": screening_scenario(window, doubt)}


def start_scenario(window: Window, doubt: bool) -> Scenario:
    """The same children from birth, with the therapy begun ever later, or never."""
    ages = [age for age in START_AGES_MONTHS if age < 12 * window.years]
    arms: dict[str, Any] = {"untreated": {"label": "Never treated", "therapies": []}}
    for age in ages:
        label = "At birth" if age == 0 else f"At {age} month{'s' if age > 1 else ''}"
        course = {"therapy": window.therapy, "start": {"age_months": age}}
        arms[f"age_{age:02d}_months"] = {"label": label, "therapies": [course]}
    return _scenario(window, doubt, "treatment_window", arms, {})


def screening_scenario(window: Window, doubt: bool) -> Scenario:
    """The same children treated after screening, or after a diagnosis that follows the first signs."""
    from motorpool.therapies.fields import HOURS_PER_DAY, HOURS_PER_MONTH

    age = window.screened_days * HOURS_PER_DAY / HOURS_PER_MONTH
    after = {"therapy": window.therapy, "start": {"days_after_diagnosis": window.treated_days}}
    screened = {"therapy": window.therapy, "start": {"age_months": age}}
    arms = {
        "after_signs": {"label": "Treated after signs and a diagnosis", "therapies": [after]},
        "after_screening": {"label": "Treated after newborn screening", "therapies": [screened]},
    }
    diagnosis = {"diagnosis": {"by": "symptoms", "delay_months": window.delay_months}}
    return _scenario(window, doubt, "newborn_screening", arms, diagnosis)


def _scenario(window: Window, doubt: bool, name: str, arms: dict[str, Any], more: dict[str, Any]) -> Scenario:
    from motorpool.simulation.loading import scenario_from_data

    return scenario_from_data(
        {
            "motorpool": 1,
            "name": name,
            "title": name.replace("_", " ").capitalize(),
            "cohort": {
                "patients": PEOPLE,
                "smn2_copies": window.copies,
                "enrolment": {"age_months": 0},
                **more,
            },
            "arms": arms,
            "horizon_months": 12 * window.years,
            "visits_months": {"every": max(1.0, float(-(-12 * window.years // 16)))},
            "outcomes": ["chop_intend", "hfmse", "rulm", "hine2", "mfm32"],
            "uncertainty": {"knowledge_draws": DOUBT_DRAWS if doubt else 0},
            "seed": SEED,
        },
        "the treatment window",
    )
