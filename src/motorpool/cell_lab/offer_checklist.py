"""The checklist of offers, and the words by which offers and registry entries are compared; both are data files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from motorpool.cell_lab.own_data import read_own_yaml
from motorpool.evidence.records import EvidenceRecord, build_record
from motorpool.evidence.sources import check_sources

CHECKLIST_FILE, WORDS_FILE = "offer_checklist.yaml", "offer_words.yaml"
Weight = Literal["decisive", "important"]
Words = Mapping[str, tuple[str, ...]]


class Item(EvidenceRecord):
    """One thing that a legitimate offer shows. Without a ``question`` it is looked up and not asked."""

    title: str
    weight: Weight
    question: str | None
    reason: str
    ask: str
    legitimate: str
    sources: tuple[str, ...] = Field(min_length=1)


class RedFlag(EvidenceRecord):
    """One sign of an offer that is not a trial."""

    title: str
    question: str
    reason: str
    sources: tuple[str, ...] = Field(min_length=1)


class VerdictWords(EvidenceRecord):
    """What each verdict says."""

    decisive_no: str
    open: str
    no_gap: str


class Checklist(EvidenceRecord):
    """The whole checklist."""

    items: Mapping[str, Item]
    red_flags: Mapping[str, RedFlag]
    answers_words: VerdictWords
    limits: tuple[str, ...]
    prices: Mapping[str, tuple[str, ...]]


class CellWords(EvidenceRecord):
    """Words for cells of any kind, and for the tissues they come from."""

    any: tuple[str, ...]
    tissues: Words


class Status(EvidenceRecord):
    """A status of a registry in words, and whether the study takes patients."""

    words: str
    open: bool


class NumberKind(EvidenceRecord):
    """How the numbers of a registry look, and where one is looked up by hand."""

    pattern: str
    address: str


class OfferWords(EvidenceRecord):
    """Words of conditions, cells, routes, countries and statuses."""

    conditions: Words
    cells: CellWords
    routes: Words
    countries: Words
    statuses: Mapping[str, Status]
    registries: Mapping[str, NumberKind]


@functools.cache
def load_checklist() -> Checklist:
    """The checklist.

    Raises:
        EvidenceError: a bad entry, or a source that is not in the bibliography.
    """
    found = build_record(Checklist, read_own_yaml(CHECKLIST_FILE), CHECKLIST_FILE)
    for name, entry in (*found.items.items(), *found.red_flags.items()):
        check_sources(entry.sources, f"{CHECKLIST_FILE}: {name}")
    return found


@functools.cache
def load_offer_words() -> OfferWords:
    """The words.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(OfferWords, read_own_yaml(WORDS_FILE), WORDS_FILE)
