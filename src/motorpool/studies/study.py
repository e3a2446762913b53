"""An executable study: who was in it, what each arm had, and what was measured, ready to be simulated.

The published figures and the instructions for simulating them stand in one file. The instructions use the vocabulary
of scenario files, so that a study is one scenario per population, and a user's own study needs nothing new.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from motorpool.evidence.published import (
    COHORT_OUTCOMES,
    PublishedEndpoint,
    PublishedStudy,
    check_outcomes,
    list_published,
    load_published,
)
from motorpool.evidence.records import EvidenceError, EvidenceRecord
from motorpool.evidence.study_sets import StudySet, load_study_sets
from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.simulation.loading import MAXIMUM_BYTES, scenario_from_data
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.yaml_reader import parse_yaml
from motorpool.therapies.fields import nearest_name

CHANGE_MONTHS = 12.0  # a slope without a time is the change over a year
LEAST_HORIZON_MONTHS = 0.25
REGULAR_VISIT_MONTHS = (
    1.5  # for figures given by age, which each person reaches at another time since enrolment
)
LONG_STUDY_MONTHS = 48.0
PEOPLE_METRICS = ("mean", "median", "sd", "proportion")
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
    """A study from a user's file.

    Raises:
        ScenarioError: with path, value and what is allowed for everything that is wrong.
    """
    source = str(path)
    try:
        text = path.read_bytes()[: MAXIMUM_BYTES + 1].decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError.single("", f"the file cannot be read: {error.strerror}", source=source) from None
    except UnicodeDecodeError:
        raise ScenarioError.single("", "the file is not YAML: it is not UTF-8 text", source=source) from None
    data = parse_yaml(text, source)
    if not isinstance(data, Mapping):
        message = "the file has no sections; it must start like `study: NAME` (see docs/how-to/own-study.md)"
        raise ScenarioError.single("", message, source=source)
    try:
        published = PublishedStudy.model_validate(data)
        check_outcomes(published, source)
    except ValidationError as error:
        raise ScenarioError(_problems(error, PublishedStudy), source) from None
    except EvidenceError as error:
        raise ScenarioError.single(
            "endpoints", str(error).removeprefix(f"{source}: "), source=source
        ) from None
    if published.run is None:
        message = "is missing: it says how the study is simulated"
        raise ScenarioError.single("run", message, source=source)
    return study_from_published(published, source)


def _problems(error: ValidationError, kind: type[PublishedStudy], before: str = "") -> list[Problem]:
    """Pydantic's errors as problems with the path in the file."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        path = ".".join(str(step) for step in detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        nearest = None
        if detail["type"] == "extra_forbidden":
            known = _known_keys(kind, detail["loc"])
            nearest = nearest_name(str(detail["loc"][-1]), known)
            message = f"unknown key; allowed here are {', '.join(known)}"
            found.append(Problem(before + path, message, nearest=nearest))
            continue
        found.append(Problem(before + path, message, detail.get("input"), nearest))
    return found


def _known_keys(kind: Any, steps: tuple[int | str, ...]) -> list[str]:
    if len(steps) > 1 and steps[0] == "endpoints":
        kind = PublishedEndpoint
    elif len(steps) > 1 and steps[0] == "arms":
        kind = RunArm
    return list(kind.model_fields)


def study_from_published(published: PublishedStudy, source: str) -> Study:
    """The executable form of a published study.

    Raises:
        ScenarioError: the run section is badly written; says where and what is allowed.
    """
    try:
        run = RunSection.model_validate(published.run)
    except ValidationError as error:
        raise ScenarioError(_problems(error, RunSection, "run."), source) from None  # type: ignore[arg-type]
    scored = tuple(endpoint for endpoint in published.endpoints if endpoint.not_scored is None)
    problems: list[Problem] = []
    for place, endpoint in enumerate(published.endpoints):
        if endpoint.not_scored is not None:
            continue
        for arm in arms_of(endpoint):
            if arm not in run.arms:
                message = (
                    f"is read from the arm {arm!r}, which run.arms does not simulate ({', '.join(run.arms)})"
                )
                problems.append(
                    Problem(
                        f"endpoints.{place} ({endpoint.id})", message, nearest=nearest_name(arm, run.arms)
                    )
                )
    if problems:
        raise ScenarioError(problems, source)
    populations = tuple(_populations(published, run, scored, source))
    return Study(published, run, populations, scored)


def _populations(
    published: PublishedStudy, run: RunSection, endpoints: tuple[PublishedEndpoint, ...], source: str
) -> list[Population]:
    grouped: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name, arm in run.arms.items():
        if not any(name in arms_of(endpoint) for endpoint in endpoints):
            continue
        cohort = {**run.cohort, **arm.cohort}
        grouped.setdefault(repr(sorted(cohort.items())), (cohort, []))[1].append(name)
    return [
        _population(published, run, cohort, tuple(names), endpoints, source)
        for cohort, names in grouped.values()
    ]


def _population(
    published: PublishedStudy,
    run: RunSection,
    cohort: dict[str, Any],
    names: tuple[str, ...],
    endpoints: tuple[PublishedEndpoint, ...],
    source: str,
) -> Population:
    mine = [endpoint for endpoint in endpoints if set(arms_of(endpoint)) & set(names)]
    data = {
        "motorpool": 1,
        "name": "study",
        "title": published.title[:120],
        "cohort": {**cohort, "patients": DEFAULT_PATIENTS},
        "arms": {
            name: {
                "therapies": [dict(course) for course in run.arms[name].therapies],
                "stop_background": list(run.arms[name].stop_background),
            }
            for name in names
        },
        "horizon_months": 1.0,
        "visits_months": [0.0],
        "care": run.care,
        "observation": {"blinding": run.blinding},
    }
    try:
        youngest = _enrolment_months(scenario_from_data(data, source))
        data["horizon_months"], data["visits_months"] = _schedule(mine, youngest)
        scenario = scenario_from_data(data, source)
    except ScenarioError as error:
        renamed = [dataclasses.replace(problem, path=f"run.{problem.path}") for problem in error.problems]
        raise ScenarioError(renamed, source) from None
    targets = {
        outcome: (criterion.mean, criterion.sd)
        for outcome, criterion in scenario.cohort.baseline.items()
        if criterion.mean is not None and criterion.sd is not None
    }
    return Population(scenario, names, targets)


def _enrolment_months(scenario: Scenario) -> tuple[float, float]:
    """Earliest and latest age at enrolment, months; from birth on where it counts from onset or diagnosis."""
    enrolment = scenario.cohort.enrolment
    if enrolment.kind != "age":
        return 0.0, float("nan")
    return enrolment.spread.lower, enrolment.spread.upper


def change_months(endpoint: PublishedEndpoint) -> float:
    """Months since enrolment at which an endpoint on the study's clock is measured."""
    if endpoint.time_months is not None:
        return endpoint.time_months
    if endpoint.metric in ("change_per_year", "mean_change", "sd_change", "median_change", "percent_change"):
        return CHANGE_MONTHS
    return 0.0


def _schedule(endpoints: list[PublishedEndpoint], ages: tuple[float, float]) -> tuple[float, list[float]]:
    """Horizon and visits, in months, that these endpoints need."""
    horizon = LEAST_HORIZON_MONTHS
    visits = {0.0}
    regular = False
    for endpoint in endpoints:
        if endpoint.outcome in COHORT_OUTCOMES:
            continue
        if endpoint.age_months is not None:
            horizon = max(horizon, endpoint.age_months - ages[0] + 0.25)
            regular = True
        elif endpoint.metric in ("median_time_months", "median_age_months"):
            # Half of the people must have had the event for a median to be seen; twice the published one is ample.
            upper = endpoint.value if endpoint.interval is None else max(endpoint.value, endpoint.interval[1])
            since = ages[0] if endpoint.metric == "median_age_months" else 0.0
            horizon = max(horizon, 2.0 * upper - since)
        else:
            months = change_months(endpoint)
            if endpoint.metric == "hazard_ratio" and endpoint.time_months is None:
                months = CHANGE_MONTHS
            horizon = max(horizon, months)
            visits.add(months)
    if regular:
        step = REGULAR_VISIT_MONTHS if horizon <= LONG_STUDY_MONTHS else 4.0 * REGULAR_VISIT_MONTHS
        visits |= {round(step * count, 6) for count in range(1, int(horizon / step) + 1)}
    # Visits are read at the boundary of the base grid nearest to them; two on one boundary would be one.
    return horizon, sorted(visit for visit in visits if visit <= horizon)
