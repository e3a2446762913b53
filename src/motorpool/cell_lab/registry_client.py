"""Questions to ClinicalTrials.gov (API version 2) and to PubMed (E-utilities)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from motorpool.cell_lab.registry import RegistryRecord, parse_study
from motorpool.cell_lab.registry_http import JsonService, ServiceError
from motorpool.cell_lab.registry_services import TrialService

FIELDS = "NCTId,BriefTitle,OverallStatus,StartDate,LastUpdatePostDate,Phase,Condition,EnrollmentCount"
NOTHING_FOUND = "No items found."


class TrialRegistry:
    """ClinicalTrials.gov behind a :class:`JsonService`."""

    def __init__(self, service: JsonService, settings: TrialService) -> None:
        self._service, self._settings = service, settings

    def study(self, number: str) -> RegistryRecord | None:
        """One study by its number, or ``None`` where the registry has none.

        Raises:
            RegistryError: the registry cannot be asked or its answer cannot be read.
        """
        answer = self._service.get(f"/studies/{number}", {"format": "json"})
        return None if answer is None else parse_study(answer)

    def search(self, terms: Mapping[str, str]) -> Iterator[RegistryRecord]:
        """All studies of a search, page by page.

        Raises:
            RegistryError: the registry cannot be asked, its answer cannot be read, or its pages do not end.
        """
        query = {"format": "json", "pageSize": str(self._settings.page_size), "fields": FIELDS, **terms}
        seen: set[str] = set()
        token: str | None = None
        for _ in range(self._settings.most_pages):
            page = self._service.get("/studies", query if token is None else {**query, "pageToken": token})
            studies: Any = page.get("studies") if isinstance(page, dict) else None
            if not isinstance(page, dict) or not isinstance(studies, list):
                raise ServiceError(
                    f"{self._service.name} gave an answer without a list of studies", "unreadable"
                )
            for study in studies:
                yield parse_study(study)
            token = page.get("nextPageToken")
            if token is None:
                return
            if not isinstance(token, str) or token in seen:
                break
            seen.add(token)
        raise ServiceError(f"{self._service.name} gave pages that do not end", "unreadable")

    def data_date(self) -> str | None:
        """When the registry's data were last renewed, where it says so."""
        answer = self._service.get("/version", {})
        found: Any = answer.get("dataTimestamp") if isinstance(answer, dict) else None
        return found if isinstance(found, str) else None


@dataclass(frozen=True)
class PaperCount:
    """How many papers a search finds, and how PubMed understood it."""

    count: int
    understood: str


class PaperIndex:
    """PubMed behind a :class:`JsonService`."""

    def __init__(self, service: JsonService) -> None:
        self._service = service

    def count(self, term: str, year: int | None = None) -> PaperCount:
        """Number of papers, of all years or published in one.

        Raises:
            ServiceError: PubMed cannot be asked, or did not understand the whole search; a partly understood search
                counts other papers than were asked for.
        """
        dates = {} if year is None else {"datetype": "pdat", "mindate": str(year), "maxdate": str(year)}
        parameters = {
            "db": "pubmed",
            "term": term,
            "retmax": "0",
            "retmode": "json",
            "tool": "motorpool",
            **dates,
        }
        answer = self._service.get("/esearch.fcgi", parameters)
        result: Any = answer.get("esearchresult") if isinstance(answer, dict) else None
        if not isinstance(result, dict):
            raise ServiceError(f"{self._service.name} gave an answer without esearchresult", "unreadable")
        unresolved = _unresolved(result)
        if unresolved:
            raise ServiceError(f"{self._service.name} did not understand: {', '.join(unresolved)}", "refused")
        count = str(result.get("count", ""))
        if not count.isdigit():
            raise ServiceError(f"{self._service.name} gave no number of papers but {count!r}", "unreadable")
        return PaperCount(int(count), str(result.get("querytranslation", "")))


def _unresolved(result: Mapping[str, Any]) -> list[str]:
    """What PubMed says it could not use; it answers 200 all the same."""
    found: list[str] = [str(result["ERROR"])] if result.get("ERROR") else []
    for name in ("errorlist", "warninglist"):
        part: Any = result.get(name)
        if isinstance(part, dict):
            for entries in part.values():
                found += [str(entry) for entry in entries] if isinstance(entries, list) else [str(entries)]
    return [entry for entry in found if entry and entry != NOTHING_FOUND]
