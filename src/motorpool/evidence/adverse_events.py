"""Procedures and adverse events of the therapies: how often, per what, how serious, how well known."""

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

Therapy = Literal[
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
]
_FILE = "adverse_events.yaml"


class ProcedureEntry(EvidenceRecord):
    """Something that is done to the patient because of a therapy."""

    id: str
    label: str
    plain_language_label: str
    therapies: tuple[Therapy, ...] = Field(min_length=1)
    description: str


class Modifier(EvidenceRecord):
    """Another value where ``variable`` is at least ``at_least``; the last modifier that applies counts.

    Variables: ``weight_kg`` (kg at the dose) and ``intrathecal`` (1 for the intrathecal route, 0 otherwise).
    """

    variable: Literal["weight_kg", "intrathecal"]
    at_least: float
    value: float = Field(ge=0)
    interval: Interval
    sources: tuple[str, ...] = Field(min_length=1)
    checked: bool

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Modifier:
        check_interval(self.value, self.interval)
        return self


class WeightEffect(EvidenceRecord):
    """Smooth form of the weight modifiers: change of log odds per kg above ``reference_weight_kg``."""

    log_odds_per_kg: float
    reference_weight_kg: float = Field(gt=0)
    origin: Origin
    checked: bool
    notes: str | None = None


class AdverseEventEntry(EvidenceRecord):
    """One adverse event of one or more therapies.

    ``value`` is a probability per dose, course or procedure, or a rate per patient-year; ``serious_fraction``
    is the share of events that are serious. ``procedure`` limits the event to that procedure.
    """

    id: str
    label: str
    plain_language_label: str
    therapies: tuple[Therapy, ...] = Field(min_length=1)
    procedure: str | None
    per: Literal["dose", "course", "procedure", "patient_year"]
    quantity: Literal["probability", "rate"]
    value: float = Field(ge=0)
    interval: Interval
    interval_kind: Literal["exact_binomial", "published_range", "published_95", "judgement"]
    k: int | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, gt=0)
    modifiers: tuple[Modifier, ...] = ()
    weight_effect: WeightEffect | None = None
    serious_fraction: float = Field(ge=0, le=1)
    definition: str
    sources: tuple[str, ...] = Field(min_length=1)
    origin: Origin
    checked: bool
    notes: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> AdverseEventEntry:
        check_interval(self.value, self.interval)
        if (self.quantity == "rate") != (self.per == "patient_year"):
            raise ValueError(f"a {self.quantity} cannot be given per {self.per}")
        if self.quantity == "probability" and self.interval[1] > 1:
            raise ValueError("a probability cannot exceed 1")
        if self.interval_kind == "exact_binomial" and (self.k is None or self.n is None):
            raise ValueError("an exact binomial interval needs k and n")
        return self

    def value_for(self, weight_kg: float, intrathecal: bool) -> float:
        """Return the value for a patient of ``weight_kg`` on a route: the last modifier that applies."""
        reached = {"weight_kg": weight_kg, "intrathecal": float(intrathecal)}
        value = self.value
        for modifier in self.modifiers:
            if reached[modifier.variable] >= modifier.at_least:
                value = modifier.value
        return value

    def source_ids(self) -> tuple[str, ...]:
        """Return every source id the entry rests on."""
        return self.sources + tuple(source for modifier in self.modifiers for source in modifier.sources)


@functools.cache
def load_procedure_catalogue() -> dict[str, ProcedureEntry]:
    """Return every procedure by id."""
    return _load("procedures", ProcedureEntry)


@functools.cache
def load_adverse_event_catalogue() -> dict[str, AdverseEventEntry]:
    """Return every adverse event by id; sources and procedures must exist."""
    catalogue = _load("adverse_events", AdverseEventEntry)
    procedures = load_procedure_catalogue()
    for entry in catalogue.values():
        where = f"{_FILE}: {entry.id}"
        check_sources(entry.source_ids(), where)
        if entry.procedure is not None and entry.procedure not in procedures:
            raise EvidenceError(f"{where}: {unknown_name('procedure', entry.procedure, procedures)}")
    return catalogue


def _load(section: str, kind: type[RecordType]) -> dict[str, RecordType]:
    content: dict[str, dict[str, Any]] = read_evidence_yaml(_FILE)[section]
    return {
        key: build_record(kind, {"id": key, **fields}, f"{_FILE}: {section}.{key}")
        for key, fields in content.items()
    }
