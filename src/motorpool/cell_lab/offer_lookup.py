"""Looking up the registry number of an offer: in the registry where it answers, else in the shipped snapshot."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from motorpool.cell_lab.offer_checklist import load_offer_words
from motorpool.cell_lab.registry import RegistryError, RegistryRecord, load_snapshot
from motorpool.cell_lab.registry_client import TrialRegistry

ASKED_KIND = "ClinicalTrials.gov"
WhereFrom = Literal["registry", "snapshot", "nowhere"]


@dataclass(frozen=True)
class Lookup:
    """What was found for a number.

    Attributes:
        number: as it was given, tidied; ``None`` where the offer quotes none.
        kind: the registry whose numbers look so; ``None`` where no known one does.
        came_from: the registry, the shipped snapshot, or nowhere.
        day: of which day the record is.
        record: the study, where there is one.
        absent: the registry itself says that it has no such study.
        problem: why the registry could not be asked.
        address: where to look it up by hand.
    """

    number: str | None
    kind: str | None
    came_from: WhereFrom
    day: str
    record: RegistryRecord | None = None
    absent: bool = False
    problem: str | None = None
    address: str | None = None


def look_up(number: str | None, registry: TrialRegistry | None, today: datetime.date) -> Lookup:
    """Look a number up; without a ``registry`` only the snapshot is read. Failure to reach it is told, not raised."""
    if number is None or not number.strip():
        return Lookup(None, None, "nowhere", today.isoformat())
    tidy, kind, address = recognised(number)
    problem: str | None = None
    if kind == ASKED_KIND and registry is not None:
        try:
            record = registry.study(tidy)
        except RegistryError as error:
            problem = str(error)
        else:
            return Lookup(tidy, kind, "registry", today.isoformat(), record, record is None, None, address)
    snapshot = load_snapshot()
    record = snapshot.records.get(tidy)
    came_from: WhereFrom = "nowhere" if record is None else "snapshot"
    return Lookup(tidy, kind, came_from, snapshot.made, record, False, problem, address)


def recognised(number: str) -> tuple[str, str | None, str | None]:
    """A number without spaces and in the registry's own letters, the registry, and the address of its entry."""
    tidy = re.sub(r"\s+", "", number)
    for kind, form in load_offer_words().registries.items():
        if re.fullmatch(form.pattern, tidy, re.IGNORECASE):
            if kind == ASKED_KIND:
                tidy = tidy.upper()
            return tidy, kind, form.address.format(number=tidy)
    return tidy, None, None
