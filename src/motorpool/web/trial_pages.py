"""The pages of trials: shipped designs, one of them, and questions that become runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import ValidationError

from motorpool.web.form_values import number_of
from motorpool.web.job_api import JobAnswer
from motorpool.web.own_design import MOST_CHARACTERS, design_data
from motorpool.web.problems import UnusableInput, validation_problems
from motorpool.web.render import page
from motorpool.web.tasks import TrialCompareRequest, TrialPowerRequest, TrialRunRequest
from motorpool.web.trial_api import design_text, entries, submit_trial

routes = APIRouter()
Question = Literal["run", "power", "compare"]
REQUESTS = {"run": TrialRunRequest, "power": TrialPowerRequest, "compare": TrialCompareRequest}
LISTS = ("effects", "sizes")
Name = Annotated[str, Path(max_length=60)]


@routes.get("/trials")
def trials(request: Request) -> Response:
    """The shipped designs, to look at and to compare."""
    chosen = request.query_params.getlist("designs")
    return page(
        "trials.html.j2", request, title="Trials", designs=entries(), chosen=chosen, v=request.query_params
    )


@routes.get("/trials/own")
def own_design(request: Request) -> Response:
    """A design of one's own: the text of its file, and the buttons to ask for its power and to run it."""
    from motorpool.trials.design_file import shipped_designs

    names = shipped_designs()
    start = request.query_params.get("from", names[0])
    return page(
        "own_design.html.j2",
        request,
        title="A design of your own",
        text=request.query_params.get("design_text") or design_text(start),
        start=start,
        choices=[(name, name.replace("_", " ")) for name in names],
        most=MOST_CHARACTERS,
        v=request.query_params,
    )


@routes.get("/trials/{name}")
def design(request: Request, name: Name) -> Response:
    """One design: what it is, its file, and the forms to run it and to ask for its power."""
    from motorpool.report.trial.words import assumptions, limits
    from motorpool.trials.analysis import endpoint_words
    from motorpool.trials.design_file import load_design

    text, shown = design_text(name), load_design(name)
    return page(
        "trial.html.j2",
        request,
        title=shown.title,
        design=shown,
        text=text,
        endpoints=[
            (one.name, endpoint_words(shown, one), f"{shown.month_of(one):g}") for one in shown.endpoints
        ],
        assumptions=assumptions(shown),
        limits=limits(shown),
        v=request.query_params,
    )


@routes.get("/trials/{name}/design.yaml")
def design_file(request: Request, name: Name) -> Response:
    """The file of a shipped design, ready to be saved and changed."""
    headers = {"content-disposition": f'attachment; filename="{name}.yaml"'}
    return PlainTextResponse(design_text(name), media_type="application/yaml", headers=headers)


@routes.post("/trials/{question}", status_code=201)
def begin(request: Request, question: Question, fields: dict[str, Any]) -> JobAnswer:
    """Submit a question as a job: the fields of its form as `{"query": ...}`."""
    own: dict[str, Any] = {}
    for key, value in parse_qsl(str(fields.get("query", "")), keep_blank_values=True):
        text = value.strip()
        if not text:
            continue
        if key == "design_text":
            own["design"] = design_data(text)
        elif key == "designs":
            own["designs"] = (*own.get("designs", ()), {"name": text})
        elif key in LISTS:
            own[key] = tuple(number_of(part) for part in text.replace(",", " ").split())
        elif key.startswith("truth."):
            own.setdefault("truth", {})[key.removeprefix("truth.")] = number_of(text)
        else:
            own[key] = text == "1" if key == "find_smallest" else number_of(text)
    try:
        wanted: Any = REQUESTS[question].model_validate(own)
    except ValidationError as error:
        raise UnusableInput(validation_problems(error.errors(include_url=False))) from None
    return submit_trial(request, wanted)
