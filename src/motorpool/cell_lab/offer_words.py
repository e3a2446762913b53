"""A checked offer in plain words, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

WIDTH = 100
HEADINGS = {
    "do_not_go_on": "Do not go on",
    "open_questions": "Do not decide yet",
    "no_gap_found": "No gap found - which is not the same as help or harmlessness",
}
ANSWERS = {"yes": "shown", "no": "MISSING", "unknown": "not known"}
RESULTS = {"agrees": "fits", "differs": "DOES NOT FIT", "cannot_tell": "cannot be told"}


def text_of_check(check: Mapping[str, Any]) -> str:
    """The whole check as text."""
    parts = [
        f"{check['offer']['offer']}: {HEADINGS[check['verdict']]}",
        _wrapped(check["verdict_words"]),
        "The registry",
        _wrapped(check["registry"]["words"]),
    ]
    record = check["registry"]["record"]
    if record is not None:
        parts.append(_wrapped(f"The study: {record['title']}."))
        parts.append(
            _list(
                [f"{RESULTS[one['result']]}: {one['aspect']}. {one['words']}" for one in check["comparisons"]]
            )
        )
    parts += [
        "What every legitimate trial shows (* decisive)",
        _list([_item(item) for item in check["checklist"]]),
    ]
    raised = [flag for flag in check["red_flags"] if flag["answer"] == "yes"]
    unknown = [flag["title"] for flag in check["red_flags"] if flag["answer"] == "unknown"]
    parts.append(f"Red flags: {len(raised)} of {len(check['red_flags'])}")
    if raised:
        parts.append(_list([f"{flag['title']}: {flag['reason']}" for flag in raised]))
    if unknown:
        parts.append(_wrapped(f"Not answered: {'; '.join(unknown)}."))
    if check["questions"]:
        parts += ["Questions to ask, and to have answered in writing", _list(check["questions"])]
    parts += ["What legitimate trials look like", _list(check["legitimate"])]
    numbers = number_sentences(check)
    if numbers:
        parts += ["Numbers beside this offer", _list(numbers)]
    parts += ["What this check cannot do", _list(check["limits"])]
    return "\n\n".join(parts)


def number_sentences(check: Mapping[str, Any]) -> list[str]:
    """Sentences with figures: trouble from punctures, and prices that were asked elsewhere."""
    numbers, found = check["numbers"], list[str]()
    if numbers["trouble_at_least_once"] is not None:
        times = "1 puncture" if numbers["punctures"] == 1 else f"{numbers['punctures']} punctures"
        found.append(
            f"Of 100 punctures of the spine in children with SMA, about {100 * numbers['puncture_trouble']:.0f} "
            f"brought some trouble, mostly "
            f"headache or back pain. With {times}, about {100 * numbers['trouble_at_least_once']:.0f} of 100 "
            f"children would have some at least once, if each puncture "
            "counts alone."
        )
    price = check["offer"]["price"]
    if price is not None and price["amount"] > 0:
        asked = numbers["prices_asked_elsewhere_usd"]
        found.append(
            f"Sellers of cells elsewhere asked for {asked['low']:,.0f} to {asked['high']:,.0f} US dollars. In "
            f"a real trial "
            "families pay nothing for what is tested."
        )
    return found


def _item(item: Mapping[str, Any]) -> str:
    star = "*" if item["weight"] == "decisive" else " "
    why = "" if item["answer"] == "yes" else f" Why it matters: {item['reason']}"
    return f"{star} {ANSWERS[item['answer']]}: {item['title']}. {item['found']}{why}"


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _list(entries: list[str]) -> str:
    return "\n".join(
        textwrap.fill(
            " ".join(entry.split()),
            WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for entry in entries
    )
