"""A local registry, and services that ask it without waiting."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from motorpool.cell_lab.registry_http import JsonService
from motorpool.cell_lab.registry_services import HttpRules, Services, load_services
from tests.support.registry_server import Server, registry_server

RULES = HttpRules(
    connect_seconds=2.0,
    answer_seconds=0.4,
    tries=3,
    first_wait_seconds=1.0,
    longest_wait_seconds=20.0,
    most_bytes=100_000,
)


@pytest.fixture
def server() -> Generator[Server]:
    with registry_server() as told:
        yield told


@pytest.fixture
def waits() -> list[float]:
    """What would have been waited, in seconds."""
    return []


@pytest.fixture
def service(server: Server, waits: list[float]) -> Generator[JsonService]:
    with JsonService("The registry", server.url, 0.0, RULES, wait=waits.append) as made:
        yield made


@pytest.fixture
def services(server: Server) -> Services:
    """Both services at the local address, quick."""
    shipped = load_services()
    return shipped.model_copy(
        update={
            "clinicaltrials": shipped.clinicaltrials.model_copy(
                update={"url": f"{server.url}/api/v2", "pause_seconds": 0.0, "page_size": 2}
            ),
            "pubmed": shipped.pubmed.model_copy(
                update={"url": f"{server.url}/eutils", "pause_seconds": 0.0, "years": 2}
            ),
            "http": RULES.model_copy(update={"first_wait_seconds": 0.0}),
        }
    )
