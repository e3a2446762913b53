"""The trial laboratory over the API: shipped designs, and questions that become jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel

from motorpool.web.job_api import BUSY, JobAnswer, accepted
from motorpool.web.tasks import TrialCompareRequest, TrialPowerRequest, TrialRunRequest, trial_task

routes = APIRouter(prefix="/trials", tags=["trials"])


class DesignEntry(BaseModel):
    """One shipped design in short."""

    name: str
    title: str
    patients: int
    arms: list[str]
    first_endpoint: str


class DesignAnswer(DesignEntry):
    """A shipped design with the file that describes it."""

    question: str
    file: str


def submit_trial(
    request: Request, wanted: TrialRunRequest | TrialPowerRequest | TrialCompareRequest
) -> JobAnswer:
    """A new job for a question about trials; raises as `trial_task`, and HTTPException where too many are open."""
    return accepted(request.app.state.jobs.submit_task(*trial_task(wanted)))


def entries() -> list[DesignEntry]:
    """All shipped designs."""
    from motorpool.trials.analysis import endpoint_words
    from motorpool.trials.design_file import load_design, shipped_designs

    return [
        DesignEntry(
            name=one.name,
            title=one.title,
            patients=one.patients,
            arms=list(one.arms),
            first_endpoint=endpoint_words(one, one.endpoints[0]),
        )
        for one in map(load_design, shipped_designs())
    ]


def design_text(name: str) -> str:
    """The file of a shipped design; 404 where there is none of this name."""
    from motorpool.trials.design_file import DESIGNS_FOLDER, shipped_designs

    if name not in shipped_designs():
        raise HTTPException(404, f"there is no design of this name; there are {', '.join(shipped_designs())}")
    return (DESIGNS_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


@routes.get("", responses=BUSY)
def every() -> list[DesignEntry]:
    """The designs that come with motorpool."""
    return entries()


@routes.post("/run", responses=BUSY, status_code=201)
def run(request: Request, wanted: TrialRunRequest) -> JobAnswer:
    """Simulate replicates of a trial, as a job."""
    return submit_trial(request, wanted)


@routes.post("/power", responses=BUSY, status_code=201)
def power(request: Request, wanted: TrialPowerRequest) -> JobAnswer:
    """Power, errors, assurance, the smallest trial and the value of the answer, as a job."""
    return submit_trial(request, wanted)


@routes.post("/compare", responses=BUSY, status_code=201)
def compare(request: Request, wanted: TrialCompareRequest) -> JobAnswer:
    """Compare designs at equal cost, as a job."""
    return submit_trial(request, wanted)


@routes.get("/{name}", responses=BUSY)
def one(name: Annotated[str, Path(max_length=60)]) -> DesignAnswer:
    """One shipped design."""
    from motorpool.trials.design_file import load_design

    text, design = design_text(name), load_design(name)
    short = next(entry for entry in entries() if entry.name == name)
    return DesignAnswer(**short.model_dump(), question=design.question, file=text)
