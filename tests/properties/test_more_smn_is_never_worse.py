"""Per person, under the same luck: more SMN, or the same SMN therapy earlier, never leaves fewer neurons.

Surviving neurons do not feel adverse events, so these are left out by construction. All comparisons are made at the
same ages, of people who differ in one thing only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from motorpool.biology.vocabulary import HOURS_PER_YEAR
from motorpool.engine.grid import life_boundaries
from tests.support import lives
from tests.support.lives import Life

# Single precision: the largest gain ever seen by waiting is one unit in the last place, 6e-8.
# Each example is a block of whole lives: a failing one is reported as found, not shrunk over hundreds of runs.
WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)
ROUNDING = 1e-6
YEARS = 4.0
BLOCK = 64

THERAPIES: dict[str, dict[str, Any]] = {
    "nusinersen": {"therapy": "nusinersen"},
    "nusinersen high dose": {"therapy": "nusinersen", "regimen": "high_dose"},
    "risdiplam": {"therapy": "risdiplam"},
    "onasemnogene": {"therapy": "onasemnogene"},
}


def at_common_ages(life: Life, rows: Any) -> Any:
    """Rows (K, G, P) at the boundaries that everybody has, (ages, G, P), in order of age."""
    hours = life_boundaries(round(YEARS * HOURS_PER_YEAR))
    hours = hours[hours < round(YEARS * HOURS_PER_YEAR)]
    found = np.empty((hours.shape[0], *rows.shape[1:]))
    for person in range(rows.shape[-1]):
        index = np.searchsorted(life.grid_hours[:, person], hours)
        assert np.array_equal(life.grid_hours[index, person], hours)
        found[..., person] = rows[index, ..., person]
    return found


@pytest.mark.parametrize("therapy", [None, *THERAPIES])
@settings(phases=WITHOUT_SHRINKING, max_examples=5)
@given(
    vulnerability=st.floats(-0.4, 0.4),
    start_years=st.floats(0.0, 2.0),
    levels=st.lists(st.floats(0.5, 8.0), min_size=BLOCK, max_size=BLOCK),
)
@example(vulnerability=0.0, start_years=0.1, levels=list(np.linspace(0.5, 8.0, BLOCK)))
def test_more_smn_never_leaves_fewer_neurons(
    therapy: str | None, vulnerability: float, start_years: float, levels: list[float]
) -> None:
    who = lives.people(smn2_copies=np.sort(levels), log_vulnerability=vulnerability)
    courses = lives.courses_from(THERAPIES[therapy]) if therapy else ()
    life = lives.live(courses, who, until_years=YEARS, enrolment_years=start_years)
    assert np.diff(life.surviving(), axis=-1).min() > -ROUNDING
    if max(levels) > min(levels) + 0.5:
        assert life.surviving()[-1, 0, -1] > life.surviving()[-1, 0, 0]  # and it does matter


def test_a_copy_of_smn1_never_leaves_fewer_neurons() -> None:
    who = lives.people(smn1_copies=[0.0, 1.0, 2.0], smn2_copies=2.0)
    surviving = lives.live((), who, until_years=YEARS).surviving()
    assert np.diff(surviving, axis=-1).min() > -ROUNDING


@pytest.mark.parametrize("therapy", THERAPIES)
@settings(phases=WITHOUT_SHRINKING, max_examples=5)
@given(
    copies=st.sampled_from([1.0, 2.0, 3.0, 4.0]),
    vulnerability=st.floats(-0.3, 0.3),
    starts=st.lists(st.floats(0.0, 2.5), min_size=BLOCK, max_size=BLOCK),
)
@example(copies=2.0, vulnerability=0.0, starts=list(np.linspace(0.0, 2.0, BLOCK)))
@example(copies=3.0, vulnerability=0.0, starts=list(np.linspace(0.0, 0.35, BLOCK)))
def test_an_earlier_start_never_leaves_fewer_neurons(
    therapy: str, copies: float, vulnerability: float, starts: list[float]
) -> None:
    rising = np.sort(starts)
    who = lives.people(smn2_copies=np.full(BLOCK, copies), log_vulnerability=vulnerability)
    # Starts lie on whole hours; equal ones give equal lives.
    life = lives.live(lives.courses_from(THERAPIES[therapy]), who, until_years=YEARS, enrolment_years=rising)
    surviving = at_common_ages(life, life.surviving())
    gained_by_waiting = np.diff(surviving, axis=-1).max()
    assert gained_by_waiting < ROUNDING, gained_by_waiting
    best, worst = surviving[-1, 0, 0], surviving[-1, 0, -1]
    if rising[-1] - rising[0] > 0.5:
        assert best > worst  # waiting costs neurons
