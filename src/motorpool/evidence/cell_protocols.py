"""The levels that protocols of cells are compared at, and the prices that are on record for their parts."""

from __future__ import annotations

import functools

from pydantic import Field

from motorpool.evidence.facts import load_facts
from motorpool.evidence.records import EvidenceError, EvidenceRecord, Origin, build_record, read_evidence_yaml
from motorpool.evidence.sources import check_sources

_FILE = "cell_protocols.yaml"
Level = bool | float | str


class ProtocolAxis(EvidenceRecord):
    """One thing that a protocol decides, with the levels that are compared by default."""

    id: str
    levels: tuple[Level, ...] = Field(min_length=1)
    label: str
    sources: tuple[str, ...] = ()
    origin: Origin
    notes: str | None = None


class PricedItem(EvidenceRecord):
    """A part of a protocol that costs money; ``fact`` names its price among the facts of the cell laboratory."""

    id: str
    label: str
    fact: str | None

    def range_usd(self) -> tuple[float, float] | None:
        """Lowest and highest price on record, or None where there is none."""
        if self.fact is None:
            return None
        fact = load_facts("cell_laboratory").fact(self.fact)
        return fact.interval or (fact.number, fact.number)


@functools.cache
def load_protocol_axes() -> dict[str, ProtocolAxis]:
    """Every axis by id.

    Raises:
        EvidenceError: the file is damaged or names an unknown source.
    """
    content = read_evidence_yaml(_FILE)["axes"]
    axes = {
        name: build_record(ProtocolAxis, {"id": name, **fields}, f"{_FILE}: axes.{name}")
        for name, fields in content.items()
    }
    for axis in axes.values():
        check_sources(axis.sources, f"{_FILE}: {axis.id}")
        if axis.origin == "publication" and not axis.sources:
            raise EvidenceError(f"{_FILE}: {axis.id}: origin 'publication' needs at least one source id")
    return axes


@functools.cache
def load_priced_items() -> dict[str, PricedItem]:
    """Every part that costs money, by id."""
    content = read_evidence_yaml(_FILE)["prices"]
    return {
        name: build_record(PricedItem, {"id": name, **fields}, f"{_FILE}: prices.{name}")
        for name, fields in content.items()
    }
