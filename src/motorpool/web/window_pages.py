"""The page of the treatment window, and its redraws."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from motorpool.web.asking import ask, json_response
from motorpool.web.form_values import TRUE, number_of
from motorpool.web.pictures import Kind, file_response
from motorpool.web.problems import UnusableInput, validation_problems
from motorpool.web.render import page
from motorpool.web.window import Window

routes = APIRouter()
NOT_DESCRIBED = ("doubt", "narrow")


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
    asked = {"window": described.model_dump(mode="json"), "doubt": doubt, "narrow": narrow}
    return json_response(await ask(request, "window", asked))


@routes.get("/window/files/{part}/{name}.{kind}")
async def file(
    request: Request, part: Literal["starts", "screening"], name: str, kind: Kind, doubt: bool = True
) -> Response:
    """A picture to keep, or its numbers."""
    described = window_of(request).model_dump(mode="json")
    asked = {"window": described, "part": part, "figure": name, "kind": kind, "doubt": doubt}
    return file_response((await ask(request, "window file", asked)).body, name, kind)
