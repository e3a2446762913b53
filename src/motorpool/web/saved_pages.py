"""The page of saved plans, and the way to it from Explore."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from motorpool.therapies.fields import Flag, InputModel
from motorpool.web.explore_pages import NOT_DESCRIBED
from motorpool.web.problems import description_of
from motorpool.web.render import page
from motorpool.web.saved_api import (
    LONGEST_TITLE,
    SavedAnswer,
    Title,
    owner,
    save,
    saved_answer,
    saved_plans,
)
from motorpool.web.scenario_of import plan_labels

routes = APIRouter()


class SaveShown(InputModel):
    """What the page Explore shows, in the words of its address, to be saved under a title."""

    query: Annotated[str, Field(max_length=20_000)]
    title: Title
    replace: Flag = False


@routes.get("/saved")
def saved(request: Request) -> Response:
    """All saved plans, to open, rename and delete."""
    shown = [_shown(saved_answer(one)) for one in saved_plans(request).all(owner(request))]
    return page("saved.html.j2", request, title="Saved plans", saved=shown, longest_title=LONGEST_TITLE)


@routes.post("/saved", status_code=201)
def save_shown(request: Request, wanted: SaveShown) -> SavedAnswer:
    """Save what the address of Explore describes."""
    pairs = [pair for pair in parse_qsl(wanted.query, keep_blank_values=True) if pair[0] not in NOT_DESCRIBED]
    return saved_answer(save(request, wanted.title, description_of(pairs), replace=wanted.replace))


def _shown(answer: SavedAnswer) -> dict[str, Any]:
    described = answer.description
    return {
        "id": answer.id,
        "title": answer.title,
        "page": answer.page,
        "changed": f"{answer.changed.astimezone():%Y-%m-%d}",
        "description": described,
        "plans": [] if described is None else plan_labels(described),
        "problems": answer.problems,
    }
