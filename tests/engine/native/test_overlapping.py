"""Instructions that wait for one another are spread out, and give the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from motorpool.engine.native import overlapping
from motorpool.engine.native.ordering import ordered
from motorpool.engine.native.overlapping import overlapped
from tests.engine.native.test_ordering import Plan, instructions, numbers, steps

CHAINS = [
    "  %a1 = fmul float %x, %x",
    "  %a2 = fmul float %a1, %a1",
    "  store float %a2, ptr %p",
    "  %b1 = fmul float %y, %y",
    "  %b2 = fmul float %b1, %b1",
    "  store float %b2, ptr %q",
]


@settings(max_examples=30)
@given(plan=steps)
def test_the_numbers_are_the_same(plan: Plan) -> None:
    code = instructions(plan)
    lines = ordered(code.lines)
    np.testing.assert_allclose(numbers(code, overlapped(lines)), numbers(code, lines), rtol=1e-5, atol=1e-6)


def test_while_one_number_is_made_another_is_begun() -> None:
    assert overlapped(CHAINS) == [CHAINS[place] for place in (0, 3, 1, 4, 2, 5)]


def test_no_line_moves_up_further_than_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlapping, "WINDOW", 1)
    assert overlapped(CHAINS) == CHAINS


def test_memory_is_read_and_written_in_turn() -> None:
    written = [
        "  %before = load float, ptr %p, align 4",
        "  store float %x, ptr %p",
        "  %after = load float, ptr %p, align 4",
        "  store float %after, ptr %q",
        "  store float %before, ptr %r",
    ]
    assert overlapped(written) == written


def test_blocks_keep_their_beginning_and_their_end() -> None:
    block = [
        "next:",
        "  %m = phi float [ %a, %entry ]",
        "  %n = fmul float %m, %m",
        "  br i1 %c, label %next, label %after",
    ]
    lines = [*CHAINS[:3], "  br label %next", *block]
    assert overlapped(lines) == lines
