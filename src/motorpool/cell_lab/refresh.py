"""Asking the registry and PubMed for what is new; nothing that is found changes a number of the model.

Whether a new study matters is for a person to read and to write into the evidence files.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TypeVar

from motorpool._version import __version__
from motorpool.cell_lab.registry import RegistryError, RegistryRecord, load_snapshot
from motorpool.cell_lab.registry_client import PaperIndex, TrialRegistry
from motorpool.cell_lab.registry_http import JsonService, ServiceError
from motorpool.cell_lab.registry_services import Services
from motorpool.cell_lab.search_log import FoundStudy, PaperSearchRun, SearchLog, SearchRun, TrialSearchRun
from motorpool.evidence.cell_studies import load_cell_studies
from motorpool.evidence.sources import load_sources

Kind = TypeVar("Kind", TrialSearchRun, PaperSearchRun)
Tell = Callable[[str, float], None]
SKIPPED = "not asked, because the search before it could not be answered"


def known_numbers() -> frozenset[str]:
    """Numbers of registered studies that the evidence library already holds."""
    from_sources = {source.nct for source in load_sources().values() if source.nct}
    from_studies = {number for study in load_cell_studies().studies.values() for number in study.registration}
    return frozenset(from_sources | from_studies | set(load_snapshot().records))


def refresh(services: Services, log: SearchLog, now: datetime.datetime, tell: Tell) -> SearchRun:
    """Run every search. A search that fails says why in its ``error``; the rest of that service is then not asked."""
    trials = _trials(services, log, tell)
    papers = _papers(services, log, now.year, tell)
    tell("Searching", 1.0)
    return SearchRun(
        date=now.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        version=__version__,
        trials=tuple(trials),
        papers=tuple(papers),
    )


def failures(run: SearchRun) -> list[str]:
    """What could not be asked, each once, and not what was left out because of it."""
    errors = [one.error for one in (*run.trials, *run.papers) if one.error and one.error != SKIPPED]
    return list(dict.fromkeys(errors))


def anything_found(run: SearchRun) -> bool:
    """Whether at least one search was answered."""
    return any(one.error is None for one in (*run.trials, *run.papers))


def _trials(services: Services, log: SearchLog, tell: Tell) -> list[TrialSearchRun]:
    settings, searches = services.clinicaltrials, services.searches.clinicaltrials
    library, before = known_numbers(), log.statuses()
    found: list[TrialSearchRun] = []
    this_run: set[str] = set()
    with JsonService(settings.name, settings.url, settings.pause_seconds, services.http) as service:
        registry = TrialRegistry(service, settings)
        date: str | None = None
        failed = False
        for place, (name, search) in enumerate(searches.items()):
            tell(f"Asking {settings.name}", 0.6 * place / len(searches))
            empty = TrialSearchRun(
                search=name,
                service=settings.name,
                address=settings.url,
                what=search.what,
                terms=dict(search.terms),
            )
            if failed:
                found.append(_with(empty, error=SKIPPED))
                continue
            try:
                date = date or _data_date(registry)
                records = list(registry.search(search.terms))
            except RegistryError as error:
                failed = True
                found.append(_with(empty, error=str(error)))
                continue
            found.append(_counted(empty, records, date, library, before, this_run))
            this_run |= {record.number for record in records}
    return found


def _data_date(registry: TrialRegistry) -> str | None:
    """When the registry was last renewed; not knowing it is no reason not to search."""
    try:
        return registry.data_date()
    except ServiceError as error:
        if error.problem == "unreachable":
            raise
        return None


def _counted(
    empty: TrialSearchRun,
    records: list[RegistryRecord],
    date: str | None,
    library: frozenset[str],
    before: dict[str, str | None],
    this_run: set[str],
) -> TrialSearchRun:
    """Sort what a search found: seen in this run, in the library, seen in an earlier run, new."""
    duplicates = in_library = seen_before = 0
    new: list[FoundStudy] = []
    changed: list[FoundStudy] = []
    met: set[str] = set(this_run)
    for record in records:
        if record.number in met:
            duplicates += 1
            continue
        met.add(record.number)
        if record.number in before and before[record.number] != record.status:
            changed.append(_found(record))
        if record.number in library:
            in_library += 1
        elif record.number in before:
            seen_before += 1
        else:
            new.append(_found(record))
    return _with(
        empty,
        data_date=date,
        identified=len(records),
        duplicates=duplicates,
        in_library=in_library,
        seen_before=seen_before,
        new=tuple(sorted(new, key=lambda one: one.number, reverse=True)),
        changed=tuple(changed),
        statuses={record.number: record.status for record in records},
    )


def _found(record: RegistryRecord) -> FoundStudy:
    return FoundStudy(
        number=record.number,
        title=record.title,
        status=record.status,
        start=record.start,
        last_update=record.last_update,
        phases=record.phases,
    )


def _papers(services: Services, log: SearchLog, year: int, tell: Tell) -> list[PaperSearchRun]:
    settings, searches = services.pubmed, services.searches.pubmed
    found: list[PaperSearchRun] = []
    with JsonService(settings.name, settings.url, settings.pause_seconds, services.http) as service:
        index = PaperIndex(service)
        failed = False
        for place, (name, search) in enumerate(searches.items()):
            tell(f"Asking {settings.name}", 0.6 + 0.4 * place / len(searches))
            empty = PaperSearchRun(
                search=name,
                service=settings.name,
                address=settings.url,
                what=search.what,
                term=search.term,
                before=log.last_count(name),
            )
            if failed:
                found.append(_with(empty, error=SKIPPED))
                continue
            try:
                whole = index.count(search.term)
                years = range(year - settings.years + 1, year + 1)
                by_year = {str(one): index.count(search.term, one).count for one in years}
            except RegistryError as error:
                failed = True
                found.append(_with(empty, error=str(error)))
                continue
            found.append(_with(empty, count=whole.count, understood=whole.understood, by_year=by_year))
    return found


def _with(record: Kind, **changes: object) -> Kind:
    """A copy with other values, checked as the first was."""
    return type(record).model_validate({**record.model_dump(), **changes})
