"""The verb `evidence refresh`: is there anything new? Shown and kept, and never put into the model by itself."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from motorpool.cli.console import InputProblem, aligned, progress_display, say

if TYPE_CHECKING:
    from motorpool.cell_lab.search_log import FoundStudy, SearchLog, SearchRun

NOTHING_CHANGED = "No number of motorpool was changed; what is new has to be read by a person."


def refresh(
    as_json: bool = typer.Option(False, "--json", help="Print the search as JSON on standard output."),
    history: bool = typer.Option(False, "--history", help="Show the searches that were kept; asks nobody."),
    log: Path | None = typer.Option(
        None, "--log", metavar="FILE", help="Where searches are kept. [default: in the user's data folder]"
    ),
    registry_url: str | None = typer.Option(
        None, "--registry-url", metavar="URL", help="Another address of ClinicalTrials.gov's API."
    ),
    pubmed_url: str | None = typer.Option(
        None, "--pubmed-url", metavar="URL", help="Another address of the E-utilities."
    ),
) -> None:
    """Ask ClinicalTrials.gov and PubMed for new studies of SMA and of cells.

    Shows what is not in the evidence library and was not seen before, and how many papers there are. Search terms,
    dates and counts are kept, as PRISMA asks for. No number of the model changes.

    \b
    Examples:
      motorpool evidence refresh
      motorpool evidence refresh --history
    """
    from motorpool.cell_lab.search_log import add_run, default_path, read_log

    path = (log or default_path()).expanduser().absolute()
    if path.is_dir():
        raise InputProblem(f"--log: {path} is a folder; give the name of a file.")
    kept = read_log(path)
    if history:
        _show_history(kept, path, as_json)
        return
    from motorpool.cell_lab.refresh import anything_found, failures
    from motorpool.cell_lab.refresh import refresh as search
    from motorpool.cell_lab.registry_services import services_at

    services = services_at(registry_url, pubmed_url)
    with progress_display() as tell:
        run = search(services, kept, datetime.datetime.now(datetime.UTC), tell)
    failed = failures(run)
    if not anything_found(run):
        last = (
            f"The last search, of {kept.runs[-1].date[:10]}, is kept in {path}."
            if kept.runs
            else "There was no search before."
        )
        say(
            f"Nothing could be asked: {'; '.join(failed)}.\n{last} Nothing was changed.\n"
            "This verb needs a connection to these services; everything else of motorpool works without one."
        )
        raise typer.Exit(1)
    add_run(path, run)
    print(
        json.dumps(run.model_dump(mode="json"), indent=1, ensure_ascii=False) if as_json else _text(run),
        flush=True,
    )
    for problem in failed:
        say(f"Not complete: {problem}.")
    say(f"Kept in {path}. {NOTHING_CHANGED}")
    if failed:
        raise typer.Exit(1)


def _show_history(kept: SearchLog, path: Path, as_json: bool) -> None:
    if as_json:
        print(json.dumps(kept.model_dump(mode="json"), indent=1, ensure_ascii=False))
        return
    if not kept.runs:
        raise InputProblem(f"{path}: no search was kept yet; `motorpool evidence refresh` makes one.")
    rows: list[tuple[str, ...]] = [("date", "service", "search", "found", "new", "terms")]
    for run in kept.runs:
        for one in run.trials:
            found = "failed" if one.error else str(one.identified)
            terms = "; ".join(f"{name}={value}" for name, value in one.terms.items())
            rows.append((run.date[:10], one.service, one.search, found, str(len(one.new)), terms))
        for one in run.papers:
            found = "failed" if one.count is None else str(one.count)
            rows.append(
                (run.date[:10], one.service, one.search, found, _more(one.count, one.before), one.term)
            )
    print(aligned(rows))


def _text(run: SearchRun) -> str:
    rows: list[tuple[str, ...]] = [
        (
            "search",
            "found",
            "also in another search",
            "in the library",
            "seen before",
            "new",
            "status changed",
        )
    ]
    for one in run.trials:
        if one.error is None:
            counts = (
                one.identified,
                one.duplicates,
                one.in_library,
                one.seen_before,
                len(one.new),
                len(one.changed),
            )
            rows.append((one.what, *(str(count) for count in counts)))
    parts = [aligned(rows)] if len(rows) > 1 else []
    new = [study for one in run.trials for study in one.new]
    changed = [study for one in run.trials for study in one.changed]
    if new:
        parts.append(f"New, to be read ({len(new)}):\n{_studies(new)}")
    elif len(rows) > 1:
        parts.append("No study is new.")
    if changed:
        parts.append(f"Another status than when last seen ({len(changed)}):\n{_studies(changed)}")
    papers: list[tuple[str, ...]] = [("papers", "in PubMed", "since last time", "by year")]
    for one in run.papers:
        if one.count is not None:
            years = ", ".join(f"{year}: {count}" for year, count in one.by_year.items())
            papers.append((one.what, str(one.count), _more(one.count, one.before), years))
    if len(papers) > 1:
        parts.append(aligned(papers))
    return "\n\n".join(parts)


def _studies(studies: list[FoundStudy]) -> str:
    return aligned(
        [
            (
                one.number,
                one.status or "status not given",
                one.start or "start not given",
                " ".join(one.title.split()),
            )
            for one in studies
        ]
    )


def _more(count: int | None, before: int | None) -> str:
    if count is None or before is None:
        return "not known"
    return f"{count - before:+d}"
