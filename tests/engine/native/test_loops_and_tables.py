"""Loops, choices, tables and looks across patients give as machine code what JAX's own compiler makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from motorpool.engine.native.moves import LoweringError
from motorpool.engine.native.program import LANES, Belongs, written
from tests.support.compiled import agrees, compiled

PATIENTS = 3 * LANES
DRAWS = np.random.default_rng(2)
X = DRAWS.uniform(-3.0, 3.0, PATIENTS).astype(np.float32)
ROWS = DRAWS.uniform(-3.0, 3.0, (4, PATIENTS)).astype(np.float32)
WHOLE = DRAWS.integers(-1000, 1000, PATIENTS).astype(np.int32)
BITS = DRAWS.integers(0, 1 << 32, PATIENTS, dtype=np.uint32)
YES = DRAWS.random(PATIENTS) < 0.5
TURNS = DRAWS.integers(0, 20, PATIENTS).astype(np.int32)
PLACES = DRAWS.integers(-2, 12, PATIENTS).astype(np.int32)
TABLE = DRAWS.uniform(-3.0, 3.0, 9).astype(np.float32)
OWN_TABLE = DRAWS.integers(0, 100, (7, PATIENTS)).astype(np.int32)
OWN, SHARED, IN_ROWS = Belongs.OWN, Belongs.SHARED, Belongs.OWN_TABLE


def test_a_shared_choice_takes_one_way_and_reads_what_both_share() -> None:
    def chosen(which: Any, x: Any, rows: Any) -> Any:
        found = lax.cond(which > 2, lambda x, r: x * r[0], lambda x, r: x + r[1], x, rows)
        return found, lax.cond(which > 2, lambda x: x, jnp.zeros_like, x)

    for number in (1, 3):
        agrees(chosen, (np.int32(number), X, ROWS), (SHARED, OWN, OWN), exact=False)


def test_a_choice_that_differs_between_patients_is_refused() -> None:
    with pytest.raises(LoweringError, match="differs between patients"):
        compiled(lambda c, x: lax.cond(c[0], lambda x: x, lambda x: -x, x))(YES, X)


def own_number_of_turns(turns: Any, x: Any) -> Any:
    """Each patient goes on for as many turns as its own number; those who are done stay as they are."""

    def turn(now: Any) -> Any:
        done, value = now
        going = done < turns
        return done + going.astype(jnp.int32), jnp.where(going, 0.5 * value + 1.0, value)

    return lax.while_loop(lambda now: jnp.any(now[0] < turns), turn, (jnp.zeros_like(turns), x))


def test_a_loop_runs_for_each_patient_as_long_as_that_one_needs() -> None:
    agrees(own_number_of_turns, (TURNS, X), exact=False)
    turns, value = compiled(own_number_of_turns)(TURNS, X)
    assert np.array_equal(turns, TURNS)
    assert value == pytest.approx(2.0 + (X - 2.0) * 0.5**TURNS, rel=1e-5, abs=1e-5)
    nobody = compiled(own_number_of_turns)(np.zeros_like(TURNS), X)[1]
    assert np.array_equal(nobody, X)


@pytest.mark.parametrize("length", [pytest.param(3, id="written out"), pytest.param(50, id="long")])
def test_a_scan_gives_every_row_and_what_it_carries(length: int) -> None:
    def scanned(x: Any, rows: Any) -> Any:
        def turn(now: Any, row: Any) -> Any:
            total, count = now
            return (total * 0.9 + row, count + 1), (total, row > total)

        return lax.scan(turn, (x, jnp.int32(0) * x.astype(jnp.int32)), rows)

    agrees(scanned, (X, np.resize(ROWS, (length, PATIENTS))), exact=False)


def test_a_short_scan_runs_backwards_and_a_long_one_is_refused() -> None:
    def backwards(x: Any, rows: Any) -> Any:
        return lax.scan(lambda now, row: (0.5 * now + row, now), x, rows, reverse=True)

    agrees(backwards, (X, ROWS), exact=False)
    with pytest.raises(LoweringError, match="backwards"):
        compiled(backwards)(X, np.resize(ROWS, (50, PATIENTS)))


def test_a_loop_within_a_scan_and_a_count_of_turns_that_patients_share() -> None:
    def nested(turns: Any, x: Any) -> Any:
        def turn(now: Any, day: Any) -> Any:
            return own_number_of_turns(jnp.maximum(turns - day, 0), now)[1], now

        last, before = lax.scan(turn, x, jnp.arange(3))
        most = jnp.max(turns)
        return last, before, lax.fori_loop(0, most, lambda day, now: now + day, jnp.zeros_like(x))

    agrees_in_groups(nested, (TURNS, X))


def agrees_in_groups(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """As :func:`agrees`, for functions that look across the patients of a group of lanes."""
    for first in range(0, PATIENTS, LANES):
        agrees(function, tuple(a[..., first : first + LANES] for a in arguments), exact=False)


def test_looking_across_patients_sees_the_lanes_that_run_together() -> None:
    def across(a: Any, u: Any, c: Any, x: Any) -> Any:
        one = jnp.ones_like(a)
        return (
            jnp.max(a) * one,
            jnp.min(a) * one,
            jnp.where(jnp.any(c), x, -x),
            jnp.where(jnp.all(c), x, -x),
            jnp.max(u) - u,
        )

    agrees_in_groups(across, (WHOLE, BITS, YES, X))
    agrees_in_groups(across, (WHOLE, BITS, np.ones_like(YES), X))
    agrees_in_groups(across, (WHOLE, BITS, np.zeros_like(YES), X))


def test_sums_across_patients_are_refused() -> None:
    with pytest.raises(LoweringError, match="reduce_sum"):
        compiled(lambda x: x / jnp.sum(x))(X)


def test_a_table_that_all_share_is_looked_up_at_each_ones_place_and_clipped_at_its_ends() -> None:
    def looked_up(table: Any, places: Any) -> Any:
        return jnp.take(table, places, mode="clip")

    agrees(looked_up, (TABLE, PLACES), (SHARED, OWN))


@pytest.mark.parametrize("rows", [2, 7])
def test_everybodys_own_table_of_any_length_is_looked_up_at_its_own_row(rows: int) -> None:
    def looked_up(table: Any, places: Any) -> Any:
        return table.at[places, jnp.arange(table.shape[1])].get(mode="promise_in_bounds")

    places = np.clip(PLACES, 0, rows - 1)
    agrees(looked_up, (OWN_TABLE[:rows], places), (IN_ROWS, OWN))


def test_rows_are_read_and_changed_at_places_known_only_in_the_loop() -> None:
    def moved(rows: Any, shared: Any, count: Any) -> Any:
        def turn(place: Any, now: Any) -> Any:
            row = lax.dynamic_index_in_dim(now, place, keepdims=False)
            settled = lax.dynamic_index_in_dim(shared, place, keepdims=False)
            return lax.dynamic_update_index_in_dim(now, 2.0 * row + settled, place, 0)

        return lax.fori_loop(0, count, turn, rows)

    for count in (0, 2, 4):
        agrees(moved, (ROWS, TABLE[:4], np.int32(count)), (OWN, SHARED, SHARED), exact=False)


def test_a_row_of_constants_is_read_at_a_place_known_only_while_the_program_runs() -> None:
    known = jnp.asarray(np.arange(12.0, dtype=np.float32).reshape(4, 3, 1))

    def read(place: Any, x: Any) -> Any:
        return lax.dynamic_index_in_dim(known, place, keepdims=False) + x

    for place in (0, 3, 9):
        agrees(read, (np.int32(place), X), (SHARED, OWN))


def test_an_argument_is_never_changed() -> None:
    def changed(rows: Any, place: Any) -> Any:
        return lax.dynamic_update_index_in_dim(rows, jnp.zeros_like(rows[0]), place, 0), rows + 1.0

    before = ROWS.copy()
    agrees(changed, (ROWS, np.int32(2)), (OWN, SHARED))
    assert np.array_equal(ROWS, before)


@pytest.mark.parametrize("read_later", ["nothing", "before", "a part", "in another shape", "the constant"])
def test_a_loop_within_a_loop_changes_only_what_nothing_reads_later(read_later: str) -> None:
    def nested(turns: Any, rows: Any) -> Any:
        def turn(now: Any) -> Any:
            done, rows, seen = now
            flat = rows.reshape(2, 2, -1)

            def one_row(index: Any, changing: Any) -> Any:
                row = lax.dynamic_index_in_dim(changing, index, keepdims=False)
                if read_later == "the constant":
                    row = row + lax.dynamic_index_in_dim(rows, 3 - index, keepdims=False)
                return lax.dynamic_update_index_in_dim(changing, 0.5 * row + done, index, 0)

            changed = lax.fori_loop(0, jnp.max(turns) - 1, one_row, rows)
            read = {"before": rows[0], "a part": rows[1:3].sum(axis=0), "in another shape": flat[1, 1]}
            seen = seen + read.get(read_later, jnp.zeros_like(seen))
            return done + 1.0, changed, seen

        return lax.while_loop(lambda now: jnp.any(now[0] < turns), turn, (0.0 * rows[0], rows, 0.0 * rows[0]))

    agrees(nested, (np.full_like(TURNS, 5), ROWS), exact=False)


def test_a_row_changed_by_a_function_within_a_loop_is_the_only_one_that_is_written_again() -> None:
    """JAX traces the change of a row as a function within the loop; the other rows stay where they are."""
    count = 12

    def changed(rows: Any, turns: Any) -> Any:
        def turn(place: Any, now: Any) -> Any:
            row = lax.dynamic_index_in_dim(now, place, keepdims=False)
            return jax.jit(lax.dynamic_update_index_in_dim, static_argnums=3)(now, 2.0 * row, place, 0)

        return lax.fori_loop(0, turns, turn, rows)

    rows = np.resize(ROWS, (count, PATIENTS))
    agrees(changed, (rows, np.int32(5)), (OWN, SHARED))
    traced = jax.make_jaxpr(changed)(rows[:, :1], np.int32(5))
    stores = [line for line in written(traced, (True, False)).splitlines() if line.startswith("  store <")]
    # Each row when it comes to the stack and when it leaves, and the one that changes.
    assert len(stores) == 2 * count + 1


def test_rows_that_a_loop_makes_are_written_to_the_results_at_once() -> None:
    length = 50

    def scanned(x: Any, rows: Any) -> Any:
        return lax.scan(lambda now, row: (0.5 * now + row, (now, now > row)), x, rows)

    rows = np.resize(ROWS, (length, PATIENTS))
    traced = jax.make_jaxpr(scanned)(X[:1], rows[:, :1])
    stores = [line for line in written(traced, (True, True)).splitlines() if line.startswith("  store <")]
    # What is carried when it begins, goes on and leaves, and the two numbers of a row; rows are read where they are.
    assert len(stores) == 5
    last, (before, above) = compiled(scanned)(X, rows)
    total = X
    for row, one, higher in zip(rows, before, above, strict=True):
        np.testing.assert_allclose(one, total, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(higher, one > row)
        total = np.float32(0.5) * total + row
    np.testing.assert_allclose(last, total, rtol=1e-5, atol=1e-6)
