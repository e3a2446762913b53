"""Instructions in any order give the same numbers; what nothing needs is left out."""

from __future__ import annotations

import ctypes
import random
import re
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motorpool.engine.native import machine
from motorpool.engine.native.instructions import Instructions
from motorpool.engine.native.ordering import ordered
from motorpool.engine.native.values import Value

LANES, INPUTS, PLACES, RESULTS = 4, 3, 2, 3
OPERATIONS = ("add", "sub", "mul", "larger", "smaller", "store", "load")
NAME = re.compile(r"%[\w.]+")
Plan = list[tuple[str, int, int]]
steps = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99)), min_size=5, max_size=60
)


def instructions(plan: Plan) -> Instructions:
    """A program of a block and a loop of two turns: numbers made of earlier ones, some kept in memory that changes."""
    code = Instructions(LANES)
    memory = code.reserve("float32", True, PLACES)
    counter = code.reserve("int32", False, 1)
    places = [code.address(memory, place, "float32", True) for place in range(PLACES)]
    known = [
        code.load(code.address("%arguments", place, "float32", True), "float32", True, unchanging=True)
        for place in range(INPUTS)
    ]
    for place in places:
        code.store(known[0], place, True)
    code.store(code.constant(0, "int32"), counter, False)
    top, after = code.fresh(), code.fresh()
    code.jump(top)
    code.start(top)
    with code.inner():
        turn = code.load(counter, "int32", False)
        inside = follow(code, plan, known, places)
        code.store(inside[-1], places[0], True)
        following = code.binary("add", turn, code.constant(1, "int32"))
        code.store(following, counter, False)
        code.branch(code.compare("lt", following, code.constant(2, "int32")), top, after)
    code.start(after)
    last = follow(code, plan[::-1], known, places)
    for row, value in enumerate(last[-RESULTS:]):
        code.store(value, code.address("%results", row, "float32", True), True)
    return code


def follow(code: Instructions, plan: Plan, known: list[Value], places: list[str]) -> Any:
    values = list(known)
    for operation, first, second in plan:
        left, right, place = (
            values[first % len(values)],
            values[second % len(values)],
            places[second % PLACES],
        )
        if operation == "store":
            code.store(left, place, True)
        elif operation == "load":
            values.append(code.load(place, "float32", True))
        elif operation in ("larger", "smaller"):
            values.append(getattr(code, operation)(left, right))
        else:
            half = code.binary("mul", left, code.constant(0.5, "float32"))
            values.append(code.binary(operation, half, right))
    return values


def numbers(code: Instructions, lines: list[str]) -> NDArray[np.float32]:
    """What a program with these lines gives."""
    text = "\n".join(
        [
            "define void @f(ptr %arguments, ptr %results) {",
            "entry:",
            *code.entry_lines,
            *lines,
            "  ret void",
            "}",
            "!0 = !{}",
            "",
        ]
    )
    address = machine.load_object(machine.compile_object(text), "f")
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address)
    given_numbers = np.random.default_rng(0).uniform(-2, 2, (INPUTS, LANES)).astype(np.float32)
    results = np.zeros((RESULTS, LANES), np.float32)
    run(given_numbers.ctypes.data, results.ctypes.data)
    return results


def shuffled(lines: list[str], chance: random.Random) -> list[str]:
    """The lines with neighbours exchanged again and again, where neither needs the other nor touches memory."""
    moved = list(lines)
    for _ in range(20 * len(moved)):
        place = chance.randrange(len(moved) - 1)
        first, second = moved[place], moved[place + 1]
        plain = all(
            " = " in line and " = phi " not in line and " = load " not in line for line in (first, second)
        )
        if plain and first.split(" = ")[0].strip() not in NAME.findall(second):
            moved[place : place + 2] = second, first
    return moved


@settings(max_examples=40)
@given(plan=steps)
def test_a_better_order_gives_the_same_numbers(plan: Plan) -> None:
    code = instructions(plan)
    first, second = numbers(code, code.lines), numbers(code, ordered(code.lines))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


@settings(max_examples=40)
@given(plan=steps, randomness=st.randoms(use_true_random=False))
def test_whatever_order_the_numbers_were_written_in(plan: Plan, randomness: random.Random) -> None:
    code = instructions(plan)
    others = numbers(code, ordered(shuffled(code.lines, randomness)))
    np.testing.assert_allclose(numbers(code, code.lines), others, rtol=1e-5, atol=1e-6)


def test_each_number_is_made_just_before_it_is_needed_and_what_nothing_needs_is_left_out() -> None:
    written = [
        "  %a1 = fadd float %x, 1.0",
        "  %b1 = fadd float %y, 1.0",
        "  %unused = fadd float %x, %y",
        "  %a2 = fmul float %a1, %a1",
        "  %b2 = fmul float %b1, %a1",
        "  store float %a2, ptr %p",
        "  store float %b2, ptr %q",
    ]
    assert ordered(written) == [written[place] for place in (0, 3, 5, 1, 4, 6)]


def test_numbers_that_another_block_needs_are_made_before_the_block_ends() -> None:
    written = ["  %a = fadd float %x, 1.0", "  br label %next", "next:", "  store float %a, ptr %p"]
    assert ordered(written) == written
    merged = [
        "  %a = fadd float %x, 1.0",
        "  br label %next",
        "next:",
        "  %b = phi float [ %a, %entry ]",
        "  store float %b, ptr %p",
    ]
    assert ordered(merged) == merged


def test_reading_memory_that_changes_stays_between_its_writings() -> None:
    written = [
        "  %before = load float, ptr %p, align 4",
        "  store float %x, ptr %p",
        "  %after = load float, ptr %p, align 4",
        "  store float %after, ptr %q",
        "  store float %before, ptr %r",
    ]
    assert ordered(written) == written
