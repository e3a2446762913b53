"""What stands before every page: hosts, sites, users, sizes, rates; and that nothing public starts unguarded."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from motorpool.cli import main as command_line
from motorpool.cli import serve
from motorpool.web import __main__ as server
from motorpool.web.app import create_app
from motorpool.web.settings import Settings
from motorpool.web.users import add_user

PASSWORD = "a long enough password"


def client(folder: Path, **settings: Any) -> TestClient:
    made = Settings(folder=folder / "web", warm=False, **settings).check()
    return TestClient(create_app(made), base_url="http://127.0.0.1:8765", follow_redirects=False)


def test_pages_allow_no_script_but_their_own(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/explore")
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    text = answer.text
    assert "style=" not in text
    assert "onclick" not in text
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8765"]
)
def test_other_host_names_are_not_answered(tmp_path: Path, host: str) -> None:
    assert client(tmp_path).get("/explore", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),  # a program; the body is empty
        ({"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}, 422),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_changes_are_taken_from_this_site_only(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    assert client(tmp_path).post("/api/v1/jobs", headers=headers).status_code == status


def test_long_bodies_are_refused_whether_they_say_so_or_not(tmp_path: Path) -> None:
    asking = client(tmp_path, most_body_bytes=1000)
    assert asking.post("/api/v1/explore", content=b"x" * 1001).status_code == 413

    def parts() -> Any:
        for _ in range(20):
            yield b"x" * 100

    assert asking.post("/api/v1/explore", content=parts()).status_code == 413


def test_too_many_requests_are_refused_for_a_while(tmp_path: Path) -> None:
    asking = client(tmp_path, requests_per_second=0.001, burst=3)
    codes = [asking.get("/api/v1/version").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


PROXY, FAR = "10.0.0.1", "203.0.113."


def code_through(folder: Path, peer: str, forwarded: list[str], **settings: Any) -> list[int]:
    """Answers to requests that a peer sends, each with what it says of who asks."""
    add_user(folder / "users.txt", "anna", PASSWORD)
    made = Settings(
        folder=folder / "web", warm=False, requests_per_second=0.001, burst=1, users=folder / "users.txt",
        names=("sma.example.org", "127.0.0.1"), **settings,
    ).check()  # fmt: skip
    asking = TestClient(create_app(made), base_url="http://127.0.0.1", client=(peer, 1))
    login = {"authorization": "Basic " + base64.b64encode(f"anna:{PASSWORD}".encode()).decode()}
    return [
        asking.get("/api/v1/version", headers={**login, "x-forwarded-for": words}).status_code
        for words in forwarded
    ]


def test_behind_a_trusted_proxy_limits_count_for_each_client(tmp_path: Path) -> None:
    trusted = server.proxy_networks([PROXY, "10.0.1.0/24"])
    told = [f"{FAR}7", f"{FAR}8", f"{FAR}7"]
    assert code_through(tmp_path, PROXY, told, proxies=trusted) == [200, 200, 429]
    # A client may put in whom it likes; the proxy appends the address it was asked from, which counts.
    told = [f"{FAR}1, {FAR}7", f"{FAR}2, {FAR}7", f"{FAR}7, 10.0.1.9", "nobody", "nobody"]
    assert code_through(tmp_path, PROXY, told, proxies=trusted) == [200, 429, 429, 200, 429]


def test_what_a_client_says_of_its_address_is_not_believed(tmp_path: Path) -> None:
    told = [f"{FAR}7", f"{FAR}8"]
    assert code_through(tmp_path, PROXY, told) == [200, 429], "no proxy is trusted unless it is named"
    trusted = server.proxy_networks([PROXY])
    assert code_through(tmp_path, f"{FAR}5", told, proxies=trusted) == [200, 429], "this one is no proxy"


def test_nobody_unknown_gets_in(tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    add_user(users, "anna", PASSWORD)
    asking = client(tmp_path, users=users, public=True, names=("sma.example.org", "127.0.0.1"))

    def code(text: str | None) -> int:
        headers = (
            {} if text is None else {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}
        )
        return asking.get("/api/v1/version", headers=headers).status_code

    assert code(None) == 401
    assert code(f"anna:{PASSWORD}x") == 401
    assert code(f"eve:{PASSWORD}") == 401
    assert code(f"anna:{PASSWORD}") == 200
    assert PASSWORD not in users.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--public"], "--users"),
        (["--public", "--users", "{users}"], "--allow-host"),
        (["--trust-proxy", "127.0.0.1", "--allow-host", "a.org"], "--users FILE"),
        (["--trust-proxy", "proxy.example.org"], "--trust-proxy proxy.example.org: must be an address"),
        (["--trust-proxy", "0.0.0.0/0"], "believe everybody"),
        (["--host", "0.0.0.0"], "--public"),
        (["--public", "--users", "{folder}/nobody", "--allow-host", "a.org"], "No such file"),
        (["--public", "--users", "{open}", "--allow-host", "a.org"], "chmod 600"),
        (["--public", "--users", "{wrong}", "--allow-host", "a.org"], "line 1"),
    ],
)
def test_what_would_be_unsafe_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    add_user(tmp_path / "users", "anna", PASSWORD)
    (tmp_path / "open").write_text((tmp_path / "users").read_text(encoding="utf-8"), encoding="utf-8")
    os.chmod(tmp_path / "open", 0o644)
    (tmp_path / "wrong").touch(mode=0o600)
    (tmp_path / "wrong").write_text("anna:password\n", encoding="utf-8")
    places = {name: tmp_path / name for name in ("users", "open", "wrong")}
    filled = [argument.format(folder=tmp_path, **places) for argument in arguments]
    assert server.main(filled) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert not said.out


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert server.main(["--port", port, "--folder", str(tmp_path)]) == 2
    assert f"--port {port}" in capsys.readouterr().err


def test_the_verb_becomes_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(serve, "_become", seen.append)
    assert command_line.run(["serve", "--port", "0", "--allow-host", "a.org", "--trust-proxy", "::1"]) == 0
    assert seen[0][1:] == [
        "-P",
        "-m",
        "motorpool.web",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--allow-host",
        "a.org",
        "--trust-proxy",
        "::1",
    ]
    assert command_line.run(["serve", "--port", "70000"]) == 2
    assert command_line.run(["serve", "--add-user", "anna"]) == 2
