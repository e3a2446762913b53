"""The guided questionnaire of an offer: one question at a time on standard error, empty for "not known"."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.cli.console import InputProblem, say

if TYPE_CHECKING:
    from motorpool.cell_lab.offer import Offer

FORMS = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "": "unknown", "?": "unknown", "unknown": "unknown"}
TOLD = (
    ("offer", "A short name for this offer"),
    ("age_months", "Age of the person, in months"),
    ("clinic.name", "Name of the clinic"),
    ("clinic.city", "City"),
    ("clinic.country", "Country"),
    ("registry_number", "Registry number that they quote, such as NCT01234567"),
    ("treatment_date", "When would it be (such as 2027-03)"),
    ("cells", "Which cells, in their words"),
    ("route", "How are they given, in their words"),
    ("doses", "How many times"),
    ("price.amount", "What do they ask for it, as a number (0 if nothing)"),
)


def asked_offer() -> Offer:
    """The offer from the answers of a person.

    Raises:
        InputProblem: the answers end before the questions do.
    """
    from motorpool.cell_lab.offer import offer_from_data
    from motorpool.cell_lab.offer_checklist import load_checklist

    checklist = load_checklist()
    say("No name and no birth date, please. Press Enter where you do not know.")
    data: dict[str, Any] = {}
    for path, question in TOLD:
        _told(data, path, question)
    if "price" in data and data["price"]["amount"]:
        _told(data, "price.currency", "In which currency", needed=True)
        data["price"]["before_treatment"] = _yes_or_no("Do they want money before treatment?")
    elif "price" in data:
        data["price"]["currency"] = "-"
    say("Now what you were shown, in writing. Answer yes, no, or Enter.")
    paid = bool(data.get("price", {}).get("amount"))
    data["answers"] = {
        name: _yes_or_no(item.question)
        for name, item in checklist.items.items()
        if item.question and not (name == "no_charge" and paid)
    }
    say("Last, how they speak of it.")
    data["red_flags"] = {
        name: _yes_or_no(flag.question)
        for name, flag in checklist.red_flags.items()
        if not (name == "payment_up_front" and paid)
    }
    return offer_from_data(data, "answers")


def write_offer(offer: Offer, path: Path) -> Path:
    """Keep an offer as a file that `offer check` reads; returns its absolute path.

    Raises:
        InputProblem: the file cannot be written.
    """
    import yaml

    from motorpool.report.html_page import write_at_once

    data = offer.model_dump(mode="json", exclude_none=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    try:
        return write_at_once(path, text)
    except OSError as error:
        raise InputProblem(f"--save: {path} cannot be written: {error.strerror}.") from None


def _told(data: dict[str, Any], path: str, question: str, *, needed: bool = False) -> None:
    """Ask until the answer can be used, and put it into the data."""
    from motorpool.cell_lab.offer import offer_from_data
    from motorpool.simulation.errors import ScenarioError

    section, _, key = path.rpartition(".")
    while True:
        text = _prompt(question)
        if not text:
            if not needed:
                return
            continue
        value: Any = _number(text) if key in ("age_months", "doses", "amount") else text
        trial = {**data.get(section, {}), key: value} if section else value
        if section == "price":
            trial = {"amount": 0, "currency": "-", **trial}
        try:
            offer_from_data({section or key: trial}, "answer")
        except ScenarioError as error:
            say(str(error))
            continue
        if section:
            data.setdefault(section, {})[key] = value
        else:
            data[key] = value
        return


def _yes_or_no(question: str) -> str:
    while True:
        answer = FORMS.get(_prompt(f"{question} [yes/no/Enter]").casefold())
        if answer is not None:
            return answer
        say("Please answer yes, no, or press Enter.")


def _prompt(question: str) -> str:
    """One line of an answer. The question goes to standard error alone: `input` would write to standard output."""
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        say("")
        message = (
            "The answers ended before the questions did; nothing was checked. `motorpool offer example` prints a "
            "file to fill in."
        )
        raise InputProblem(message)
    return line.strip()


def _number(text: str) -> Any:
    """A number where it is one; else the text, which is then refused with what is allowed."""
    plain = text.replace(",", "").replace(" ", "")
    try:
        value = float(plain)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
