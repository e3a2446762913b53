"""The page Explore, its redraws, its files, and the sheet to take to the team."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from motorpool.figures.uncertainty_layers import LAYERS
from motorpool.simulation.scenario import dump_scenario
from motorpool.simulation.vocabulary import MILESTONES
from motorpool.therapies.courses import THERAPIES
from motorpool.web.answer import answer_words
from motorpool.web.course_options import settings_of
from motorpool.web.description import BANDS, MOST_PLANS, SCALES, Description, pairs_of
from motorpool.web.explore import (
    TOPICS,
    Explorer,
    Shown,
    figure_data,
    find_figure,
    gently,
    topic_figures,
    topics_of,
)
from motorpool.web.pictures import Kind, file_response, picture_file
from motorpool.web.plan_form import plan_facts
from motorpool.web.population import Superseded
from motorpool.web.problems import UnusableInput, description_of, entered
from motorpool.web.render import fragment, page
from motorpool.web.scenario_of import DOUBT_DRAWS, scenario_of
from motorpool.web.waiting import while_wanted

routes = APIRouter()
Value = TypeVar("Value")
NOT_DESCRIBED = ("doubt", "narrow", "draw")


def described(request: Request) -> Description:
    """The description in the address of a request."""
    return description_of(_pairs(request))


def _pairs(request: Request) -> list[tuple[str, str]]:
    return [pair for pair in request.query_params.multi_items() if pair[0] not in NOT_DESCRIBED]


async def shown_of(request: Request, *, doubt: bool) -> Shown:
    """The simulated description of a request, given up when the reader goes on to another."""
    return await worked_out(request, described(request), lambda shown: shown, doubt=doubt)


async def worked_out(
    request: Request,
    description: Description,
    work: Callable[[Shown], Value],
    *,
    doubt: bool,
) -> Value:
    """What `work` makes of the simulated description; given up, also in between, when the reader goes on to another."""
    explorer: Explorer = request.app.state.explorer

    def both(stop: threading.Event) -> Value:
        shown = explorer.show(description, doubt=doubt, stop=stop)
        if stop.is_set():
            raise Superseded
        return work(shown)

    return await while_wanted(request, both)


def topic_pictures(shown: Shown, topic: str, *, narrow: bool) -> list[dict[str, Any]]:
    """The pictures of one topic for the page."""
    found = [figure_data(figure, narrow=narrow) for figure in topic_figures(shown, topic)]
    if shown.description.voice == "plain" and not shown.description.survival:
        found = [{**data, "caption": gently(data["caption"])} for data in found]
    return found


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
    """The answer in words, which pictures there are, and with it the pictures of the topic that the reader sees."""
    description = described(request)

    def work(shown: Shown) -> dict[str, Any]:
        topics = topics_of(shown.description)
        return {
            "html": fragment("answer.html.j2", **answer_words(shown)),
            "topics": topics,
            "query": pairs_of(shown.description),
            "doubt": doubt,
            "pictures": {draw: topic_pictures(shown, draw, narrow=narrow)} if draw in topics else {},
        }

    return JSONResponse(await worked_out(request, description, work, doubt=doubt))


@routes.get("/explore/pictures/{topic}")
async def pictures(request: Request, topic: str, doubt: bool = False, narrow: bool = False) -> Response:
    """The pictures of one topic as specifications with their words and tables."""
    if topic not in TOPICS:
        raise HTTPException(404, f"unknown topic; there are {', '.join(TOPICS)}")

    def work(shown: Shown) -> list[dict[str, Any]]:
        return topic_pictures(shown, topic, narrow=narrow)

    return JSONResponse(await worked_out(request, described(request), work, doubt=doubt))


@routes.get("/explore/files/{name}.{kind}")
async def file(request: Request, name: str, kind: Kind, doubt: bool = True) -> Response:
    """A picture to keep, or its numbers."""
    shown = await shown_of(request, doubt=doubt)

    def work(stop: threading.Event) -> bytes | None:
        figure = find_figure(shown, name)
        return None if figure is None else picture_file(figure, kind)

    return file_response(await while_wanted(request, work), name, kind)


@routes.get("/explore/scenario.yaml")
async def scenario(request: Request, doubt: bool = True) -> Response:
    """The scenario file that `motorpool simulate` runs to the same numbers."""
    text = dump_scenario(scenario_of(described(request), DOUBT_DRAWS if doubt else 0))
    headers = {"content-disposition": 'attachment; filename="described_child.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


@routes.get("/sheet")
async def sheet(request: Request) -> Response:
    """One page to print and take to the team."""
    shown = await shown_of(request, doubt=True)
    plain = Shown(
        shown.description.model_copy(update={"voice": "plain"}),
        shown.scenario, shown.context, shown.effective_people,
    )  # fmt: skip
    words = answer_words(plain)
    query = pairs_of(shown.description)
    return page("sheet.html.j2", request, title="To talk about with your team", query=query, scales=scale_labels(),
                milestones=milestone_labels(), **words)  # fmt: skip


def scale_labels() -> dict[str, str]:
    """The scores a reader can enter, by id."""
    from motorpool.simulation.labels import outcome_view

    views = {name: outcome_view(name) for name in SCALES}
    return {
        name: f"{view.label} ({view.low:g} to {view.high:g})" if view.high is not None and view.low is not None
        else f"{view.label}, {view.unit}"
        for name, view in views.items()
    }  # fmt: skip


def milestone_labels() -> dict[str, str]:
    """The abilities a reader can tick, by id."""
    from motorpool.simulation.labels import milestone_label

    return {name: milestone_label(name) for name in MILESTONES}
