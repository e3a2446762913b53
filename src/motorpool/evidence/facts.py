"""Plain facts that are not model parameters: growth references, dosing schedules, infection rates, utilities.

One file per topic in ``data/facts``. A fact is a value, or a list of values, with unit, sources and whether
the value was read in its source; a table is a list of rows with named columns and their units.
"""

from __future__ import annotations

import functools
from typing import Any

from pydantic import model_validator

from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    Interval,
    Origin,
    build_record,
    check_interval,
    list_evidence_files,
    read_evidence_yaml,
    unknown_name,
)
from motorpool.evidence.sources import check_sources

FactValue = float | str | tuple[float, ...]


class Fact(EvidenceRecord):
    """One figure (or a short list of them) with where it comes from.

    ``checked`` is true when the figure was read in the source or in a page that quotes it, false when it is
    recalled.
    """

    id: str
    value: FactValue
    unit: str
    description: str
    interval: Interval | None = None
    sources: tuple[str, ...] = ()
    origin: Origin
    checked: bool
    notes: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Fact:
        if isinstance(self.value, str) != (self.unit == "text"):
            raise ValueError(
                f"value {self.value!r} and unit {self.unit!r} do not fit: only text has the unit 'text'"
            )
        if isinstance(self.value, int | float):
            check_interval(float(self.value), self.interval)
        elif self.interval is not None:
            raise ValueError("only a single number can have an interval")
        if self.origin == "publication" and not self.sources:
            raise ValueError("origin 'publication' needs at least one source id")
        return self

    @property
    def number(self) -> float:
        """The value as a float; raise :class:`EvidenceError` when it is text or a list."""
        if not isinstance(self.value, int | float):
            raise EvidenceError(f"fact {self.id!r} is not a single number but {self.value!r}")
        return float(self.value)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The value as a tuple of floats, length one for a single number; text is an error."""
        if isinstance(self.value, str):
            raise EvidenceError(f"fact {self.id!r} is text: {self.value!r}")
        return tuple(self.value) if isinstance(self.value, tuple) else (float(self.value),)


class FactTable(EvidenceRecord):
    """Rows of numbers with named columns; ``columns`` maps each column name to its unit."""

    id: str
    description: str
    columns: dict[str, str]
    rows: tuple[tuple[float, ...], ...]
    sources: tuple[str, ...]
    origin: Origin
    checked: bool
    notes: str | None = None

    @model_validator(mode="after")
    def _rectangular(self) -> FactTable:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"row {index} has {len(row)} values for {len(self.columns)} columns")
        return self

    def column(self, name: str) -> tuple[float, ...]:
        """Return one column by name, shape (rows,); unknown names raise :class:`EvidenceError`."""
        if name not in self.columns:
            raise unknown_name(f"column of table {self.id}", name, self.columns)
        index = list(self.columns).index(name)
        return tuple(row[index] for row in self.rows)


class FactFile(EvidenceRecord):
    """All facts and tables of one topic."""

    topic: str
    description: str
    facts: dict[str, Fact]
    tables: dict[str, FactTable]

    def fact(self, fact_id: str) -> Fact:
        """Return one fact by id; unknown ids raise :class:`EvidenceError` with the nearest."""
        if fact_id not in self.facts:
            raise unknown_name(f"fact in {self.topic}", fact_id, self.facts)
        return self.facts[fact_id]

    def table(self, table_id: str) -> FactTable:
        """Return one table by id; unknown ids raise :class:`EvidenceError` with the nearest."""
        if table_id not in self.tables:
            raise unknown_name(f"table in {self.topic}", table_id, self.tables)
        return self.tables[table_id]


def list_facts() -> list[str]:
    """Return the topics that :func:`load_facts` knows."""
    return list_evidence_files("facts")


@functools.cache
def load_facts(topic: str) -> FactFile:
    """Load one topic, for example ``load_facts("growth")``.

    Raises:
        EvidenceError: unknown topic, or a badly recorded fact (naming file and fact).
    """
    if topic not in list_facts():
        raise unknown_name("fact topic", topic, list_facts())
    name = f"{topic}.yaml"
    content = read_evidence_yaml("facts", name)
    facts = {
        key: _fact(f"facts/{name}: {key}", key, fields) for key, fields in content.get("facts", {}).items()
    }
    tables = {
        key: _table(f"facts/{name}: {key}", key, fields) for key, fields in content.get("tables", {}).items()
    }
    return FactFile(topic=topic, description=content["description"], facts=facts, tables=tables)


def _fact(where: str, key: str, fields: dict[str, Any]) -> Fact:
    record = build_record(Fact, {"id": key, **fields}, where)
    check_sources(record.sources, where)
    return record


def _table(where: str, key: str, fields: dict[str, Any]) -> FactTable:
    record = build_record(FactTable, {"id": key, **fields}, where)
    check_sources(record.sources, where)
    return record
