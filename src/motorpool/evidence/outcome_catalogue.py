"""Names, units, directions and thresholds of everything the model reports: scales, milestones and events.

>>> load_outcome_catalogue()["hfmse"].maximum
66.0
"""

from __future__ import annotations

import functools
from typing import Any, Literal

from pydantic import Field, model_validator

from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    Interval,
    Origin,
    RecordType,
    build_record,
    check_interval,
    read_evidence_yaml,
    unknown_name,
)
from motorpool.evidence.sources import check_sources

Better = Literal["higher", "lower", "neither"]
AppliesTo = Literal["infants", "non_sitters", "sitters", "walkers", "adults", "everyone"]
_FILE = "outcomes.yaml"


class ImportantDifference(EvidenceRecord):
    """A change that matters, in the unit of its outcome, and what the source means by it."""

    value: float = Field(gt=0)
    definition: str
    sources: tuple[str, ...]
    origin: Origin
    checked: bool


class MeasurementFact(EvidenceRecord):
    """A published figure on repeatability, spread or healthy level of an outcome."""

    id: str
    value: float
    unit: str
    interval: Interval | None = None
    n: int | None = Field(default=None, gt=0)
    sources: tuple[str, ...] = Field(min_length=1)
    origin: Origin
    checked: bool
    description: str

    @model_validator(mode="after")
    def _interval_holds_value(self) -> MeasurementFact:
        check_interval(self.value, self.interval)
        return self


class OutcomeEntry(EvidenceRecord):
    """One scale or measurement; ``minimum`` and ``maximum`` are ``None`` where it is unbounded."""

    id: str
    label: str
    plain_language_label: str
    unit: str
    minimum: float | None
    maximum: float | None
    whole_numbers: bool
    better: Better
    minimal_important_difference: ImportantDifference | None
    daily_life_problem: str | None
    applies_to: tuple[AppliesTo, ...] = Field(min_length=1)
    description: str
    measurement: tuple[MeasurementFact, ...]

    @model_validator(mode="after")
    def _range_is_ordered(self) -> OutcomeEntry:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} must lie below maximum {self.maximum}")
        return self

    @property
    def axis_label(self) -> str:
        """Label for a chart axis: name, unit and which way is better."""
        direction = {"higher": ", higher is better", "lower": ", lower is better", "neither": ""}[self.better]
        return f"{self.label} ({self.unit}{direction})"

    def source_ids(self) -> tuple[str, ...]:
        """Return every source id the entry rests on."""
        difference = self.minimal_important_difference
        ids = difference.sources if difference else ()
        return ids + tuple(source for fact in self.measurement for source in fact.sources)


class MilestoneEntry(EvidenceRecord):
    """One motor milestone and the ages in months at which healthy children reach it."""

    id: str
    label: str
    plain_language_label: str
    order: int = Field(ge=1)
    hold_seconds: float | None = None
    who_p1_months: float | None = None
    who_mean_months: float | None = None
    who_p99_months: float | None = None
    description: str
    sources: tuple[str, ...] = ()
    checked: bool

    @model_validator(mode="after")
    def _window_is_ordered(self) -> MilestoneEntry:
        window = (self.who_p1_months, self.who_mean_months, self.who_p99_months)
        given = [age for age in window if age is not None]
        if len(given) not in (0, 3) or given != sorted(given):
            raise ValueError(f"the WHO window {list(window)} must be absent or increasing")
        return self

    def source_ids(self) -> tuple[str, ...]:
        """Return every source id the entry rests on."""
        return self.sources


class EventEntry(EvidenceRecord):
    """One event; for ventilation events the rule that the record of hours per day must meet."""

    id: str
    label: str
    plain_language_label: str
    fatal: bool
    components: tuple[str, ...] = ()
    support_hours_per_day: float | None = None
    support_days: int | None = None
    support_days_rule: Literal["more_than", "at_least"] | None = None
    excludes_acute_reversible: bool | None = None
    counts_tracheostomy: bool | None = None
    description: str
    sources: tuple[str, ...] = ()
    checked: bool

    def source_ids(self) -> tuple[str, ...]:
        """Return every source id the entry rests on."""
        return self.sources


class DailyLifeProblem(EvidenceRecord):
    """One of the six problems of daily life and the outcomes, milestones and events that show it."""

    id: str
    label: str
    question: str
    outcomes: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@functools.cache
def load_outcome_catalogue() -> dict[str, OutcomeEntry]:
    """Return every scale and measurement by id, in the order in which to show them."""
    catalogue = _load("outcomes", OutcomeEntry)
    for entry in catalogue.values():
        check_sources(entry.source_ids(), f"{_FILE}: {entry.id}")
    return catalogue


@functools.cache
def load_milestone_catalogue() -> dict[str, MilestoneEntry]:
    """Return every milestone by id, from holding the head to walking."""
    catalogue = _load("milestones", MilestoneEntry)
    for entry in catalogue.values():
        check_sources(entry.source_ids(), f"{_FILE}: {entry.id}")
    return catalogue


@functools.cache
def load_event_catalogue() -> dict[str, EventEntry]:
    """Return every event by id; components of combined events must themselves be events."""
    catalogue = _load("events", EventEntry)
    for entry in catalogue.values():
        check_sources(entry.source_ids(), f"{_FILE}: {entry.id}")
        for component in entry.components:
            if component not in catalogue:
                raise EvidenceError(f"{_FILE}: {entry.id}: {unknown_name('event', component, catalogue)}")
    return catalogue


@functools.cache
def load_daily_life_problems() -> dict[str, DailyLifeProblem]:
    """Return the six problems of daily life by id; everything they name must exist."""
    catalogue = _load("daily_life_problems", DailyLifeProblem)
    known: dict[str, dict[str, Any]] = {
        "outcomes": dict(load_outcome_catalogue()),
        "milestones": dict(load_milestone_catalogue()),
        "events": dict(load_event_catalogue()),
    }
    for problem in catalogue.values():
        for kind, names in known.items():
            for name in getattr(problem, kind):
                if name not in names:
                    raise EvidenceError(f"{_FILE}: {problem.id}: {unknown_name(kind[:-1], name, names)}")
    return catalogue


def outcome(outcome_id: str) -> OutcomeEntry:
    """Return one outcome; an unknown id raises :class:`EvidenceError` with the nearest known one."""
    catalogue = load_outcome_catalogue()
    if outcome_id not in catalogue:
        raise unknown_name("outcome", outcome_id, catalogue)
    return catalogue[outcome_id]


def _load(section: str, kind: type[RecordType]) -> dict[str, RecordType]:
    content: dict[str, dict[str, Any]] = read_evidence_yaml(_FILE)[section]
    return {
        key: build_record(kind, {"id": key, **fields}, f"{_FILE}: {section}.{key}")
        for key, fields in content.items()
    }
