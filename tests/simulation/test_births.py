"""Untreated twins are followed where something reads them, and nowhere else; the numbers stay the same."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from motorpool.simulation import births
from motorpool.simulation.births import Births, reads_twins
from motorpool.simulation.loading import load_scenario
from motorpool.simulation.model import parameter_draw
from motorpool.simulation.part import Part, Task, simulate_part
from tests.simulation.run_samples import Plain, scenario

AT_ONSET = {"therapy": "risdiplam", "start": {"days_after_onset": 0}}
AT_DIAGNOSIS = {"therapy": "nutrition_support", "start": {"days_after_diagnosis": 0}}


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({}, False),
        ({"cohort__sma_type": [1]}, True),
        ({"cohort__onset_age_months": {"max": 6}}, True),
        ({"cohort__disease_duration_months": {"max": 6}}, True),
        ({"cohort__enrolment": {"days_after_onset": {"min": 0, "max": 30}}}, True),
        ({"arms__nusinersen": {"therapies": [AT_ONSET]}}, True),
        ({"cohort__background": [AT_DIAGNOSIS]}, True),
    ],
)
def test_what_reads_the_twins(changes: Plain, read: bool) -> None:
    assert reads_twins(load_scenario(scenario(**changes))) == read


def counted(*, people: bool) -> Part:
    """A block of candidates, counted, with everybody's results or without."""
    asked = load_scenario(scenario(horizon_months=6))
    return simulate_part(Task(asked, 0, 0, (0, 1), None, None, keep_people=people, keep_tally=True))


def test_counts_are_the_same_without_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    with_twins = counted(people=True)
    assert set(np.unique(with_twins.people["sma_type"])) - {0}

    def never(*given: Any) -> Any:
        raise AssertionError("a twin was followed that nothing reads")

    monkeypatch.setattr(births, "_untreated_twin", never)
    without = counted(people=False)
    for name, counts in with_twins.counts.items():
        assert np.array_equal(counts, without.counts[name])
    assert with_twins.facts == without.facts
    with pytest.raises(AssertionError, match="nothing reads"):
        counted(people=True)


def test_people_who_are_born_once_are_those_that_cohorts_share() -> None:
    asked = load_scenario(scenario(cohort__smn2_copies={2: 0.5, 3: 0.5}))
    draw = parameter_draw(None, asked.seed)
    shared, once = (Births(draw, shared=shared).of(asked, [0]) for shared in (True, False))
    assert set(np.unique(np.asarray(once.born.smn2_copies))) == {2, 3}
    for ours, theirs in zip(jax.tree.leaves(shared), jax.tree.leaves(once), strict=True):
        assert np.array_equal(ours, theirs)
