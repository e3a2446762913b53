"""Multiple imputation: agrees with the repeated measures model, and moves as each assumption says."""

from __future__ import annotations

import numpy as np
import pytest

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.imputation_model import Streams, design_of, draw_parameters, sums_of
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.multiple_imputation import impute, imputed_ancova, pool
from tests.trials.analyses.trial_samples import Trials, trials


@pytest.fixture(scope="module")
def sample() -> Trials:
    return trials(60, 80, effect=3.0, seed=31)


def estimates(sample: Trials, assumption: str, delta: float = 0.0) -> np.ndarray:
    found = imputed_ancova(
        sample.visits,
        sample.treated,
        baseline=sample.baseline,
        assumption=assumption,  # type: ignore[arg-type]
        delta=delta,
        imputations=10,
        generator=np.random.default_rng(5),
    )
    return found.estimate


def test_missing_at_random_gives_what_the_repeated_measures_model_gives(sample: Trials) -> None:
    repeated = mmrm(sample.visits, sample.treated, baseline=sample.baseline)
    found = imputed_ancova(
        sample.visits,
        sample.treated,
        baseline=sample.baseline,
        imputations=40,
        generator=np.random.default_rng(3),
    )
    noise = np.sqrt(found.standard_error**2 / 40)
    assert abs(np.mean(found.estimate - repeated.estimate)) < 4 * np.mean(noise) / 60**0.5
    assert np.mean(found.standard_error) == pytest.approx(np.mean(repeated.standard_error), rel=0.06)
    assert (found.missing_information > 0.05).all() and (found.missing_information < 0.8).all()


def test_reference_based_assumptions_are_ordered(sample: Trials) -> None:
    at_random = estimates(sample, "missing_at_random")
    increments = estimates(sample, "copy_increments_in_reference")
    jump = estimates(sample, "jump_to_reference")
    worse = estimates(sample, "missing_at_random", delta=-2.0)
    # The treated who leave lose all later benefit, keep what they had, or go on as the treated do.
    assert jump.mean() + 0.1 < increments.mean() < at_random.mean() - 0.1
    gone = (np.isnan(sample.visits[..., -1]) & sample.treated).sum(axis=1) / sample.treated.sum(axis=1)
    np.testing.assert_allclose(at_random - worse, 2.0 * gone, atol=0.25)
    assert (at_random - worse).mean() == pytest.approx(2.0 * gone.mean(), rel=0.01)


def test_jump_to_reference_is_the_share_who_stay_times_their_effect() -> None:
    """With dropout unrelated to outcome the estimate is the effect of those who stay times their share."""
    generator = np.random.default_rng(7)
    shape, visits = (40, 400), 3
    treated = np.broadcast_to(np.arange(400) % 2 == 1, shape)
    values = generator.normal(0.0, 1.0, (*shape, visits)) + 2.0 * treated[..., None]
    values[generator.random(shape) < 0.3, 1:] = np.nan
    found = imputed_ancova(
        values, treated, assumption="jump_to_reference", imputations=10, generator=np.random.default_rng(9)
    )
    assert found.estimate.mean() == pytest.approx(2.0 * 0.7, abs=0.04)


def test_what_was_seen_is_kept_and_the_same_generator_gives_the_same(sample: Trials) -> None:
    first, again = (
        impute(sample.visits, sample.treated, imputations=2, generator=np.random.default_rng(1))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    seen = np.isfinite(sample.visits)
    for one in first:
        np.testing.assert_array_equal(one[seen], sample.visits[seen])
        assert np.isfinite(one).all()


def test_a_replicate_with_its_own_generator_is_the_same_in_any_company(sample: Trials) -> None:
    def given(part: slice) -> np.ndarray:
        generators = [np.random.default_rng([7, replicate]) for replicate in range(60)][part]
        return imputed_ancova(
            sample.visits[part],
            sample.treated[part],
            baseline=sample.baseline[part],
            imputations=3,
            generator=generators,
        ).estimate

    together = given(slice(None))
    np.testing.assert_array_equal(together[17:18], given(slice(17, 18)))
    np.testing.assert_array_equal(together[5:50], given(slice(5, 50)))
    assert len(np.unique(together)) == 60


def test_complete_data_have_nothing_to_impute(sample: Trials) -> None:
    values = np.where(np.isnan(sample.visits), 0.3, sample.visits)
    found = imputed_ancova(values, sample.treated, imputations=2, generator=np.random.default_rng(1))
    single = ancova(values[..., -1], sample.treated)
    np.testing.assert_allclose(found.estimate, single.estimate, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, single.standard_error, rtol=1e-12)
    assert (found.missing_information == 0.0).all()


def test_too_few_people_have_no_answer_and_leave_the_others_as_they_are(sample: Trials) -> None:
    values, few = sample.visits[:4].copy(), np.arange(sample.visits.shape[1]) >= 5
    values[1, few] = np.nan
    values[2] = values[2, :, :1]  # one visit determines the others

    def estimated(rows: list[int]) -> np.ndarray:
        generators = [np.random.default_rng([3, row]) for row in rows]
        return imputed_ancova(
            values[rows], sample.treated[rows], imputations=3, generator=generators
        ).estimate

    together = estimated([0, 1, 2, 3])
    assert np.isnan(together).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(together[[0, 3]], estimated([0, 3]))


def test_draws_of_the_covariance_have_the_mean_of_the_inverse_wishart() -> None:
    generator = np.random.default_rng(11)
    values = generator.normal(size=(1, 30, 3)) @ np.linalg.cholesky([[2, 1, 0], [1, 2, 1], [0, 1, 2]]).T
    columns = np.ones((1, 30, 1))
    chains = 20_000
    sums = sums_of(np.concatenate([values] * chains), np.concatenate([columns] * chains))
    draw = draw_parameters(sums, design_of(columns, 3, chains), Streams([generator], chains))
    centred = values[0] - values[0].mean(axis=0)
    expected = centred.T @ centred / (29 - 3 - 1)
    mean = (draw.root @ np.swapaxes(draw.root, 1, 2)).mean(axis=0)
    np.testing.assert_allclose(mean, expected, atol=0.03)
    np.testing.assert_allclose(draw.coefficients.var(axis=0)[0], np.diagonal(expected) / 30, rtol=0.05)


def test_rubins_rules_by_hand() -> None:
    found = pool([[1.0], [2.0], [3.0]], [[0.5], [0.5], [0.5]], np.inf)
    total = 0.25 + (1 + 1 / 3) * 1.0
    assert found.estimate[0] == 2.0
    assert found.standard_error[0] == pytest.approx(total**0.5)
    assert found.degrees_of_freedom[0] == pytest.approx(2 / ((4 / 3) / total) ** 2)
    assert pool([[1.0], [2.0]], [[0.5], [0.5]], 20.0).degrees_of_freedom[0] < 1.0 / (1 / 20.0)


def test_impossible_requests_are_refused_by_name(sample: Trials) -> None:
    generator = np.random.default_rng(1)
    with pytest.raises(ValueError, match="assumption is 'last_value'"):
        impute(sample.visits, sample.treated, assumption="last_value", generator=generator)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="imputations is 1"):
        impute(sample.visits, sample.treated, imputations=1, generator=generator)
    with pytest.raises(ValueError, match="must be known for everyone"):
        impute(sample.visits, sample.treated, baseline=sample.visits[..., -1], generator=generator)
    with pytest.raises(ValueError, match="2 generators are given for 60 replicates"):
        impute(sample.visits, sample.treated, generator=[generator, generator])
