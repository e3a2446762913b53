"""The JSON API, version 1: the same engine and the same numbers as the page, the command line and Python."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from motorpool import __version__
from motorpool.web.asking import ask, json_response
from motorpool.web.course_options import KINDS
from motorpool.web.description import Description

routes = APIRouter()
MOST_HITS = 200


class ProblemAnswer(BaseModel):
    """One thing that is wrong: where in the request, and what is allowed."""

    where: str
    message: str


class Problems(BaseModel):
    """Why a request cannot be answered."""

    problems: list[ProblemAnswer]


class Version(BaseModel):
    """What answers."""

    motorpool: str
    api: int
    parameters: str


class SummaryRow(BaseModel):
    """One quantity of one plan at one visit; `values` has the layers of uncertainty as `layer.statistic`."""

    kind: str
    quantity: str
    measure: str
    arm: str | None = None
    comparator: str | None = None
    visit_month: float | None = None
    unit: str | None = None
    people: float | None = None
    draws: float | None = None
    counted: str | None = None
    values: dict[str, float]


class Answer(BaseModel):
    """What may be expected of the plans for children like the one described."""

    people: int
    draws: int
    effective_people: float
    plans: dict[str, str]
    published: list[str]
    scenario: dict[str, Any]
    summary: list[SummaryRow]
    note: str


class EvidenceHit(BaseModel):
    """One entry found in the evidence."""

    kind: str
    id: str
    text: str
    score: float


REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problems, "description": words}
    for code, words in (
        (400, "The request cannot be read, or the host name is not known here."),
        (404, "There is no such thing."),
        (413, "The request is too long."),
        (422, "Something in the request cannot be; says where and what is allowed."),
        (429, "Too many requests."),
        (503, "Too many wait already; try again."),
    )
}
Doubt = Query(
    False, description="Simulate many sets of parameters, so that what we do not know has a range; slower."
)


def _asked(description: Description, **more: Any) -> dict[str, Any]:
    return {"description": description.model_dump(mode="json"), **more}


@routes.get("/version", responses=REFUSALS)
async def version() -> Version:
    """Versions, and whether the parameters are calibrated."""
    from motorpool.simulation.calibration_state import parameter_words

    return Version(motorpool=__version__, api=1, parameters=parameter_words())


@routes.get("/therapies", responses=REFUSALS)
async def therapies() -> dict[str, list[str]]:
    """Therapies that a plan can hold, each with the kinds that `kind` tells apart."""
    from motorpool.therapies.courses import THERAPIES

    return {name: list(KINDS.get(name, {})) for name in THERAPIES}


@routes.post("/explore", responses=REFUSALS, response_model=Answer)
async def explore(request: Request, description: Description, doubt: bool = Doubt) -> Response:
    """Simulate the plans for children like the one described."""
    return json_response(await ask(request, "numbers", _asked(description, doubt=doubt)))


@routes.post("/figures", responses=REFUSALS, response_model=dict[str, list[str]])
async def figures(request: Request, description: Description) -> Response:
    """The figures there are for a description, by topic."""
    return json_response(await ask(request, "figures", _asked(description, doubt=False)))


@routes.post("/figures/{figure}", responses=REFUSALS, response_model=dict[str, Any])
async def figure(
    request: Request, description: Description, figure: str = Path(max_length=100), doubt: bool = Doubt
) -> Response:
    """One figure as a Vega-Lite specification with its data."""
    found = await ask(request, "figure", _asked(description, figure=figure, doubt=doubt))
    if found.body is None:
        raise HTTPException(
            404, "there is no such figure for this description; POST /api/v1/figures lists them"
        )
    return json_response(found)


@routes.get("/evidence", responses=REFUSALS)
async def evidence(
    words: str = Query(max_length=200), limit: int = Query(20, ge=1, le=MOST_HITS)
) -> list[EvidenceHit]:
    """Search the evidence: studies, figures and sources, best first."""
    from motorpool.evidence.search import search_evidence

    return [
        EvidenceHit(kind=hit.kind, id=hit.id, text=hit.text, score=hit.score)
        for hit in search_evidence(words, limit)
    ]
