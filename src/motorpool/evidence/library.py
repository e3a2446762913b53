"""What rests on what: from a source to the figures, studies, parameters and facts that use it, and back.

Every link is written where the evidence stands; this module only turns the links round.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping

from motorpool.evidence.adverse_events import load_adverse_event_catalogue
from motorpool.evidence.facts import list_facts, load_facts
from motorpool.evidence.ledger import LedgerFigure, load_ledger
from motorpool.evidence.outcome_catalogue import (
    load_event_catalogue,
    load_milestone_catalogue,
    load_outcome_catalogue,
)
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.published import PublishedEndpoint, PublishedStudy, list_published, load_published

CATALOGUES = ("outcomes", "adverse_events")
"""Files of facts that are catalogues: what the model reports, and the harms of therapies."""


@dataclasses.dataclass(frozen=True)
class SourceUses:
    """Everything that rests on one source, by id.

    figures: of the ledger. studies: published studies. endpoints: ``STUDY.endpoint``. parameters: of the model.
    facts: ``topic.fact``, the catalogues of outcomes and adverse events included.
    """

    figures: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything rests on the source."""
        return any(getattr(self, field.name) for field in dataclasses.fields(self))


def uses_of_source(source_id: str) -> SourceUses:
    """Everything that uses a source; empty for a source that nothing uses."""
    return _uses().get(source_id, SourceUses())


def sources_of_endpoint(study: PublishedStudy, endpoint: PublishedEndpoint) -> tuple[str, ...]:
    """The sources of an endpoint: its own, or the study's where it names none."""
    return endpoint.sources or (study.source,)


def figures_used_by(name: str) -> tuple[LedgerFigure, ...]:
    """The figures of the ledger that say they are used for a ``STUDY.endpoint``, a parameter or a file of facts."""
    return _by_place().get(name, ())


def figures_of_study(study: str) -> tuple[LedgerFigure, ...]:
    """The figures of the ledger about a study: called by its name, or behind one of its endpoints."""
    ledger = load_ledger()
    wanted = study.casefold()
    behind: set[str] = set()
    for name in list_published():
        if name.casefold() == wanted:
            behind = {endpoint.evidence_id for endpoint in load_published(name).endpoints}
    return tuple(
        figure
        for figure in ledger.values()
        if figure.id in behind
        or figure.study.casefold() == wanted
        or any(place.casefold().startswith(f"{wanted}.") for place in figure.use.where)
    )


def endpoint_of(name: str) -> tuple[PublishedStudy, PublishedEndpoint] | None:
    """The study and endpoint that ``STUDY.endpoint`` names, or ``None``."""
    study_name, dot, endpoint_id = name.partition(".")
    if not dot or study_name not in list_published():
        return None
    study = load_published(study_name)
    return next(((study, endpoint) for endpoint in study.endpoints if endpoint.id == endpoint_id), None)


def fact_files() -> tuple[str, ...]:
    """Names of the files of facts, the two catalogues included."""
    return (*list_facts(), *CATALOGUES)


@functools.cache
def _by_place() -> Mapping[str, tuple[LedgerFigure, ...]]:
    found: dict[str, tuple[LedgerFigure, ...]] = {}
    for figure in load_ledger().values():
        for place in figure.use.where:
            found[place] = (*found.get(place, ()), figure)
    return found


@functools.cache
def _uses() -> Mapping[str, SourceUses]:
    figures, studies, endpoints, parameters, facts = (defaultdict[str, list[str]](list) for _ in range(5))

    def note(into: dict[str, list[str]], sources: Iterable[str], name: str) -> None:
        for source in dict.fromkeys(sources):
            into[source].append(name)

    for figure in load_ledger().values():
        note(figures, (figure.source, *figure.further_sources), figure.id)
    for name in list_published():
        study = load_published(name)
        note(studies, (study.source, *study.further_sources), name)
        for endpoint in study.endpoints:
            note(endpoints, sources_of_endpoint(study, endpoint), f"{name}.{endpoint.id}")
    for record in load_parameter_table().values():
        note(parameters, record.sources, record.id)
    for topic in list_facts():
        file = load_facts(topic)
        for entry in (*file.facts.values(), *file.tables.values()):
            note(facts, entry.sources, f"{topic}.{entry.id}")
    for entry in (
        *load_outcome_catalogue().values(),
        *load_milestone_catalogue().values(),
        *load_event_catalogue().values(),
    ):
        note(facts, entry.source_ids(), f"outcomes.{entry.id}")
    for entry in load_adverse_event_catalogue().values():
        note(facts, entry.source_ids(), f"adverse_events.{entry.id}")
    known = {**figures, **studies, **endpoints, **parameters, **facts}
    return {
        source: SourceUses(
            *(tuple(part.get(source, ())) for part in (figures, studies, endpoints, parameters, facts))
        )
        for source in known
    }
