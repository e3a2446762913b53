"""From a description to the scenario that is simulated: the file that `motorpool simulate` runs to the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.scenario import Scenario
from motorpool.web.course_options import KINDS
from motorpool.web.course_scenario import PRESENT, arm_data, in_page_fields
from motorpool.web.course_words import LONGEST_LABEL, course_label, shortened, shorter_label
from motorpool.web.description import DescribedPlan, Description, Present

PEOPLE = 200  # as in the shipped scenarios
DOUBT_DRAWS = 8  # sets of parameters in the full result; the first answer has one
SEED = 1
ONSET_TOLERANCE = (
    0.25  # of the age at the first signs, and never less than a month: parents remember weeks, not days
)
SHORTEST_ONSET_TOLERANCE_MONTHS = 1.0
OUTCOMES = (
    "chop_intend", "hfmse", "rulm", "hine2", "mfm32", "six_minute_walk_m", "endurance_percent", "fvc_percent",
    "ventilation_hours_per_day", "swallowing_percent", "weight_z", "cobb_degrees", "utility",
)  # fmt: skip
MOST_VISITS = 24
LIKE_AGE = 2.0  # a published study is drawn when its age at enrolment is within this factor
LIKE_AGE_MONTHS = 3.0  # or within so many months


def scenario_of(description: Description, draws: int) -> Scenario:
    """The scenario of a description, with this many knowledge draws.

    Raises:
        ScenarioError: a plan or the child cannot be simulated; says what, and in which field of the page.
    """
    from motorpool.simulation.loading import scenario_from_data

    try:
        return scenario_from_data(scenario_data(description, draws), "your description")
    except ScenarioError as error:
        raise in_page_fields(error, description) from error


def scenario_data(description: Description, draws: int) -> dict[str, Any]:
    """The same as plain data."""
    arms = arm_names(description)
    horizon = 12.0 * description.years
    return {
        "motorpool": 1,
        "name": "described_child",
        "title": "The plans side by side",
        "question": "What may each plan bring to a child like this?",
        "cohort": _cohort(description),
        "arms": {
            arm: {"label": label, **arm_data(plan, description)}
            for arm, label, plan in zip(arms, plan_labels(description), description.plans, strict=True)
        },
        "comparator": arms[0],
        "horizon_months": horizon,
        "visits_months": {"every": max(1.0, float(-(-horizon // MOST_VISITS)))},
        "outcomes": list(OUTCOMES),
        "care": description.care,
        "uncertainty": {"between_people": True, "knowledge_draws": draws, "chance": True},
        "published": list(studies_like(description)),
        "seed": SEED,
    }


def arm_names(description: Description) -> list[str]:
    """`plan_1` and on, in the order of the page."""
    return [f"plan_{place}" for place in range(1, len(description.plans) + 1)]


def plan_label(plan: DescribedPlan, place: int, others: tuple[str, ...], present: Present | None) -> str:
    """The plan's own name, or what it gives; a name used before gets its number."""
    now = "the present therapy" if present is None else present.therapy.replace("_", " ")
    label = plan.name.strip() or ", ".join(_course_labels(plan, now)) or "No drug"
    if not plan.name.strip() and len(label) > LONGEST_LABEL:
        going_on = [now] if present is not None and plan.stops_present and plan.present_to_months else []
        short = shorter_label([*going_on, *(course.therapy for course in plan.courses)])
        # Where there is one therapy, or another plan is called so, the details say more.
        several = ", " in short and short[:1].upper() + short[1:] not in others
        label = short if several else label
    label = shortened(label[:1].upper() + label[1:])
    return f"{label} ({place})" if label in others else label


def _course_labels(plan: DescribedPlan, now: str) -> list[str]:
    found: list[str] = []
    if plan.stops_present and plan.present_to_months:
        found.append(f"{now} until month {plan.present_to_months:g}")
    for course in plan.courses:
        earlier = plan.courses[course.after - 1].therapy.replace("_", " ") if course.after else ""
        found.append(course_label(course, earlier or now))
    return found


def plan_labels(description: Description) -> list[str]:
    """Different names for all plans."""
    labels: list[str] = []
    for place, plan in enumerate(description.plans, 1):
        labels.append(plan_label(plan, place, tuple(labels), description.present))
    return labels


def studies_like(description: Description) -> tuple[str, ...]:
    """Published studies of children of a like age and number of copies who were given what one of the plans gives."""
    given = {frozenset(_acting(plan, description)) for plan in description.plans}
    return tuple(
        study
        for study, age, copies, plans in _studies()
        if description.copies in copies
        and (
            max(age, description.age_months) <= LIKE_AGE * min(age, description.age_months)
            or abs(age - description.age_months) <= LIKE_AGE_MONTHS
        )
        and any(plan in given for plan in plans)
    )


def _acting(plan: DescribedPlan, description: Description) -> set[str]:
    from motorpool.figures.published_points import SUPPORTIVE

    given = {course.therapy for course in plan.courses}
    if description.present is not None and (not plan.stops_present or plan.present_to_months):
        given.add(description.present.therapy)
    return given - set(SUPPORTIVE)


@lru_cache(maxsize=1)
def _studies() -> tuple[tuple[str, float, frozenset[int], tuple[frozenset[str], ...]], ...]:
    """Name, age at enrolment, numbers of copies and therapies of the arms of every study that says them."""
    from motorpool.evidence.published import list_published, load_published

    found: list[tuple[str, float, frozenset[int], tuple[frozenset[str], ...]]] = []
    for name in list_published():
        study = load_published(name)
        copies: Any = ((study.run or {}).get("cohort") or {}).get("smn2_copies")
        numbers = [copies] if isinstance(copies, int) else list(copies or [])
        age = study.enrolment_age_months or _age_run(study.run or {})
        plans = tuple(frozenset(map(str, given or ())) for given in study.arm_therapies.values())
        if age is not None and numbers and any(plans):
            found.append((name, float(age), frozenset(map(int, numbers)), plans))
    return tuple(found)


def _age_run(run: Mapping[str, Any]) -> float | None:
    """The age at enrolment with which a study is simulated, the middle of it, in months."""
    arms = (run.get("arms") or {}).values()
    for cohort in (run.get("cohort"), *(arm.get("cohort") for arm in arms)):
        age: Any = ((cohort or {}).get("enrolment") or {}).get("age_months")
        if isinstance(age, int | float):
            return float(age)
        if age and "median" in age:
            return float(age["median"])
    return None


def _cohort(description: Description) -> dict[str, Any]:
    cohort: dict[str, Any] = {
        "patients": PEOPLE,
        "smn2_copies": description.copies,
        "sex": description.sex,
        "enrolment": {"age_months": description.corrected_age_months},
        "able_to": list(description.able_to),
        "not_able_to": list(description.not_able_to),
        "baseline": {
            scale: {"mean": score, "sd": measurement_sd(scale)} for scale, score in description.scores.items()
        },
    }
    if description.onset_months is not None:
        cohort["onset_age_months"] = onset_span(description.onset_months, description.age_months)
        cohort["disease_duration_months"] = {"min": 0}
    elif description.no_signs_yet:
        cohort["onset_age_months"] = {"min": description.corrected_age_months}
    if description.present is not None:
        present = description.present
        since = min(present.since_months, description.corrected_age_months)
        left_out = present.dose_data() | present.piece_data(-since)
        kind = KINDS.get(present.therapy, {}).get(present.kind or "", {})
        cohort["background"] = [
            {
                "therapy": present.therapy, **kind, **left_out, "label": PRESENT,
                "start": {"age_months": description.corrected_age_months - since},
            }
        ]  # fmt: skip
    if description.waits_for_diagnosis:
        delay = description.diagnosis_delay_months or 0.0
        cohort["diagnosis"] = {"by": "symptoms", "delay_months": delay}
    return cohort


def onset_span(onset_months: float, age_months: float) -> dict[str, float]:
    """Between which ages the first signs of the people shown came."""
    around = max(SHORTEST_ONSET_TOLERANCE_MONTHS, ONSET_TOLERANCE * onset_months)
    return {"min": max(0.0, onset_months - around), "max": min(age_months, onset_months + around)}


@lru_cache(maxsize=1)
def _noise() -> dict[str, float]:
    from motorpool.outcomes.panel import OUTCOMES as PANEL
    from motorpool.simulation.model import parameter_draw

    sd = parameter_draw(None, SEED).observation.noise_sd
    return {name: float(sd[place]) for place, name in enumerate(PANEL)}


def measurement_sd(scale: str) -> float:
    """How far two measurements of the same child on the same day differ by chance, SD; never below half a point."""
    return max(0.5, _noise()[scale])
