"""Published results ready to be drawn: matched to arms by what was given, on the clock of the run.

Every endpoint of the studies a scenario names either becomes a point or is listed with the reason why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from motorpool.simulation.survival_summary import includes_death

if TYPE_CHECKING:
    from motorpool.evidence.published import PublishedEndpoint, PublishedStudy

Measure = Literal[
    "score", "change", "difference", "event_free_share", "event_share", "able_share", "responder_share"
]
SHARES: tuple[Measure, ...] = ("event_free_share", "event_share", "able_share", "responder_share")
SUPPORTIVE = ("rehabilitation", "breathing_support", "nutrition_support", "brace", "spine_surgery")
NOT_CURVES = {
    "hazard_ratio": "a hazard ratio is not a point on a curve",
    "median_time_months": "a median time is not a point on a curve",
    "median_age_months": "a median age is not a point on a curve",
    "change_per_year": "a slope is not a point on a curve",
    "percent_change": "a change in per cent is not a point on a curve",
    "sd": "a spread between people is not a point on a curve",
    "sd_change": "a spread between people is not a point on a curve",
}


@dataclass(frozen=True)
class PublishedPoint:
    """One published number that can be drawn.

    Attributes:
        study: name of the study as people know it.
        study_arm: arm of the study, in words.
        quantity: outcome, event or milestone id.
        measure: what the value is; shares lie between 0 and 1.
        month: months since enrolment.
        value: the published value.
        low, high: ends of its 95 % interval, or None.
        arm: arm of the scenario that was given the same therapies.
        group: what was measured, in words.
        source: id of the source in the bibliography.
        checked: whether the number was read in the source itself; others are provisional.
        comparator: for differences, the arm of the scenario that got what the study's control group got.
        change_at_least, value_at_least: the rule of a responder, in the unit of the outcome.
    """

    study: str
    study_arm: str
    quantity: str
    measure: Measure
    month: float
    value: float
    low: float | None
    high: float | None
    arm: str
    group: str
    source: str
    checked: bool
    comparator: str | None = None
    change_at_least: float | None = None
    value_at_least: float | None = None


@dataclass(frozen=True)
class NotDrawn:
    """One published number that is not drawn, and why."""

    study: str
    study_arm: str
    quantity: str
    group: str
    source: str
    reason: str


@dataclass(frozen=True)
class PublishedResults:
    """What the studies a scenario names contribute."""

    points: list[PublishedPoint]
    not_drawn: list[NotDrawn]


def published_results(scenario: Mapping[str, Any], horizon_months: float) -> PublishedResults:
    """Every published number of the studies a scenario names, drawn or with the reason why not."""
    from motorpool.evidence.published import load_published

    found = PublishedResults([], [])
    for name in scenario.get("published") or []:
        study = load_published(str(name))
        arms = matching_arms(study, scenario)
        others = _arms_of_other_types(study, scenario)
        for endpoint in study.endpoints:
            if endpoint.arm in others:
                made = "a group of another SMA type than this run"
            else:
                month = _month(study, endpoint, scenario)
                made = _points(study, endpoint, arms, month, horizon_months)
            if isinstance(made, list):
                found.points.extend(made)
                continue
            found.not_drawn.append(
                NotDrawn(
                    study=study.study,
                    study_arm=endpoint.arm.replace("_", " "),
                    quantity=endpoint.outcome,
                    group=endpoint.definition,
                    source=_source(study, endpoint),
                    reason=made,
                )
            )
    return found


def matching_arms(study: PublishedStudy, scenario: Mapping[str, Any]) -> dict[str, str]:
    """Study arm to the scenario arm with the same therapies beyond supportive care; others are absent.

    What the cohort is given in the background counts, unless the arm stops it. Of several such arms the one
    that starts most like the study is taken: at enrolment, or at the age at which the study enrolled.
    """
    background: list[dict[str, Any]] = (scenario.get("cohort") or {}).get("background") or []
    plans: dict[frozenset[str], list[tuple[float, str]]] = {}
    for arm, plan in (scenario.get("arms") or {}).items():
        stopped = set() if plan.get("stop_background_months") else set(plan.get("stop_background") or [])
        kept = [c for c in background if str(c.get("label") or c.get("therapy")) not in stopped]
        own: list[dict[str, Any]] = [
            course for course in plan.get("therapies") or [] if course.get("therapy") not in SUPPORTIVE
        ]
        given = {str(course.get("therapy")) for course in [*kept, *own]}.difference(SUPPORTIVE)
        distance = max((_start_distance(course, study) for course in own), default=0.0)
        plans.setdefault(frozenset(given), []).append((distance, str(arm)))
    matched: dict[str, str] = {}
    for name, therapies in study.arm_therapies.items():
        if therapies is None:
            continue
        arms = plans.get(frozenset(therapies).difference(SUPPORTIVE))
        if arms:
            matched[name] = min(arms, key=lambda found: found[0])[1]
    return matched


def _start_distance(course: dict[str, Any], study: PublishedStudy) -> float:
    """How far, in months, a course starts from the study's start; other rules of starting come last."""
    start: dict[str, Any] = course.get("start") or {"at": "enrolment"}
    if start.get("at") == "enrolment":
        return 0.0
    if start.get("age_months") is not None and study.enrolment_age_months is not None:
        return abs(float(start["age_months"]) - study.enrolment_age_months)
    return float("inf")


def _arms_of_other_types(study: PublishedStudy, scenario: Mapping[str, Any]) -> set[str]:
    """Arms of the study whose people have SMA types that the run's cohort does not admit."""
    wanted = (scenario.get("cohort") or {}).get("sma_type")
    if wanted is None or study.run is None:
        return set()
    everybody = study.run["cohort"].get("sma_type")
    found: set[str] = set()
    for arm in study.arms:
        own = (study.run["arms"].get(arm) or {}).get("cohort") or {}
        types = own.get("sma_type", everybody)
        if types is not None and set(types).isdisjoint(wanted):
            found.add(arm)
    return found


def _month(study: PublishedStudy, endpoint: PublishedEndpoint, scenario: Mapping[str, Any]) -> float | None:
    """Months since enrolment at which an endpoint is drawn; ``None`` where it has no place on the run's clock.

    A study that follows people from birth is put on the clock of the run by the run's own age at enrolment.
    """
    enrolment = ((scenario.get("cohort") or {}).get("enrolment") or {}).get("age_months")
    if endpoint.age_months is None or study.enrolment_age_months != 0 or enrolment is None:
        return study.months_since_enrolment(endpoint)
    if isinstance(enrolment, Mapping):
        ages: dict[str, float] = {key: age for key, age in enrolment.items() if age is not None}
        middle = next((ages[key] for key in ("value", "median", "mean") if key in ages), None)
        return endpoint.age_months - (0.5 * (ages["min"] + ages["max"]) if middle is None else middle)
    return endpoint.age_months - float(enrolment)


def _points(
    study: PublishedStudy,
    endpoint: PublishedEndpoint,
    arms: dict[str, str],
    month: float | None,
    horizon_months: float,
) -> list[PublishedPoint] | str:
    """The points of one endpoint, or why it has none."""
    from motorpool.evidence.published import COHORT_OUTCOMES

    arm = arms.get(endpoint.arm)
    if arm is None:
        therapies = study.arm_therapies[endpoint.arm]
        if therapies is None:
            return "the group is not one that a plan can match"
        given = " and ".join(name.replace("_", " ") for name in therapies) or "no SMN therapy"
        return f"no arm of this run was given the same ({given})"
    if endpoint.subgroup is not None:
        return f"a subgroup ({endpoint.subgroup})"
    if endpoint.outcome in COHORT_OUTCOMES:
        return "describes who was enrolled, not their course"
    if endpoint.metric in NOT_CURVES:
        return NOT_CURVES[endpoint.metric]
    if month is None and endpoint.age_band_months is not None:
        return "given for people of a range of ages, not for a time since enrolment"
    if month is None:
        return "given for an age, and the study states no typical age at enrolment"
    if month < 0:
        return "at an age before this run begins"
    if month > horizon_months + 1e-9:
        return f"at {month:.3g} months since enrolment, after the end of this run"
    comparator = arms.get(endpoint.comparator_arm) if endpoint.comparator_arm else None
    if endpoint.metric == "difference" and comparator in (None, arm):
        return "no arm of this run was given what the control group was given"
    found = _values(study, endpoint)
    if not found:
        return "its rule cannot be applied to the simulated scores"
    return [
        PublishedPoint(
            study=study.study,
            study_arm=endpoint.arm.replace("_", " "),
            quantity=endpoint.outcome,
            measure=measure,
            month=month,
            value=value,
            low=interval[0] if interval else None,
            high=interval[1] if interval else None,
            arm=arm,
            group=words,
            source=_source(study, endpoint),
            checked=endpoint.checked,
            comparator=comparator,
            change_at_least=endpoint.change_at_least,
            value_at_least=endpoint.value_at_least,
        )
        for measure, value, interval, words in found
    ]


def _values(
    study: PublishedStudy, endpoint: PublishedEndpoint
) -> list[tuple[Measure, float, tuple[float, float] | None, str]]:
    """What an endpoint says, as (measure, value, interval, words); empty when it cannot be used."""
    from motorpool.evidence.outcome_catalogue import load_event_catalogue, load_milestone_catalogue

    value, words = endpoint.value, endpoint.definition
    interval = (endpoint.interval[0], endpoint.interval[1]) if endpoint.interval else None
    if endpoint.metric in ("mean", "median"):
        return [("score", value, interval, f"{endpoint.metric}: {words}")]
    if endpoint.metric in ("mean_change", "median_change"):
        kind = endpoint.metric.removesuffix("_change")
        start = _baseline(study, endpoint, kind)
        if start is None:
            return [("change", value, interval, f"{kind} change: {words}")]
        moved = (interval[0] + start, interval[1] + start) if interval else None
        return [("score", value + start, moved, f"published start plus {kind} change: {words}")]
    if endpoint.metric == "difference":
        return [("difference", value, interval, f"difference: {words}")]
    if endpoint.metric == "survival_proportion":
        return [("event_free_share", value, interval, words)]
    if endpoint.outcome in load_milestone_catalogue():
        return [("able_share", value, interval, words)]
    if includes_death(endpoint.outcome):
        turned = (1.0 - interval[1], 1.0 - interval[0]) if interval else None
        return [("event_free_share", 1.0 - value, turned, f"one minus the share with the event: {words}")]
    if endpoint.outcome in load_event_catalogue():
        return [("event_share", value, interval, words)]
    if endpoint.change_at_least is not None or endpoint.value_at_least is not None:
        return [("responder_share", value, interval, words)]
    return []


def _baseline(study: PublishedStudy, endpoint: PublishedEndpoint, kind: str) -> float | None:
    for other in study.endpoints:
        same = other.arm == endpoint.arm and other.outcome == endpoint.outcome and other.subgroup is None
        if same and other.metric == kind and other.time_months == 0:
            return other.value
    return None


def _source(study: PublishedStudy, endpoint: PublishedEndpoint) -> str:
    return endpoint.sources[0] if endpoint.sources else study.source
