"""Asking the command line in this process, as a person would."""

from __future__ import annotations

import pytest

from motorpool.cli.main import run

Capture = pytest.CaptureFixture[str]
# What is told of every figure that a study or a validation compares.
COMPARED_KEYS = {
    "study", "arm", "endpoint", "set", "published", "published_low", "published_high", "predicted", "predicted_low",
    "predicted_high", "inside_90", "width_ratio",
}  # fmt: skip


def shown(arguments: list[str], capsys: Capture) -> str:
    """What is printed on standard output."""
    assert run(arguments) == 0
    return capsys.readouterr().out


def refused(arguments: list[str], capsys: Capture) -> str:
    """The message with which it is refused, in words and before anything is printed."""
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err
