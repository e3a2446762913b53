"""The API answers whatever its description allows, and much that it does not, without failing."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from motorpool.figures.context import FigureContext
from motorpool.web.app import create_app
from motorpool.web.explore import Explorer, Shown
from motorpool.web.problems import description_of
from motorpool.web.scenario_of import scenario_of
from motorpool.web.settings import Settings
from tests.support.synthetic_results import synthetic_dataset

HEADERS = {"host": "127.0.0.1"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The schema of an application whose engine gives one invented answer: requests are tried, not numbers."""
    folder: Path = tmp_path_factory.mktemp("web")
    guard = create_app(Settings(folder=folder, warm=False, burst=1_000_000))
    small = description_of({"years": "0.5", "p1": "No drug", "p2.1.what": "nusinersen"}.items())
    context = FigureContext(synthetic_dataset(patients=20, draws=2, visits=3))
    shown = Shown(small, scenario_of(small, 0), context, effective_people=20.0)

    class Always(Explorer):
        def show(self, *arguments: Any, **options: Any) -> Shown:
            return shown

    guard._app.state.answers.explorer = Always()
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", guard, headers=HEADERS)


def test_no_request_breaks_the_api(api: Any) -> None:
    tried: set[str] = set()
    for result in api.get_all_operations():
        operation = result.ok()
        tried.add(operation.label)

        @settings(
            max_examples=3,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            answer = case.call(headers=HEADERS)
            case.validate_response(answer, checks=[status_code_conformance, response_schema_conformance])
            assert answer.status_code < 500 or answer.status_code == 503

        holds()
    assert {"POST /api/v1/explore", "POST /api/v1/jobs", "GET /api/v1/evidence"} <= tried
