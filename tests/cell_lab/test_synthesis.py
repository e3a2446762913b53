"""Meta-analysis: metafor's numbers, limits that are known exactly, and effects derived from published summaries."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from motorpool.cell_lab.effects import bias_adjusted, effect_of, open_label_inflation
from motorpool.cell_lab.synthesis import SynthesisError, synthesise
from motorpool.evidence.cell_studies import load_cell_studies
from motorpool.evidence.records import EvidenceError

ORACLES = Path(__file__).parents[1] / "oracles"


def inputs(case: str) -> tuple[list[float], list[float]]:
    name = "meta_inputs_bcg.csv" if case == "bcg" else "meta_inputs_small.csv"
    with (ORACLES / name).open() as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == case]
    return [float(row["yi"]) for row in rows], [float(row["vi"]) for row in rows]


def oracle_rows() -> list[dict[str, str]]:
    with (ORACLES / "meta_analysis_metafor.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", oracle_rows(), ids=lambda row: f"{row['case']}-{row['method']}-{row['test']}")
def test_metafor_is_met(row: dict[str, str]) -> None:
    effects, variances = inputs(row["case"])
    interval = "normal" if row["test"] == "z" else "hartung_knapp"
    found = synthesise(effects, variances, row["method"], interval)  # type: ignore[arg-type]
    assert found.k == int(row["k"])
    # metafor stops its iterations at a change of 1e-5 of tau2 (REML) or 1e-4 (PM); all else follows from tau2
    loose = {"rel": 1e-4, "abs": 1e-7}
    pairs = {
        "estimate": found.estimate,
        "se": found.standard_error,
        "ci_low": found.low,
        "ci_high": found.high,
        "tau2": found.tau2,
        "q": found.q,
        "i2": found.i2_percent,
        "pi_low": found.predictive_low,
        "pi_high": found.predictive_high,
    }
    for name, value in pairs.items():
        if row[name] == "NA":
            assert value is None
        else:
            assert value == pytest.approx(float(row[name]), **loose), name


def test_the_interval_of_tau2_is_that_of_metafors_manual() -> None:
    """metafor's documentation of `confint` gives 0.1197 to 1.1115 for the BCG trials."""
    found = synthesise(*inputs("bcg"))
    assert (found.tau2_low, found.tau2_high) == (
        pytest.approx(0.1197, abs=1e-4),
        pytest.approx(1.1115, abs=1e-4),
    )


def test_the_q_profile_ends_where_q_meets_its_quantiles() -> None:
    y, v = (np.asarray(part) for part in inputs("bcg"))
    found = synthesise(list(y), list(v))
    for tau2, share in ((found.tau2_low, 0.975), (found.tau2_high, 0.025)):
        w = 1.0 / (v + tau2)
        q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
        assert q == pytest.approx(chi2.ppf(share, y.size - 1), rel=1e-6)


def test_equal_effects_give_that_effect_and_no_heterogeneity() -> None:
    found = synthesise([0.3, 0.3, 0.3], [0.04, 0.02, 0.08], interval="normal")
    assert found.estimate == pytest.approx(0.3)
    assert found.tau2 == found.i2_percent == 0.0
    assert found.standard_error == pytest.approx(1.0 / math.sqrt(1 / 0.04 + 1 / 0.02 + 1 / 0.08))
    assert (found.predictive_low, found.predictive_high) == pytest.approx((found.low, found.high))


def test_hartung_knapp_can_be_kept_from_being_too_sure() -> None:
    effects, variances = inputs("four")
    plain = synthesise(effects, variances)
    kept = synthesise(effects, variances, interval="hartung_knapp_at_least_normal")
    normal = synthesise(effects, variances, interval="normal")
    assert plain.high - plain.low < normal.high - normal.low < kept.high - kept.low
    spread = inputs("three")
    assert synthesise(*spread, interval="hartung_knapp_at_least_normal") == synthesise(*spread)


@given(
    st.lists(
        st.tuples(st.floats(-2, 2), st.floats(0.005, 1.0)),
        min_size=2,
        max_size=8,
    ),
    st.floats(-3, 3),
    st.floats(0.2, 5),
)
@settings(max_examples=40, deadline=None)
def test_shift_scale_and_order(pairs: list[tuple[float, float]], shift: float, scale: float) -> None:
    y, v = [p[0] for p in pairs], [p[1] for p in pairs]
    base = synthesise(y, v)
    moved = synthesise([scale * one + shift for one in reversed(y)], [scale**2 * one for one in reversed(v)])
    assert moved.estimate == pytest.approx(scale * base.estimate + shift, abs=2e-4 * scale)
    assert moved.tau2 == pytest.approx(scale**2 * base.tau2, rel=1e-3, abs=1e-5 * scale**2)
    assert min(y) - 1e-9 <= base.estimate <= max(y) + 1e-9
    assert 0.0 <= base.i2_percent <= 100.0
    assert base.predictive_low is not None and base.predictive_high is not None
    assert base.predictive_low <= base.low <= base.high <= base.predictive_high


@pytest.mark.parametrize(
    ("effects", "variances", "words"),
    [
        ([0.1], [0.1], "two or more"),
        ([0.1, 0.2], [0.1], "two or more"),
        ([0.1, 0.2], [0.1, 0.0], "above zero"),
    ],
)
def test_what_cannot_be_put_together_is_refused(
    effects: list[float], variances: list[float], words: str
) -> None:
    with pytest.raises(SynthesisError, match=words):
        synthesise(effects, variances)


def test_effects_from_published_summaries() -> None:
    studies = load_cell_studies().studies
    # 0.36 points of 6, n 98 and 98
    assert effect_of(studies["nurown_phase3"]).smd == pytest.approx(0.06, abs=0.001)
    # z of 3.38 (1.23 to 5.54) times the root of 1/33 + 1/31: about 0.77, as the digest of the evidence derives
    assert effect_of(studies["oh2018"]).smd == pytest.approx(0.77, abs=0.015)
    assert effect_of(studies["amanat2021"]).smd == pytest.approx(0.58, abs=0.015)
    # log odds ratio of 33 % against 37 % is -0.18
    shares = effect_of(studies["mscnp_phase2"])
    assert shares.smd * math.pi / math.sqrt(3.0) == pytest.approx(-0.18, abs=0.005)
    alike = effect_of(studies["alsummit"])
    assert (alike.smd, alike.variance) == (0.0, pytest.approx(1 / 69 + 1 / 46))
    # a p value comes back from the effect derived from it
    hope = studies["hope3"]
    found = effect_of(hope)
    z = found.smd / (1.0 - 3.0 / (4.0 * 104 - 1.0)) / math.sqrt(2.0 / 53)
    assert 2.0 * norm.sf(z) == pytest.approx(0.03)
    with pytest.raises(EvidenceError, match="no contrast"):
        effect_of(studies["andolina2012"])


def test_only_open_label_effects_are_lowered() -> None:
    studies = load_cell_studies().studies
    mean, sd = open_label_inflation()
    assert (mean, sd) == (0.5, 0.3)
    blinded = effect_of(studies["nurown_phase3"])
    assert bias_adjusted(studies["nurown_phase3"], blinded) == blinded
    before = effect_of(studies["oh2018"])
    after = bias_adjusted(studies["oh2018"], before)
    assert after.smd == pytest.approx(before.smd - mean)
    assert after.variance == pytest.approx(before.variance + sd**2)
