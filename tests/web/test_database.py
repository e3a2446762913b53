"""The database of the web page: its versions, its absence, and kill -9, in SQLite and PostgreSQL."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from motorpool.web import __main__ as server
from motorpool.web.database import FILE, TABLES_VERSION, open_database
from motorpool.web.description import Description, pairs_of
from motorpool.web.job_store import JobStore
from motorpool.web.problems import description_of
from motorpool.web.saved_store import CannotBeSaved, SavedPlans
from motorpool.web.settings import SettingsError

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
Begin = Callable[..., TestClient]
QUERY = "copies=3&age_months=14&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from=2"


def test_older_tables_are_brought_up_to_date_and_newer_ones_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = JobStore(tmp_path)
    old.add("a run", "{}", 8)
    old.close()
    with sqlite3.connect(tmp_path / FILE) as connection:  # as the first version left it
        connection.execute("drop table saved_plans")
        connection.execute("drop table motorpool_tables")
    engine = open_database(tmp_path)
    assert SavedPlans(engine, 5).add("", "one", "{}").title == "one"
    assert [job.title for job in JobStore(tmp_path, engine).all()] == ["a run"]
    engine.dispose()
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("select version from motorpool_tables").fetchall() == [(TABLES_VERSION,)]
        connection.execute("update motorpool_tables set version = 99")
    before = (tmp_path / FILE).read_bytes()
    assert server.main(["--port", "0", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "newer motorpool (tables of version 99" in said.err
    assert not said.out
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("no address", "is no address of a database"),
        ("mysql://me:secret@host/name", "mysql is not supported; give sqlite or postgresql"),
        ("postgresql://me:secret@127.0.0.1:1/name", "cannot be used"),
        ("sqlite:////nowhere/at/all.sqlite", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_is_refused_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    if address.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="the package psycopg is not installed")
    with pytest.raises(SettingsError, match=words) as refused:
        open_database(tmp_path, address)
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("MOTORPOOL_DATABASE", address)
    assert server.main(["--port", "0", "--folder", str(tmp_path)]) == 2


def test_a_database_that_went_away_is_said_and_nothing_breaks(client: Begin, tmp_path: Path) -> None:
    asking = client(tmp_path)
    asking.post("/saved", json={"query": QUERY, "title": "one"})
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("alter table saved_plans rename to elsewhere")
    failed = asking.post("/saved", json={"query": QUERY, "title": "two"})
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    assert "nothing was changed" in failed.text


# ---- kill -9

STRUCK = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.orm import Session
from motorpool.web.database import open_database
from motorpool.web.saved_store import SavedPlans

folder, address, moment = Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3]
plans = SavedPlans(open_database(folder, address), 10)
first = plans.add("", "first", "as it was " * 20_000)

def struck(*_):
    os.kill(os.getpid(), signal.SIGKILL)

event.listen(Session, moment, struck)
plans.change("", first.id, description="as it will be " * 20_000)
"""


@pytest.mark.parametrize(
    ("moment", "begins"), [("after_flush_postexec", "as it was"), ("after_commit", "as it will")]
)
def test_a_save_that_is_struck_happens_whole_or_not_at_all(
    database: tuple[Path, str | None], moment: str, begins: str
) -> None:
    folder, address = database
    command = [sys.executable, "-c", STRUCK, str(folder), address or "", moment]
    struck = subprocess.run(command, env={**os.environ, "PYTHONPATH": SOURCE}, capture_output=True, text=True)
    assert struck.returncode == -signal.SIGKILL, struck.stderr
    engine = open_database(folder, address)
    (kept,) = SavedPlans(engine, 10).all("")
    assert kept.description in ("as it was " * 20_000, "as it will be " * 20_000)
    assert kept.description.startswith(begins)
    with pytest.raises(CannotBeSaved):
        SavedPlans(engine, 10).add("", "first", "{}")
    engine.dispose()


def test_a_server_that_is_struck_while_people_save_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    confirmed: list[str] = []
    command = [
        sys.executable,
        "-P",
        "-m",
        "motorpool.web",
        "--port",
        "0",
        "--no-warm-up",
        "--folder",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    with (
        (tmp_path / "errors").open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        ) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, (tmp_path / "errors").read_text()

        def save(who: str) -> None:
            for number in range(1000):
                content = json.dumps({"query": QUERY, "title": f"{who} {number}"}).encode()
                asked = urllib.request.Request(
                    address + "saved", content, {"content-type": "application/json"}
                )
                try:
                    with urllib.request.urlopen(asked, timeout=60) as answer:
                        confirmed.append(json.load(answer)["title"])
                except (OSError, HTTPException):  # the answer may break off after its first line
                    return

        savers = [threading.Thread(target=save, args=(who,)) for who in ("anna", "ben")]
        for saver in savers:
            saver.start()
        _until(lambda: len(confirmed) >= 6)
        process.kill()
        for saver in savers:
            saver.join()
    engine = open_database(tmp_path)
    kept = {saved.title: saved.description for saved in SavedPlans(engine, 10).all("")}
    engine.dispose()
    assert set(confirmed) <= set(kept)
    assert len(kept) <= len(confirmed) + len(savers)
    for description in kept.values():
        assert pairs_of(Description.model_validate_json(description)) == pairs_of(
            description_of([tuple(pair.split("=")) for pair in QUERY.replace("+", " ").split("&")])
        )


def _until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 240.0  # a machine with much to do takes its time
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)
