"""The pages of cells: what is known, an offer checked, and what cells would add to this plan."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import ValidationError

from motorpool.simulation.errors import ScenarioError
from motorpool.web.cells_api import submit_cells
from motorpool.web.form_values import number_of
from motorpool.web.job_api import JobAnswer
from motorpool.web.offer_form import LOOK_UP, checked_offer, offer_fields, result_words
from motorpool.web.pictures import Kind, file_response, picture_file
from motorpool.web.problems import (
    UnusableInput,
    description_of,
    entered,
    scenario_problems,
    validation_problems,
)
from motorpool.web.render import page
from motorpool.web.run_results import plain_figure
from motorpool.web.scenario_of import plan_labels
from motorpool.web.security import REPORT_POLICY
from motorpool.web.tasks import AddonRequest, NeededRequest, ProtocolRequest
from motorpool.web.waiting import in_thread

routes = APIRouter()
Question = Literal["addon", "needed", "protocol"]
REQUESTS = {"addon": AddonRequest, "needed": NeededRequest, "protocol": ProtocolRequest}
OWN = "ask."  # before the names of a question's own fields; the others describe the child and the plans
SETTING = "cells."  # and before changes of the course of cells
QUESTIONS: dict[Question, dict[str, str]] = {
    "addon": {
        "title": "What would cells add to this plan?",
        "lead": "The same simulated children, with the same luck, with and without cells on top of one of your plans. "
        "You see what may be gained, what we do not know, and what the injections bring with them.",
    },
    "needed": {
        "title": "What would have to be true?",
        "lead": "How strong would cells have to be for a gain that families would notice, and how likely is so strong "
        "an effect after all that is known?",
    },
    "protocol": {
        "title": "Does the protocol matter?",
        "lead": "Which cells, by which route, how many doses, how often. The page compares many protocols in the same "
        "simulated children, and says how much the choice matters against whether cells work at all.",
    },
}


@routes.get("/cells")
async def cells(request: Request) -> Response:
    """What is known at a glance, and the way to the questions."""
    from motorpool.cell_lab.known_words import NOTICE, answer

    content = await in_thread(request, lambda: _known())
    return page(
        "cells.html.j2", request, title="Cells", answer=answer(content), notice=NOTICE, questions=QUESTIONS,
        table=_tables()["pools"], query=request.url.query,
    )  # fmt: skip


@routes.get("/cells/pictures")
async def pictures(request: Request, narrow: bool = False) -> Response:
    """The forest plot of what was put together, and its table."""
    from motorpool.figures.cells_known import forest_figure

    found = await in_thread(request, lambda: plain_figure(forest_figure(_known()), narrow=narrow))
    return JSONResponse([found])


@routes.get("/cells/files/forest.{kind}")
async def forest_file(request: Request, kind: Kind) -> Response:
    """The forest plot to keep, or its numbers."""
    from motorpool.figures.cells_known import forest_figure

    def work() -> bytes:
        return picture_file(forest_figure(_known()), kind, own_words=False)

    return file_response(await in_thread(request, work), "cells", kind)


@routes.get("/cells/evidence")
async def evidence(request: Request) -> Response:
    """Everything that was read, as `motorpool cells evidence --out` writes it."""
    text: str = await in_thread(request, lambda: _known_page())
    return HTMLResponse(text, headers={"content-security-policy": REPORT_POLICY})


@routes.get("/cells/offer")
async def offer(request: Request) -> Response:
    """The guided form, filled in from the address."""
    return _offer_form(request, [], 200)


@routes.get("/cells/offer/result")
async def offer_result(request: Request) -> Response:
    """The check of what was entered, to print and take along; or the form again, with what cannot be."""
    pairs = request.query_params.multi_items()
    look_up = request.query_params.get(LOOK_UP) == "1"

    try:
        check = await in_thread(request, lambda: checked_offer(offer_fields(pairs), look_up=look_up))
    except ScenarioError as error:
        return _offer_form(request, scenario_problems(error), 422)
    words = result_words(check)
    return page(
        "offer_result.html.j2", request, title="An offer of cells, checked", query=request.url.query, looked_up=look_up,
        **words,
    )  # fmt: skip


def _offer_form(request: Request, problems: list[dict[str, str]], status: int) -> Response:
    from motorpool.cell_lab.offer_checklist import load_checklist

    checklist = load_checklist()
    return page(
        "offer.html.j2",
        request,
        status=status,
        title="Check an offer of cells",
        v=request.query_params,
        problems=problems,
        items={name: item for name, item in checklist.items.items() if item.question},
        flags=checklist.red_flags,
        limits=checklist.limits,
    )


@routes.get("/cells/{question}")
async def ask(request: Request, question: Question) -> Response:
    """The form of one question; child and plans come from the address, as Explore writes it."""
    pairs = _described(request.query_params.multi_items())
    problems: list[dict[str, str]] = []
    try:
        description = description_of(pairs)
    except UnusableInput as error:
        description, problems = entered(pairs), error.problems
    return page(
        "cells_question.html.j2", request, status=422 if problems else 200, title=QUESTIONS[question]["title"],
        lead=QUESTIONS[question]["lead"], question=question, d=description, problems=problems,
        plans=plan_labels(description), plan_choices=list(enumerate(plan_labels(description), 1)), query=pairs,
        v=request.query_params, outcomes=_outcomes(),
    )  # fmt: skip


@routes.post("/cells/{question}", status_code=201)
def begin(request: Request, question: Question, fields: dict[str, Any]) -> JobAnswer:
    """Submit a question as a job: the fields of its form, `{"query": ...}` in the words of the address."""
    from urllib.parse import parse_qsl

    pairs = parse_qsl(str(fields.get("query", "")), keep_blank_values=True)
    own: dict[str, Any] = {}
    for key, value in pairs:
        name, text = key.removeprefix(OWN), value.strip()
        if name == key or not text:
            continue
        if name.startswith(SETTING):
            own.setdefault("cells", {})[name.removeprefix(SETTING)] = number_of(text)
        elif name == "axes":
            own["axes"] = (*own.get("axes", ()), text)
        else:
            own[name] = number_of(text)
    try:
        wanted: Any = REQUESTS[question].model_validate(
            {**own, "description": description_of(_described(pairs))}
        )
    except ValidationError as error:
        raise UnusableInput(validation_problems(error.errors(include_url=False))) from None
    return submit_cells(request, wanted)


def _described(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if not pair[0].startswith(OWN) and pair[0] not in ("doubt", "narrow")]


@lru_cache(maxsize=1)
def _outcomes() -> dict[str, str]:
    from motorpool.cell_lab.measures import measures
    from motorpool.evidence.outcome_catalogue import load_outcome_catalogue

    catalogue = load_outcome_catalogue()
    return {
        name: catalogue[name].label if name in catalogue else name.replace("_", " ") for name in measures()
    }


@lru_cache(maxsize=1)
def _known() -> dict[str, Any]:
    from motorpool.cell_lab.known import known_content

    return known_content()


@lru_cache(maxsize=1)
def _tables() -> dict[str, str]:
    from motorpool.report.cells_tables import known_tables

    return known_tables(_known())


@lru_cache(maxsize=1)
def _known_page() -> str:
    from motorpool.report.cells_known import known_page

    return known_page(_known())
