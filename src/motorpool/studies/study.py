"""An executable study: who was in it, what each arm had, and what was measured, ready to be simulated.

The published figures and the instructions for simulating them stand in one file. The instructions use the vocabulary
of scenario files, so that a study is one scenario per population, and a user's own study needs nothing new.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, ValidationError

from motorpool.evidence.published import PublishedEndpoint, PublishedStudy, list_published, load_published
from motorpool.evidence.records import EvidenceError, EvidenceRecord
from motorpool.evidence.study_sets import StudySet, load_study_sets
from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.simulation.loading import scenario_from_data
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.yaml_reader import parse_yaml
from motorpool.studies.schedule import needed_months, schedule
from motorpool.studies.study_checks import (
    arm_problems,
    each_once,
    endpoint_path,
    endpoint_problems,
    problems_of,
)
from motorpool.studies.study_file import text_of, with_defaults
from motorpool.therapies.fields import MAXIMUM_AGE_YEARS, nearest_name

DEFAULT_PATIENTS = 128


class RunArm(EvidenceRecord):
    """How one arm is simulated: its own number of patients, its plan, and where its people differ."""

    patients: int = Field(gt=0)
    therapies: tuple[Mapping[str, Any], ...] = ()
    stop_background: tuple[str, ...] = ()
    cohort: Mapping[str, Any] = {}


class RunSection(EvidenceRecord):
    """The ``run`` section of a study file."""

    care: Literal["palliative", "standard", "proactive"] = "standard"
    blinding: Literal["blinded", "open_label"] = "blinded"
    cohort: Mapping[str, Any]
    arms: Mapping[str, RunArm] = Field(min_length=1)


@dataclasses.dataclass(frozen=True)
class Population:
    """Arms that enrol the same people: one scenario, and the baseline means and SDs it is weighed to."""

    scenario: Scenario
    arms: tuple[str, ...]
    targets: Mapping[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Study:
    """A published study with everything needed to simulate it."""

    published: PublishedStudy
    run: RunSection
    populations: tuple[Population, ...]
    endpoints: tuple[PublishedEndpoint, ...]

    @property
    def name(self) -> str:
        """The study's name."""
        return self.published.study

    def patients(self, endpoint: PublishedEndpoint, arm: str) -> int:
        """The number of patients behind an endpoint in one arm, as published."""
        if endpoint.n is not None and endpoint.comparator_arm is None:
            return endpoint.n
        return self.run.arms[arm].patients

    def set_of(self, endpoint: PublishedEndpoint) -> StudySet | None:
        """Whether the endpoint belongs to calibration, validation, or apart; ``None`` for a user's own study."""
        return load_study_sets().of(self.name, endpoint.id)


def with_seed(study: Study, seed: int) -> Study:
    """The same study with other people, who meet other luck."""
    populations = tuple(
        dataclasses.replace(population, scenario=population.scenario.model_copy(update={"seed": seed}))
        for population in study.populations
    )
    return dataclasses.replace(study, populations=populations)


def run_arm_of(endpoint: PublishedEndpoint) -> str:
    """The simulated arm that an endpoint is read from."""
    return endpoint.arm_run or endpoint.arm


def arms_of(endpoint: PublishedEndpoint) -> tuple[str, ...]:
    """The simulated arms that an endpoint needs."""
    own = run_arm_of(endpoint)
    return (own,) if endpoint.comparator_arm is None else (own, endpoint.comparator_arm)


def executable_studies() -> tuple[str, ...]:
    """Names of the shipped studies that can be simulated."""
    return tuple(name for name in list_published() if load_published(name).run is not None)


@functools.cache
def load_study(name: str) -> Study:
    """A shipped study by name.

    Raises:
        EvidenceError: unknown, not executable (with the reason), or badly written.
    """
    published = load_published(name)
    if published.run is None:
        raise EvidenceError(f"{name} cannot be simulated: {published.not_run or 'it has no run section'}")
    return study_from_published(published, f"published/{name}.yaml")


def read_study(path: Path) -> Study:
    """A study from a user's file; docs/reference/study-file.md describes every field.

    Fields that only the shipped studies need may be left out: ``arm_therapies`` is taken from the arms of ``run``,
    ``evidence_id`` and ``checked`` of an endpoint stand for the user's own figure.

    Raises:
        ScenarioError: with path, value and what is allowed for everything that is wrong.
    """
    source = str(path)
    data = parse_yaml(text_of(path, source), source)
    if not isinstance(data, Mapping):
        message = "the file has no sections; it must start like `study: NAME` (see docs/how-to/own-study.md)"
        raise ScenarioError.single("", message, source=source)
    data = with_defaults(cast("Mapping[str, Any]", data))
    try:
        published = PublishedStudy.model_validate(data)
    except ValidationError as error:
        whole = all(not detail["loc"] for detail in error.errors(include_url=False))
        problems = (arm_problems(data) if whole else []) or problems_of(error, PublishedStudy, data)
        raise ScenarioError(problems, source) from None
    if published.study in list_published():
        message = (
            "is the name of a study that comes with motorpool; choose another, so that nobody mistakes them"
        )
        raise ScenarioError.single("study", message, value=published.study, source=source)
    if published.run is None:
        message = "is missing: it says how the study is simulated"
        raise ScenarioError.single("run", message, source=source)
    return study_from_published(published, source)


def study_from_published(published: PublishedStudy, source: str) -> Study:
    """The executable form of a published study.

    Raises:
        ScenarioError: the run section is badly written; says where and what is allowed.
    """
    try:
        run = RunSection.model_validate(published.run)
    except ValidationError as error:
        raise ScenarioError(problems_of(error, RunSection, published.run, "run."), source) from None
    problems = endpoint_problems(published) + _unsimulated_arms(published, run) + _patients_misplaced(run)
    if problems:
        raise ScenarioError(problems, source)
    return Study(published, run, _populations(published, run, source), scored_endpoints(published))


def scored_endpoints(published: PublishedStudy) -> tuple[PublishedEndpoint, ...]:
    """The endpoints that are to be predicted."""
    return tuple(endpoint for endpoint in published.endpoints if endpoint.not_scored is None)


def _unsimulated_arms(published: PublishedStudy, run: RunSection) -> list[Problem]:
    found: list[Problem] = []
    for place, endpoint in enumerate(published.endpoints):
        if endpoint.not_scored is not None:
            continue
        own = "arm" if endpoint.arm_run is None else "arm_run"
        for key, arm in zip((own, "comparator_arm"), arms_of(endpoint), strict=False):
            if arm not in run.arms:
                message = (
                    f"is read from the arm {arm!r}, which run.arms does not simulate ({', '.join(run.arms)})"
                )
                path = f"{endpoint_path(place, endpoint.id)}.{key}"
                found.append(Problem(path, message, nearest=nearest_name(arm, run.arms)))
    return found


def _patients_misplaced(run: RunSection) -> list[Problem]:
    cohorts = [("run.cohort", run.cohort)]
    cohorts += [(f"run.arms.{name}.cohort", arm.cohort) for name, arm in run.arms.items()]
    message = "does not belong here; the number of patients is given for each arm, as run.arms.NAME.patients"
    return [Problem(f"{path}.patients", message) for path, cohort in cohorts if "patients" in cohort]


def _populations(published: PublishedStudy, run: RunSection, source: str) -> tuple[Population, ...]:
    endpoints = scored_endpoints(published)
    grouped: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name, arm in run.arms.items():
        if not any(name in arms_of(endpoint) for endpoint in endpoints):
            continue
        cohort = {**run.cohort, **arm.cohort}
        grouped.setdefault(repr(sorted(cohort.items())), (cohort, []))[1].append(name)
    found: list[Population] = []
    problems: list[Problem] = []
    for cohort, names in grouped.values():
        mine = [endpoint for endpoint in endpoints if set(arms_of(endpoint)) & set(names)]
        try:
            found.append(_population(published, run, cohort, tuple(names), mine))
        except ScenarioError as error:
            problems += [_in_the_file(problem, published, run, names, mine) for problem in error.problems]
    if problems:
        raise ScenarioError(each_once(problems), source)
    return tuple(found)


def _population(
    published: PublishedStudy,
    run: RunSection,
    cohort: Mapping[str, Any],
    names: tuple[str, ...],
    endpoints: Sequence[PublishedEndpoint],
) -> Population:
    data: dict[str, Any] = {
        "motorpool": 1,
        "name": "study",
        "title": published.title[:120] or "study",
        "cohort": {**cohort, "patients": DEFAULT_PATIENTS},
        "arms": {name: {"therapies": []} for name in names},
        "horizon_months": 1.0,
        "visits_months": [0.0],
        "care": run.care,
        "observation": {"blinding": run.blinding},
    }
    youngest = _youngest_months(scenario_from_data(data))
    data["arms"] = {
        name: {
            "therapies": [dict(course) for course in run.arms[name].therapies],
            "stop_background": list(run.arms[name].stop_background),
        }
        for name in names
    }
    data["horizon_months"], data["visits_months"] = schedule(endpoints, youngest)
    scenario = scenario_from_data(data)
    targets = {
        outcome: (criterion.mean, criterion.sd)
        for outcome, criterion in scenario.cohort.baseline.items()
        if criterion.mean is not None and criterion.sd is not None
    }
    return Population(scenario, names, targets)


def _youngest_months(scenario: Scenario) -> float:
    """Earliest age at enrolment, months; from birth on where it counts from onset or diagnosis."""
    enrolment = scenario.cohort.enrolment
    return enrolment.spread.lower if enrolment.kind == "age" else 0.0


def _in_the_file(
    problem: Problem,
    published: PublishedStudy,
    run: RunSection,
    names: Sequence[str],
    endpoints: Sequence[PublishedEndpoint],
) -> Problem:
    """A problem of the scenario that a population became, with the path it has in the study file."""
    head, _, rest = problem.path.partition(".")
    if head in ("horizon_months", "visits_months"):
        latest = max(endpoints, key=lambda endpoint: needed_months(endpoint, 0.0))
        place = published.endpoints.index(latest)
        message = (
            f"asks for {needed_months(latest, 0.0):.4g} months; age at enrolment and follow-up together must "
            f"stay within {MAXIMUM_AGE_YEARS} years"
        )
        return Problem(endpoint_path(place, latest.id), message)
    if head == "cohort":
        own = next((name for name in names if rest.split(".")[0] in run.arms[name].cohort), None)
        before = "run" if own is None else f"run.arms.{own}"
        return dataclasses.replace(problem, path=f"{before}.{problem.path}")
    return dataclasses.replace(problem, path=f"run.{problem.path}")
