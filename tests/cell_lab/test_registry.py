"""The registry client against a local server: pages, errors, slow and malformed answers, rates; and the snapshot."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from motorpool.cell_lab.registry import RegistryError, load_snapshot, months_of, parse_study
from motorpool.cell_lab.registry_client import PaperIndex, TrialRegistry
from motorpool.cell_lab.registry_http import JsonService, ServiceError
from motorpool.cell_lab.registry_services import load_services, services_at
from tests.cell_lab.conftest import RULES
from tests.support.registry_server import Answer, Query, Server, as_json, study_json

NUMBERS = [f"NCT{number:08d}" for number in range(1, 6)]


@pytest.fixture
def registry(service: JsonService) -> TrialRegistry:
    settings = load_services().clinicaltrials.model_copy(update={"page_size": 2, "most_pages": 5})
    return TrialRegistry(service, settings)


def pages(path: str, query: Query) -> Answer:
    """Five studies, two on a page."""
    begin = int(query.get("pageToken", "0"))
    part = [study_json(number) for number in NUMBERS[begin : begin + int(query["pageSize"])]]
    more = {"nextPageToken": str(begin + 2)} if begin + 2 < len(NUMBERS) else {}
    return as_json({"studies": part, **more})


def test_all_pages_are_read_with_the_same_question(server: Server, registry: TrialRegistry) -> None:
    server.answer = pages
    found = list(registry.search({"query.cond": "spinal muscular atrophy"}))
    assert [record.number for record in found] == NUMBERS
    assert [query.get("pageToken") for _, query in server.asked] == [None, "2", "4"]
    assert {query["query.cond"] for _, query in server.asked} == {"spinal muscular atrophy"}
    assert {path for path, _ in server.asked} == {"/studies"}


@pytest.mark.parametrize(
    "token", [lambda page: "same", lambda page: str(page)], ids=["the same page", "new pages"]
)
def test_pages_that_do_not_end_are_left(server: Server, registry: TrialRegistry, token: Any) -> None:
    server.answer = lambda path, query: as_json(
        {"studies": [study_json(NUMBERS[0])], "nextPageToken": token(len(server.asked))}
    )
    with pytest.raises(ServiceError, match="pages that do not end"):
        list(registry.search({}))
    assert len(server.asked) <= 5


def test_one_study_is_read_in_full(server: Server, registry: TrialRegistry) -> None:
    server.answer = lambda path, query: as_json(study_json("NCT00000001"))
    record = registry.study("NCT00000001")
    assert server.asked[0][0] == "/studies/NCT00000001"
    assert record is not None
    assert record.status == "RECRUITING"
    assert (record.start, record.completion, record.last_update) == ("2026-01", "2029-12-31", "2026-10-01")
    assert record.conditions == ("Spinal Muscular Atrophy",)
    assert record.phases == ("1", "2")
    assert record.age_months == (6.0, 192.0)
    assert record.enrolment == 40
    assert record.locations is not None and record.locations[0].city == "Lyon"
    assert not record.from_snapshot


def test_a_study_that_is_not_there_is_none(server: Server, registry: TrialRegistry) -> None:
    assert registry.study("NCT00000009") is None
    assert len(server.asked) == 1


def test_a_refused_question_is_not_repeated(server: Server, registry: TrialRegistry) -> None:
    server.answer = lambda path, query: Answer(b"Unknown field `NTCId`", 400)
    with pytest.raises(ServiceError, match=r"refused the question \(400\): Unknown field") as caught:
        registry.study("NCT00000001")
    assert caught.value.problem == "refused"
    assert len(server.asked) == 1


def test_too_many_requests_wait_as_long_as_asked(
    server: Server, registry: TrialRegistry, waits: list[float]
) -> None:
    server.answer = lambda path, query: (
        Answer(status=429, headers={"Retry-After": "7"})
        if len(server.asked) < 3
        else as_json(study_json("NCT00000001"))
    )
    assert registry.study("NCT00000001") is not None
    assert waits == [7.0, 7.0]


def test_waiting_has_an_end(server: Server, registry: TrialRegistry, waits: list[float]) -> None:
    server.answer = lambda path, query: Answer(status=429, headers={"Retry-After": "9999"})
    with pytest.raises(ServiceError, match="asks for fewer requests") as caught:
        registry.study("NCT00000001")
    assert caught.value.problem == "limited"
    assert len(server.asked) == RULES.tries
    assert waits == [RULES.longest_wait_seconds] * (RULES.tries - 1)


def test_trouble_of_the_server_is_tried_again_after_longer_waits(
    server: Server, registry: TrialRegistry, waits: list[float]
) -> None:
    server.answer = lambda path, query: (
        Answer(status=503) if len(server.asked) < 3 else as_json(study_json("NCT00000001"))
    )
    assert registry.study("NCT00000001") is not None
    assert waits == [1.0, 2.0]
    server.answer = lambda path, query: Answer(status=500)
    with pytest.raises(ServiceError, match=r"has trouble \(500\)"):
        registry.study("NCT00000001")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"<html>maintenance</html>"), "did not answer JSON: <html>maintenance"),
        (Answer(b""), "did not answer JSON: an empty answer"),
        (Answer(b'{"studies": [{"protocolSection"'), "did not answer JSON"),
        (as_json([1, 2]), "without a list of studies"),
        (as_json({"studies": "many"}), "without a list of studies"),
        (as_json({"studies": ["one"]}), "protocolSection is missing or not an object"),
        (
            as_json({"studies": [{"protocolSection": {"identificationModule": {}, "statusModule": {}}}]}),
            "no protocolSection",
        ),
        (Answer(b" " * 200_000), "more than 100000 bytes"),
    ],
)
def test_answers_that_cannot_be_read_are_told(
    server: Server, registry: TrialRegistry, answer: Answer, words: str
) -> None:
    server.answer = lambda path, query: answer
    with pytest.raises(RegistryError, match=words):
        list(registry.search({}))


def test_odd_fields_are_left_out_and_never_crash() -> None:
    odd = study_json(
        "NCT00000001", conditions=[1, None, "SMA"], locations=["x", {"city": 3}], minimum=None, start="soon"
    )
    odd["protocolSection"]["designModule"] = None
    odd["protocolSection"]["armsInterventionsModule"] = {"interventions": {"name": "x"}}
    odd["hasResults"] = "no"
    record = parse_study(odd)
    assert record.conditions == ("SMA",)
    assert record.locations is not None and len(record.locations) == 1
    assert record.start is record.has_results is record.enrolment is None
    assert record.interventions == record.phases == ()


def test_a_slow_answer_does_not_hang(server: Server, registry: TrialRegistry) -> None:
    server.answer = lambda path, query: Answer(before_seconds=0.8)
    begun = time.monotonic()
    with pytest.raises(ServiceError, match="did not answer in time") as caught:
        registry.study("NCT00000001")
    assert caught.value.problem == "slow"
    assert time.monotonic() - begun < 5.0


def test_an_answer_that_drips_does_not_hang(server: Server, registry: TrialRegistry) -> None:
    server.answer = lambda path, query: Answer(b" " * 1000, drip_seconds=0.05)
    begun = time.monotonic()
    with pytest.raises(ServiceError, match="did not finish its answer in time"):
        registry.study("NCT00000001")
    assert time.monotonic() - begun < 5.0


def test_an_answer_that_breaks_off_is_told(server: Server, registry: TrialRegistry) -> None:
    server.answer = lambda path, query: Answer(b'{"a": 1}', break_off=True, headers={"Connection": "close"})
    with pytest.raises(ServiceError, match=r"broke off its answer|did not answer in time"):
        registry.study("NCT00000001")


def test_nobody_there_is_told_at_once(waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with JsonService("The registry", address, 0.0, RULES, wait=waits.append) as service:
        with pytest.raises(ServiceError, match="The registry cannot be reached") as caught:
            service.get("/studies", {})
    assert caught.value.problem == "unreachable"
    assert waits == []


@pytest.mark.parametrize("address", ["no address", "ftp://example.org", "http://[bad"])
def test_a_bad_address_is_told(address: str) -> None:
    with JsonService("The registry", address, 0.0, RULES) as service, pytest.raises(ServiceError):
        service.get("/studies", {})


def test_requests_keep_their_distance(server: Server) -> None:
    now = [100.0]
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    server.answer = lambda path, query: as_json({})
    with JsonService("The registry", server.url, 1.0, RULES, wait=wait, clock=lambda: now[0]) as service:
        service.get("/version", {})
        now[0] += 0.25
        service.get("/version", {})
        now[0] += 3.0
        service.get("/version", {})
    assert waited == [0.75]


def test_papers_are_counted(server: Server, service: JsonService) -> None:
    server.answer = lambda path, query: as_json(
        {"esearchresult": {"count": "412", "idlist": [], "querytranslation": "sma[All Fields]"}}
    )
    index = PaperIndex(service)
    assert index.count("sma").count == 412
    assert index.count("sma", 2019).understood == "sma[All Fields]"
    path, query = server.asked[1]
    assert path == "/esearch.fcgi"
    assert (query["mindate"], query["maxdate"], query["datetype"], query["retmax"]) == (
        "2019",
        "2019",
        "pdat",
        "0",
    )
    assert "mindate" not in server.asked[0][1]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            {"count": "5", "errorlist": {"phrasesnotfound": ["sma cels"], "fieldsnotfound": []}},
            "understand: sma cels",
        ),
        ({"count": "5", "warninglist": {"quotedphrasesnotfound": ['"x y"']}}, "did not understand"),
        ({"ERROR": "Search Backend failed", "count": "0"}, "Backend failed"),
        ({"count": "many"}, "no number of papers"),
        ({}, "no number of papers"),
    ],
)
def test_a_search_that_is_only_partly_understood_is_no_count(
    server: Server, service: JsonService, result: dict[str, Any], words: str
) -> None:
    server.answer = lambda path, query: as_json({"esearchresult": result})
    with pytest.raises(ServiceError, match=words):
        PaperIndex(service).count("sma")


def test_no_paper_is_a_count(server: Server, service: JsonService) -> None:
    server.answer = lambda path, query: as_json(
        {"esearchresult": {"count": "0", "warninglist": {"outputmessages": ["No items found."]}}}
    )
    assert PaperIndex(service).count("sma", 1900).count == 0
    server.answer = lambda path, query: as_json({"other": 1})
    with pytest.raises(ServiceError, match="without esearchresult"):
        PaperIndex(service).count("sma")


def test_ages() -> None:
    assert months_of("6 Months") == 6.0
    assert months_of("2 Years") == 24.0
    assert months_of("30.4375 days") == pytest.approx(1.0)
    assert months_of("1 Week") == pytest.approx(7 / 30.4375)
    assert months_of("N/A") is months_of(None) is None


def test_the_snapshot_says_what_it_is() -> None:
    snapshot = load_snapshot()
    assert "not a registry" in snapshot.made_from
    assert len(snapshot.records) > 20
    for record in snapshot.records.values():
        assert record.from_snapshot
        assert record.conditions and record.interventions
    assert snapshot.records["NCT02855112"].status == "UNKNOWN"
    assert snapshot.records["IRCT20110628006907N15"].status is None


def test_services_can_be_asked_at_another_address() -> None:
    found = services_at("http://mirror/api/", None)
    assert found.clinicaltrials.url == "http://mirror/api"
    assert found.pubmed == load_services().pubmed
