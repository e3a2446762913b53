"""The page Explore, its redraws, its files, and the sheet to take to the team."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from motorpool.figures.uncertainty_layers import LAYERS
from motorpool.simulation.scenario import dump_scenario
from motorpool.therapies.courses import THERAPIES
from motorpool.web.asking import ask, json_response
from motorpool.web.course_options import settings_of
from motorpool.web.description import BANDS, MOST_PLANS, Description
from motorpool.web.explore import TOPICS, topics_of
from motorpool.web.labels import milestone_labels, scale_labels
from motorpool.web.pictures import Kind, file_response
from motorpool.web.plan_form import plan_facts
from motorpool.web.problems import UnusableInput, description_of, entered
from motorpool.web.render import page, page_place
from motorpool.web.scenario_of import DOUBT_DRAWS, scenario_of

routes = APIRouter()
NOT_DESCRIBED = ("doubt", "narrow", "draw")


def described(request: Request) -> Description:
    """The description in the address of a request."""
    return description_of(_pairs(request))


def _pairs(request: Request) -> list[tuple[str, str]]:
    return [pair for pair in request.query_params.multi_items() if pair[0] not in NOT_DESCRIBED]


def _asked(request: Request, **more: Any) -> dict[str, Any]:
    return {"description": described(request).model_dump(mode="json"), **more}


@routes.get("/")
async def start() -> Response:
    """To the page that people come for."""
    return RedirectResponse("/explore", 307)


@routes.get("/explore")
async def explore(request: Request) -> Response:
    """The page with the form filled in from the address; the results follow by script."""
    problems: list[dict[str, str]] = []
    try:
        description = described(request)
    except UnusableInput as error:
        description, problems = entered(_pairs(request)), error.problems
    return page(
        "explore.html.j2",
        request,
        status=422 if problems else 200,
        title="Explore plans for a child",
        d=description,
        problems=problems,
        therapies=THERAPIES,
        settings={name: settings_of(name) for name in THERAPIES},
        facts=plan_facts(MOST_PLANS),
        bands=BANDS,
        scales=scale_labels(),
        milestones=milestone_labels(),
        layers=LAYERS,
        most_plans=MOST_PLANS,
        topics=topics_of(description),
    )


@routes.get("/explore/answer")
async def answer(request: Request, doubt: bool = False, narrow: bool = False, draw: str = "") -> Response:
    """The answer in words, which pictures there are, and with it the pictures of topics that the reader sees."""
    wanted = list(dict.fromkeys(draw.split(",")))[: len(TOPICS)] if draw else []
    return json_response(
        await ask(request, "answer", _asked(request, doubt=doubt, narrow=narrow, draw=wanted))
    )


@routes.get("/explore/pictures/{topic}")
async def pictures(request: Request, topic: str, doubt: bool = False, narrow: bool = False) -> Response:
    """The pictures of one topic as specifications with their words."""
    if topic not in TOPICS:
        raise HTTPException(404, f"unknown topic; there are {', '.join(TOPICS)}")
    return json_response(
        await ask(request, "pictures", _asked(request, topic=topic, doubt=doubt, narrow=narrow))
    )


@routes.get("/explore/tables/{name}")
async def table(request: Request, name: str, doubt: bool = False) -> Response:
    """The numbers of one picture as a table."""
    found = await ask(request, "table", _asked(request, figure=name, doubt=doubt))
    if found.body is None:
        raise HTTPException(404, "there is no such picture for this description")
    return HTMLResponse(found.body)


@routes.get("/explore/files/{name}.{kind}")
async def file(request: Request, name: str, kind: Kind, doubt: bool = True) -> Response:
    """A picture to keep, or its numbers."""
    found = await ask(request, "file", _asked(request, figure=name, kind=kind, doubt=doubt))
    return file_response(found.body, name, kind)


@routes.get("/explore/scenario.yaml")
async def scenario(request: Request, doubt: bool = True) -> Response:
    """The scenario file that `motorpool simulate` runs to the same numbers."""
    text = dump_scenario(scenario_of(described(request), DOUBT_DRAWS if doubt else 0))
    headers = {"content-disposition": 'attachment; filename="described_child.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


@routes.get("/sheet")
async def sheet(request: Request) -> Response:
    """One page to print and take to the team."""
    found = await ask(request, "sheet", _asked(request, page=page_place(request), doubt=True))
    return HTMLResponse(found.body)
