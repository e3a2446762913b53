"""The record of literature searches: when, where, with which terms, and how many were found (as PRISMA asks for).

A file in the user's data folder, only ever added to. Nothing else of motorpool reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from motorpool.cell_lab.registry import RegistryError
from motorpool.evidence.records import EvidenceError, EvidenceRecord, build_record
from motorpool.simulation.files import write_file

FORMAT = "motorpool searches, version 1"
FILE = "searches.json"


class FoundStudy(EvidenceRecord):
    """A registered study as a search found it."""

    number: str
    title: str
    status: str | None = None
    start: str | None = None
    last_update: str | None = None
    phases: tuple[str, ...] = ()


class TrialSearchRun(EvidenceRecord):
    """One search of a registry: ``identified`` = ``duplicates`` + ``in_library`` + ``seen_before`` + ``new``.

    ``duplicates`` were also found by an earlier search of the same run; ``changed`` are known studies whose status is
    another than when they were last seen. ``error`` says why there is no result.
    """

    search: str
    service: str
    address: str
    what: str
    terms: dict[str, str]
    data_date: str | None = None
    identified: int = 0
    duplicates: int = 0
    in_library: int = 0
    seen_before: int = 0
    new: tuple[FoundStudy, ...] = ()
    changed: tuple[FoundStudy, ...] = ()
    statuses: dict[str, str | None] = {}
    error: str | None = None


class PaperSearchRun(EvidenceRecord):
    """One count of papers; ``before`` is the count of the last run that had one."""

    search: str
    service: str
    address: str
    what: str
    term: str
    understood: str = ""
    count: int | None = None
    before: int | None = None
    by_year: dict[str, int] = {}
    error: str | None = None


class SearchRun(EvidenceRecord):
    """All searches of one moment."""

    date: str
    version: str
    trials: tuple[TrialSearchRun, ...] = ()
    papers: tuple[PaperSearchRun, ...] = ()


class SearchLog(EvidenceRecord):
    """Every run so far, the oldest first."""

    format: str = Field(default=FORMAT, pattern=f"^{FORMAT}$")
    runs: tuple[SearchRun, ...] = ()

    def statuses(self) -> dict[str, str | None]:
        """The last status in which each study was seen."""
        found: dict[str, str | None] = {}
        for run in self.runs:
            for search in run.trials:
                found.update(search.statuses)
        return found

    def last_count(self, search: str) -> int | None:
        """The last count of papers of a search."""
        counts = [
            one.count
            for run in self.runs
            for one in run.papers
            if one.search == search and one.count is not None
        ]
        return counts[-1] if counts else None


def default_path() -> Path:
    """Where searches are kept: the user's data folder (``XDG_DATA_HOME`` on Linux)."""
    import platformdirs

    return platformdirs.user_data_path("motorpool", appauthor=False) / FILE


def read_log(path: Path) -> SearchLog:
    """The record so far; empty where there is no file.

    Raises:
        EvidenceError: the file is damaged or something else's.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return SearchLog()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise EvidenceError(f"{path}: is not a record of searches; move it away to begin a new one") from None
    if not isinstance(content, dict):
        raise EvidenceError(f"{path}: is not a record of searches; move it away to begin a new one")
    return build_record(SearchLog, content, str(path))  # pyright: ignore[reportUnknownArgumentType]


def add_run(path: Path, run: SearchRun) -> None:
    """Add a run to the record; the file is whole at every moment.

    Raises:
        EvidenceError: the file that is there is damaged.
        RegistryError: the file cannot be written.
    """
    log = read_log(path)
    kept = SearchLog(runs=(*log.runs, run))
    text = json.dumps(kept.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, text.encode())
    except OSError as error:
        raise RegistryError(f"{path}: the searches cannot be kept: {error.strerror}") from None
