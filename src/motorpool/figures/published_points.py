"""Published results drawn over simulated curves, matched to arms by what was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from motorpool.simulation.survival_summary import includes_death

if TYPE_CHECKING:
    from motorpool.evidence.published import PublishedEndpoint, PublishedStudy

Measure = Literal["score", "event_free_share", "able_share"]
# Words in a study arm's name or description that say which therapy it tested.
THERAPY_WORDS = {
    "nusinersen": "nusinersen",
    "risdiplam": "risdiplam",
    "onasemnogene": "onasemnogene",
    "apitegromab": "myostatin_inhibition",
    "pyridostigmine": "transmission_support",
}
UNTREATED_WORDS = ("sham", "no smn therapy", "untreated", "natural history")
SUPPORTIVE = ("rehabilitation", "breathing_support", "nutrition_support", "brace", "spine_surgery")


@dataclass(frozen=True)
class PublishedPoint:
    """One published number that can be drawn.

    Attributes:
        study: name of the study as people know it.
        quantity: outcome, event or milestone id.
        measure: `score`, `event_free_share` or `able_share`.
        month: months since enrolment.
        value: the published value (shares between 0 and 1).
        low, high: ends of its 95 % interval, or None.
        arm: arm of the scenario that was given the same therapy.
        group: what was measured, in words.
        source: id of the source in the bibliography.
        checked: whether the number was read in the source itself.
    """

    study: str
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


def published_points(scenario: Mapping[str, Any]) -> list[PublishedPoint]:
    """The published points a scenario asks for whose therapy matches an arm; none when it names no study."""
    from motorpool.evidence.published import load_published

    points: list[PublishedPoint] = []
    for name in scenario.get("published") or []:
        study = load_published(str(name))
        arms = matching_arms(study, scenario)
        for endpoint in study.endpoints:
            arm = arms.get(endpoint.arm)
            point = _point(study, endpoint, arm) if arm else None
            if point is not None:
                points.append(point)
    return points


def matching_arms(study: PublishedStudy, scenario: Mapping[str, Any]) -> dict[str, str]:
    """Study arm to the first scenario arm with the same disease-modifying therapies; others are absent."""
    plans: dict[frozenset[str], str] = {}
    for arm, plan in (scenario.get("arms") or {}).items():
        courses = (str(course.get("therapy")) for course in plan.get("therapies") or [])
        plans.setdefault(frozenset(therapy for therapy in courses if therapy not in SUPPORTIVE), str(arm))
    matched: dict[str, str] = {}
    for name, description in study.arms.items():
        text = f"{name.replace('_', ' ')} {description}".lower()
        if any(word in text for word in UNTREATED_WORDS):
            given: frozenset[str] = frozenset()
        else:
            given = frozenset(therapy for word, therapy in THERAPY_WORDS.items() if word in text)
            if not given:
                continue
        if given in plans:
            matched[name] = plans[given]
    return matched


def _point(study: PublishedStudy, endpoint: PublishedEndpoint, arm: str) -> PublishedPoint | None:
    from motorpool.evidence.outcome_catalogue import load_milestone_catalogue

    if endpoint.subgroup is not None or endpoint.time_months is None:
        return None
    value, interval, words = endpoint.value, endpoint.interval, endpoint.definition
    measure: Measure
    if endpoint.metric in ("mean", "median"):
        measure = "score"
        words = f"{endpoint.metric}: {words}"
    elif endpoint.metric == "mean_change":
        start = _baseline(study, endpoint)
        if start is None:
            return None
        measure = "score"
        value += start
        interval = (interval[0] + start, interval[1] + start) if interval else None
        words = f"published start plus mean change: {words}"
    elif endpoint.metric == "survival_proportion":
        measure = "event_free_share"
    elif endpoint.metric == "proportion" and endpoint.outcome in load_milestone_catalogue():
        measure = "able_share"
    elif endpoint.metric == "proportion" and includes_death(endpoint.outcome):
        measure = "event_free_share"
        value = 1.0 - value
        interval = (1.0 - interval[1], 1.0 - interval[0]) if interval else None
        words = f"one minus the share with the event: {words}"
    else:
        return None
    return PublishedPoint(
        study=study.study,
        quantity=endpoint.outcome,
        measure=measure,
        month=endpoint.time_months,
        value=value,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        arm=arm,
        group=words,
        source=endpoint.sources[0] if endpoint.sources else study.source,
        checked=endpoint.checked,
    )


def _baseline(study: PublishedStudy, endpoint: PublishedEndpoint) -> float | None:
    for other in study.endpoints:
        same = other.arm == endpoint.arm and other.outcome == endpoint.outcome and other.subgroup is None
        if same and other.metric == "mean" and other.time_months == 0:
            return other.value
    return None
