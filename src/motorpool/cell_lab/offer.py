"""An offer of cell therapy as a file: what a clinic says, with no name and no birth date of a person.

``docs/reference/offer-file.md`` describes every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, ValidationError, field_validator

from motorpool.cell_lab.dates import days_of
from motorpool.cell_lab.offer_checklist import load_checklist
from motorpool.evidence.records import EvidenceRecord
from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.simulation.yaml_reader import parse_yaml
from motorpool.studies.study_checks import problems_of
from motorpool.studies.study_file import text_of
from motorpool.therapies.fields import nearest_name

Answer = Literal["yes", "no", "unknown"]
LOOKED_UP = "registered"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be plain text on one line, without control characters")
    return text


Text = Annotated[str, AfterValidator(_printable)]


class Clinic(EvidenceRecord):
    """Where the treatment would be given."""

    name: Text | None = Field(default=None, max_length=200)
    city: Text | None = Field(default=None, max_length=100)
    country: Text | None = Field(default=None, max_length=100)


class Price(EvidenceRecord):
    """What is asked for the cells and the procedure, in a currency, and whether before treatment."""

    amount: float = Field(ge=0, le=1e9)
    currency: Text = Field(min_length=1, max_length=20)
    before_treatment: Answer = "unknown"


class Offer(EvidenceRecord):
    """One offer. ``None``: not told.

    ``answers`` and ``red_flags`` name entries of the checklist; what is not named is ``unknown``.
    """

    offer: Text = Field(default="Offer of cell therapy", min_length=1, max_length=200)
    condition: Text = Field(default="spinal muscular atrophy", min_length=1, max_length=200)
    age_months: float | None = Field(default=None, ge=0, le=1200)
    clinic: Clinic = Clinic()
    registry_number: Text | None = Field(default=None, max_length=60)
    treatment_date: str | None = None
    cells: Text | None = Field(default=None, max_length=500)
    route: Text | None = Field(default=None, max_length=300)
    doses: int | None = Field(default=None, ge=1, le=100)
    price: Price | None = None
    answers: Mapping[str, Answer] = {}
    red_flags: Mapping[str, Answer] = {}

    @field_validator("treatment_date")
    @classmethod
    def _is_a_date(cls, value: str | None) -> str | None:
        if value is not None:
            days_of(value)
            if "-" not in value:
                raise ValueError("must be a date such as 2027-03 or 2027-03-15")
        return value


def read_offer(path: Path) -> Offer:
    """An offer from a YAML file.

    Raises:
        ScenarioError: with path, value and what is allowed for everything that is wrong.
    """
    source = str(path)
    return offer_from_data(parse_yaml(text_of(path, source), source), source)


def offer_from_data(data: Any, source: str = "offer") -> Offer:
    """An offer from plain data; raises as :func:`read_offer`."""
    if not isinstance(data, Mapping):
        message = (
            "the file has no entries; it must hold lines like `cells: ...` (see `motorpool offer example`)"
        )
        raise ScenarioError.single("", message, source=source)
    plain = cast("Mapping[str, Any]", data)
    try:
        offer = Offer.model_validate(plain)
    except ValidationError as error:
        raise ScenarioError(problems_of(error, Offer, plain), source) from None
    problems = _wrong_names(offer) + _contradictions(offer)
    if problems:
        raise ScenarioError(problems, source)
    return offer


def _wrong_names(offer: Offer) -> list[Problem]:
    checklist, found = load_checklist(), list[Problem]()
    for section, given, known in (
        ("answers", offer.answers, [name for name, item in checklist.items.items() if item.question]),
        ("red_flags", offer.red_flags, list(checklist.red_flags)),
    ):
        for name in given:
            if section == "answers" and name == LOOKED_UP:
                found.append(Problem(f"answers.{name}", "is looked up; give registry_number instead"))
            elif name not in known:
                message = f"unknown entry; allowed here are {', '.join(known)}"
                found.append(Problem(f"{section}.{name}", message, nearest=nearest_name(name, known)))
    return found


def _contradictions(offer: Offer) -> list[Problem]:
    """Answers that the rest of the file contradicts."""
    found: list[Problem] = []
    price = offer.price
    if price is not None and price.amount > 0 and offer.answers.get("no_charge") == "yes":
        message = f"contradicts price.amount, which is {price.amount:g} {price.currency}"
        found.append(Problem("answers.no_charge", message, "yes"))
    if (
        price is not None
        and price.before_treatment == "yes"
        and offer.red_flags.get("payment_up_front") == "no"
    ):
        found.append(
            Problem("red_flags.payment_up_front", "contradicts price.before_treatment, which is yes", "no")
        )
    return found
