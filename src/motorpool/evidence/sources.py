"""The bibliography: every source the project rests on, by a stable id.

>>> cite("finkel2017_endear")[-56:]
'N Engl J Med 2017;377:1723-32. doi:10.1056/NEJMoa1702752'
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import Field

from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    build_record,
    list_evidence_files,
    read_evidence_yaml,
    unknown_name,
)

SourceKind = Literal["article", "label", "registry", "report", "abstract", "web", "preprint", "statement"]
_BIBTEX_TYPE: Mapping[str, str] = {"article": "article", "report": "techreport"}


class Source(EvidenceRecord):
    """One publication, label, registry entry or report.

    ``identifiers_recalled`` names the identifiers that were written from memory and not read in the source.
    ``title`` is absent where it is not known for certain; ``about`` then says in our words what it is.
    """

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    kind: SourceKind = "article"
    first_author: str
    title: str | None = None
    about: str | None = None
    journal: str | None = None
    year: int | None = Field(default=None, ge=1950, le=2035)
    volume_pages: str | None = None
    pmid: str | None = Field(default=None, pattern=r"^\d{5,8}$")
    pmcid: str | None = Field(default=None, pattern=r"^PMC\d+$")
    doi: str | None = Field(default=None, pattern=r"^10\.\d{4,9}/\S+$")
    nct: str | None = Field(default=None, pattern=r"^(NCT\d{8}|IRCT\w+)$")
    url: str | None = None
    identifiers_recalled: tuple[str, ...] = ()
    notes: str | None = None

    def citation(self) -> str:
        """Return the source as one line of text: author, title, where, when and an identifier."""
        parts = [self.first_author.rstrip(".")]
        if self.title:
            parts.append(self.title.rstrip("."))
        elif self.about:
            parts.append(f"[{self.about.rstrip('.')}]")
        where = self.journal or self.kind
        when = f" {self.year}" if self.year else ""
        parts.append(f"{where}{when}" + (f";{self.volume_pages}" if self.volume_pages else ""))
        identifier = self._identifier()
        return ". ".join(parts) + (f". {identifier}" if identifier else "")

    def _identifier(self) -> str:
        for label, value in (("doi:", self.doi), ("PMID ", self.pmid), ("", self.pmcid), ("", self.nct)):
            if value:
                return f"{label}{value}"
        return self.url or ""

    def link(self) -> str | None:
        """Return an address where the source can be found, or ``None``."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        if self.pmcid:
            return f"https://pmc.ncbi.nlm.nih.gov/articles/{self.pmcid}/"
        if self.nct and self.nct.startswith("NCT"):
            return f"https://clinicaltrials.gov/study/{self.nct}"
        return self.url

    def bibtex(self) -> str:
        """Return the source as a BibTeX entry whose key is the source id."""
        fields: dict[str, str | None] = {
            "author": f"{self.first_author} and others",
            "title": f"{{{self.title}}}" if self.title else (f"[{self.about}]" if self.about else None),
            "journal" if self.kind == "article" else "howpublished": self.journal,
            "year": str(self.year) if self.year else None,
            "note": self.volume_pages,
            "doi": self.doi,
            "pmid": self.pmid,
            "url": None if self.doi else self.link(),
        }
        lines = [f"  {name} = {{{_escape(value)}}}" for name, value in fields.items() if value]
        return f"@{_BIBTEX_TYPE.get(self.kind, 'misc')}{{{self.id},\n" + ",\n".join(lines) + "\n}"


def _escape(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "&%#$_" else letter for letter in text)


class Bibliography(Mapping[str, Source]):
    """All sources by id; asking for an unknown id names the nearest known one."""

    def __init__(self, sources: Iterable[Source]) -> None:
        """Index ``sources`` by id; raise :class:`EvidenceError` on a repeated id."""
        self._sources: dict[str, Source] = {}
        for source in sources:
            if source.id in self._sources:
                raise EvidenceError(f"source {source.id!r} is listed twice")
            self._sources[source.id] = source

    def __getitem__(self, key: str) -> Source:
        try:
            return self._sources[key]
        except KeyError:
            raise unknown_name("source", key, self._sources) from None

    def __contains__(self, key: object) -> bool:
        return key in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def bibtex(self, source_ids: Iterable[str] | None = None) -> str:
        """Return BibTeX for ``source_ids`` (all of them when ``None``), each once, sorted by id."""
        ids = sorted(set(self._sources if source_ids is None else source_ids))
        return "\n\n".join(self[source_id].bibtex() for source_id in ids) + "\n"


@functools.cache
def load_sources() -> Bibliography:
    """Load and validate every file of ``data/sources``; an id may exist once over all of them.

    Raises:
        EvidenceError: naming the source and what is wrong.
    """
    return Bibliography(
        build_record(Source, {"id": source_id, **fields}, f"sources/{name}.yaml: {source_id}")
        for name in list_evidence_files("sources")
        for source_id, fields in read_evidence_yaml("sources", f"{name}.yaml")["sources"].items()
    )


def cite(source_id: str) -> str:
    """Return one line of citation for ``source_id``; unknown ids raise :class:`EvidenceError`."""
    return load_sources()[source_id].citation()


def check_sources(source_ids: Iterable[str], where: str) -> None:
    """Raise :class:`EvidenceError`, led by ``where``, unless every id is in the bibliography."""
    bibliography = load_sources()
    for source_id in source_ids:
        if source_id not in bibliography:
            raise EvidenceError(f"{where}: {unknown_name('source', source_id, bibliography)}")
