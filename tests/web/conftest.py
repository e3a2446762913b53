"""A server as users start it, a browser and databases; shared by all tests that need them."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "no Chromium on PATH: install it (Debian: apt-get install chromium), or name one in MOTORPOOL_CHROMIUM"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that runs in a process of its own."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-P", "-m", "motorpool.web", "--port", "0", "--folder", str(folder)]
    paths = [str(Path(__file__).resolve().parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), (folder / "errors.txt").read_text()
        yield address.rstrip("/")
    finally:
        process.terminate()
        process.communicate(timeout=20)
        assert "Traceback" not in (folder / "errors.txt").read_text(), "the server complained"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, the system's own."""
    found = os.environ.get("MOTORPOOL_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    sandbox = [] if not hasattr(os, "geteuid") or os.geteuid() else ["--no-sandbox"]  # root has none
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, args=[*sandbox, "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def client() -> Iterator[Callable[..., Any]]:
    """Makes servers without their worker, as many as a test likes."""
    from fastapi.testclient import TestClient

    from motorpool.web.app import create_app
    from motorpool.web.settings import Settings

    made: list[Any] = []

    def begun(folder: Path, **settings: Any) -> Any:
        made.append(create_app(Settings(folder=folder, warm=False, burst=1_000_000, **settings)))
        return TestClient(made[-1], base_url="http://127.0.0.1")

    yield begun
    for guard in made:
        guard._app.state.jobs.stop()


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
    from sqlalchemy import create_engine, text

    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()
