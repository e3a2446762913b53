"""Joint rank and win ratio: against scipy, by hand, and under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motorpool.trials.analyses.joint_rank import joint_rank
from motorpool.trials.analyses.pairwise import EventEndpoint, ScoreEndpoint
from motorpool.trials.analyses.win_ratio import win_ratio
from tests.trials.analyses.trial_samples import trials


def test_one_score_is_the_rank_sum_test() -> None:
    sample = trials(4, 50, visits=1, seed=3)
    score = np.round(sample.visits[..., 0])  # with ties
    found = joint_rank([ScoreEndpoint(value=score)], sample.treated)
    pairs = win_ratio([ScoreEndpoint(value=score)], sample.treated)
    for replicate in range(4):
        arm = sample.treated[replicate]
        other = stats.mannwhitneyu(
            score[replicate][arm], score[replicate][~arm], method="asymptotic", use_continuity=False
        )
        share = other.statistic / (arm.sum() * (~arm).sum())
        assert found.p_value_two_sided[replicate] == pytest.approx(other.pvalue, rel=1e-9)
        assert found.win_probability[replicate] == pytest.approx(share, rel=1e-12)
        assert pairs.wins[replicate] + 0.5 * pairs.ties[replicate] == pytest.approx(share, rel=1e-12)


def by_hand(time: np.ndarray, died: np.ndarray, score: np.ndarray, i: int, j: int) -> int:
    """Death first; among those not decided, the score."""
    if died[j] and (time[j] < time[i] or (time[j] == time[i] and not died[i])):
        return 1
    if died[i] and (time[i] < time[j] or (time[j] == time[i] and not died[j])):
        return -1
    return int(np.sign(score[i] - score[j])) if abs(score[i] - score[j]) > 1.0 else 0


def test_pairs_are_compared_by_death_and_then_by_function() -> None:
    sample = trials(3, 24, visits=1, seed=5)
    score = sample.visits[..., 0]
    endpoints = [
        EventEndpoint(time_years=sample.time_years, event=sample.event),
        ScoreEndpoint(value=score, margin=1.0),
    ]
    ranked, pairs = joint_rank(endpoints, sample.treated), win_ratio(endpoints, sample.treated)
    for replicate in range(3):
        given = sample.time_years[replicate], sample.event[replicate], score[replicate]
        arm = sample.treated[replicate]
        every = np.array([[by_hand(*given, i, j) for j in range(24)] for i in range(24)])
        across = every[np.ix_(arm, ~arm)]
        assert pairs.wins[replicate] == pytest.approx((across > 0).mean())
        assert pairs.losses[replicate] == pytest.approx((across < 0).mean())
        assert pairs.estimate[replicate] == pytest.approx(np.log((across > 0).sum() / (across < 0).sum()))
        assert pairs.net_benefit[replicate] == pytest.approx(across.mean())
        scores = every.sum(axis=1) / 23
        assert ranked.estimate[replicate] == pytest.approx(scores[arm].mean() - scores[~arm].mean())
    np.testing.assert_allclose(pairs.wins_by_endpoint.sum(axis=1), pairs.wins)
    np.testing.assert_allclose(pairs.wins + pairs.losses + pairs.ties, 1.0)


def test_a_worse_endpoint_turned_round_gives_the_opposite_sign() -> None:
    sample = trials(3, 30, visits=1, seed=7)
    one = win_ratio([ScoreEndpoint(value=sample.visits[..., 0])], sample.treated)
    other = win_ratio([ScoreEndpoint(value=sample.visits[..., 0], higher_is_better=False)], sample.treated)
    np.testing.assert_allclose(one.estimate, -other.estimate)
    swapped = win_ratio([ScoreEndpoint(value=sample.visits[..., 0])], ~sample.treated)
    np.testing.assert_allclose(one.estimate, -swapped.estimate)
    np.testing.assert_allclose(one.standard_error, swapped.standard_error)


def test_ranks_with_covariates_need_the_method_that_takes_them() -> None:
    sample = trials(2, 30, visits=1, seed=7)
    endpoint = ScoreEndpoint(value=sample.visits[..., 0])
    with pytest.raises(ValueError, match="rank_sum takes no baseline"):
        joint_rank([endpoint], sample.treated, baseline=sample.baseline)
    adjusted = joint_rank([endpoint], sample.treated, baseline=sample.baseline, method="rank_ancova")
    assert np.isfinite(adjusted.degrees_of_freedom).all()
    with pytest.raises(ValueError, match="endpoints is empty"):
        win_ratio([], sample.treated)
    with pytest.raises(ValueError, match="endpoint 2 has shape"):
        win_ratio([endpoint, ScoreEndpoint(value=np.zeros((2, 3)))], sample.treated)


@pytest.mark.slow
def test_error_under_the_null() -> None:
    sample = trials(2000, 60, visits=1, seed=25)
    endpoints = [
        EventEndpoint(time_years=sample.time_years, event=sample.event),
        ScoreEndpoint(value=sample.visits[..., 0]),
    ]
    for found in (
        joint_rank(endpoints, sample.treated, stratum=sample.stratum),
        joint_rank(endpoints, sample.treated, baseline=sample.baseline, method="rank_ancova"),
        win_ratio(endpoints, sample.treated, stratum=sample.stratum),
    ):
        assert stats.binomtest(int((found.p_value_two_sided < 0.05).sum()), 2000, 0.05).pvalue > 0.001
