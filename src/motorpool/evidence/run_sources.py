"""What a run rests on: the sources of its parameters, therapies and facts, of the calibration behind it, and of the
published cohorts that are drawn over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping

from motorpool.evidence.adverse_events import load_adverse_event_catalogue
from motorpool.evidence.facts import load_facts
from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.library import sources_of_endpoint
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.study_sets import StudySet, load_study_sets

ALWAYS_READ = ("growth", "protocols")
"""Topics of facts that every run reads."""
SUPPORTIVE_FACTS = "care"


@dataclasses.dataclass(frozen=True)
class RunSources:
    """Ids of sources by why the run rests on them; one source can be there for several reasons."""

    parameters: tuple[str, ...]
    therapies: tuple[str, ...]
    facts: tuple[str, ...]
    calibration: tuple[str, ...]
    published: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every source once, sorted."""
        parts = (getattr(self, field.name) for field in dataclasses.fields(self))
        return tuple(sorted({source for part in parts for source in part}))


def sources_of_run(
    *,
    therapies: Collection[str],
    published: Iterable[str],
    therapy_modules: Mapping[str, str],
    calibrated: bool,
) -> RunSources:
    """The sources of a run.

    Args:
        therapies: every therapy that occurs in it.
        published: names of the published studies that are drawn.
        therapy_modules: the module of parameters of each therapy that has one; modules of therapies that do not
            occur are left out.
        calibrated: whether its parameters come from a posterior, so that the calibration studies stand behind it.

    Raises:
        EvidenceError: a study that does not exist.
    """
    unused = {module for therapy, module in therapy_modules.items() if therapy not in therapies}
    parameters = (
        source
        for record in load_parameter_table().values()
        if record.id.split(".")[0] not in unused
        for source in record.sources
    )
    topics = [*ALWAYS_READ, SUPPORTIVE_FACTS] if therapies else ALWAYS_READ
    return RunSources(
        parameters=_once(parameters),
        therapies=_once(_of_therapies(therapies, therapy_modules)),
        facts=_once(source for topic in topics for source in _of_facts(topic, None)),
        calibration=_once(sources_of_set("calibration")) if calibrated else (),
        published=_once(source for name in published for source in load_published(name).source_ids()),
    )


def sources_of_set(chosen: StudySet) -> Iterator[str]:
    """The sources of all endpoints that a set of studies predicts: of the studies, the endpoints and their figures."""
    sets, ledger = load_study_sets(), load_ledger()
    for name in list_published():
        study = load_published(name)
        mine = [
            endpoint
            for endpoint in study.endpoints
            if endpoint.not_scored is None and sets.of(name, endpoint.id) == chosen
        ]
        if study.run is None or not mine:
            continue
        yield from (study.source, *study.further_sources)
        for endpoint in mine:
            yield from sources_of_endpoint(study, endpoint)
            figure = ledger[endpoint.evidence_id]
            yield from (figure.source, *figure.further_sources)


def _of_therapies(therapies: Collection[str], modules: Mapping[str, str]) -> Iterator[str]:
    for event in load_adverse_event_catalogue().values():
        if set(therapies) & set(event.therapies):
            yield from event.source_ids()
    for therapy in therapies:
        names = (therapy, modules.get(therapy, therapy))
        yield from _of_facts("dosing", names)
        for record in load_parameter_table().values():
            if record.id.split(".")[0] in names:
                yield from record.sources


def _of_facts(topic: str, beginnings: tuple[str, ...] | None) -> Iterator[str]:
    file = load_facts(topic)
    for entry in (*file.facts.values(), *file.tables.values()):
        if beginnings is None or entry.id.startswith(beginnings):
            yield from entry.sources


def _once(sources: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(sources)))
