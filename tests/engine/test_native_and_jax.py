"""Machine code and JAX's own compiler give the same lives in single precision."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from motorpool.engine import blocks
from motorpool.engine.state import Trajectory
from motorpool.outcomes.panel import OUTCOMES
from tests.support import lives
from tests.support.everything import EVERYTHING

PEOPLE, YEARS = 24, 2.0
# Share of what a quantity spans in these lives: single precision, summed over some hundred steps.
CLOSE = 1e-3


def life(plan: tuple[dict[str, Any], ...], *, chance: bool) -> lives.Life:
    who = lives.people(
        smn2_copies=np.resize([1.0, 2.0, 3.0], PEOPLE),
        log_vulnerability=np.linspace(-0.5, 0.5, PEOPLE),
        female=np.resize([0.0, 1.0], PEOPLE),
        transduced_fraction=np.linspace(0.2, 0.8, PEOPLE),
    )
    courses = lives.courses_from(*plan)
    return lives.live(
        courses, who, until_years=YEARS, enrolment_years=np.linspace(0.1, 0.6, PEOPLE), chance=chance
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "chance"),
    [(EVERYTHING, True), ((), True), ((), False)],
    ids=["every therapy", "none", "no chance"],
)
def test_every_row_of_every_life_is_nearly_the_same(
    plan: tuple[dict[str, Any], ...], chance: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = life(plan, chance=chance)
    with monkeypatch.context() as patch:
        patch.setattr(blocks.jax, "default_backend", lambda: "another")
        through_jax = life(plan, chance=chance)
    for field in dataclasses.fields(Trajectory):
        found, wanted = (np.asarray(getattr(one.path, field.name), float) for one in (native, through_jax))
        assert found.shape == wanted.shape
        # Outcomes are compared one by one, each by its own span.
        axes = (0, 2) if field.name == "outcomes" else None
        span = np.max(np.abs(wanted), axis=axes, keepdims=True)
        assert (np.abs(found - wanted) <= CLOSE * span + 1e-6).all(), field.name
    assert np.asarray(native.path.outcomes).std(axis=(0, 2)).astype(bool).sum() >= len(OUTCOMES) - 2


@pytest.mark.slow
def test_starts_that_wait_for_a_state_come_at_the_same_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    native = life(EVERYTHING, chance=True)
    monkeypatch.setattr(blocks.jax, "default_backend", lambda: "another")
    through_jax = life(EVERYTHING, chance=True)
    waiting = [one["therapy"] for one in EVERYTHING].index("breathing_support")
    found, wanted = (np.asarray(one.end.start_hours)[waiting] for one in (native, through_jax))
    assert np.array_equal(found, wanted)
    assert len(set(wanted.tolist())) > 3  # they come at ages of their own, or the test would be empty
