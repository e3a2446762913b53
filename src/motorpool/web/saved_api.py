"""Saved plans over the API: save, list, open, change, delete."""

from __future__ import annotations

import datetime
import json
import unicodedata
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from pydantic import AfterValidator, BaseModel, Field

from motorpool.therapies.fields import InputModel, refusal
from motorpool.web.api import REFUSALS, ProblemAnswer
from motorpool.web.description import Description, pairs_of
from motorpool.web.job_api import Identifier
from motorpool.web.problems import UnusableInput, checked
from motorpool.web.saved_store import SavedPlans
from motorpool.web.security import USER
from motorpool.web.tables import SavedPlan

routes = APIRouter(prefix="/saved", tags=["saved plans"])
LONGEST_TITLE = 100
NOT_IN_TITLES = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, line and paragraph ends
ANSWERS: dict[int | str, dict[str, Any]] = {
    **REFUSALS,
    409: {
        "model": REFUSALS[404]["model"],
        "description": "The title is taken, or as many are saved as may be.",
    },
}


def _title(value: str) -> str:
    title = value.strip()
    if not title or any(unicodedata.category(letter) in NOT_IN_TITLES for letter in title):
        allowed = f"1 to {LONGEST_TITLE} letters, digits and signs on one line"
        raise refusal(f"must have {allowed}", allowed=allowed)
    return title


Title = Annotated[
    str,
    Field(
        max_length=LONGEST_TITLE,
        description="Of your own; nothing that identifies anybody: no name, birth date or hospital number.",
    ),
    AfterValidator(_title),
]


class SaveRequest(InputModel):
    """A description to save under a title."""

    title: Title
    description: Description


class SavedChange(InputModel):
    """What to change of a saved plan: its title, its description, or both."""

    title: Title | None = None
    description: Description | None = None


class SavedAnswer(BaseModel):
    """A saved plan; `page` opens it on Explore.

    `description` and `page` are absent where this version cannot read what an earlier one saved; `problems` says why.
    """

    id: str
    title: str
    created: datetime.datetime
    changed: datetime.datetime
    page: str | None
    description: Description | None
    problems: list[ProblemAnswer]


def saved_answer(saved: SavedPlan) -> SavedAnswer:
    """A saved plan as the API shows it."""
    description, problems = read_description(saved)
    return SavedAnswer(
        id=saved.id,
        title=saved.title,
        created=_time(saved.created),
        changed=_time(saved.changed),
        page=None if description is None else f"/explore?{urlencode(pairs_of(description))}",
        description=description,
        problems=[ProblemAnswer(**problem) for problem in problems],
    )


def read_description(saved: SavedPlan) -> tuple[Description | None, list[dict[str, str]]]:
    """What was saved, or why it cannot be read any more."""
    try:
        return checked(json.loads(saved.description)), []
    except UnusableInput as error:
        return None, error.problems


def saved_plans(request: Request) -> SavedPlans:
    """The saved plans of this server."""
    return request.app.state.saved


def owner(request: Request) -> str:
    """Whose saved plans a request means."""
    return str(request.scope.get(USER, ""))


def save(request: Request, title: str, description: Description, *, replace: bool = False) -> SavedPlan:
    """Save a description; with `replace`, in the place of the one that has the title.

    Raises:
        CannotBeSaved: the title is taken, or as many are saved as may be.
    """
    plans, mine = saved_plans(request), owner(request)
    there = plans.titled(mine, title) if replace else None
    text = description.model_dump_json()
    changed = None if there is None else plans.change(mine, there.id, description=text)
    return changed or plans.add(mine, title, text)


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _there(found: SavedPlan | None) -> SavedPlan:
    if found is None:
        raise HTTPException(404, "there is no such saved plan")
    return found


@routes.post("", responses=ANSWERS, status_code=201)
def create(request: Request, wanted: SaveRequest) -> SavedAnswer:
    """Save a description under a title that no other has."""
    return saved_answer(save(request, wanted.title, wanted.description))


@routes.get("", responses=ANSWERS)
def every(request: Request) -> list[SavedAnswer]:
    """All saved plans, the last changed first; on a server that knows users, those of the user who asks."""
    return [saved_answer(saved) for saved in saved_plans(request).all(owner(request))]


@routes.get("/{identifier}", responses=ANSWERS)
def one(request: Request, identifier: Identifier) -> SavedAnswer:
    """One saved plan."""
    return saved_answer(_there(saved_plans(request).get(owner(request), identifier)))


@routes.patch("/{identifier}", responses=ANSWERS)
def change(request: Request, identifier: Identifier, wanted: SavedChange) -> SavedAnswer:
    """Give a saved plan another title, another description, or both."""
    text = None if wanted.description is None else wanted.description.model_dump_json()
    changed = saved_plans(request).change(owner(request), identifier, title=wanted.title, description=text)
    return saved_answer(_there(changed))


@routes.delete("/{identifier}", responses=ANSWERS)
def remove(request: Request, identifier: Identifier) -> dict[str, str]:
    """Delete a saved plan."""
    if not saved_plans(request).delete(owner(request), identifier):
        raise HTTPException(404, "there is no such saved plan")
    return {"removed": identifier}
