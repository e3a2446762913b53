"""Checking an offer: the registry, the checklist, red flags, and a verdict that never calls an offer safe.

A verdict follows by rule and without a score: a "no" to a decisive item ends it; what is unknown stays open; and an
offer without a gap still says nothing about whether cells help.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any, Literal

from motorpool._version import __version__
from motorpool.cell_lab.offer import LOOKED_UP, Answer, Offer
from motorpool.cell_lab.offer_checklist import Weight, load_checklist
from motorpool.cell_lab.offer_lookup import Lookup, look_up
from motorpool.cell_lab.offer_match import Aspect, Comparison, compare
from motorpool.cell_lab.registry_client import TrialRegistry
from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.sources import load_sources

FORMAT = "motorpool offer check, version 1"
Verdict = Literal["do_not_go_on", "open_questions", "no_gap_found"]
NEEDED: tuple[Aspect, ...] = ("condition", "cells", "place", "status", "dates")
PUNCTURE_FIGURE, PUNCTURE_VALUE = "hache2016_lp", "any_lp_ae"


@dataclass(frozen=True)
class CheckedItem:
    """One item of the checklist with the answer and where it comes from."""

    id: str
    title: str
    weight: Weight
    answer: Answer
    found: str
    reason: str
    ask: str
    legitimate: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class CheckedFlag:
    """One red flag with the answer."""

    id: str
    title: str
    answer: Answer
    reason: str
    sources: tuple[str, ...]


def check_offer(offer: Offer, registry: TrialRegistry | None, today: datetime.date) -> dict[str, Any]:
    """The whole check as plain data; without a ``registry`` the shipped snapshot is read, and the result says so."""
    lookup = look_up(offer.registry_number, registry, today)
    comparisons = compare(offer, lookup.record, today) if lookup.record is not None else []
    items = _items(offer, lookup, comparisons)
    flags = _flags(offer)
    verdict = verdict_of(items, flags)
    checklist = load_checklist()
    words = checklist.answers_words
    said = {"do_not_go_on": words.decisive_no, "open_questions": words.open, "no_gap_found": words.no_gap}
    return {
        "format": FORMAT,
        "version": __version__,
        "checked": today.isoformat(),
        "offer": offer.model_dump(mode="json"),
        "verdict": verdict,
        "verdict_words": said[verdict],
        "registry": {**asdict(lookup), "record": _record(lookup), "words": registry_words(lookup)},
        "comparisons": [asdict(one) for one in comparisons],
        "checklist": [asdict(item) for item in items],
        "red_flags": [asdict(flag) for flag in flags],
        "questions": [item.ask for item in items if item.answer != "yes"],
        "legitimate": [item.legitimate for item in checklist.items.values()],
        "numbers": _numbers(offer),
        "limits": list(checklist.limits),
        "sources": _sources(items, flags),
    }


def verdict_of(items: list[CheckedItem], flags: list[CheckedFlag]) -> Verdict:
    """A decisive "no" ends it; anything else that is not in order leaves it open."""
    if any(item.weight == "decisive" and item.answer == "no" for item in items):
        return "do_not_go_on"
    whole = all(item.answer == "yes" for item in items) and all(flag.answer == "no" for flag in flags)
    return "no_gap_found" if whole else "open_questions"


def registry_words(lookup: Lookup) -> str:
    """What was found in the registry, and whether it is of today."""
    if lookup.number is None:
        return "The offer quotes no registry number."
    if lookup.absent:
        return f"{lookup.kind} has no study with the number {lookup.number}."
    if lookup.came_from == "registry":
        listed = lookup.record.number if lookup.record is not None else lookup.number
        other = "" if listed == lookup.number else f" The registry now lists it as {listed}."
        return f"{lookup.number} was looked up in {lookup.kind} on {lookup.day}.{other}"
    by_hand = f" Look it up yourself: {lookup.address}" if lookup.address else ""
    why = f"{lookup.problem}." if lookup.problem else "No registry was asked."
    if lookup.kind is None:
        return (
            f"{lookup.number} does not look like a number of any registry that is known here. Ask which "
            f"registry it belongs to."
        )
    if lookup.came_from == "snapshot":
        return (
            f"{why} Used instead: notes that come with motorpool, as of {lookup.day}. They were made from the "
            f"project's evidence library and "
            f"are no copy of a registry; the entry may have changed.{by_hand}"
        )
    if not lookup.problem:
        why = (
            f"Numbers of {lookup.kind} are not looked up here."
            if lookup.kind != "ClinicalTrials.gov"
            else why
        )
    return (
        f"{why} The notes that come with motorpool (as of {lookup.day}) do not hold {lookup.number}, so "
        f"nothing can be said of it.{by_hand}"
    )


def _items(offer: Offer, lookup: Lookup, comparisons: list[Comparison]) -> list[CheckedItem]:
    found: list[CheckedItem] = []
    for name, item in load_checklist().items.items():
        answer, words = _answer(name, offer, lookup, comparisons)
        found.append(
            CheckedItem(
                id=name,
                title=item.title,
                weight=item.weight,
                answer=answer,
                found=words,
                reason=item.reason,
                ask=item.ask,
                legitimate=item.legitimate,
                sources=item.sources,
            )
        )
    return found


def _answer(name: str, offer: Offer, lookup: Lookup, comparisons: list[Comparison]) -> tuple[Answer, str]:
    if name == LOOKED_UP:
        return _registered(lookup, comparisons)
    if name == "no_charge" and offer.price is not None and offer.price.amount > 0:
        return "no", f"They ask for {offer.price.amount:,.0f} {offer.price.currency}."
    answer = offer.answers.get(name, "unknown")
    words = {
        "yes": "You were shown this.",
        "no": "They could not show this.",
        "unknown": "You have not seen this.",
    }
    return answer, words[answer]


def _registered(lookup: Lookup, comparisons: list[Comparison]) -> tuple[Answer, str]:
    if lookup.number is None:
        return "no", "The offer quotes no registry number."
    if lookup.absent:
        return "no", "The registry has no such study."
    differing = [one.aspect for one in comparisons if one.result == "differs"]
    if differing:
        return "no", f"The entry does not fit this offer in: {', '.join(differing)}."
    agreed = {one.aspect for one in comparisons if one.result == "agrees"}
    missing = [one.words for one in comparisons if one.aspect in NEEDED and one.result != "agrees"]
    if lookup.came_from == "registry" and agreed >= set(NEEDED):
        return "yes", "The entry fits the offer in disease, cells, place, status and dates."
    if lookup.came_from == "snapshot" and not missing:
        missing = ["The entry could not be read today."]
    return "unknown", " ".join(missing) or "The entry could not be read."


def _flags(offer: Offer) -> list[CheckedFlag]:
    return [
        CheckedFlag(name, flag.title, _flag(name, offer), flag.reason, flag.sources)
        for name, flag in load_checklist().red_flags.items()
    ]


def _flag(name: str, offer: Offer) -> Answer:
    answer = offer.red_flags.get(name, "unknown")
    if name == "payment_up_front" and answer == "unknown" and offer.price is not None:
        return offer.price.before_treatment
    return answer


def _record(lookup: Lookup) -> dict[str, Any] | None:
    return None if lookup.record is None else lookup.record.model_dump(mode="json")


def _numbers(offer: Offer) -> dict[str, Any]:
    """Figures that belong beside this offer: prices that were asked elsewhere, and trouble from the punctures."""
    ledger = load_ledger()
    named = load_checklist().prices
    prices = [ledger[name].number(value) for name, values in named.items() for value in values]
    chance = ledger[PUNCTURE_FIGURE].number(PUNCTURE_VALUE)
    punctures = offer.doses if offer.doses and _through_the_spine(offer) else None
    return {
        "prices_asked_elsewhere_usd": {"low": min(prices), "high": max(prices), "figures": list(named)},
        "puncture_trouble": chance,
        "punctures": punctures,
        "trouble_at_least_once": None if punctures is None else 1.0 - (1.0 - chance) ** punctures,
        "puncture_source": ledger[PUNCTURE_FIGURE].source,
    }


def _through_the_spine(offer: Offer) -> bool:
    from motorpool.cell_lab.offer_checklist import load_offer_words
    from motorpool.cell_lab.offer_match import names_in

    return "into the spinal fluid" in names_in(offer.route or "", load_offer_words().routes)


def _sources(items: list[CheckedItem], flags: list[CheckedFlag]) -> list[dict[str, Any]]:
    ids = dict.fromkeys(source for entry in (*items, *flags) for source in entry.sources)
    bibliography = load_sources()
    return [
        {"id": name, "citation": bibliography[name].citation(), "link": bibliography[name].link()}
        for name in ids
    ]
