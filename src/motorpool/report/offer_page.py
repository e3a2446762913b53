"""A checked offer as one HTML page to print and take along, without a network and without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motorpool.report.html_page import filled_page, write_at_once

MARK = '<meta name="generator" content="motorpool offer check">'
ANSWERS = {"yes": "\u2713 shown", "no": "\u2716 missing", "unknown": "? not known"}
RESULTS = {"agrees": "\u2713 fits", "differs": "\u2716 does not fit", "cannot_tell": "? cannot be told"}
CLASSES = {"do_not_go_on": "not", "open_questions": "in-part", "no_gap_found": "plain"}


def write_offer_page(check: Mapping[str, Any], path: Path) -> Path:
    """Write the page and return its path; it appears only when it is complete."""
    return write_at_once(path, offer_page(check))


def offer_page(check: Mapping[str, Any]) -> str:
    """The whole page as text."""
    from motorpool.cell_lab.known import known_content
    from motorpool.cell_lab.known_words import answer
    from motorpool.cell_lab.offer_words import HEADINGS, number_sentences

    sources = {source["id"]: number for number, source in enumerate(check["sources"], 1)}
    return filled_page(
        "offer.html.j2",
        {
            "check": check,
            "heading": HEADINGS[check["verdict"]],
            "verdict_class": CLASSES[check["verdict"]],
            "answers": ANSWERS,
            "results": RESULTS,
            "told": told_rows(check["offer"]),
            "raised": [flag for flag in check["red_flags"] if flag["answer"] == "yes"],
            "not_answered": [flag["title"] for flag in check["red_flags"] if flag["answer"] == "unknown"],
            "numbers": number_sentences(check),
            "known": answer(known_content())[:2],
            "source_numbers": sources,
            "mark": MARK,
        },
        "credibility.css",
        "offer.css",
    )


def told_rows(offer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was told of the offer, as names and values."""
    clinic, price = offer["clinic"], offer["price"]
    rows = [
        ("Disease", offer["condition"]),
        ("Age", None if offer["age_months"] is None else f"{offer['age_months']:g} months"),
        ("Clinic", ", ".join(filter(None, (clinic["name"], clinic["city"], clinic["country"]))) or None),
        ("Registry number", offer["registry_number"]),
        ("When", offer["treatment_date"]),
        ("Cells", offer["cells"]),
        ("How given", offer["route"]),
        ("How many times", None if offer["doses"] is None else str(offer["doses"])),
        ("Price", None if price is None else f"{price['amount']:,.0f} {price['currency']}"),
    ]
    return [(name, value or "not told") for name, value in rows]
