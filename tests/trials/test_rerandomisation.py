"""The re-randomisation test: exact in small samples, on its level while times change, refused without a meaning."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from motorpool.simulation.errors import ScenarioError
from motorpool.trials import rerandomised as room
from motorpool.trials.adaptive.response_adaptive import allocation
from motorpool.trials.analyses.log_rank import log_rank
from motorpool.trials.analyses.rerandomisation import (
    log_rank_scores,
    permuted_within,
    rerandomised_p_value,
    residual_scores,
)
from motorpool.trials.analysis import analyse
from motorpool.trials.blocks import run_replicates
from motorpool.trials.design import TrialDesign
from motorpool.trials.reallocation import conduct_trials, followed_again
from motorpool.trials.replicate import draw_trials
from motorpool.trials.truth import MODEL, NULL, Truth
from tests.support.trial_pools import CHANGE, DEATH, design, made_up_pool

AGAIN = "test: rerandomisation}"
TESTED = f"[{CHANGE[:-1]}, {AGAIN}]"
ADAPTIVE = "response_adaptive={looks: [0.5], exponent: 1, smallest_share: 0.2, test: rerandomisation}"


def every_way(block: np.ndarray, treated: np.ndarray) -> Iterator[np.ndarray]:
    """All allocations with as many treated in each block."""
    groups = [np.flatnonzero(block == one) for one in np.unique(block)]
    for chosen in product(*(combinations(one, int(treated[one].sum())) for one in groups)):
        found = np.zeros(treated.size, bool)
        found[[place for one in chosen for place in one]] = True
        yield found


def test_the_p_value_is_the_exact_one_of_all_allocations_in_blocks() -> None:
    generator = np.random.default_rng(3)
    block = np.repeat([0, 1, 2], [4, 4, 3])
    treated = np.asarray([1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1], bool)
    baseline = generator.normal(20.0, 5.0, treated.size)
    outcome = 0.3 * baseline + 0.4 * treated + generator.normal(0.0, 1.0, treated.size)
    counted = np.ones((1, treated.size), bool)
    counted[0, 5] = False  # seen by nobody, and allocated all the same
    scores = residual_scores(outcome[None], baseline[None, :, None], counted)
    plain = np.polynomial.Polynomial.fit(baseline[counted[0]], outcome[counted[0]], 1)
    np.testing.assert_allclose(scores[0, counted[0]], (outcome - plain(baseline))[counted[0]], atol=1e-9)

    def difference(arm: np.ndarray) -> float:
        own = counted[0]
        return abs(scores[0, arm & own].mean() - scores[0, ~arm & own].mean())

    ways = list(every_way(block, treated))
    assert len(ways) == 6 * 6 * 3
    exact = np.mean([difference(arm) >= difference(treated) - 1e-12 for arm in ways])
    keys = generator.random((20_000, 1, treated.size))
    dealt = permuted_within(treated[None], block[None], keys)
    counts = np.unique(dealt[:, 0], axis=0, return_counts=True)[1]
    assert counts.size == 108 and counts.max() < 1.4 * 20_000 / 108
    found = rerandomised_p_value(scores, treated[None], counted, [(dealt, ~dealt)])[0]
    assert 0.01 < exact < 0.5
    assert found == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)


def test_scores_of_times_add_up_to_the_log_rank_test() -> None:
    generator = np.random.default_rng(5)
    shape = (3, 40)
    time = np.ceil(generator.exponential(5.0, shape))  # with ties
    event, treated = generator.random(shape) < 0.7, generator.random(shape) < 0.5
    counted, stratum = generator.random(shape) < 0.9, (generator.random(shape) < 0.4).astype(int)
    scores = log_rank_scores(time, event, counted, stratum)
    np.testing.assert_allclose((scores * counted).sum(axis=1), 0.0, atol=1e-9)
    for row in range(3):
        excess = 0.0
        for group in (0, 1):
            mine = counted[row] & (stratum[row] == group)
            for moment in np.unique(time[row][mine & event[row]]):
                risk = mine & (time[row] >= moment)
                dying = mine & event[row] & (time[row] == moment)
                excess += (dying & treated[row]).sum() - dying.sum() * (
                    risk & treated[row]
                ).sum() / risk.sum()
        assert scores[row][counted[row] & treated[row]].sum() == pytest.approx(excess, abs=1e-9)
    test = log_rank(time, event, treated, stratum=stratum, observed=counted)
    sums = (scores * (treated & counted)).sum(axis=1)
    assert (np.sign(test.statistic) == np.sign(sums)).all()


def test_a_design_is_tested_by_its_blocks_and_in_any_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REDRAWS", 200)
    strata = "strata={age_months: [72]}"
    plain = design(strata, "patients=24", endpoints=f"[{CHANGE}, {DEATH}]")
    tested = design(strata, "patients=24", endpoints=f"[{CHANGE[:-1]}, {AGAIN}, {DEATH[:-1]}, {AGAIN}]")
    pool = made_up_pool(plain, effect=2.0, deaths={"cells": 0.1, "sham": 0.4})
    usual, found = (run_replicates(one, pool, MODEL, range(60)) for one in (plain, tested))
    for key in ("change/cells", "death/cells"):
        for field in ("estimate", "low", "high"):
            assert np.array_equal(usual[f"{key}/{field}"], found[f"{key}/{field}"], equal_nan=True)
        p, q = usual[f"{key}/p_value"], found[f"{key}/p_value"]
        known = np.isfinite(p)
        np.testing.assert_allclose(q[known] * 201, np.round(q[known] * 201))
        assert known.mean() > 0.9 and 0.9 < np.corrcoef(p[known], q[known])[0, 1] < 0.9999
    alone = run_replicates(tested, pool, MODEL, range(7, 9))
    assert np.array_equal(alone["change/cells/p_value"], found["change/cells/p_value"][7:9])
    null = run_replicates(design(strata, "patients=24", endpoints=TESTED), pool, NULL, range(400))
    assert null["change/cells/significant"].mean() == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 400) ** 0.5)


def small() -> TrialDesign:
    return design(ADAPTIVE, "patients=8", endpoints=f"[{CHANGE}]")


def test_where_the_allocation_follows_the_responses_the_p_value_is_exact_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "REDRAWS", 6000)
    trial = small()
    data = conduct_trials(trial, made_up_pool(trial, effect=3.0), MODEL, range(5))
    number = next(row for row in range(5) if 0 < (data.arm[row, 4:] == 0).sum() < 4)
    change = (data.scores[0, -1] - data.baseline[0])[number]
    estimate = analyse(data, trial.endpoints[0], "cells")
    assert np.isfinite(estimate.estimate[number])
    scores = residual_scores(change[None], data.baseline[0][number][None, :, None], np.ones((1, 8), bool))[0]

    def difference(cells: np.ndarray) -> float:
        return abs(scores[cells].mean() - scores[~cells].mean()) if 0 < cells.sum() < 8 else np.inf

    seen = difference(data.arm[number] == 0)
    exact = 0.0
    for first in combinations(range(4), 2):
        before = np.isin(np.arange(4), first)
        means = [change[:4][before].mean(), change[:4][~before].mean()]
        errors = [change[:4][who].std(ddof=1) / 2**0.5 for who in (before, ~before)]
        share = allocation(
            np.asarray([means]), np.asarray([errors]), exponent=1.0, control=1, smallest_share=0.2,
            control_share=None, higher_is_better=True,
        )[0, 0]  # fmt: skip
        for after in product([True, False], repeat=4):
            chance = np.prod([share if one else 1.0 - share for one in after]) / 6.0
            exact += chance * (difference(np.asarray([*before, *after])) >= seen - 1e-9)
    redrawn = ((arms[:, [number]] == 0, arms[:, [number]] != 0) for arms in followed_again(data))
    one = np.ones((1, 8), bool)
    found = rerandomised_p_value(scores[None], (data.arm[[number]] == 0), one, redrawn)[0]
    assert found == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 6000) ** 0.5 + 2 / 6000)


def test_it_keeps_the_error_while_the_times_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REDRAWS", 100)
    rule = ADAPTIVE.replace("[0.5]", "[0.3, 0.6]")
    trial = design(rule, "patients=60", "accrual={patients_per_month: 5}", endpoints=f"[{CHANGE}]")
    null = run_replicates(trial, made_up_pool(trial), Truth("drift", 8.0), range(300))
    assert null["change/cells/significant"].mean() == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 300) ** 0.5)
    shown = run_replicates(trial, made_up_pool(trial, effect=2.5), MODEL, range(60))
    assert shown["change/cells/significant"].mean() > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["endpoints.0.analysis=mmrm"], "mmrm has none"),
        (["interims={information: [0.5]}"], "cannot stand beside interims"),
        (["response_adaptive={looks: [0.5]}"], "use response_adaptive.test"),
        (["external_control={patients: 50, method: pooled}"], "were not allocated"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(changes: list[str], words: str) -> None:
    with pytest.raises(ScenarioError, match="endpoints.0.test.*" + words):
        design(*changes, endpoints=TESTED)


def test_several_arms_are_refused_where_the_allocation_follows_the_responses() -> None:
    arms: Any = "arms={one: {therapies: [{therapy: cell_therapy}]}, two: {}, sham: {}}"
    with pytest.raises(ScenarioError, match="response_adaptive.test.*needs one test arm"):
        design(arms, ADAPTIVE, endpoints=f"[{CHANGE}]")


def test_arms_beside_the_pair_stay_where_they_are() -> None:
    trial = design("patients=12", endpoints=TESTED)
    data = draw_trials(trial, made_up_pool(trial), MODEL, range(3))
    keys = np.random.default_rng(1).random((50, *data.arm.shape))
    others = np.arange(12) >= 9
    block = np.where(others, 10**6, 0)[None] + np.zeros((3, 1), int)
    dealt = permuted_within((data.arm == 0) & ~others, block, keys)
    assert not dealt[..., others].any()
    assert (dealt.sum(axis=-1) == ((data.arm == 0) & ~others).sum(axis=-1)).all()
