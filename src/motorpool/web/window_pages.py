"""The page of the treatment window, and its redraws."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from motorpool.simulation.scenario import Scenario
from motorpool.web.explore import Explorer, figure_data, in_plan_words
from motorpool.web.form_values import TRUE, number_of
from motorpool.web.pictures import Kind, file_response, picture_file
from motorpool.web.problems import UnusableInput, validation_problems
from motorpool.web.render import page
from motorpool.web.waiting import while_wanted
from motorpool.web.window import Window, screening_scenario, start_scenario

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure

routes = APIRouter()
NOT_DESCRIBED = ("doubt", "narrow")
BIRTH = "birth"


def window_of(request: Request) -> Window:
    """The window in the address of a request.

    Raises:
        UnusableInput: something in it cannot be.
    """
    data: dict[str, Any] = {
        key: value in TRUE if key == "survival" else number_of(value)
        for key, value in request.query_params.items()
        if key not in NOT_DESCRIBED and value.strip()
    }
    try:
        return Window.model_validate(data)
    except ValidationError as error:
        raise UnusableInput(validation_problems(error.errors(include_url=False))) from None


@routes.get("/window")
async def window(request: Request) -> Response:
    """The page, filled in from the address."""
    problems: list[dict[str, str]] = []
    try:
        described = window_of(request)
    except UnusableInput as error:
        described, problems = Window(), error.problems
    return page(
        "window.html.j2", request, status=422 if problems else 200, title="The treatment window", d=described,
        problems=problems,
    )  # fmt: skip


@routes.get("/window/pictures")
async def pictures(request: Request, doubt: bool = False, narrow: bool = False) -> Response:
    """The pictures of both questions, and what they say in words."""
    described = window_of(request)
    explorer: Explorer = request.app.state.explorer

    def work(stop: threading.Event) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, scenario in _scenarios(described, doubt).items():
            context = _context(explorer, scenario, described, doubt, stop)
            found[name] = {
                "sentences": _sentences(context, described),
                "figures": [
                    figure_data(figure, narrow=narrow, beginning=BIRTH)
                    for figure in _figures(context, name, described)
                ],
            }
        return found

    return JSONResponse(await while_wanted(request, work))


@routes.get("/window/files/{part}/{name}.{kind}")
async def file(
    request: Request, part: Literal["starts", "screening"], name: str, kind: Kind, doubt: bool = True
) -> Response:
    """A picture to keep, or its numbers."""
    described = window_of(request)
    explorer: Explorer = request.app.state.explorer

    def work(stop: threading.Event) -> bytes | None:
        context = _context(explorer, _scenarios(described, doubt)[part], described, doubt, stop)
        found = [figure for figure in _figures(context, part, described) if figure.identifier == name]
        return picture_file(found[0], kind, BIRTH) if found else None

    return file_response(await while_wanted(request, work), name, kind)


def _scenarios(described: Window, doubt: bool) -> dict[str, Scenario]:
    return {"starts": start_scenario(described, doubt), "screening": screening_scenario(described, doubt)}


def _context(
    explorer: Explorer, scenario: Scenario, described: Window, doubt: bool, stop: threading.Event
) -> FigureContext:
    """Without the end points that hold survival, unless the reader asked for it; rates need the deaths themselves."""
    from motorpool.figures.context import FigureContext

    context, _ = explorer.simulate(scenario, doubt=doubt, stop=stop)
    return context if described.survival else FigureContext(context.dataset.sel(event=["death"]))


def _sentences(context: FigureContext, described: Window) -> list[str]:
    from motorpool.report.content import sentence_maker

    maker = sentence_maker(context)
    living = maker.living() if described.survival else []
    return [in_plan_words(sentence.text) for sentence in (*living, *maker.abilities(), *maker.overview())]


def _figures(context: FigureContext, part: str, described: Window) -> list[Figure]:
    from motorpool.figures.abilities import ability_figure
    from motorpool.figures.start_age import start_age_figure
    from motorpool.figures.survival import survival_figure

    figures = [start_age_figure(context)] if part == "starts" else [ability_figure(context)]
    if part == "screening" and described.survival:
        figures.append(survival_figure(context, "death"))
    return [figure for figure in figures if figure is not None]
