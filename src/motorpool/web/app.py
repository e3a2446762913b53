"""The application: pages, API and files behind their guards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from motorpool import __version__
from motorpool.cell_lab.errors import CellLabError
from motorpool.evidence.records import EvidenceError
from motorpool.simulation.errors import ScenarioError
from motorpool.web import (
    api,
    cells_api,
    cells_pages,
    evidence_pages,
    explore_pages,
    job_api,
    run_pages,
    saved_api,
    saved_pages,
    trial_api,
    trial_pages,
    trust_pages,
    uncontrolled,
    window_pages,
)
from motorpool.web.asking import Here
from motorpool.web.database import open_database
from motorpool.web.job_store import JobStore
from motorpool.web.jobs import Jobs
from motorpool.web.problems import UnusableInput, scenario_problems, validation_problems
from motorpool.web.render import page
from motorpool.web.saved_store import CannotBeSaved, SavedPlans
from motorpool.web.security import Guard
from motorpool.web.settings import Settings
from motorpool.web.turns import Busy, Superseded
from motorpool.web.workers import Workers

DESCRIPTION = (
    "Simulate treatment plans for spinal muscular atrophy in virtual patients. Research and education, not for "
    "treatment decisions. Send nothing that identifies anybody."
)
LEAST_COMPRESSED_BYTES = 2000
NO_SUCH_PAGE = "There is nothing at this address. Check it, or begin with one of the pages above."
NOBODY_WAITS = 499  # what servers say when the client has gone


def create_app(settings: Settings) -> Any:
    """The application with these settings, ready for a server."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None]:
        await app.state.answers.start()
        app.state.jobs.start()
        yield
        await app.state.answers.stop()
        await asyncio.to_thread(app.state.jobs.stop)

    app = FastAPI(
        title="motorpool",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.settings = settings
    workers = settings.workers
    app.state.answers = Workers(workers, warm=settings.warm) if workers else Here(warm=settings.warm)
    database = open_database(settings.folder, settings.database)
    app.state.jobs = Jobs(JobStore(settings.folder, database), settings.most_jobs)
    app.state.saved = SavedPlans(database, settings.most_saved)
    for pages in (  # fmt: skip
        explore_pages,
        window_pages,
        uncontrolled,  # before the other questions about cells, whose addresses have a name in them
        cells_pages,
        trial_pages,
        evidence_pages,
        trust_pages,
        run_pages,
        saved_pages,
    ):
        app.include_router(pages.routes, include_in_schema=False)
    for routes in (api.routes, job_api.routes, cells_api.routes, trial_api.routes, saved_api.routes):
        app.include_router(routes, prefix="/api/v1")
    static = str(resources.files("motorpool.web").joinpath("static"))
    app.mount("/static", StaticFiles(directory=static), name="static")
    _explain_errors(app)
    if settings.public:  # far away; on this machine it takes longer than what it saves
        app.add_middleware(GZipMiddleware, minimum_size=LEAST_COMPRESSED_BYTES, compresslevel=4)
    return Guard(cast("Any", app), settings)


def _explain_errors(app: FastAPI) -> None:
    def answer(request: Request, status: int, problems: list[dict[str, str]]) -> Response:
        if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
            return page(
                "problem.html.j2", request, status=status, title="That did not work", problems=problems
            )
        return JSONResponse({"problems": problems}, status)

    @app.exception_handler(UnusableInput)
    async def unusable(request: Request, error: UnusableInput) -> Response:
        return answer(request, 422, error.problems)

    @app.exception_handler(ScenarioError)
    async def scenario(request: Request, error: ScenarioError) -> Response:
        return answer(request, 422, scenario_problems(error))

    @app.exception_handler(CellLabError)
    async def cell_lab(request: Request, error: CellLabError) -> Response:
        return answer(request, 422, [{"where": "", "message": str(error)}])

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 422, validation_problems(error.errors()))

    @app.exception_handler(EvidenceError)
    async def evidence(request: Request, error: EvidenceError) -> Response:
        return answer(request, 404, [{"where": "", "message": str(error)}])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        message = NO_SUCH_PAGE if error.detail == "Not Found" else str(error.detail)
        response = answer(request, error.status_code, [{"where": "", "message": message}])
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(CannotBeSaved)
    async def not_saved(request: Request, error: CannotBeSaved) -> Response:
        return answer(request, 409, [{"where": error.where, "message": str(error)}])

    @app.exception_handler(DBAPIError)
    async def database(request: Request, error: DBAPIError) -> Response:
        logging.getLogger(__name__).error("the database failed: %s", error.orig)
        message = "the database does not answer, and nothing was changed in it; try again in a moment"
        response = answer(request, 503, [{"where": "", "message": message}])
        response.headers["retry-after"] = "5"
        return response

    @app.exception_handler(Superseded)
    async def superseded(request: Request, error: Superseded) -> Response:
        return Response(status_code=NOBODY_WAITS)

    @app.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> Response:
        message = "too many are asking just now; what you entered is kept, try again in a few seconds"
        response = answer(request, 503, [{"where": "", "message": message}])
        response.headers["retry-after"] = "5"
        return response

    _ = busy, cell_lab, database, unusable, scenario, validation, evidence, http, not_saved, superseded
