"""Saved plans: saved, listed, opened, renamed, deleted; each user's own, within limits, in SQLite and PostgreSQL."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from motorpool.web.database import FILE
from motorpool.web.description import Description
from motorpool.web.problems import description_of
from motorpool.web.users import add_user

Begin = Callable[..., TestClient]
QUERY = "copies=3&age_months=14&p1=No+drug&p2=&p2.1.what=nusinersen&p2.1.from=2"


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
