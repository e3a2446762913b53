"""The pages of long runs, what each found, and the way from Explore to one."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from motorpool.therapies.fields import InputModel, Within
from motorpool.web.explore_pages import NOT_DESCRIBED
from motorpool.web.job_api import Identifier, JobAnswer, JobRequest, job_answer, job_of, submit
from motorpool.web.pictures import Kind, file_response, picture_file
from motorpool.web.problems import description_of
from motorpool.web.render import page
from motorpool.web.run_results import RESULTS_FILE, Part, Voice, parts_of, plain_figure, usual_voice
from motorpool.web.waiting import in_thread

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


@routes.get("/runs/{identifier}")
async def run(request: Request, identifier: Identifier, voice: Voice | None = None) -> Response:
    """One run: how far it is, and what it found, in either voice."""
    job = job_of(request, identifier)
    spoken = voice or usual_voice(job.task)
    parts = await in_thread(request, lambda: _parts(request, identifier, spoken))
    return page("run.html.j2", request, title=job.title, job=job_answer(job), parts=parts, voice=spoken)


@routes.get("/runs/{identifier}/pictures")
async def pictures(
    request: Request, identifier: Identifier, narrow: bool = False, voice: Voice = "expert"
) -> Response:
    """The pictures of a finished run, by part."""

    def work() -> dict[str, list[dict[str, Any]]]:
        return {
            part.id: [plain_figure(figure, narrow=narrow) for figure in part.figures]
            for part in _parts(request, identifier, voice)
            if part.figures
        }

    return JSONResponse(await in_thread(request, work))


@routes.get("/runs/{identifier}/files/{name}.{kind}")
async def file(request: Request, identifier: Identifier, name: str, kind: Kind) -> Response:
    """A picture of a finished run to keep, or its numbers."""

    def work() -> bytes:
        for part in _parts(request, identifier, "expert"):
            for figure in part.figures:
                if figure.identifier == name:
                    return picture_file(figure, kind, own_words=False)
        raise HTTPException(404, "there is no such picture of this run")

    return file_response(await in_thread(request, work), name, kind)


def _parts(request: Request, identifier: str, voice: Voice) -> list[Part]:
    job = job_of(request, identifier)
    results = request.app.state.jobs.file(job, RESULTS_FILE)
    return [] if results is None else parts_of(job, results, voice)
