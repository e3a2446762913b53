"""A registered study, from ClinicalTrials.gov (API version 2) or from the shipped snapshot. ``None``: not known.

Field paths: https://clinicaltrials.gov/data-api/about-api/study-data-structure
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from motorpool.cell_lab.dates import days_of
from motorpool.cell_lab.own_data import read_own_yaml
from motorpool.evidence.records import EvidenceRecord, build_record
from motorpool.evidence.sources import check_sources
from motorpool.simulation.units import DAYS_PER_MONTH, DAYS_PER_WEEK, MONTHS_PER_YEAR

SNAPSHOT_FILE = "registry_snapshot.yaml"
DATE = r"^\d{4}(-\d{2}){0,2}$"
_MONTHS = {
    "day": 1.0 / DAYS_PER_MONTH,
    "week": DAYS_PER_WEEK / DAYS_PER_MONTH,
    "month": 1.0,
    "year": MONTHS_PER_YEAR,
}


REGISTRY = "the registry"


class RegistryError(Exception):
    """A registry cannot be asked, or its answer cannot be read; the message says which and why."""

    exit_code = 2


class Location(EvidenceRecord):
    """One place of a study."""

    facility: str | None = None
    city: str | None = None
    country: str | None = None
    status: str | None = None


class RegistryRecord(EvidenceRecord):
    """What a registry says of one study; dates are ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""

    number: str
    title: str
    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    status: str | None = None
    status_text: str | None = None
    start: str | None = Field(default=None, pattern=DATE)
    primary_completion: str | None = Field(default=None, pattern=DATE)
    completion: str | None = Field(default=None, pattern=DATE)
    last_update: str | None = Field(default=None, pattern=DATE)
    phases: tuple[str, ...] = ()
    allocation: str | None = None
    masking: str | None = None
    enrolment: int | None = None
    sponsor: str | None = None
    locations: tuple[Location, ...] | None = None
    minimum_age: str | None = None
    maximum_age: str | None = None
    has_results: bool | None = None
    read_from: str = REGISTRY
    sources: tuple[str, ...] = ()

    @property
    def from_snapshot(self) -> bool:
        """Whether it stands in the shipped notes and was not read in a registry."""
        return self.read_from != REGISTRY

    @property
    def age_months(self) -> tuple[float | None, float | None]:
        """Least and greatest age of those who may take part, in months."""
        return months_of(self.minimum_age), months_of(self.maximum_age)


class Snapshot(EvidenceRecord):
    """The shipped stand-in for a registry, with what it is and when it was made."""

    made: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    made_from: str
    records: Mapping[str, RegistryRecord]


@functools.cache
def load_snapshot() -> Snapshot:
    """The shipped snapshot.

    Raises:
        EvidenceError: naming the record and what is wrong with it.
    """
    content = read_own_yaml(SNAPSHOT_FILE)
    records = {
        number: build_record(RegistryRecord, {"number": number, **fields}, f"{SNAPSHOT_FILE}: {number}")
        for number, fields in content["records"].items()
    }
    for number, record in records.items():
        check_sources(record.sources, f"{SNAPSHOT_FILE}: {number}")
    fields = {**content, "made": str(content["made"]), "records": records}
    return build_record(Snapshot, fields, SNAPSHOT_FILE)


def months_of(age: str | None) -> float | None:
    """An age such as ``6 Months`` or ``16 Years`` in months; ``None`` where there is none."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(day|week|month|year)s?\s*", age or "", re.IGNORECASE)
    return None if found is None else float(found.group(1)) * _MONTHS[found.group(2).lower()]


def parse_study(answer: Any) -> RegistryRecord:
    """A record from one study of the API.

    Raises:
        RegistryError: the answer is not a study of the expected form.
    """
    protocol = _part(answer, "protocolSection")
    identity, status = _part(protocol, "identificationModule"), _part(protocol, "statusModule")
    number = _text(identity, "nctId")
    if number is None:
        raise RegistryError("the registry's answer has no protocolSection.identificationModule.nctId")
    design = _part(protocol, "designModule", required=False)
    information = _part(design, "designInfo", required=False)
    arms = _part(protocol, "armsInterventionsModule", required=False)
    places = _part(protocol, "contactsLocationsModule", required=False)
    people = _part(protocol, "eligibilityModule", required=False)
    sponsors = _part(protocol, "sponsorCollaboratorsModule", required=False)
    conditions = _part(protocol, "conditionsModule", required=False)
    count = _part(design, "enrollmentInfo", required=False).get("count")
    return RegistryRecord(
        number=number,
        title=_text(identity, "briefTitle") or _text(identity, "officialTitle") or number,
        # Keywords are left out: anybody may write any disease there.
        conditions=tuple(_texts(conditions, "conditions")),
        interventions=_interventions(arms, _text(identity, "officialTitle")),
        status=_text(status, "overallStatus"),
        start=_date(status, "startDateStruct"),
        primary_completion=_date(status, "primaryCompletionDateStruct"),
        completion=_date(status, "completionDateStruct"),
        last_update=_date(status, "lastUpdatePostDateStruct"),
        phases=tuple(phase.removeprefix("PHASE") for phase in _texts(design, "phases")),
        allocation=_text(information, "allocation"),
        masking=_text(_part(information, "maskingInfo", required=False), "masking"),
        enrolment=count if isinstance(count, int) and not isinstance(count, bool) else None,
        sponsor=_text(_part(sponsors, "leadSponsor", required=False), "name"),
        locations=tuple(_location(place) for place in _mappings(places, "locations")),
        minimum_age=_text(people, "minimumAge"),
        maximum_age=_text(people, "maximumAge"),
        has_results=answer.get("hasResults") if isinstance(answer.get("hasResults"), bool) else None,
    )


def _interventions(arms: Mapping[str, Any], title: str | None) -> tuple[str, ...]:
    """Names, other names and descriptions of interventions and arms, and the official title."""
    found: list[str] = []
    for one in _mappings(arms, "interventions"):
        found += [text for name in ("name", "description") if (text := _text(one, name))]
        found += _texts(one, "otherNames")
    found += [text for arm in _mappings(arms, "armGroups") if (text := _text(arm, "description"))]
    return tuple([*found, *([title] if title else [])])


def _location(place: Mapping[str, Any]) -> Location:
    return Location(**{name: _text(place, name) for name in ("facility", "city", "country", "status")})


def _part(value: Any, name: str, *, required: bool = True) -> dict[str, Any]:
    """A mapping inside a mapping, empty where it may be absent."""
    found: Any = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, dict):
        return found  # pyright: ignore[reportUnknownVariableType]
    if found is None and not required:
        return {}
    raise RegistryError(f"the registry's answer is not a study: {name} is missing or not an object")


def _mappings(part: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found: Any = part.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _texts(part: Mapping[str, Any], name: str) -> list[str]:
    found: Any = part.get(name)
    return [_plain(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _text(part: Mapping[str, Any], name: str) -> str | None:
    found: Any = part.get(name)
    return _plain(found) or None if isinstance(found, str) else None


def _plain(text: str) -> str:
    """Text without control characters and halves of characters, which a terminal or a file would not bear."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _date(status: Mapping[str, Any], name: str) -> str | None:
    text = _text(_part(status, name, required=False), "date")
    try:
        days_of(text or "")
    except ValueError:
        return None
    return text
