"""Saved plans: kept whole or not at all, in SQLite and PostgreSQL, each user's own, within limits."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from motorpool.web import __main__ as server
from motorpool.web.app import create_app
from motorpool.web.database import FILE, TABLES_VERSION, open_database
from motorpool.web.description import Description, pairs_of
from motorpool.web.job_store import JobStore
from motorpool.web.problems import description_of
from motorpool.web.saved_store import CannotBeSaved, SavedPlans
from motorpool.web.settings import Settings, SettingsError
from motorpool.web.users import add_user

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
Begin = Callable[..., TestClient]
QUERY = "copies=3&age_months=14&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from=2"


@pytest.fixture
def client() -> Iterator[Callable[..., TestClient]]:
    """Makes servers without their worker, as many as a test likes."""
    made: list[Any] = []

    def begun(folder: Path, **settings: Any) -> TestClient:
        made.append(create_app(Settings(folder=folder, warm=False, burst=1_000_000, **settings)))
        return TestClient(made[-1], base_url="http://127.0.0.1")

    yield begun
    for guard in made:
        guard._app.state.jobs.stop()


# ---- PostgreSQL, where its server is installed; tests install nothing


def _postgresql_programs() -> Path | None:
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, default=None) or (None if on_path is None else Path(on_path).parent)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL of our own that is gone after the tests."""
    pytest.importorskip("psycopg", reason="the package psycopg is not installed")
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")
    user = None if os.geteuid() else "postgres"  # its server refuses to run as root
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="motorpool-pg-", dir="/tmp"))  # a short path, for its socket
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if user is not None:
            shutil.chown(folder, user)

        def run(*command: str) -> None:
            done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr

        initdb = [
            str(programs / "initdb"),
            "-D",
            f"{folder}/data",
            "-A",
            "trust",
            "-U",
            "tester",
            "-N",
            "-E",
            "UTF8",
        ]
        run(*initdb, "--locale=C")
        control = [str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log"]
        run(*control, "-o", f"-c listen_addresses='' -k {folder}", "start")
        stack.callback(run, *control, "-m", "immediate", "stop")
        yield f"postgresql://tester@/postgres?host={folder}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str | None]]:
    """A folder and the address of an empty database; None for the file in the folder."""
    if request.param == "sqlite":
        yield tmp_path, None
        return
    address = request.getfixturevalue("postgresql")
    yield tmp_path, address
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()


# ---- what visitors do


def test_what_is_saved_is_listed_opened_renamed_and_deleted(
    client: Begin, database: tuple[Path, str | None]
) -> None:
    folder, address = database
    asking = client(folder, database=address)
    made = asking.post("/saved", json={"query": QUERY + "&doubt=1", "title": "  Early or late?  "})
    assert made.status_code == 201, made.text
    saved = made.json()
    assert saved["title"] == "Early or late?"
    assert saved["page"] == "/explore?" + QUERY
    assert 'value="14"' in asking.get(saved["page"]).text
    page = asking.get("/saved").text
    assert "Early or late?" in page
    assert "A child of 14 months with 3 SMN2 copies. 2 plans: No drug; Nusinersen from month 2." in page
    described = Description.model_validate(asking.get(f"/api/v1/saved/{saved['id']}").json()["description"])
    assert described == description_of(
        [tuple(pair.split("=")) for pair in QUERY.replace("+", " ").split("&")]
    )

    again = client(folder, database=address)  # another server on the same database: nothing is lost
    assert [one["title"] for one in again.get("/api/v1/saved").json()] == ["Early or late?"]
    renamed = again.patch(f"/api/v1/saved/{saved['id']}", json={"title": "Début: früh – 早い"})
    assert renamed.json()["title"] == "Début: früh – 早い"
    assert renamed.json()["description"] == saved["description"]
    assert asking.get(f"/api/v1/saved/{saved['id']}").json() == renamed.json()
    assert again.delete(f"/api/v1/saved/{saved['id']}").status_code == 200
    assert again.delete(f"/api/v1/saved/{saved['id']}").status_code == 404
    assert "Nothing is saved yet" in asking.get("/saved").text


def test_a_title_is_taken_once_and_replaced_only_when_asked(
    client: Begin, database: tuple[Path, str | None]
) -> None:
    folder, address = database
    asking = client(folder, database=address)
    first = asking.post("/saved", json={"query": QUERY, "title": "one"}).json()
    taken = asking.post("/saved", json={"query": "age_months=30", "title": "one"})
    assert (taken.status_code, taken.json()["problems"][0]["where"]) == (409, "title")
    assert asking.get(f"/api/v1/saved/{first['id']}").json() == first
    replaced = asking.post("/saved", json={"query": "age_months=30", "title": "one", "replace": True}).json()
    assert (replaced["id"], replaced["description"]["age_months"]) == (first["id"], 30)
    asking.post("/saved", json={"query": QUERY, "title": "two"})
    assert asking.patch(f"/api/v1/saved/{first['id']}", json={"title": "two"}).status_code == 409
    assert sorted(one["title"] for one in asking.get("/api/v1/saved").json()) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"query": QUERY, "title": ""}, "title"),
        ({"query": QUERY, "title": "  "}, "title"),
        ({"query": QUERY, "title": "x" * 101}, "title"),
        ({"query": QUERY, "title": "two\nlines"}, "title"),
        ({"query": QUERY, "title": "\ud800"}, "title"),
        ({"query": QUERY, "title": "nothing\x00"}, "title"),
        ({"query": "age_months=-1", "title": "one"}, "age_months"),
        ({"query": "birth_date=2020", "title": "one"}, ""),
        ({"query": "p1=" + "x" * 30_000, "title": "one"}, "query"),
    ],
)
def test_what_cannot_be_saved_is_refused_by_name(
    client: Begin, tmp_path: Path, content: Any, where: str
) -> None:
    asking = client(tmp_path)
    refused = asking.post("/saved", content=json.dumps(content), headers={"content-type": "application/json"})
    assert refused.status_code == 422, refused.text
    assert refused.json()["problems"][0]["where"] == where
    assert asking.get("/api/v1/saved").json() == []


def test_no_more_are_saved_than_may_be(client: Begin, tmp_path: Path) -> None:
    asking = client(tmp_path, most_saved=2)
    codes = [asking.post("/saved", json={"query": QUERY, "title": name}).status_code for name in "abc"]
    assert codes == [201, 201, 409]
    assert asking.post("/saved", json={"query": QUERY, "title": "a", "replace": True}).status_code == 201


def test_other_sites_save_and_delete_nothing(client: Begin, tmp_path: Path) -> None:
    asking = client(tmp_path)
    identifier = asking.post("/saved", json={"query": QUERY, "title": "mine"}).json()["id"]
    foreign = {"sec-fetch-site": "cross-site", "origin": "http://evil.example"}
    address = f"/api/v1/saved/{identifier}"
    assert asking.post("/saved", json={"query": QUERY, "title": "x"}, headers=foreign).status_code == 403
    assert asking.patch(address, json={"title": "x"}, headers=foreign).status_code == 403
    assert asking.delete(address, headers=foreign).status_code == 403
    assert [one["title"] for one in asking.get("/api/v1/saved").json()] == ["mine"]


def test_users_see_their_own(client: Begin, tmp_path: Path) -> None:
    users = tmp_path / "users"
    for name in ("anna", "ben"):
        add_user(users, name, f"a long password of {name}")
    asking = client(tmp_path / "web", users=users)
    anna, ben = (("anna", "a long password of anna"), ("ben", "a long password of ben"))
    made = asking.post("/saved", json={"query": QUERY, "title": "hers"}, auth=anna).json()
    assert asking.get("/api/v1/saved", auth=ben).json() == []
    address = f"/api/v1/saved/{made['id']}"
    assert asking.get(address, auth=ben).status_code == 404
    assert asking.patch(address, json={"title": "x"}, auth=ben).status_code == 404
    assert asking.delete(address, auth=ben).status_code == 404
    assert asking.post("/saved", json={"query": QUERY, "title": "hers"}, auth=ben).status_code == 201
    assert asking.get(address, auth=anna).json() == made


def test_what_this_version_cannot_read_is_kept_and_said(client: Begin, tmp_path: Path) -> None:
    asking = client(tmp_path)
    identifier = asking.post("/saved", json={"query": QUERY, "title": "old"}).json()["id"]
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute('update saved_plans set description = \'{"copies": 3, "dragons": 1}\'')
    shown = asking.get(f"/api/v1/saved/{identifier}").json()
    assert (shown["page"], shown["description"]) == (None, None)
    assert "dragons" in shown["problems"][0]["message"]
    assert "cannot read what was saved" in asking.get("/saved").text


# ---- the database


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
                except OSError:
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
