"""Which people and plans each published figure is about: therapies, SMN2 copies, and ages.

Read from the studies' own instructions for simulating them, so that the applicability map is derived and not typed in.
Under treatment the age is that at the start of the study; without treatment it is the age at which the figure was
measured.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.study_sets import StudySet
from motorpool.simulation.scenario import Scenario
from motorpool.studies.study import Population, Study, executable_studies, load_study, run_arm_of
from motorpool.therapies.courses import Course

NO_THERAPY = "no SMN therapy"
MONTHS_PER_DAY = HOURS_PER_DAY / HOURS_PER_MONTH
PLACES = 200  # numerical choice: quantiles at which an age distribution is looked at
_AGE_METRICS = ("median_age_months",)


@dataclasses.dataclass(frozen=True)
class Covered:
    """One scored figure: its set, its therapies in words, shares of people by copies and by age band.

    ``ages`` is empty where the study counts from an onset or diagnosis whose age nothing says.
    """

    study: str
    endpoint: str
    set: StudySet | None
    therapy: str
    copies: Mapping[int, float]
    ages: Mapping[str, float]


def course_words(course: Course) -> str:
    """A course as a row of the map: the therapy, with its route or regimen where that is not the usual one."""
    name = course.therapy.replace("_", " ")
    special = [getattr(course, field, None) for field in ("route", "regimen")]
    usual = (None, "intravenous", "standard", "label")
    if course.therapy == "cell_therapy":
        return name
    extra = [str(value).replace("_", " ") for value in special if value not in usual]
    return f"{name} ({', '.join(extra)})" if extra else name


def therapy_words(courses: Iterable[Course]) -> str:
    """The therapies of an arm together, each once, in alphabetical order."""
    return " + ".join(sorted({course_words(course) for course in courses})) or NO_THERAPY


def covered_figures(bands: Mapping[str, tuple[float, float]]) -> list[Covered]:
    """Every scored figure of people with SMA in every study that can be simulated."""
    found: list[Covered] = []
    for name in executable_studies():
        study = load_study(name)
        for endpoint in study.endpoints:
            population = _population_of(study, endpoint)
            if population is not None and population.scenario.cohort.smn1_copies == 0:
                found.append(_covered(study, endpoint, population, bands))
    return found


def _population_of(study: Study, endpoint: PublishedEndpoint) -> Population | None:
    arm = run_arm_of(endpoint)
    return next((population for population in study.populations if arm in population.arms), None)


def _covered(
    study: Study,
    endpoint: PublishedEndpoint,
    population: Population,
    bands: Mapping[str, tuple[float, float]],
) -> Covered:
    scenario, arm = population.scenario, run_arm_of(endpoint)
    courses = scenario.courses_of(arm)
    if endpoint.time_months == 0:  # a baseline is not yet under the arm's own plan
        courses = scenario.cohort.background
    therapy = therapy_words(courses)
    ages = _enrolment_months(scenario, study)
    if therapy == NO_THERAPY and ages is not None:
        ages = _measured_months(endpoint, ages)
    return Covered(
        study=study.name,
        endpoint=endpoint.id,
        set=study.set_of(endpoint),
        therapy=therapy,
        copies=dict(scenario.cohort.smn2_shares),
        ages={} if ages is None else _shares(ages, bands),
    )


def _enrolment_months(scenario: Scenario, study: Study) -> np.ndarray | None:
    """Ages at enrolment (N,) in months, evenly over people; ``None`` where nothing says them."""
    enrolment = scenario.cohort.enrolment
    quantiles = (np.arange(PLACES) + 0.5) / PLACES
    spread = enrolment.spread.quantile(quantiles)
    if enrolment.kind == "age":
        return spread
    onset = scenario.cohort.onset_age_months
    if enrolment.kind == "onset" and (onset is not None or spread.min() > 0):
        low = 0.0 if onset is None or onset.min is None else onset.min
        high = low if onset is None or onset.max is None else onset.max
        return spread * MONTHS_PER_DAY + low + (high - low) * quantiles
    typical = study.published.enrolment_age_months
    return None if typical is None else np.full(PLACES, typical)


def _measured_months(endpoint: PublishedEndpoint, enrolment: np.ndarray) -> np.ndarray:
    """Ages at which a figure of untreated people was measured (N,)."""
    if endpoint.age_band_months is not None:
        low, high = endpoint.age_band_months
        return np.linspace(low, high, PLACES)
    if endpoint.age_months is not None:
        return np.full(PLACES, endpoint.age_months)
    if endpoint.metric in _AGE_METRICS or endpoint.outcome == "onset_age_months":
        return np.full(PLACES, endpoint.value)
    if endpoint.time_months is not None:
        return enrolment + endpoint.time_months
    return enrolment


def _shares(ages: np.ndarray, bands: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {
        name: float(np.mean((ages >= low) & (ages < high)))
        for name, (low, high) in bands.items()
        if np.any((ages >= low) & (ages < high))
    }
