"""What the uncontrolled reports of cells are worth: what may be asked, and the page that asks it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from motorpool.therapies.fields import InputModel, Within
from motorpool.web.form_values import number_of
from motorpool.web.job_api import JobAnswer, accepted
from motorpool.web.problems import UnusableInput, validation_problems
from motorpool.web.render import page

routes = APIRouter()
OWN = "ask."  # before the names of the fields, as in the other questions about cells
TITLE = "What are the reports worth?"
LEAD = (
    "Some reports say that children with SMA got better after cells. How often would such a report come about if cells "
    "did nothing? And how far should it change what we believe?"
)


class UncontrolledRequest(InputModel):
    """What the uncontrolled reports are worth, as `motorpool cells uncontrolled`; nothing in it is about one child."""

    people: Annotated[int, Within(8, 1024, "people")] = 24
    draws: Annotated[int, Within(16, 1024, "draws")] = 96
    biology: Annotated[int, Within(1, 256, "draws")] = 8
    seed: Annotated[int, Within(0, 2**31 - 1)] = 1


def submit_uncontrolled(request: Request, wanted: UncontrolledRequest) -> JobAnswer:
    """A new job; raises HTTPException where too many are open."""
    task: dict[str, Any] = {"task": "cells uncontrolled", "inputs": wanted.model_dump(mode="json")}
    return accepted(
        request.app.state.jobs.submit_task("What are the uncontrolled reports of cells worth?", task)
    )


@routes.get("/cells/uncontrolled")
def ask(request: Request) -> Response:
    """The reports as they stand, and the way to read them with cells that do nothing."""
    from motorpool.cell_lab.series import figure_of
    from motorpool.evidence.cell_series import absent_series, load_cell_series
    from motorpool.evidence.outcome_catalogue import outcome
    from motorpool.report.cells_uncontrolled import finding_words

    reports = [
        {
            "label": one.label,
            "source": one.source,
            "children": one.children,
            "months": one.months,
            "words": finding_words(
                one.finding.model_dump(mode="json"), figure_of(one), one.children, one.outcome
            ),
            "scale": outcome(one.outcome).label,
            "limits": one.limits,
        }
        for one in load_cell_series().values()
    ]
    return page(
        "cells_uncontrolled.html.j2", request, title=TITLE, lead=LEAD, reports=reports, absent=absent_series(),
        v=request.query_params, wanted=UncontrolledRequest(),
    )  # fmt: skip


@routes.post("/cells/uncontrolled", status_code=201)
def begin(request: Request, fields: dict[str, Any]) -> JobAnswer:
    """Submit the form as a job: `{"query": ...}` in the words of the address."""
    own = {
        key.removeprefix(OWN): number_of(text.strip())
        for key, text in parse_qsl(str(fields.get("query", "")))
        if text.strip()
    }
    try:
        wanted = UncontrolledRequest.model_validate(own)
    except ValidationError as error:
        raise UnusableInput(validation_problems(error.errors(include_url=False))) from None
    return submit_uncontrolled(request, wanted)
