"""A person's numbers are the same to the bit in any company, at any place, with any number of threads and of pieces."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from motorpool.engine.blocks import PERSONAL_OF_PLAN, Setting, Span, begin_life, live, simulate_span
from motorpool.engine.grid import last_rows
from motorpool.engine.native import program
from tests.support import lives
from tests.support.everything import EVERYTHING

PEOPLE, YEARS = 40, 1.5


@pytest.fixture(scope="module")
def everybody() -> tuple[Span, Setting]:
    who = lives.people(
        smn2_copies=np.resize([1.0, 2.0, 3.0], PEOPLE),
        log_vulnerability=np.linspace(-0.5, 0.5, PEOPLE),
        female=np.resize([0.0, 1.0], PEOPLE),
        immortal=False,
    )
    courses = lives.courses_from(*EVERYTHING)
    return lives.prepared(courses, who, until_years=YEARS, enrolment_years=np.linspace(0.1, 0.6, PEOPLE))


def of(people: Any, tree: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., people], tree)


def some(span: Span, people: Any) -> Span:
    own = {name: of(people, getattr(span.plan, name)) for name in PERSONAL_OF_PLAN}
    return Span(
        of(people, span.grid_hours),
        of(people, span.person),
        of(people, span.infection_seed),
        dataclasses.replace(span.plan, **own),
    )


def whole_life(span: Span, setting: Setting) -> Any:
    return simulate_span(begin_life(span, setting), span, setting)


def same_bits(found: Any, wanted: Any) -> None:
    for got, expected in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.fixture(scope="module")
def usual(everybody: tuple[Span, Setting]) -> Any:
    return whole_life(*everybody)


@pytest.mark.parametrize(
    "people",
    [
        np.arange(PEOPLE)[::-1],
        np.random.default_rng(1).permutation(PEOPLE),
        np.arange(7, 20),
        np.asarray([33]),
        np.asarray([5] * 17),
    ],
    ids=["turned round", "mixed", "some", "alone", "the same one many times"],
)
def test_place_company_and_number_do_not_matter(people: Any, everybody: Any, usual: Any) -> None:
    span, setting = everybody
    same_bits(whole_life(some(span, people), setting), of(people, usual))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(
    threads: int, everybody: Any, usual: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "workers", lambda: threads)
    same_bits(whole_life(*everybody), usual)


def at_the_end(span: Span, setting: Setting) -> Any:
    return live(begin_life(span, setting), last_rows(span.grid_hours)[None], span, setting)


def test_neighbours_with_finer_grids_change_nothing(everybody: Any) -> None:
    """Everybody waits for the one with the most steps; who waits stays as they are."""
    span, setting = everybody
    middle = (span.grid_hours[:-1, :1] + span.grid_hours[1:, :1]) // 2
    finer = np.unique(np.concatenate([span.grid_hours[:, 0], middle[:, 0]])).astype(np.int32)
    rest = np.repeat(span.grid_hours[-1:], len(finer) - len(span.grid_hours), axis=0)
    grid = np.concatenate([span.grid_hours, rest])
    grid[:, 0] = finer
    others = np.arange(1, PEOPLE)
    found = at_the_end(dataclasses.replace(span, grid_hours=grid), setting)
    same_bits(of(others, found), of(others, at_the_end(span, setting)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_life_in_two_pieces_is_the_life_in_one(share: float, everybody: Any) -> None:
    span, setting = everybody
    last = last_rows(span.grid_hours)
    middle = (share * last).astype(np.int32)
    begun = begin_life(span, setting)
    whole, end = live(begun, np.stack([middle, last]), span, setting)
    first, at_middle = live(begun, middle[None], span, setting)
    second, at_end = live(first, last[None], span, setting)
    same_bits(second, whole)
    same_bits(at_middle, jax.tree.map(lambda leaf: leaf[:1], end))
    same_bits(at_end, jax.tree.map(lambda leaf: leaf[1:], end))


def test_a_span_that_begins_where_another_ended_goes_on_as_one(everybody: Any, usual: Any) -> None:
    span, setting = everybody
    cut = len(span.grid_hours) // 2
    first_part = dataclasses.replace(span, grid_hours=span.grid_hours[: cut + 1])
    second_part = dataclasses.replace(span, grid_hours=span.grid_hours[cut:])
    life, first = whole_life(first_part, setting)
    end, second = simulate_span(life, second_part, setting)
    joined = jax.tree.map(lambda a, b: np.concatenate([a[:-1], b]), first, second)
    same_bits(joined, usual[1])
    same_bits(end.now, usual[0].now)


def test_rows_that_are_looked_at_do_not_change_a_life(everybody: Any) -> None:
    span, setting = everybody
    last = last_rows(span.grid_hours)
    few, _ = live(begin_life(span, setting), last[None], span, setting)
    every = np.minimum(np.arange(len(span.grid_hours))[:, None], last).astype(np.int32)
    many, rows = live(begin_life(span, setting), every, span, setting)
    same_bits(many.now, few.now)
    same_bits(of(np.arange(PEOPLE), many.watched.milestones), few.watched.milestones)
    given = np.asarray(rows.doses).sum(axis=0)
    assert (given > 0).any(axis=1).sum() >= 5
