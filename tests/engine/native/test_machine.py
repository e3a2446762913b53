"""Compiled programs kept on disk: only whole files are used, and no result depends on the folder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motorpool.engine.native import machine

TEXT = """
define void @{name}(ptr %place, i64 %number) {{
  %more = add i64 %number, {more}
  store i64 %more, ptr %place
  ret void
}}
"""


def program(more: int, name: str = "plus") -> str:
    """The text of a program that adds a number."""
    return TEXT.format(name=name, more=more)


def result(key: str, write: Callable[[], str], number: int = 7) -> int:
    """What a program makes of a number."""
    place = np.zeros(1, np.int64)
    machine.function_of(key, "plus", write)(place.ctypes.data, number)
    return int(place[0])


def must_not_be_written() -> str:
    raise AssertionError("the program was compiled before")


def test_a_program_is_compiled_once_and_read_again(programs: Path) -> None:
    assert result("key", lambda: program(1)) == 8
    assert [path.name for path in programs.iterdir()] == ["key.o"]
    assert result("key", must_not_be_written) == 8
    assert result("other", lambda: program(2)) == 9


def test_a_folder_that_cannot_be_made_or_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert machine.cache_folder() is None
    assert result("key", lambda: program(1)) == 8

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "full"))
    monkeypatch.setattr(machine.tempfile, "mkstemp", full)
    assert result("key", lambda: program(2)) == 9
    assert list((tmp_path / "full").rglob("*.o")) == []


def test_a_disk_that_fills_up_while_a_program_is_written_leaves_no_file_that_is_used(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(machine.Path, "replace", interrupted)
        assert result("key", lambda: program(1)) == 8
    assert not (programs / "key.o").exists()
    assert result("key", lambda: program(2)) == 9


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_to_write_changes_nothing(programs: Path) -> None:
    programs.mkdir(parents=True)
    programs.chmod(0o500)
    assert result("key", lambda: program(1)) == 8
    assert list(programs.iterdir()) == []


def test_many_who_write_the_same_program_at_once_all_get_it(programs: Path) -> None:
    found: list[int] = []
    workers = [
        threading.Thread(target=lambda: found.append(result("key", lambda: program(1)))) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [8] * 8
    assert [path.name for path in programs.iterdir()] == ["key.o"]


def damaged(kind: str, whole: bytes, programs: Path) -> bytes:
    """A file as a power cut, a full disk or another program may leave it."""
    if kind == "another program's":
        machine.function_of("other", "minus", lambda: program(1, "minus"))
        return (programs / "other.o").read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    return {
        "empty": b"",
        "text": b"not a program\n" * 50,
        "zeros": bytes(len(whole)),
        "half": whole[: len(whole) // 2],
        "nearly whole": whole[:-40],
        "one byte changed": bytes(changed),
    }[kind]


DAMAGES = ("empty", "text", "zeros", "half", "nearly whole", "one byte changed", "another program's")


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_or_foreign_file_is_compiled_anew(kind: str, programs: Path) -> None:
    result("key", lambda: program(1))
    file = programs / "key.o"
    file.write_bytes(damaged(kind, file.read_bytes(), programs))
    # In a process of its own: machine code that is not whole can end it.
    code = (
        "from tests.engine.native.test_machine import program, result\n"
        "assert result('key', lambda: program(1)) == 8\n"
        "assert result('key', lambda: program(1)) == 8\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
