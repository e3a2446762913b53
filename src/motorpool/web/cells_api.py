"""The cell laboratory over the API: what is known, the check of an offer, and questions that become jobs."""

from __future__ import annotations

import datetime
from typing import Any

from fastapi import APIRouter, Request

from motorpool.web.job_api import BUSY, JobAnswer, accepted
from motorpool.web.tasks import AddonRequest, NeededRequest, ProtocolRequest, cells_task
from motorpool.web.uncontrolled import UncontrolledRequest, submit_uncontrolled

routes = APIRouter(prefix="/cells", tags=["cells"])


def submit_cells(request: Request, wanted: AddonRequest | NeededRequest | ProtocolRequest) -> JobAnswer:
    """A new job for a question about cells; raises as `cells_task`, and HTTPException where too many are open."""
    return accepted(request.app.state.jobs.submit_task(*cells_task(wanted)))


@routes.get("/evidence", responses=BUSY)
def evidence() -> dict[str, Any]:
    """Every study of cells that was read, put together: the same as `motorpool cells evidence --json`."""
    from motorpool.cell_lab.known import known_content

    return known_content()


@routes.post("/offer", responses=BUSY)
def offer(offer: dict[str, Any]) -> dict[str, Any]:
    """Check an offer, given as the content of an offer file: the same as `motorpool offer check --offline --json`.

    No registry is asked; notes that come with motorpool are used, and the answer says so. No check can show that an
    offer is safe.
    """
    from motorpool.cell_lab.offer import offer_from_data
    from motorpool.cell_lab.offer_check import check_offer

    return check_offer(offer_from_data(offer), None, datetime.date.today())


@routes.post("/addon", responses=BUSY, status_code=201)
def addon(request: Request, wanted: AddonRequest) -> JobAnswer:
    """What cells would add to a plan, as a job."""
    return submit_cells(request, wanted)


@routes.post("/needed", responses=BUSY, status_code=201)
def needed(request: Request, wanted: NeededRequest) -> JobAnswer:
    """How strong cells would have to be, as a job."""
    return submit_cells(request, wanted)


@routes.post("/uncontrolled", responses=BUSY, status_code=201)
def uncontrolled(request: Request, wanted: UncontrolledRequest) -> JobAnswer:
    """How surprising the uncontrolled reports are if cells do nothing, and what they move, as a job."""
    return submit_uncontrolled(request, wanted)


@routes.post("/protocol", responses=BUSY, status_code=201)
def protocol(request: Request, wanted: ProtocolRequest) -> JobAnswer:
    """How much the choice of protocol matters, as a job."""
    return submit_cells(request, wanted)
