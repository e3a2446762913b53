"""The scales on which endpoints are compared, and what a published figure says on them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.scale import (
    backward,
    family_of,
    forward,
    kind_of,
    load_calibration_rules,
    published_estimate,
)
from motorpool.studies.study import executable_studies, load_study
from tests.studies.hand_made import endpoint

Z_95, Z_90 = norm.ppf(0.975), norm.ppf(0.95)
ONE_OF_EACH = {
    "logit": endpoint("sit_10s", "proportion"),
    "log": endpoint("death", "median_time_months", 8.0),
    "log_ratio": endpoint("cmap_mv", "percent_change", -20.0),
    "identity": endpoint("hfmse", "mean_change", -1.0),
}


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (endpoint("walk", "proportion"), "logit"),
        (endpoint("death", "survival_proportion"), "logit"),
        (endpoint("death", "hazard_ratio"), "log"),
        (endpoint("sit_10s", "median_age_months", 9.0), "log"),
        (endpoint("hfmse", "sd", 9.0), "log"),
        (endpoint("onset_age_months", "mean", 9.0), "log"),
        (endpoint("cmap_mv", "mean", 1.0), "log"),
        (endpoint("pnfh_pg_per_ml", "median", 9000.0), "log"),
        (endpoint("pnfh_pg_per_ml", "percent_change", -70.0), "log_ratio"),
        (endpoint("cmap_mv", "mean_change", 0.3), "identity"),
        (endpoint("hfmse", "difference", 4.0), "identity"),
        (endpoint("six_minute_walk_m", "change_per_year", -20.0), "identity"),
    ],
)
def test_every_kind_of_figure_has_its_scale(one: PublishedEndpoint, kind: str):
    assert kind_of(one) == kind


@given(st.floats(0.0, 1.0), st.integers(1, 5000))
def test_shares_return_moved_half_a_person_inwards(share: float, n: int):
    there = forward(ONE_OF_EACH["logit"], share, n)
    assert np.isfinite(there)
    assert float(backward(ONE_OF_EACH["logit"], there)) == pytest.approx((share * n + 0.5) / (n + 1.0))


@given(st.sampled_from(["log", "log_ratio", "identity"]), st.floats(0.001, 500.0))
def test_backward_undoes_forward(kind: str, size: float):
    one = ONE_OF_EACH[kind]
    value = size - 99.0 if kind == "log_ratio" else size
    assert float(backward(one, forward(one, value))) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(st.sampled_from(list(ONE_OF_EACH)), st.floats(-5.0, 5.0))
def test_forward_undoes_backward(kind: str, there: float):
    one = ONE_OF_EACH[kind]
    assert float(forward(one, backward(one, there), 1e9)) == pytest.approx(there, rel=1e-5, abs=1e-5)


@given(st.sampled_from(list(ONE_OF_EACH)), st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_scales_keep_the_order(kind: str, value: float, more: float):
    one = ONE_OF_EACH[kind]
    assert forward(one, value + more, 50) > forward(one, value, 50)


@given(st.integers(1, 300), st.data())
def test_counts_have_exact_ninety_per_cent_limits(n: int, data: Any):
    k = data.draw(st.integers(0, n))
    found = published_estimate(endpoint("walk", "proportion", k / n, n=n, k=k))
    wanted = binomtest(k, n).proportion_ci(0.90, "exact")
    assert found.low_90 == pytest.approx(wanted.low, abs=1e-9)
    assert found.high_90 == pytest.approx(wanted.high, abs=1e-9)
    assert found.value == pytest.approx(math.log((k + 0.5) / (n - k + 0.5)))
    # The variance of the empirical log-odds, 1 / (k + 1/2) + 1 / (n - k + 1/2).
    assert found.standard_error == pytest.approx(math.sqrt(1 / (k + 0.5) + 1 / (n - k + 0.5)))


def test_a_share_of_n_without_a_count_is_taken_as_its_count():
    with_count = published_estimate(endpoint("walk", "proportion", 0.2, n=40, k=8))
    without = published_estimate(endpoint("walk", "proportion", 0.2, n=40))
    assert without.value == pytest.approx(with_count.value)
    assert without.standard_error == pytest.approx(with_count.standard_error)
    assert (without.low_90, without.high_90) == pytest.approx((with_count.low_90, with_count.high_90))


def test_a_share_of_nobody_knows_how_many_has_no_place_on_the_scale():
    with pytest.raises(ValueError, match="made: a share needs the number of people"):
        published_estimate(endpoint("walk", "proportion", 0.2))


def test_an_sd_and_n_give_the_standard_error_of_the_mean():
    found = published_estimate(endpoint("chop_intend", "mean_change", 4.0, sd=6.0, n=36))
    assert found.standard_error == pytest.approx(1.0)
    assert (found.low_90, found.high_90) == pytest.approx((4.0 - Z_90, 4.0 + Z_90))


def test_a_published_interval_of_95_per_cent_gives_the_error_on_the_scale_of_the_figure():
    on_a_line = published_estimate(
        endpoint("hfmse", "mean_change", 2.0, interval=(1.0, 3.5), interval_kind="published_95", n=20)
    )
    assert on_a_line.standard_error == pytest.approx(2.5 / (2 * Z_95))
    assert on_a_line.high_90 - on_a_line.low_90 == pytest.approx(2.5 * Z_90 / Z_95)
    ratio = published_estimate(
        endpoint("death", "hazard_ratio", 0.5, interval=(0.25, 1.0), interval_kind="published_95")
    )
    error = math.log(4.0) / (2 * Z_95)
    assert ratio.standard_error == pytest.approx(error)
    assert (ratio.low_90, ratio.high_90) == pytest.approx(
        (0.5 * math.exp(-Z_90 * error), 0.5 * math.exp(Z_90 * error))
    )


def test_the_interval_of_a_spread_comes_from_n():
    found = published_estimate(endpoint("hfmse", "sd", 9.0, n=51))
    assert found.value == pytest.approx(math.log(9.0))
    assert found.standard_error == pytest.approx(0.1)
    # Nearly the chi-squared interval of a standard deviation.
    assert (found.low_90, found.high_90) == pytest.approx((7.75, 10.8), abs=0.4)


def test_a_figure_alone_has_no_error():
    found = published_estimate(endpoint("pnfh_pg_per_ml", "median", 15400.0, n=117))
    assert (found.standard_error, found.low_90, found.high_90) == (None, None, None)


SCORED = [(name, one) for name in executable_studies() for one in load_study(name).endpoints]


def test_every_scored_endpoint_has_a_family_with_a_discrepancy():
    rules = load_calibration_rules()
    assert len(SCORED) > 100
    families = {f"{name}.{one.id}": family_of(one) for name, one in SCORED}
    assert {key: family for key, family in families.items() if family not in rules.discrepancy} == {}


def test_the_discrepancy_of_a_family_is_in_the_unit_of_the_scale_of_its_endpoints():
    rules, wrong = load_calibration_rules(), {}
    for name, one in SCORED:
        unit, kind = rules.discrepancy[family_of(one)].unit, kind_of(one)
        wanted = {"logit": "log-odds", "log": "log", "log_ratio": "log"}.get(kind)
        if (unit in ("log-odds", "log")) if wanted is None else (unit != wanted):
            wrong[f"{name}.{one.id}"] = family_of(one)
    assert wrong == {}


def test_every_scored_endpoint_is_a_number_with_an_error_or_a_size():
    for name, one in SCORED:
        found = published_estimate(one)
        assert math.isfinite(found.value), (name, one.id)
        assert found.standard_error is not None or load_study(name).patients(one, one.arm_run or one.arm) > 0
        if found.standard_error is not None:
            assert 0 < found.standard_error < math.inf, (name, one.id)
            assert found.low_90 is not None and found.high_90 is not None
            assert found.low_90 <= one.value <= found.high_90, (name, one.id)
