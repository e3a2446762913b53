"""The page of long runs, and the way from Explore to one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response

from motorpool.therapies.fields import InputModel, Within
from motorpool.web.explore_pages import NOT_DESCRIBED
from motorpool.web.job_api import JobAnswer, JobRequest, submit
from motorpool.web.problems import description_of
from motorpool.web.render import page

routes = APIRouter()


class LargerRun(InputModel):
    """What the page Explore shows, with more people and more sets of parameters."""

    query: str
    people: Annotated[int, Within(1, 20_000, "people")] = 1000
    draws: Annotated[int, Within(0, 200, "draws")] = 40


@routes.get("/runs")
def runs(request: Request) -> Response:
    """All long runs with their progress."""
    return page("runs.html.j2", request, title="Long runs")


@routes.post("/runs", status_code=201)
def larger(request: Request, wanted: LargerRun) -> JobAnswer:
    """Submit what the address of Explore describes."""
    pairs = [pair for pair in parse_qsl(wanted.query, keep_blank_values=True) if pair[0] not in NOT_DESCRIBED]
    made = JobRequest(description=description_of(pairs), people=wanted.people, draws=wanted.draws)
    return submit(request.app.state.jobs, made)
