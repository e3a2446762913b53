"""Long runs over the API: submit, follow, cancel, go on, remove, and fetch what they found."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel

from motorpool.simulation.kept_run import MOST_KEPT
from motorpool.simulation.scenario import Scenario
from motorpool.therapies.fields import InputModel, Within
from motorpool.web.api import REFUSALS
from motorpool.web.description import Description
from motorpool.web.job_store import Job
from motorpool.web.jobs import Jobs
from motorpool.web.problems import UnusableInput
from motorpool.web.security import REPORT_POLICY

routes = APIRouter(prefix="/jobs", tags=["jobs"])
BUSY: dict[int | str, dict[str, Any]] = {
    **REFUSALS,
    409: {"model": REFUSALS[404]["model"], "description": "The job is not in a state for that."},
}
WITHOUT_REPORT = ("trial run", "trial compare")  # their results are shown on the page of the run
Identifier = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class JobRequest(InputModel):
    """A larger run of a description, or of any scenario: exactly one of the two.

    `people` and `draws` (sets of parameters) go with a description.
    """

    description: Description | None = None
    scenario: dict[str, Any] | None = None
    people: Annotated[int, Within(1, 20_000, "people")] = 1000
    draws: Annotated[int, Within(0, 200, "draws")] = 40


class JobAnswer(BaseModel):
    """How far a job is; `page` is where people follow it."""

    id: str
    title: str
    task: str
    page: str
    state: str
    stage: str
    share: float
    seconds_left: float | None
    message: str
    report: str | None
    results: str | None


def job_answer(job: Job) -> JobAnswer:
    """A job as the API shows it."""
    done = job.state == "done"
    return JobAnswer(
        id=job.id,
        title=job.title,
        task=job.task,
        page=f"/runs/{job.id}",
        state=job.state,
        stage=job.stage,
        share=job.share,
        seconds_left=job.seconds_left,
        message=job.message,
        report=f"/api/v1/jobs/{job.id}/report" if done and job.task not in WITHOUT_REPORT else None,
        results=f"/api/v1/jobs/{job.id}/results.json" if done else None,
    )


def submit(jobs: Jobs, wanted: JobRequest) -> JobAnswer:
    """A new job.

    Raises:
        ScenarioError: the scenario cannot be run.
        UnusableInput: it is too large, or both or none of description and scenario are given.
        HTTPException: too many jobs are open.
    """
    if (wanted.description is None) == (wanted.scenario is None):
        raise UnusableInput(
            [{"where": "description", "message": "give exactly one of description, scenario"}]
        )
    scenario = _scenario(wanted)
    if scenario.people_visits > MOST_KEPT:
        message = (
            f"people x plans x draws x visits come to {scenario.people_visits:,}; at most {MOST_KEPT:,} here. For "
            "more, use the command `motorpool simulate`"
        )
        raise UnusableInput([{"where": "people", "message": message}])
    return accepted(jobs.submit(scenario))


def accepted(job: Job | None) -> JobAnswer:
    """The answer for a new job.

    Raises:
        HTTPException: there is none, because too many are open.
    """
    if job is None:
        raise HTTPException(
            503, "as many jobs wait or run as may; wait, or cancel one", {"retry-after": "60"}
        )
    return job_answer(job)


def _scenario(wanted: JobRequest) -> Scenario:
    from motorpool.simulation.loading import scenario_from_data
    from motorpool.web.scenario_of import scenario_data

    if wanted.description is None:
        return scenario_from_data(wanted.scenario)
    data = scenario_data(wanted.description, wanted.draws)
    data["cohort"]["patients"] = wanted.people
    labels = [str(arm["label"]) for arm in data["arms"].values()]
    data["title"] = f"{' / '.join(labels)}, for a child of {wanted.description.age_months:g} months"[:200]
    return scenario_from_data(data, "your description")


def _jobs(request: Request) -> Jobs:
    return request.app.state.jobs


def job_of(request: Request, identifier: str) -> Job:
    """The job with this identifier; 404 where there is none."""
    job = _jobs(request).store.get(identifier)
    if job is None:
        raise HTTPException(404, "there is no such job")
    return job


@routes.post("", responses=BUSY, status_code=201)
def create(request: Request, wanted: JobRequest) -> JobAnswer:
    """Submit a larger run; it goes on in the background and survives a restart of the server."""
    return submit(_jobs(request), wanted)


@routes.get("", responses=BUSY)
def every(request: Request) -> list[JobAnswer]:
    """All jobs, the newest first."""
    return [job_answer(job) for job in _jobs(request).store.all()]


@routes.get("/{identifier}", responses=BUSY)
def one(request: Request, identifier: Identifier) -> JobAnswer:
    """How far one job is."""
    return job_answer(job_of(request, identifier))


@routes.post("/{identifier}/cancel", responses=BUSY)
def cancel(request: Request, identifier: Identifier) -> JobAnswer:
    """End a job; what it finished is kept, and `resume` goes on from there."""
    if not _jobs(request).cancel(job_of(request, identifier)):
        raise HTTPException(409, "the job neither waits nor runs")
    return job_answer(job_of(request, identifier))


@routes.post("/{identifier}/resume", responses=BUSY)
def resume(request: Request, identifier: Identifier) -> JobAnswer:
    """Let a cancelled or failed job go on."""
    if not _jobs(request).resume(job_of(request, identifier)):
        raise HTTPException(409, "the job was neither cancelled nor did it fail")
    return job_answer(job_of(request, identifier))


@routes.delete("/{identifier}", responses=BUSY)
def remove(request: Request, identifier: Identifier) -> dict[str, str]:
    """Forget a job and its results."""
    if not _jobs(request).remove(job_of(request, identifier)):
        raise HTTPException(409, "the job waits or runs; cancel it first")
    return {"removed": identifier}


@routes.get("/{identifier}/report", responses=BUSY, response_class=FileResponse)
def report(request: Request, identifier: Identifier) -> FileResponse:
    """The report of a finished job, as the command line writes it."""
    path = _jobs(request).file(job_of(request, identifier), "report.html")
    if path is None:
        raise HTTPException(409, "the job has no report yet")
    return FileResponse(path, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


@routes.get("/{identifier}/funder", responses=BUSY, response_class=FileResponse)
def funder(request: Request, identifier: Identifier) -> FileResponse:
    """The page for a funder of a finished `trial power`, as `motorpool trial report` writes it."""
    path = _jobs(request).file(job_of(request, identifier), "funder.html")
    if path is None:
        raise HTTPException(409, "the job has no page for a funder")
    return FileResponse(path, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


@routes.get("/{identifier}/results.json", responses=BUSY, response_class=FileResponse)
def results(request: Request, identifier: Identifier) -> FileResponse:
    """The results of a finished job, as its command prints them with `--json`."""
    path = _jobs(request).file(job_of(request, identifier), "results.json")
    if path is None:
        raise HTTPException(409, "the job has no results yet")
    return FileResponse(path, media_type="application/json")
