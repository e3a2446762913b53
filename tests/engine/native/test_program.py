"""Programs of patients: one is compiled for all numbers of patients, and nobody's numbers depend on the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from motorpool.engine.native import machine, program
from motorpool.engine.native.program import LANES, Belongs, Program

DRAWS = np.random.default_rng(3)
PATIENTS = 40 * LANES
X = DRAWS.uniform(-3.0, 3.0, PATIENTS).astype(np.float32)
TURNS = DRAWS.integers(0, 30, PATIENTS).astype(np.int32)
TABLE = DRAWS.uniform(0.0, 1.0, (5, PATIENTS)).astype(np.float32)
FACTOR = np.float32(0.9)


def lived(factor: Any, turns: Any, x: Any, table: Any) -> dict[str, Any]:
    """A life in small: a loop of each one's own length, a table of each one's own, what all share."""

    def turn(now: Any) -> Any:
        done, value = now
        going = done < turns
        row = jnp.minimum(done, 1)
        step = table.at[row, jnp.arange(table.shape[1])].get(mode="promise_in_bounds")
        return done + going.astype(jnp.int32), jnp.where(going, factor * value + step, value)

    done, value = lax.while_loop(lambda now: jnp.any(now[0] < turns), turn, (jnp.zeros_like(turns), x))
    return {
        "value": jnp.exp(-value),
        "moved": value > x,
        "both": jnp.stack([value, done.astype(value.dtype)]),
    }


def fresh() -> Program:
    return Program(lived, "lived", (Belongs.SHARED, Belongs.OWN, Belongs.OWN, Belongs.OWN_TABLE))


ARGUMENTS = (FACTOR, TURNS, X, TABLE)


def of(people: Any) -> tuple[Any, ...]:
    return (FACTOR, TURNS[people], X[people], TABLE[:, people])


def same_bits(found: Any, wanted: Any) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for got, expected in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_results_have_the_shapes_and_types_of_the_function() -> None:
    found = fresh()(*ARGUMENTS)
    wanted = jax.jit(lived)(*ARGUMENTS)
    for name, values in wanted.items():
        assert (found[name].shape, found[name].dtype) == (values.shape, values.dtype)
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)


@settings(max_examples=25)
@given(groups=st.integers(1, 8), seed=st.integers(0, 99))
def test_nobodys_bits_depend_on_place_company_or_number(groups: int, seed: int) -> None:
    everybody = fresh()(*ARGUMENTS)
    some = np.random.default_rng(seed).permutation(PATIENTS)[: groups * LANES]
    same_bits(fresh()(*of(some)), jax.tree.map(lambda leaf: leaf[..., some], everybody))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_does_not_matter(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = fresh()(*ARGUMENTS)
    monkeypatch.setattr(program, "workers", lambda: threads)
    same_bits(fresh()(*ARGUMENTS), usual)


@pytest.mark.parametrize("patients", [1, LANES - 1, LANES + 1])
def test_patients_who_do_not_fill_the_lanes_are_refused(patients: int) -> None:
    with pytest.raises(ValueError, match=f"{patients} patients are not a multiple of {LANES}"):
        fresh()(*of(slice(0, patients)))


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the programs compiled so far."""
    lengths: list[int] = []
    compile_object: Callable[[str], bytes] = machine.compile_object

    def counted(text: str) -> bytes:
        lengths.append(len(text))
        return compile_object(text)

    monkeypatch.setattr(machine, "compile_object", counted)
    return lengths


def test_one_program_is_compiled_for_any_number_of_patients_rows_and_values(compilations: list[int]) -> None:
    one = fresh()
    one(*ARGUMENTS)
    one(*of(slice(0, LANES)))
    one(np.float32(0.1), TURNS, -X, TABLE[:2])
    fresh()(*ARGUMENTS)  # found on disk
    assert len(compilations) == 1


def test_another_type_shape_or_name_is_another_program(compilations: list[int]) -> None:
    kinds = (Belongs.OWN, Belongs.OWN)

    def total(first: Any, rows: Any) -> Any:
        return first + jnp.sum(rows, axis=0)

    Program(total, "total", kinds)(X, TABLE)
    Program(total, "total", kinds)(X, TABLE[:3])
    Program(total, "total", kinds)(TURNS, TABLE)
    Program(total, "another", kinds)(X, TABLE)
    assert len(compilations) == 4


def test_an_array_of_any_layout_is_read_as_it_is() -> None:
    turned = np.asfortranarray(TABLE)
    backwards = X[::-1][::-1]
    same_bits(fresh()(FACTOR, TURNS, backwards, turned), fresh()(*ARGUMENTS))


def test_a_higher_level_of_code_generation_gives_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    for level in (machine.CODE_LEVEL, machine.CODE_LEVEL + 1):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(level)))
        monkeypatch.setattr(machine, "CODE_LEVEL", level)
        found.append(fresh()(*ARGUMENTS))
        assert len(list((tmp_path / str(level) / "motorpool" / "native").glob("*.o"))) == 1
    same_bits(*found)


def test_a_program_that_is_kept_is_not_traced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = fresh()(*ARGUMENTS)

    def never(*arguments: Any) -> Any:
        raise AssertionError(arguments)

    belongs = (Belongs.SHARED, Belongs.OWN, Belongs.OWN, Belongs.OWN_TABLE)
    same_bits(Program(never, "lived", belongs)(*ARGUMENTS), first)
