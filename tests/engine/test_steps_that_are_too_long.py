"""The local error of steps: people in whom it is too large live the span again in shorter steps, and are counted."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.engine import blocks
from motorpool.engine.blocks import Setting, Span, begin_life, live
from motorpool.engine.compile_plan import cell_protocol, compile_plan
from motorpool.engine.grid import FIRST_HOUR, last_rows, life_boundaries
from tests.support import lives

PEOPLE = 20
UNTIL_YEARS = 1.0
EVERY_MONTHS = 2  # far too long a step for an infant, short enough for a healthy one


def life_in_steps(hours: Any, people: int = PEOPLE) -> tuple[Any, Any]:
    """People with two copies on a grid of these hours (K,); where they are and what is recorded at the end."""
    who = lives.people(smn2_copies=np.full(people, 2.0), log_vulnerability=np.linspace(-0.4, 0.4, people))
    anchors = lives.anchors_of(people)
    grid = np.repeat(np.asarray(hours, np.int32)[:, None], people, axis=1)
    span = Span(grid, who, np.arange(people, dtype=np.uint32), compile_plan((), anchors))
    setting = Setting(np.float32(1.0), cell_protocol(()), lives.central_draw().model)
    return live(begin_life(span, setting), last_rows(grid)[None], span, setting)


def long_steps(every_months: float = EVERY_MONTHS) -> Any:
    return np.arange(FIRST_HOUR, UNTIL_YEARS * HOURS_PER_YEAR + 1, round(every_months * HOURS_PER_MONTH))


def usual_steps() -> Any:
    return life_boundaries(round(UNTIL_YEARS * HOURS_PER_YEAR))


def test_the_usual_steps_are_short_enough_for_infants() -> None:
    life, _ = life_in_steps(usual_steps())
    assert not np.asarray(life.halvings).any()


def test_steps_that_are_too_long_are_halved_until_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    until = long_steps()[-1]
    exact, _ = life_in_steps(np.unique(np.clip(usual_steps(), None, until)))
    redone, _ = life_in_steps(long_steps())
    assert (np.asarray(redone.halvings) > 0).all()
    monkeypatch.setattr(blocks, "MOST_HALVINGS", 0)
    kept, _ = life_in_steps(long_steps())
    assert not np.asarray(kept.halvings).any()

    def error(life: Any) -> Any:
        return np.abs(np.asarray(life.now.state.body.sick) - np.asarray(exact.now.state.body.sick)).max(
            axis=(0, 1, 2)
        )

    assert (error(redone) < 0.2 * error(kept)).all()


def test_only_those_whose_error_is_too_large_are_redone() -> None:
    """Neighbours keep every bit: here people with a copy of SMN1, in whom nothing moves."""
    healthy = lives.people(smn2_copies=np.full(PEOPLE, 2.0), smn1_copies=np.resize([0.0, 2.0], PEOPLE))
    anchors = lives.anchors_of(PEOPLE)
    grid = np.repeat(long_steps().astype(np.int32)[:, None], PEOPLE, axis=1)
    span = Span(grid, healthy, np.arange(PEOPLE, dtype=np.uint32), compile_plan((), anchors))
    setting = Setting(np.float32(1.0), cell_protocol(()), lives.central_draw().model)
    life, row = live(begin_life(span, setting), last_rows(grid)[None], span, setting)
    redone = np.asarray(life.halvings) > 0
    assert redone.any()
    assert not redone.all()
    alone = dataclasses.replace(span, person=lives.people(smn2_copies=np.full(PEOPLE, 2.0), smn1_copies=2.0))
    _, other = live(begin_life(alone, setting), last_rows(grid)[None], alone, setting)
    same = ~redone
    assert np.array_equal(np.asarray(row.pools)[..., same], np.asarray(other.pools)[..., same])
    assert np.array_equal(np.asarray(life.row), last_rows(grid))


def test_those_who_were_redone_before_are_redone_again_in_a_later_span(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "MOST_HALVINGS", 1)
    hours = long_steps(every_months=3)
    who = lives.people(smn2_copies=np.full(PEOPLE, 2.0))
    grid = np.repeat(hours.astype(np.int32)[:, None], PEOPLE, axis=1)
    span = Span(grid, who, np.arange(PEOPLE, dtype=np.uint32), compile_plan((), lives.anchors_of(PEOPLE)))
    setting = Setting(np.float32(1.0), cell_protocol(()), lives.central_draw().model)
    life = begin_life(span, setting)
    for row in (2, 3):  # two steps, then one
        life, _ = live(life, np.full((1, PEOPLE), row, np.int32), span, setting)
    assert (np.asarray(life.halvings) == 2).all()
