"""Evidence: studies and figures that can be searched, each with its source."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from motorpool.web.render import page

routes = APIRouter()
MOST_HITS = 60


@routes.get("/evidence")
async def evidence(request: Request, words: str = Query("", max_length=200)) -> Response:
    """Search, or all studies."""
    from motorpool.evidence.search import nearest_words, search_evidence

    hits = search_evidence(words, MOST_HITS) if words.strip() else []
    nearest = nearest_words(words) if words.strip() and not hits else {}
    return page(
        "evidence.html.j2", request, title="Evidence", words=words, hits=hits, nearest=nearest,
        studies=study_rows() if not words.strip() else [],
    )  # fmt: skip


@routes.get("/evidence/study/{name}")
async def study(request: Request, name: str) -> Response:
    """One study: who was in it, what it found, and what the model predicts of it."""
    from motorpool.evidence.published import load_published
    from motorpool.evidence.sources import load_sources

    found = load_published(name)
    source = load_sources().get(found.source)
    return page(
        "study.html.j2", request, title=found.title, study=found, source=source, predicted=predictions_of(found.study),
        names={one.outcome: _outcome_name(one.outcome) for one in found.endpoints},
    )  # fmt: skip


@routes.get("/evidence/figure/{name:path}")
async def figure(request: Request, name: str) -> Response:
    """One published figure with all that is known of it."""
    from motorpool.evidence.ledger import load_ledger
    from motorpool.evidence.records import unknown_name
    from motorpool.evidence.sources import load_sources

    ledger = load_ledger()
    if name not in ledger:
        raise unknown_name("figure", name[:60], ledger)
    found = ledger[name]
    rows = {
        key: value
        for key, value in found.model_dump(mode="json", by_alias=True).items()
        if value not in (None, "", [], {}, ())
    }
    return page(
        "record.html.j2", request, title=f"{found.study}: {found.measure}", rows=_flat(rows),
        source=load_sources().get(found.source),
    )  # fmt: skip


@routes.get("/evidence/source/{name:path}")
async def source(request: Request, name: str) -> Response:
    """One publication, and what rests on it."""
    from motorpool.evidence.records import unknown_name
    from motorpool.evidence.sources import load_sources

    sources = load_sources()
    if name not in sources:
        raise unknown_name("source", name[:60], sources)
    found = sources[name]
    rows = {
        key: value for key, value in found.model_dump(mode="json").items() if value not in (None, "", [], {})
    }
    return page("record.html.j2", request, title=found.citation(), rows=_flat(rows), source=found)


def _outcome_name(outcome: str) -> str:
    from motorpool.evidence.outcome_catalogue import load_event_catalogue, load_outcome_catalogue

    found = load_outcome_catalogue().get(outcome) or load_event_catalogue().get(outcome)
    return found.label if found else ""


def study_rows() -> list[dict[str, Any]]:
    """Every study in one line."""
    from motorpool.evidence.published import list_published, load_published

    rows: list[dict[str, Any]] = []
    for name in list_published():
        found = load_published(name)
        rows.append(
            {
                "name": name,
                "study": found.study,
                "title": found.title,
                "population": found.population,
                "figures": len(found.endpoints),
                "bias": found.risk_of_bias.level if found.risk_of_bias else "",
            }
        )
    return rows


def predictions_of(study: str) -> list[Any]:
    """What the model predicted of a study it may or may not have been fitted to; empty where nothing is stored."""
    from motorpool.evidence.stored_results import load_validation_result

    stored = load_validation_result()
    return [] if stored is None else [entry for entry in stored.endpoints if entry.study == study]


def _flat(record: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in record.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}: ")
        elif isinstance(value, list):
            text = "; ".join(
                ", ".join(f"{k} {v}" for k, v in part.items() if v not in (None, [], ""))
                if isinstance(part, dict)
                else str(part)
                for part in value
            )
            rows.append((f"{prefix}{key}", text))
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return [(name.replace("_", " "), value) for name, value in rows]
