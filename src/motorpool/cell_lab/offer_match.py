"""Comparing an offer with the registered study it names: condition, cells, route, place, status, dates, age.

What cannot be compared is said, and never counts as agreement.
"""

from __future__ import annotations

import datetime
import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from motorpool.cell_lab.dates import days_of
from motorpool.cell_lab.offer import Offer
from motorpool.cell_lab.offer_checklist import Words, load_offer_words
from motorpool.cell_lab.registry import Location, RegistryRecord

Aspect = Literal["condition", "cells", "route", "place", "status", "dates", "age"]
Result = Literal["agrees", "differs", "cannot_tell"]
ALIKE = 0.6  # similarity from which two names of a hospital are taken for one


@dataclass(frozen=True)
class Comparison:
    """One aspect: what was offered, what is registered, and whether they agree."""

    aspect: Aspect
    result: Result
    offered: str | None
    registered: str | None
    words: str


def compare(offer: Offer, record: RegistryRecord, today: datetime.date) -> list[Comparison]:
    """Every aspect of an offer against the registered study."""
    return [
        _condition(offer, record),
        _cells(offer, record),
        _route(offer, record),
        _place(offer, record),
        _status(record),
        _dates(offer, record, today),
        _age(offer, record),
    ]


def names_in(text: str, words: Words) -> set[str]:
    """The entries whose words stand in a text as whole words."""
    plain = _plain(text)
    return {
        name
        for name, forms in words.items()
        if any(re.search(rf"(?<![a-z0-9]){re.escape(_plain(form))}(?![a-z0-9])", plain) for form in forms)
    }


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _condition(offer: Offer, record: RegistryRecord) -> Comparison:
    registered = "; ".join([*record.conditions, record.title])
    words = load_offer_words().conditions
    offered_kinds, found_kinds = names_in(offer.condition, words), names_in(registered, words)
    said = "; ".join(record.conditions) or record.title
    if offered_kinds & found_kinds or (not offered_kinds and _plain(offer.condition) in _plain(registered)):
        return Comparison("condition", "agrees", offer.condition, said, "The study is about this disease.")
    if not record.conditions:
        return Comparison(
            "condition", "cannot_tell", offer.condition, None, "The entry does not name the disease."
        )
    text = f"The study is about something else: {said}."
    return Comparison("condition", "differs", offer.condition, said, text)


def _cells(offer: Offer, record: RegistryRecord) -> Comparison:
    words = load_offer_words().cells
    text = "; ".join([*record.interventions, record.title])
    said = "; ".join(record.interventions[:3]) or None
    if not record.interventions:
        return Comparison("cells", "cannot_tell", offer.cells, None, "The entry does not say what is given.")
    found = names_in(text, words.tissues)
    if not found and not names_in(text, {"any": words.any}):
        return Comparison(
            "cells", "differs", offer.cells, said, f"The study does not give cells. It gives: {said}."
        )
    offered = names_in(offer.cells or "", words.tissues)
    if not offered or not found:
        text = "The study gives cells; whether they are the same ones cannot be told from what is known."
        return Comparison("cells", "cannot_tell", offer.cells, said, text)
    if offered & found:
        return Comparison(
            "cells", "agrees", offer.cells, said, f"The study gives cells from: {_list(offered & found)}."
        )
    text = f"The study gives cells from: {_list(found)}. The offer is of cells from: {_list(offered)}."
    return Comparison("cells", "differs", offer.cells, said, text)


def _route(offer: Offer, record: RegistryRecord) -> Comparison:
    words = load_offer_words().routes
    offered, found = names_in(offer.route or "", words), names_in("; ".join(record.interventions), words)
    said = _list(found) or None
    if not offered or not found:
        text = "The way the cells are given cannot be compared."
        return Comparison("route", "cannot_tell", offer.route, said, text)
    if offered <= found:
        return Comparison(
            "route", "agrees", offer.route, said, f"The study also gives them {_list(offered)}."
        )
    text = f"The study gives them {said}; the offer also or only {_list(offered - found)}."
    return Comparison("route", "differs", offer.route, said, text)


def _place(offer: Offer, record: RegistryRecord) -> Comparison:
    clinic, places = offer.clinic, record.locations
    offered = ", ".join(filter(None, (clinic.name, clinic.city, clinic.country))) or None
    if not places:
        return Comparison(
            "place", "cannot_tell", offered, None, "The entry, as it is known here, names no hospital."
        )
    said = "; ".join(dict.fromkeys(_place_words(place) for place in places[:8]))
    if offered is None:
        return Comparison(
            "place", "cannot_tell", None, said, f"The offer names no place. The study is done in: {said}."
        )
    left = [place for place in places if _same_country(clinic.country, place.country)]
    if clinic.country and not left:
        text = f"The study has no place in {clinic.country}. It is done in: {said}."
        return Comparison("place", "differs", offered, said, text)
    in_city = [
        place for place in left if clinic.city and place.city and _plain(place.city) == _plain(clinic.city)
    ]
    if clinic.city and not in_city and all(place.city for place in left):
        text = f"The study has no place in {clinic.city}. It is done in: {said}."
        return Comparison("place", "differs", offered, said, text)
    if clinic.name and any(_alike(clinic.name, place.facility) for place in in_city or left):
        return Comparison("place", "agrees", offered, said, "This hospital is a place of the study.")
    text = (
        f"Whether this clinic is a place of the study cannot be told. The study is done in: {said}. Ask "
        f"the study's own office."
    )
    return Comparison("place", "cannot_tell", offered, said, text)


def _place_words(place: Location) -> str:
    return ", ".join(filter(None, (place.facility, place.city, place.country))) or "a place without a name"


def _same_country(offered: str | None, registered: str | None) -> bool:
    """Whether two countries may be the same; one that is not known may be any."""
    return not offered or not registered or _country(offered) == _country(registered)


def _country(text: str) -> str:
    plain = _plain(text).strip()
    for name, forms in load_offer_words().countries.items():
        if plain == name or plain in {_plain(form) for form in forms}:
            return name
    return plain


def _alike(offered: str, registered: str | None) -> bool:
    if not registered:
        return False
    one, two = _plain(offered), _plain(registered)
    return one in two or two in one or difflib.SequenceMatcher(None, one, two).ratio() >= ALIKE


def _status(record: RegistryRecord) -> Comparison:
    known = load_offer_words().statuses.get(record.status or "")
    said = record.status or record.status_text
    if known is None:
        detail = f": {said}" if said else ""
        text = f"Whether the study takes patients is not known here{detail}."
        return Comparison("status", "cannot_tell", None, said, text)
    who = "The notes say" if record.from_snapshot else "The registry says"
    text = f"{who} that the study is {known.words}."
    return Comparison("status", "agrees" if known.open else "differs", None, said, text)


def _dates(offer: Offer, record: RegistryRecord, today: datetime.date) -> Comparison:
    begins, ends = record.start, record.completion or record.primary_completion
    said = " to ".join([begins or "not stated", ends or "not stated"]) if begins or ends else None
    offered = offer.treatment_date
    first, last = days_of(offered) if offered else (today, today)
    when = offered or "now"
    if begins and last < days_of(begins)[0]:
        text = f"The study begins in {begins}, after the treatment that is offered ({when})."
        return Comparison("dates", "differs", offered, said, text)
    if ends and first > days_of(ends)[1]:
        text = f"The study was to end in {ends}, before the treatment that is offered ({when})."
        return Comparison("dates", "differs", offered, said, text)
    if not begins or not ends:
        text = "The dates of the study are not known in full, so that they cannot be compared."
        return Comparison("dates", "cannot_tell", offered, said, text)
    text = f"The treatment that is offered ({when}) falls into the time of the study."
    return Comparison("dates", "agrees", offered, said, text)


def _age(offer: Offer, record: RegistryRecord) -> Comparison:
    low, high = record.age_months
    offered = None if offer.age_months is None else f"{offer.age_months:g} months"
    said = f"{record.minimum_age or 'any age'} to {record.maximum_age or 'any age'}" if low or high else None
    if offer.age_months is None or (low is None and high is None):
        return Comparison("age", "cannot_tell", offered, said, "The age cannot be compared.")
    if (low is not None and offer.age_months < low) or (high is not None and offer.age_months > high):
        return Comparison(
            "age", "differs", offered, said, f"The study takes people of {said}; this age is outside."
        )
    return Comparison("age", "agrees", offered, said, f"The study takes people of {said}.")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
