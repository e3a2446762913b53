"""Searching the evidence by words: figures, sources and studies, best first.

A plain ranking: a word counts more the rarer it is, and more in a name or title than in a note. Entries that hold
all words come before those that hold some.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.sources import load_sources

Kind = Literal["figure", "source", "study"]
# How much a word counts by where it stands, and at the beginning of a longer word. Choices of a search engine.
NAME, TITLE, TEXT = 6.0, 3.0, 1.0
BEGINNING = 0.5
SHORTEST_BEGINNING = 3
SUGGESTIONS = 3


@dataclasses.dataclass(frozen=True)
class Hit:
    """One entry found: its kind and id, one line about it, and how well it fits."""

    kind: Kind
    id: str
    text: str
    score: float


@dataclasses.dataclass(frozen=True)
class _Entry:
    kind: Kind
    id: str
    text: str
    weights: dict[str, float]


def search_evidence(words: str, limit: int | None = None) -> list[Hit]:
    """Figures, sources and studies that hold at least one of the words, best first.

    Args:
        words: any text; case, accents and punctuation do not matter.
        limit: the most entries to give, or all.
    """
    wanted = list(dict.fromkeys(_words(words)))
    entries = _entries()
    forms = {word: _forms(word) for word in wanted}
    rarity = {word: _rarity(found.keys()) for word, found in forms.items()}
    hits: list[Hit] = []
    for entry in entries:
        gained = [rarity[word] * _weight(entry, forms[word]) for word in wanted]
        held = sum(gain > 0 for gain in gained)
        if held:
            # How many of the words are there matters most.
            hits.append(
                Hit(entry.kind, entry.id, entry.text, round(sum(gained) * (held / len(wanted)) ** 2, 4))
            )
    hits.sort(key=lambda hit: (-hit.score, hit.kind, hit.id))
    return hits[:limit]


def nearest_words(words: str) -> dict[str, list[str]]:
    """For each word that stands nowhere in the evidence, the most similar words that do."""
    known = _vocabulary()
    return {
        word: difflib.get_close_matches(word, known, n=SUGGESTIONS, cutoff=0.6)
        for word in dict.fromkeys(_words(words))
        if not _forms(word)
    }


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    without_accents = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[a-z0-9]+", without_accents)


def _forms(word: str) -> dict[str, float]:
    """Words of the evidence that count as this one, each with how much."""
    vocabulary = _vocabulary()
    found = {word: 1.0} if word in vocabulary else {}
    if len(word) >= SHORTEST_BEGINNING:
        found.update({known: BEGINNING for known in vocabulary if known != word and known.startswith(word)})
    return found


def _weight(entry: _Entry, forms: dict[str, float]) -> float:
    return max((entry.weights.get(form, 0.0) * share for form, share in forms.items()), default=0.0)


def _rarity(forms: Iterable[str]) -> float:
    wanted = set(forms)
    holding = sum(not wanted.isdisjoint(entry.weights) for entry in _entries())
    return math.log(1.0 + len(_entries()) / holding) if holding else 0.0


@functools.cache
def _vocabulary() -> dict[str, int]:
    """Every word of the evidence, with the number of entries that hold it."""
    counted: Counter[str] = Counter()
    for entry in _entries():
        counted.update(entry.weights.keys())
    return dict(counted)


@functools.cache
def _entries() -> tuple[_Entry, ...]:
    found: list[_Entry] = []
    for name in list_published():
        study = load_published(name)
        more = [study.population, *study.arms.values(), *study.patient_groups]
        more += [f"{endpoint.id} {endpoint.outcome} {endpoint.definition}" for endpoint in study.endpoints]
        found.append(_entry("study", name, study.title, [study.title], more))
    for figure in load_ledger().values():
        values = ", ".join(f"{key} {value}" for key, value in figure.values.items())
        line = f"{figure.study}: {figure.measure}: {values}" + (f" ({figure.unit})" if figure.unit else "")
        titles = [figure.study, figure.measure, figure.topic]
        more = [figure.population, figure.plan, figure.definition, figure.time, figure.notes, figure.source]
        found.append(_entry("figure", figure.id, line, titles, [text for text in more if text]))
    for source in load_sources().values():
        titles = [text for text in (source.title, source.about, source.first_author) if text]
        more = [source.journal, source.pmid, source.doi, source.nct, source.notes, str(source.year or "")]
        found.append(_entry("source", source.id, source.citation(), titles, [text for text in more if text]))
    return tuple(found)


def _entry(kind: Kind, entry_id: str, text: str, titles: list[str], more: list[str]) -> _Entry:
    weights: dict[str, float] = {}
    for weight, texts in ((NAME, [entry_id]), (TITLE, titles), (TEXT, more)):
        for part in texts:
            for word in _words(part):
                weights[word] = max(weights.get(word, 0.0), weight)
    return _Entry(kind, entry_id, " ".join(text.split()), weights)
