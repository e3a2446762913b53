"""Figures about accrual with their sources: births, who is reached, who agrees, what a centre can do."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from motorpool.evidence.records import EvidenceError, EvidenceRecord
from motorpool.simulation.yaml_reader import parse_yaml

FILE = Path(__file__).parent / "data" / "accrual.yaml"


class AccrualFact(EvidenceRecord):
    """One figure with unit, interval and source."""

    value: float = Field(gt=0)
    unit: str
    source: str
    origin: Literal["publication", "judgement"]
    checked: bool
    year: int | None = None
    interval: tuple[float, float] | None = None
    description: str = ""


class AccrualFacts(EvidenceRecord):
    """`data/accrual.yaml`."""

    births_per_year: Mapping[str, AccrualFact]
    reached_share: AccrualFact
    consent_share: AccrualFact
    patients_per_site_month: AccrualFact

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions whose births are known."""
        return tuple(self.births_per_year)


@functools.cache
def load_accrual_facts() -> AccrualFacts:
    """The figures that come with the package.

    Raises:
        EvidenceError: the file is damaged.
    """
    data: Any = parse_yaml(FILE.read_text(encoding="utf-8"), FILE.name)
    try:
        return AccrualFacts.model_validate(data)
    except ValidationError as error:
        raise EvidenceError(f"{FILE.name}: {error}") from None
