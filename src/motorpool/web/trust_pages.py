"""Trust: how the model did on studies it never saw, what it may be used for, and its limits."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from motorpool.web.pictures import Kind, file_response, picture_file
from motorpool.web.render import page
from motorpool.web.run_results import plain_figure
from motorpool.web.security import REPORT_POLICY
from motorpool.web.waiting import in_thread

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

routes = APIRouter()


@routes.get("/trust")
async def trust(request: Request) -> Response:
    """The answer in short, with the way to both reports."""
    from motorpool.simulation.calibration_state import parameter_words

    return page(
        "trust.html.j2", request, title="How far it can be trusted", state=parameter_words(), summary=summary_rows(),
        validated=_validation() is not None,
    )  # fmt: skip


@routes.get("/trust/pictures")
async def pictures(request: Request, narrow: bool = False) -> Response:
    """The picture of the stored validation, with its numbers."""

    def work() -> list[dict[str, Any]]:
        figure = _family_figure()
        return [] if figure is None else [plain_figure(figure, narrow=narrow)]

    return JSONResponse(await in_thread(request, work))


@routes.get("/trust/files/coverage-by-family.{kind}")
async def file(request: Request, kind: Kind) -> Response:
    """The same picture to keep, or its numbers."""

    def work() -> bytes | None:
        figure = _family_figure()
        return None if figure is None else picture_file(figure, kind, own_words=False)

    return file_response(await in_thread(request, work), "validation", kind)


@routes.get("/trust/validation")
async def validation(request: Request) -> Response:
    """The page of the stored validation, as `motorpool validate --out` writes it."""
    return await _report(request, _validation_page)


@routes.get("/trust/credibility")
async def credibility(request: Request) -> Response:
    """The credibility report, as `motorpool credibility --no-engine` writes it."""
    return await _report(request, _credibility_page)


async def _report(request: Request, made: Any) -> Response:
    text: str = await in_thread(request, lambda: made())
    return HTMLResponse(text, headers={"content-security-policy": REPORT_POLICY})


def summary_rows() -> list[dict[str, Any]]:
    """Endpoints inside their intervals, by set of studies."""
    from motorpool.report.validation_sentences import SETS

    data = _validation()
    if data is None:
        return []
    return [
        {
            "set": SETS.get(name, name.replace("_", " ").capitalize()),
            "n": numbers["n"],
            "inside": numbers["inside_90"],
            "share": numbers.get("coverage_90"),
            "low": numbers.get("coverage_90_low"),
            "high": numbers.get("coverage_90_high"),
        }
        for name, numbers in data["summary"].items()
        if numbers["n"]
    ]


@lru_cache(maxsize=1)
def _validation() -> dict[str, Any] | None:
    from motorpool.evidence.stored_results import VALIDATION_FILE

    entry = resources.files("motorpool.evidence").joinpath("data", VALIDATION_FILE)
    return json.loads(entry.read_text(encoding="utf-8")) if entry.is_file() else None


def _family_figure() -> Figure | None:
    from motorpool.report.validation_page import family_figure

    data = _validation()
    return None if data is None else family_figure(data)


@lru_cache(maxsize=1)
def _validation_page() -> str:
    from motorpool.report.validation_page import page_html

    data = _validation()
    if data is None:
        from motorpool.evidence.records import EvidenceError

        raise EvidenceError("no validation is stored with this version")
    return page_html(data)


@lru_cache(maxsize=1)
def _credibility_page() -> str:
    from motorpool.report.credibility.content import credibility_content, shipped_evidence
    from motorpool.report.credibility.page import page_html

    return page_html(credibility_content(shipped_evidence(None)))
