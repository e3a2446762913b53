"""Looking for what is new: counted as PRISMA asks for, kept whole, and never a number of the model changed."""

from __future__ import annotations

import datetime
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from motorpool.cell_lab.refresh import anything_found, failures, known_numbers, refresh
from motorpool.cell_lab.registry_services import Services, load_services
from motorpool.cell_lab.search_log import FILE, SearchLog, add_run, default_path, read_log
from motorpool.evidence.records import EvidenceError
from tests.support.registry_server import Answer, Query, Server, as_json, study_json

NOW = datetime.datetime(2026, 11, 26, 12, 0, tzinfo=datetime.UTC)
KNOWN, NEW, ALS = "NCT02855112", "NCT09000001", "NCT09000002"


def tell(stage: str, fraction: float) -> None:
    assert 0.0 <= fraction <= 1.0


def world(status: str = "RECRUITING", papers: int = 40) -> Any:
    """A registry with one known and one new study of SMA, and a new one of ALS; and a number of papers."""

    def answer(path: str, query: Query) -> Answer:
        if path == "/api/v2/version":
            return as_json({"apiVersion": "2.0.5", "dataTimestamp": "2026-11-25T09:00:05"})
        if path == "/eutils/esearch.fcgi":
            count = papers // 10 if "mindate" in query else papers
            return as_json({"esearchresult": {"count": str(count), "querytranslation": query["term"]}})
        found = [ALS] if "lateral" in query["query.cond"] else [KNOWN, NEW, NEW]
        begin = int(query.get("pageToken", "0"))
        part = [study_json(number, status=status) for number in found[begin : begin + 2]]
        return as_json({"studies": part, **({"nextPageToken": "2"} if begin + 2 < len(found) else {})})

    return answer


def test_what_is_found_is_sorted(server: Server, services: Services) -> None:
    server.answer = world()
    run = refresh(services, SearchLog(), NOW, tell)
    assert run.date == "2026-11-26T12:00:00+00:00"
    sma, cells, als = run.trials
    assert (sma.identified, sma.duplicates, sma.in_library, sma.seen_before) == (3, 1, 1, 0)
    assert [one.number for one in sma.new] == [NEW]
    assert (cells.identified, cells.duplicates, cells.new) == (3, 3, ())
    assert [one.number for one in als.new] == [ALS]
    for search in run.trials:
        assert search.identified == search.duplicates + search.in_library + search.seen_before + len(
            search.new
        )
        assert search.data_date == "2026-11-25T09:00:05"
        assert search.terms == dict(load_services().searches.clinicaltrials[search.search].terms)
    assert [one.count for one in run.papers] == [40, 40]
    assert run.papers[0].by_year == {"2025": 4, "2026": 4}
    assert run.papers[0].before is None
    assert failures(run) == []


def test_the_second_time_nothing_is_new_and_changes_are_told(
    server: Server, services: Services, tmp_path: Path
) -> None:
    path = tmp_path / "kept" / FILE
    server.answer = world()
    add_run(path, refresh(services, read_log(path), NOW, tell))
    server.answer = world(status="COMPLETED", papers=43)
    second = refresh(services, read_log(path), NOW + datetime.timedelta(days=30), tell)
    assert [len(one.new) for one in second.trials] == [0, 0, 0]
    assert second.trials[0].seen_before == 1
    assert {one.number for one in second.trials[0].changed} == {KNOWN, NEW}
    assert second.papers[0].before == 40
    add_run(path, second)
    kept = read_log(path)
    assert [run.date[:10] for run in kept.runs] == ["2026-11-26", "2026-12-26"]
    assert kept.statuses()[NEW] == "COMPLETED"
    assert [one.name for one in path.parent.iterdir()] == [FILE]


def test_one_service_may_fail_alone(server: Server, services: Services) -> None:
    whole = world()
    server.answer = lambda path, query: Answer(status=500) if path.startswith("/api") else whole(path, query)
    run = refresh(services, SearchLog(), NOW, tell)
    assert anything_found(run)
    assert all(one.error for one in run.trials)
    assert failures(run) == ["ClinicalTrials.gov has trouble (500)"]
    assert run.papers[0].count == 40
    assert SearchLog(runs=(run,)).statuses() == {}


def test_a_page_that_fails_makes_no_half_count(server: Server, services: Services) -> None:
    whole = world()
    server.answer = lambda path, query: Answer(b"oops") if query.get("pageToken") else whole(path, query)
    run = refresh(services, SearchLog(), NOW, tell)
    assert run.trials[0].error is not None and run.trials[0].identified == 0
    assert run.trials[0].new == ()


def test_a_registry_that_does_not_say_its_date_is_searched_all_the_same(
    server: Server, services: Services
) -> None:
    whole = world()
    server.answer = lambda path, query: Answer(b"?") if path.endswith("version") else whole(path, query)
    run = refresh(services, SearchLog(), NOW, tell)
    assert run.trials[0].data_date is None
    assert run.trials[0].identified == 3


def digest_of_numbers() -> str:
    digest = hashlib.sha256()
    for room in ("evidence", "cell_lab"):
        for file in sorted(Path(str(resources.files(f"motorpool.{room}"))).rglob("*.yaml")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def test_no_number_is_changed_by_itself(server: Server, services: Services, tmp_path: Path) -> None:
    before = digest_of_numbers()
    server.answer = world(papers=10_000)
    add_run(tmp_path / FILE, refresh(services, SearchLog(), NOW, tell))
    assert digest_of_numbers() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [("not json", "is not a record of searches"), ("[]", "is not a record"), ('{"format": "other"}', "format"),
     ('{"runs": [{"date": 1}]}', "runs.0")],
)  # fmt: skip
def test_a_damaged_record_is_never_overwritten(
    server: Server, services: Services, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError, match=message):
        read_log(path)
    server.answer = world()
    with pytest.raises(EvidenceError):
        add_run(path, refresh(services, SearchLog(), NOW, tell))
    assert path.read_text(encoding="utf-8") == text


def test_the_library_knows_its_own_studies() -> None:
    known = known_numbers()
    assert {KNOWN, "NCT02193074", "NCT03280056", "IRCT20110628006907N15"} <= known


def test_searches_are_kept_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = default_path()
    assert path.name == FILE
    assert "motorpool" in path.parent.name


def test_services_are_asked_gently() -> None:
    services = load_services()
    assert services.clinicaltrials.pause_seconds >= 1.0  # one request a second
    assert services.pubmed.pause_seconds >= 1.0 / 3.0  # three a second without a key
