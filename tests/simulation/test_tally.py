"""Counting people part by part gives the summary that everybody's values give, within the error that is stated."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from motorpool.simulation.layers import (
    PEOPLE_QUANTILES,
    STATISTICS,
    Measure,
    columns_of,
    exact_statistics,
    table_of,
)
from motorpool.simulation.limits import Limits, outcome_limits
from motorpool.simulation.summary import measures
from motorpool.simulation.tally import Tally, quantile_error, stack_draws, tally, tally_statistics
from motorpool.simulation.vocabulary import OUTCOMES
from tests.support.synthetic_results import synthetic_dataset


@pytest.fixture(scope="module")
def people() -> xr.Dataset:
    return synthetic_dataset(patients=400, draws=2, visits=5)


def counted(dataset: xr.Dataset, parts: int) -> list[Tally]:
    """A tally for each draw, added up from parts."""
    template = list(measures(dataset.isel(draw=[0])))
    totals: list[Tally] = []
    for draw in range(dataset.sizes["draw"]):
        total = Tally.of_nobody(template)
        for rows in np.array_split(np.arange(dataset.sizes["patient"]), parts):
            total.add(tally(dataset.isel(draw=[draw], patient=rows)))
        totals.append(total)
    return totals


def test_any_cut_gives_the_same_bits(people: xr.Dataset) -> None:
    for whole, cut in zip(counted(people, 1), counted(people, 7), strict=True):
        assert np.array_equal(whole.moments, cut.moments)
        assert np.array_equal(whole.people_by_value, cut.people_by_value)


def test_the_table_is_that_of_everybodys_values(people: xr.Dataset) -> None:
    found, template = list(measures(people)), list(measures(people.isel(draw=[0])))
    draws = [tally_statistics(template, total) for total in counted(people, 3)]
    stacked = [stack_draws([draw[place] for draw in draws]) for place in range(len(found))]
    for measure, ours in zip(found, stacked, strict=True):
        exact = exact_statistics(measure)
        width = 1.0 if measure.limits is None else measure.limits.high - measure.limits.low
        np.testing.assert_array_equal(ours.count, exact.count)
        np.testing.assert_allclose(ours.mean, exact.mean, atol=1e-6 * width, rtol=1e-5)
        np.testing.assert_allclose(np.sqrt(ours.variance), np.sqrt(exact.variance), atol=2e-4 * width)
        assert (ours.quantiles is None) == (exact.quantiles is None)
        if exact.quantiles is not None and measure.limits is not None:
            off = np.abs(ours.quantiles - exact.quantiles)
            assert np.nanmax(off, initial=0.0) <= quantile_error(measure.limits) * (1 + 1e-6), measure.fixed
        assert (ours.error is None) == (exact.error is None)
    ours = table_of(columns_of(measure, each) for measure, each in zip(found, stacked, strict=True))
    exact = table_of(columns_of(measure, exact_statistics(measure)) for measure in found)
    keys = [name for name in exact.columns if name not in STATISTICS]
    assert ours[keys].equals(exact[keys])
    assert (ours[list(STATISTICS)].isna() == exact[list(STATISTICS)].isna()).all().all()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_limits_and_a_grid_of_a_power_of_two(outcome: str) -> None:
    limits = outcome_limits(outcome)
    steps = (limits.high - limits.low) / limits.step
    assert steps == 2 ** round(np.log2(steps))
    assert limits.of_differences.step == limits.step


def test_quantiles_of_values_on_the_grid_are_exact() -> None:
    values = np.array([[[[0.0] * 30 + [12.0] * 3 + [64.0] * 9]]])
    data = Measure({}, {"arm": [""], "visit_month": [0.0]}, values, "number", Limits(0.0, 64.0, 1.0))
    from motorpool.simulation.tally import _levels, _people_by_value, _quantiles

    level, unknown = _levels(values.reshape(1, -1), data.limits)
    found = _quantiles(_people_by_value(level, unknown, data.limits).reshape(1, -1), data.limits)
    np.testing.assert_array_equal(found[:, 0], np.quantile(values, PEOPLE_QUANTILES))


def test_people_whose_numbers_went_wrong_are_left_out(people: xr.Dataset) -> None:
    out = np.zeros((2, 400), bool)
    out[:, :100] = True
    marked = people.assign(excluded=(("draw", "patient"), out))
    left = people.isel(patient=slice(100, None))
    for ours, theirs in zip(counted(marked, 3), counted(left, 1), strict=True):
        assert np.array_equal(ours.moments, theirs.moments)
        assert np.array_equal(ours.people_by_value, theirs.people_by_value)
