"""The check of an offer as a guided form: from the fields of the form to an offer, and from an offer to a check."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from motorpool.web.form_values import number_of

NUMBERS = ("age_months", "doses")
PLAIN = ("condition", "registry_number", "treatment_date", "cells", "route")
LOOK_UP = "look_up"


def offer_fields(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Plain data of an offer file from the fields of the form; empty fields count as not told.

    Unknown fields stay in, so that validation refuses them by name.
    """
    data: dict[str, Any] = {}
    for key, text in pairs:
        value = text.strip()
        if not value or key == LOOK_UP:
            continue
        head, _, rest = key.partition(".")
        if head == "price":
            data.setdefault("price", {})[rest] = number_of(value) if rest == "amount" else value
        elif rest:
            data.setdefault(head, {})[rest] = value
        else:
            data[key] = number_of(value) if key in NUMBERS else value
    price = data.get("price")
    if price is not None and "amount" not in price and "currency" not in price:
        del data["price"]
    return data


def checked_offer(data: dict[str, Any], *, look_up: bool) -> dict[str, Any]:
    """The check of an offer; with `look_up` its registry number is sent to ClinicalTrials.gov, and nothing else.

    Raises:
        ScenarioError: something in the offer cannot be; says what and where.
    """
    from motorpool.cell_lab.offer import offer_from_data
    from motorpool.cell_lab.offer_check import check_offer

    offer, today = offer_from_data(data), datetime.date.today()
    if not look_up or offer.registry_number is None:
        return check_offer(offer, None, today)
    from motorpool.cell_lab.registry_client import TrialRegistry
    from motorpool.cell_lab.registry_http import JsonService
    from motorpool.cell_lab.registry_services import services_at

    services = services_at(None, None)
    settings = services.clinicaltrials
    with JsonService(settings.name, settings.url, settings.pause_seconds, services.http) as service:
        return check_offer(offer, TrialRegistry(service, settings), today)


def result_words(check: dict[str, Any]) -> dict[str, Any]:
    """What the page of the result shows, in the words of `motorpool offer check --out`."""
    from motorpool.cell_lab.known import known_content
    from motorpool.cell_lab.known_words import answer
    from motorpool.cell_lab.offer_words import HEADINGS, number_sentences
    from motorpool.report.offer_page import ANSWERS, RESULTS, told_rows

    return {
        "check": check,
        "heading": HEADINGS[check["verdict"]],
        "answers": ANSWERS,
        "results": RESULTS,
        "told": told_rows(check["offer"]),
        "raised": [flag for flag in check["red_flags"] if flag["answer"] == "yes"],
        "not_answered": [flag["title"] for flag in check["red_flags"] if flag["answer"] == "unknown"],
        "numbers": number_sentences(check),
        "known": answer(known_content())[:2],
        "source_numbers": {source["id"]: number for number, source in enumerate(check["sources"], 1)},
    }
