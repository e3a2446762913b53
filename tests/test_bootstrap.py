"""The bootstrap script `./motorpool`: which Python, which folder, when to install, and what it says.

Nothing is installed here: the script is loaded as a module and its installers are replaced by small programs.
"""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "motorpool"
    loader = importlib.machinery.SourceFileLoader("motorpool_bootstrap", str(path))
    spec = importlib.util.spec_from_loader("motorpool_bootstrap", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module


@pytest.fixture
def fake_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the files that decide what is installed, and a cache folder of its own."""
    checkout = tmp_path / "checkout"
    (checkout / "requirements").mkdir(parents=True)
    (checkout / "requirements" / "runtime.txt").write_text("runtime lock\n")
    (checkout / "requirements" / "test.txt").write_text("test lock\n")
    (checkout / "pyproject.toml").write_text("[project]\n")
    (checkout / "src").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return checkout


def program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def with_environment(home: Path) -> None:
    (home / ".venv" / "bin").mkdir(parents=True)
    (home / ".venv" / "bin" / "python").symlink_to(sys.executable)


# ---- which Python


def answering(version: str) -> str:
    return f'echo {version} "$0"\n'


def test_the_running_python_is_taken_when_it_is_new_enough(bootstrap: ModuleType) -> None:
    found = bootstrap.inspect_python(bootstrap.find_python(None))
    assert found[:2] == sys.version_info[:2]


def test_an_old_python_finds_a_newer_one_on_the_path(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "old", answering("3 9"))
    program(tmp_path / "bin" / "python3.13", "exit 127\n")  # a shim without a target
    newer = program(tmp_path / "bin" / "python3.12", answering("3 12"))
    monkeypatch.setattr(sys, "executable", old)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert bootstrap.find_python(None) == newer


def test_an_untried_new_python_is_the_last_resort(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untried = program(tmp_path / "untried", answering("3 99"))
    monkeypatch.setattr(sys, "executable", untried)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert bootstrap.find_python(None) == untried
    tried = program(tmp_path / "bin" / "python3.11", answering("3 11"))
    assert bootstrap.find_python(None) == tried


def test_without_a_usable_python_the_message_names_what_was_found(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path / "old", answering("3 9")))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(bootstrap.SetupFailed) as failure:
        bootstrap.find_python(None)
    lines = str(failure.value).splitlines()
    assert len(lines) == 2
    assert "Python 3.11 or newer is needed; found 3.9 at " in lines[0]


def test_the_script_parses_on_an_old_python(checkout: Path) -> None:
    import ast

    ast.parse((checkout / "motorpool").read_text(encoding="utf-8"), feature_version=(3, 6))


# ---- which folder


def test_the_environment_lies_in_the_checkout(bootstrap: ModuleType, fake_checkout: Path) -> None:
    assert bootstrap.writable_home(fake_checkout) == fake_checkout


def test_a_checkout_that_cannot_be_written_uses_the_cache_folder(
    bootstrap: ModuleType, fake_checkout: Path, tmp_path: Path
) -> None:
    (fake_checkout / ".cache").write_text("a file where the folder should be")  # also stops the superuser
    home = bootstrap.writable_home(fake_checkout)
    assert home.parent == tmp_path / "cache" / "motorpool"
    assert bootstrap.homes(fake_checkout.parent / "other")[1] != home, "two checkouts share an environment"


def test_without_any_writable_folder_there_is_a_clear_message(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake_checkout / ".cache").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fake_checkout / "pyproject.toml"))
    with pytest.raises(bootstrap.SetupFailed, match="no place to install into"):
        bootstrap.writable_home(fake_checkout)


# ---- when to install


def test_nothing_is_current_before_the_stamp(bootstrap: ModuleType, fake_checkout: Path) -> None:
    assert not bootstrap.is_current(fake_checkout, fake_checkout, "runtime")
    with_environment(fake_checkout)
    assert not bootstrap.is_current(fake_checkout, fake_checkout, "runtime")
    bootstrap.write_stamp(fake_checkout, fake_checkout, "runtime")
    assert bootstrap.is_current(fake_checkout, fake_checkout, "runtime")
    assert not bootstrap.is_current(fake_checkout, fake_checkout, "test")
    bootstrap.write_stamp(fake_checkout, fake_checkout, "test")
    assert bootstrap.is_current(fake_checkout, fake_checkout, "runtime")
    assert bootstrap.is_current(fake_checkout, fake_checkout, "test")


def change_lock(checkout: Path) -> None:
    (checkout / "requirements" / "runtime.txt").write_text("another lock\n")


def change_project(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")


def lose_python(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "python").unlink()


def change_python(checkout: Path) -> None:
    lose_python(checkout)
    (checkout / ".venv" / "bin" / "python").symlink_to("/bin/sh")


def spoil_stamp(checkout: Path) -> None:
    (checkout / ".venv" / "motorpool-stamp.json").write_text('{"runtime": ')


@pytest.mark.parametrize("change", [change_lock, change_project, lose_python, change_python, spoil_stamp])
def test_a_stamp_is_void_once_its_grounds_change(
    bootstrap: ModuleType, fake_checkout: Path, change: Callable[[Path], None]
) -> None:
    with_environment(fake_checkout)
    bootstrap.write_stamp(fake_checkout, fake_checkout, "test")
    change(fake_checkout)
    assert not bootstrap.is_current(fake_checkout, fake_checkout, "runtime")
    assert not bootstrap.is_current(fake_checkout, fake_checkout, "test")


def test_a_moved_checkout_is_installed_anew(bootstrap: ModuleType, fake_checkout: Path) -> None:
    with_environment(fake_checkout)
    bootstrap.write_stamp(fake_checkout, fake_checkout, "runtime")
    moved = fake_checkout.rename(fake_checkout.parent / "moved")
    assert not bootstrap.is_current(moved, moved, "runtime")


def test_a_checkout_set_up_by_somebody_else_is_used_as_it_is(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(fake_checkout)
    bootstrap.write_stamp(fake_checkout, fake_checkout, "runtime")
    monkeypatch.setattr(bootstrap, "install", lambda *_: pytest.fail("installed although all was there"))
    assert bootstrap.ready_home(fake_checkout, "runtime") == fake_checkout


# ---- installing


class Recorded:
    """Stands in for the installers: remembers commands and lets those fail that contain a given word."""

    def __init__(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, failing: str = "nothing"
    ) -> None:
        self.commands: list[list[str]] = []

        def run(installer: object, command: list[str], show: bool = False) -> bool:
            self.commands.append(command)
            return failing not in " ".join(command)

        monkeypatch.setattr(bootstrap.Installer, "run", run)

    def installing(self) -> list[list[str]]:
        return [command for command in self.commands if "--require-hashes" in command]


def test_uv_installs_the_hashed_lock_where_it_is_present(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(fake_checkout)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: "/opt/uv")
    recorded = Recorded(bootstrap, monkeypatch)
    bootstrap.install(fake_checkout, fake_checkout, "runtime")
    (command,) = recorded.installing()
    assert command[:3] == ["/opt/uv", "pip", "install"]
    assert command[-1] == str(fake_checkout / "requirements" / "runtime.txt")
    assert bootstrap.is_current(fake_checkout, fake_checkout, "runtime")


def test_pip_takes_over_when_uv_fails(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(fake_checkout)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: "/opt/uv")
    recorded = Recorded(bootstrap, monkeypatch, failing="/opt/uv")
    bootstrap.install(fake_checkout, fake_checkout, "test")
    assert recorded.installing()[-1][1:4] == ["-m", "pip", "install"]
    assert bootstrap.is_current(fake_checkout, fake_checkout, "test")


def test_an_environment_without_pip_is_filled_from_outside(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(fake_checkout)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    inside = str(fake_checkout / ".venv" / "bin" / "python")
    recorded = Recorded(bootstrap, monkeypatch, failing=inside + " -m")  # neither pip nor ensurepip in there
    bootstrap.install(fake_checkout, fake_checkout, "runtime")
    (command,) = recorded.installing()
    assert command[1:6] == ["-m", "pip", "--python", inside, "install"]


def test_a_failed_update_leaves_no_stamp(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_environment(fake_checkout)
    bootstrap.write_stamp(fake_checkout, fake_checkout, "runtime")
    change_lock(fake_checkout)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: None)
    Recorded(bootstrap, monkeypatch, failing="--require-hashes")
    with pytest.raises(bootstrap.SetupFailed):
        bootstrap.ready_home(fake_checkout, "runtime")
    assert not bootstrap.stamp_file(fake_checkout).exists()


def test_a_missing_network_takes_two_lines_and_other_trouble_is_shown(
    bootstrap: ModuleType, fake_checkout: Path
) -> None:
    offline = bootstrap.Installer(fake_checkout, fake_checkout)
    offline.run(["/bin/sh", "-c", "echo 'Temporary failure in name resolution'; exit 1"])
    assert len(str(offline.failure()).splitlines()) == 2
    assert "no package index can be reached" in str(offline.failure())
    mismatch = bootstrap.Installer(fake_checkout, fake_checkout)
    mismatch.run(["/bin/sh", "-c", "echo 'THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1"])
    assert "DO NOT MATCH THE HASHES" in str(mismatch.failure())


def test_progress_goes_to_standard_error_only(
    bootstrap: ModuleType, fake_checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    installer = bootstrap.Installer(fake_checkout, fake_checkout)
    assert installer.run(["/bin/sh", "-c", "echo Downloading jax; echo noise"], show=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "setting up in" in captured.err
    assert "Downloading jax" in captured.err
    assert "noise" not in captured.err


def test_installers_do_not_inherit_what_would_send_packages_elsewhere(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = bootstrap.installer_environment()
    assert "PIP_TARGET" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["UV_SYSTEM_CERTS"] == "1"
    assert environment["UV_PYTHON_DOWNLOADS"] == "never"


def test_two_runs_do_not_install_at_the_same_time(bootstrap: ModuleType, fake_checkout: Path) -> None:
    (fake_checkout / ".cache").mkdir()
    code = (
        "import fcntl, sys\n"
        "try: fcntl.flock(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except OSError: sys.exit(3)\n"
    )
    other = [sys.executable, "-c", code, str(fake_checkout / ".cache" / "setup.lock")]
    with bootstrap.only_one(fake_checkout):
        assert subprocess.run(other, check=False).returncode == 3
    assert subprocess.run(other, check=False).returncode == 0


# ---- running


def test_it_becomes_motorpool_with_the_arguments_unchanged(
    bootstrap: ModuleType, fake_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "ready_home", lambda *_: fake_checkout)
    monkeypatch.setattr(os, "execve", lambda path, arguments, environment: became.append(arguments))
    bootstrap.main(["simulate", "a file.yaml", "--json"])
    assert became[0][1:] == ["-P", "-m", "motorpool", "simulate", "a file.yaml", "--json"]


def test_setup_trouble_ends_with_exit_code_1_and_nothing_on_standard_output(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Path:
        raise bootstrap.SetupFailed("first line\nsecond line")

    monkeypatch.setattr(bootstrap, "ready_home", fail)
    assert bootstrap.main(["demo"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "first line\nsecond line\n")


def test_one_failed_check_fails_the_run_and_the_tests_still_run_last(
    bootstrap: ModuleType,
    fake_checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran: list[str] = []

    def call(command: list[str], **_: object) -> int:
        ran.append(" ".join(command))
        return 1 if "format" in command else 0

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(bootstrap, "ASKED_BY_DEBIAN", ())
    assert bootstrap.run_tests(fake_checkout, fake_checkout, ["-k", "one"]) == 1
    assert "-m pytest" in ran[-1]
    assert ran[-1].endswith("-k one")
    assert "failed: ruff format" in capsys.readouterr().err


def test_a_browser_on_the_path_is_taken_and_one_that_is_named_first(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = program(tmp_path / "bin" / "chromium", "exit 0\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("MOTORPOOL_CHROMIUM", raising=False)
    assert bootstrap.provide_browser() == found
    monkeypatch.setenv("MOTORPOOL_CHROMIUM", "/opt/browser")
    assert bootstrap.provide_browser() == "/opt/browser"


@pytest.mark.parametrize(("user", "installs"), [(0, True), (1000, False)])
def test_a_browser_is_installed_only_where_we_may(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, installs: bool
) -> None:
    places = tmp_path / "bin"
    program(
        places / "apt-get",
        f'case "$*" in *install*) : > {places}/chromium; /bin/chmod 755 {places}/chromium;; esac\n',
    )
    monkeypatch.setenv("PATH", str(places))
    monkeypatch.delenv("MOTORPOOL_CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert bootstrap.provide_browser() == (str(places / "chromium") if installs else None)


@pytest.mark.parametrize(("user", "installs"), [(0, True), (1000, False)])
def test_postgresql_is_installed_without_a_server_and_only_where_we_may(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, installs: bool
) -> None:
    places, programs, seen = tmp_path / "bin", tmp_path / "postgresql", tmp_path / "seen"
    asked = [
        (tmp_path / "etc" / "no-start", "exit 101\n", 0o755),
        (tmp_path / "etc" / "no-cluster", "false\n", 0o644),
    ]
    program(
        places / "apt-get",
        f'case "$*" in *install*) /bin/ls {tmp_path}/etc > {seen}; /bin/mkdir -p {programs}/15/bin; '
        f": > {programs}/15/bin/initdb;; esac\n",
    )
    monkeypatch.setenv("PATH", str(places))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(bootstrap, "POSTGRESQL", programs)
    monkeypatch.setattr(bootstrap, "ASKED_BY_DEBIAN", asked)
    assert bootstrap.provide_postgresql() is installs
    assert not installs or seen.read_text().split() == ["no-cluster", "no-start"]
    assert not any(path.exists() for path, _, _ in asked)  # gone again


def test_a_system_that_cannot_install_postgresql_goes_on_without(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin" / "apt-get", "exit 100\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(bootstrap, "POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(bootstrap, "ASKED_BY_DEBIAN", ())
    assert bootstrap.provide_postgresql() is False


# ---- the locks


def pins(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][^ ;\\]*==[^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_test_lock_contains_the_runtime_lock(checkout: Path) -> None:
    runtime, test = (pins(checkout / "requirements" / f"{kind}.txt") for kind in ("runtime", "test"))
    assert runtime
    assert runtime < test


@pytest.mark.parametrize("kind", ["runtime", "test"])
def test_every_package_is_hashed_and_no_index_is_named(kind: str, checkout: Path) -> None:
    text = (checkout / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|--trusted-host", text)


def test_the_locks_cover_what_the_project_asks_for(checkout: Path) -> None:
    import tomllib

    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        "runtime": project["project"]["dependencies"],
        "test": project["dependency-groups"]["dev"],
    }
    for kind, requirements in wanted.items():
        locked = {pin.split("==")[0] for pin in pins(checkout / "requirements" / f"{kind}.txt")}
        names = {re.split(r"[\[<>=!~ ;]", requirement)[0].lower() for requirement in requirements}
        assert names <= locked
