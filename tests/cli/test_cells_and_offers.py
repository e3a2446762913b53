"""`cells evidence`, `offer check|ask|example` and `evidence refresh` as a person uses them."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from motorpool.cell_lab.offer_checklist import load_checklist
from motorpool.cli.main import run
from tests.support.command_line import Capture, refused, shown
from tests.support.registry_server import Answer, Query, Server, as_json, registry_server, study_json

NUMBER = "NCT00000001"


@pytest.fixture
def server() -> Generator[Server]:
    with registry_server() as told:
        yield told


@pytest.fixture
def offer_file(folder: Path, capsys: Capture) -> Path:
    path = folder / "offer.yaml"
    path.write_text(shown(["offer", "example"], capsys), encoding="utf-8")
    return path


def test_help_teaches(capsys: Capture) -> None:
    for verb in ("cells", "offer"):
        assert shown([verb], capsys) == shown([verb, "--help"], capsys)
    assert "evidence" in shown(["cells", "--help"], capsys)
    assert "motorpool cells evidence --out" in shown(["cells", "evidence", "--help"], capsys)
    text = shown(["offer", "--help"], capsys)
    assert all(verb in text for verb in ("check", "ask", "example"))
    said = " ".join(shown(["offer", "check", "--help"], capsys).split())
    assert "No check can show that an offer is safe." in said
    assert "No number of the model changes" in shown(["evidence", "refresh", "--help"], capsys)


def test_cells_evidence_prints_sentences_and_tables(capsys: Capture) -> None:
    text = shown(["cells", "evidence"], capsys)
    assert "18 people with SMA" in text
    assert "ALSUMMIT" in text and "I2" in text
    data = json.loads(shown(["cells", "evidence", "--json"], capsys))
    assert {pool["id"] for pool in data["syntheses"]} >= {"blinded", "with_open_label", "bias_adjusted"}
    assert data["syntheses"][0]["shown"]["k"] == 4


def test_cells_evidence_writes_a_page_and_never_over_something_else(folder: Path, capsys: Capture) -> None:
    assert run(["cells", "evidence", "--json", "--out", "page.html"]) == 0
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert str(folder / "page.html") in captured.err
    assert "forest" in (folder / "page.html").read_text(encoding="utf-8")
    (folder / "mine.html").write_text("mine", encoding="utf-8")
    assert "is not a page of `cells evidence`" in refused(["cells", "evidence", "--out", "mine.html"], capsys)
    assert "is a folder" in refused(["cells", "evidence", "--out", str(folder)], capsys)
    assert (folder / "mine.html").read_text(encoding="utf-8") == "mine"
    assert "Did you mean" in refused(["cells", "evidense"], capsys)


def test_the_example_is_checked_offline(offer_file: Path, capsys: Capture) -> None:
    text = shown(["offer", "check", str(offer_file), "--offline"], capsys)
    assert text.startswith("Cord cells abroad: Do not go on")
    assert "No registry was asked." in text
    data = json.loads(shown(["offer", "check", str(offer_file), "--offline", "--json"], capsys))
    assert data["verdict"] == "do_not_go_on"
    assert data["registry"]["came_from"] == "snapshot"


def test_the_registry_is_asked_and_the_page_is_written(
    offer_file: Path, folder: Path, server: Server, capsys: Capture
) -> None:
    server.answer = lambda path, query: as_json(study_json("NCT02855112", status="COMPLETED"))
    arguments = [
        "offer",
        "check",
        str(offer_file),
        "--registry-url",
        f"{server.url}/api/v2",
        "--out",
        "offer.html",
    ]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert data["registry"]["came_from"] == "registry"
    assert [path for path, _ in server.asked] == ["/api/v2/studies/NCT02855112"]
    assert "Cord cells abroad" in (folder / "offer.html").read_text(encoding="utf-8")
    # the page may be written again
    assert run(arguments) == 0


def test_nothing_but_the_number_leaves_the_machine(offer_file: Path, server: Server, capsys: Capture) -> None:
    server.answer = lambda path, query: as_json(study_json("NCT02855112"))
    shown(["offer", "check", str(offer_file), "--registry-url", server.url], capsys)
    ((path, query),) = server.asked
    assert path == "/studies/NCT02855112"
    assert query == {"format": "json"}


def test_a_registry_in_trouble_is_told_and_the_check_goes_on(
    offer_file: Path, server: Server, capsys: Capture
) -> None:
    server.answer = lambda path, query: Answer(b"<html>no</html>")
    text = " ".join(shown(["offer", "check", str(offer_file), "--registry-url", server.url], capsys).split())
    assert "ClinicalTrials.gov did not answer JSON" in text
    assert "no copy of a registry" in text


@pytest.mark.parametrize(
    "address", ["foo", "ftp://host/api", "https://", "http://host:port/api", "https://host/a b"]
)
def test_an_address_that_cannot_be_asked_is_refused_before_anything_is_done(
    address: str, offer_file: Path, folder: Path, capsys: Capture
) -> None:
    for verb in (["offer", "check", str(offer_file), "--out", "page.html"], ["offer", "ask"]):
        message = refused([*verb, "--registry-url", address], capsys)
        assert f"--registry-url: {address!r} must be an http or https address, such as https://" in message
    log = ["--log", "searches.json"]
    assert address in refused(["evidence", "refresh", "--pubmed-url", address, *log], capsys)
    assert not (folder / "page.html").exists() and not (folder / "searches.json").exists()


def test_an_address_beside_offline_is_refused(offer_file: Path, capsys: Capture) -> None:
    message = refused(
        ["offer", "check", str(offer_file), "--offline", "--registry-url", "https://host/api"], capsys
    )
    assert "has no meaning with --offline" in message


def test_a_bad_offer_is_refused(folder: Path, capsys: Capture) -> None:
    assert "cannot be read: No such file" in refused(["offer", "check", "none.yaml", "--offline"], capsys)
    (folder / "bad.yaml").write_text("clinic: {ctiy: x}", encoding="utf-8")
    message = refused(["offer", "check", "bad.yaml", "--offline", "--out", "page.html"], capsys)
    assert (
        "bad.yaml: clinic.ctiy: unknown key; allowed here are name, city, country. Did you mean city?"
        in message
    )
    assert not (folder / "page.html").exists()


def answers(*told: str, asked: str = "no", flags: str = "yes") -> str:
    checklist = load_checklist()
    lines = [*told]
    lines += [asked] * sum(item.question is not None for item in checklist.items.values())
    lines += [flags] * len(checklist.red_flags)
    return "\n".join(lines) + "\n"


def test_the_questionnaire_asks_again_and_keeps_the_answers(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (
        "A clinic",
        "a lot",
        "14",
        "",
        "",
        "Mexico",
        NUMBER,
        "soon",
        "2027-03",
        "cord blood cells",
        "",
        "3",
        "0",
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(answers(*told, asked="y", flags="")))
    assert run(["offer", "ask", "--offline", "--json", "--save", "mine.yaml"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert data["offer"]["age_months"] == 14
    assert data["offer"]["treatment_date"] == "2027-03"
    assert data["offer"]["price"]["amount"] == 0
    assert set(data["offer"]["answers"].values()) == {"yes"}
    assert set(data["offer"]["red_flags"].values()) == {"unknown"}
    assert "age_months" in captured.err and "must be a date such as 2027-03" in captured.err
    again = json.loads(shown(["offer", "check", "mine.yaml", "--offline", "--json"], capsys))
    assert again["offer"] == data["offer"]
    assert again["verdict"] == data["verdict"] == "open_questions"
    assert "exists already" in refused(["offer", "ask", "--save", "mine.yaml"], capsys)


def test_who_asks_for_money_is_not_asked_whether_it_is_free(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ("", "", "", "", "", "", "", "", "", "", "20000", "", "EUR", "maybe", "yes")
    checklist = load_checklist()
    rest = ["no"] * (len(checklist.items) - 2) + ["no"] * (len(checklist.red_flags) - 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*told, *rest]) + "\n"))
    assert run(["offer", "ask", "--offline", "--json"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert data["offer"]["price"] == {"amount": 20000, "currency": "EUR", "before_treatment": "yes"}
    assert checklist.items["no_charge"].question not in captured.err
    assert data["verdict"] == "do_not_go_on"
    assert "Please answer yes, no, or press Enter." in captured.err


def test_answers_that_end_early_are_told(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("A clinic\n14\n"))
    assert run(["offer", "ask", "--offline", "--save", "mine.yaml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "The answers ended before the questions did" in captured.err
    assert not (folder / "mine.yaml").exists()


def world(path: str, query: Query) -> Answer:
    if path.endswith("version"):
        return as_json({"dataTimestamp": "2026-11-25"})
    if path.endswith("esearch.fcgi"):
        return as_json({"esearchresult": {"count": "12", "querytranslation": query["term"]}})
    return as_json({"studies": [study_json("NCT02855112"), study_json(NUMBER)]})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between requests of this test."""
    from motorpool.cell_lab import registry_services

    shipped = registry_services.load_services()
    made = shipped.model_copy(
        update={
            "clinicaltrials": shipped.clinicaltrials.model_copy(update={"pause_seconds": 0.0}),
            "pubmed": shipped.pubmed.model_copy(update={"pause_seconds": 0.0, "years": 1}),
        }
    )
    monkeypatch.setattr(registry_services, "load_services", lambda: made)


def refresh(server: Server, *more: str) -> list[str]:
    urls = ["--registry-url", f"{server.url}/api", "--pubmed-url", f"{server.url}/eutils"]
    return ["evidence", "refresh", *urls, "--log", "searches.json", *more]


@pytest.mark.usefixtures("quick")
def test_refresh_shows_what_is_new_once(folder: Path, server: Server, capsys: Capture) -> None:
    server.answer = world
    assert run(refresh(server)) == 0
    captured = capsys.readouterr()
    assert "New, to be read (1):" in captured.out and NUMBER in captured.out
    assert "No number of motorpool was changed" in captured.err
    data: dict[str, Any] = json.loads(shown(refresh(server, "--json"), capsys))
    assert [len(one["new"]) for one in data["trials"]] == [0, 0, 0]
    history = shown(["evidence", "refresh", "--history", "--log", "searches.json"], capsys)
    assert history.count("sma_cells") == 4  # two services, two runs
    assert "query.cond=spinal muscular atrophy" in history
    runs = json.loads(
        shown(["evidence", "refresh", "--history", "--json", "--log", "searches.json"], capsys)
    )["runs"]
    assert len(runs) == 2


@pytest.mark.usefixtures("quick")
def test_refresh_without_a_connection_is_clear_and_keeps_nothing(folder: Path, capsys: Capture) -> None:
    nowhere = ["--registry-url", "http://127.0.0.1:1", "--pubmed-url", "http://127.0.0.1:1"]
    assert run(["evidence", "refresh", *nowhere, "--log", "searches.json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        "ClinicalTrials.gov cannot be reached" in captured.err and "PubMed cannot be reached" in captured.err
    )
    assert "Nothing was changed." in captured.err
    assert "Traceback" not in captured.err
    assert not (folder / "searches.json").exists()
    assert "no search was kept yet" in refused(
        ["evidence", "refresh", "--history", "--log", "searches.json"], capsys
    )


@pytest.mark.usefixtures("quick")
def test_refresh_with_half_an_answer_keeps_it_and_says_so(
    folder: Path, server: Server, capsys: Capture
) -> None:
    server.answer = lambda path, query: Answer(b"no", 403) if "eutils" in path else world(path, query)
    assert run(refresh(server)) == 1
    captured = capsys.readouterr()
    assert NUMBER in captured.out
    assert "Not complete: PubMed refused the question (403): no." in captured.err
    assert (folder / "searches.json").exists()


def test_a_damaged_record_of_searches_is_left(folder: Path, capsys: Capture) -> None:
    (folder / "searches.json").write_text("{", encoding="utf-8")
    assert "is not a record of searches" in refused(["evidence", "refresh", "--log", "searches.json"], capsys)
    assert "is a folder" in refused(["evidence", "refresh", "--log", str(folder)], capsys)
