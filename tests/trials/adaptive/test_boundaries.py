"""Group-sequential boundaries and sizes: against rpact, simulation and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from motorpool.trials.adaptive.boundaries import (
    Boundaries,
    classical_boundaries,
    given_boundaries,
    monitor,
    spending_boundaries,
)
from motorpool.trials.adaptive.crossing import exit_probabilities
from motorpool.trials.adaptive.sample_size import (
    events_for_hazard_ratio,
    patients_for_means,
    patients_for_rates,
)
from motorpool.trials.adaptive.sequential_inference import sequential_estimate
from motorpool.trials.adaptive.spending import spent

ORACLES = Path(__file__).parents[2] / "oracles"
STAGE_WISE = "sequential_estimates_rpact.csv"
NAMES = {
    "asOF": "obrien_fleming",
    "asP": "pocock",
    "asKD": "kim_demets",
    "asHSD": "hwang_shih_decani",
    "bsOF": "obrien_fleming",
    "bsP": "pocock",
}


def of_table(design: str, information: list[float]) -> Boundaries:
    if design in ("OF", "P"):
        return classical_boundaries("obrien_fleming" if design == "OF" else "pocock", information)
    return spending_boundaries(NAMES[design], information)  # type: ignore[arg-type]


def test_every_row_of_rpacts_boundaries() -> None:
    table = pd.read_csv(ORACLES / "group_sequential_rpact.csv")
    for (design, looks), rows in table.groupby(["design", "looks"]):
        found = of_table(str(design), (np.arange(int(looks)) + 1) / int(looks))  # type: ignore[arg-type]
        np.testing.assert_allclose(
            found.efficacy_z, rows["critical_z"], atol=1e-7, err_msg=f"{design} {looks}"
        )
        np.testing.assert_allclose(
            found.alpha_spent, rows["alpha_spent"], rtol=1e-6, err_msg=f"{design} {looks}"
        )


def test_every_row_of_rpacts_futility_boundaries() -> None:
    table = pd.read_csv(ORACLES / "group_sequential_futility_rpact.csv")
    for (design, futility, binding), rows in table.groupby(["design", "futility", "binding"]):
        parameter = rows["parameter"].iloc[0]
        found = spending_boundaries(
            NAMES[design],  # type: ignore[arg-type]
            rows["information"].tolist(),
            parameter=1.0 if np.isnan(parameter) else parameter,
            futility=NAMES[futility],  # type: ignore[arg-type]
            beta=0.1,
            binding=bool(binding),
        )
        name = f"{design} {futility} {binding}"
        np.testing.assert_allclose(found.efficacy_z, rows["critical_z"], atol=1e-7, err_msg=name)
        np.testing.assert_allclose(
            found.futility_z[:-1], rows["futility_z"].iloc[:-1], atol=1e-7, err_msg=name
        )
        inflation, drift = found.inflation(0.9, 0.025), found.drift_for(0.9)
        assert inflation == pytest.approx(rows["inflation"].iloc[0], rel=1e-7)
        expected = inflation * found.expected_information(0.0), inflation * found.expected_information(drift)
        assert expected[0] == pytest.approx(rows["expected_null"].iloc[0], rel=1e-7)
        assert expected[1] == pytest.approx(rows["expected_alternative"].iloc[0], rel=1e-7)


def test_every_row_of_rpacts_sizes() -> None:
    for row in pd.read_csv(ORACLES / "sample_size_rpact.csv").itertuples():
        if row.kind == "means":
            found = patients_for_means(row.effect, row.sd, power=row.power, ratio=row.ratio)
        elif row.kind == "rates":
            found = patients_for_rates(row.effect, row.sd, power=row.power, ratio=row.ratio)
        else:
            found = events_for_hazard_ratio(row.effect, power=row.power, ratio=row.ratio)
        assert found == pytest.approx(row.n_total, rel=2e-6)


def test_given_boundaries_say_what_alpha_they_spend() -> None:
    known = spending_boundaries("obrien_fleming", [0.4, 0.7, 1.0], futility="pocock", binding=True)
    again = given_boundaries(
        [0.4, 0.7, 1.0], known.efficacy_z.tolist(), known.futility_z.tolist(), binding=True
    )
    np.testing.assert_allclose(again.alpha_spent, known.alpha_spent, atol=1e-9)
    # Haybittle-Peto with 3 looks and 1.96 at the end spends a little more than 0.025.
    peto = given_boundaries([1 / 3, 2 / 3, 1.0], [3.0, 3.0, 1.96])
    assert 0.025 < peto.alpha_spent[-1] < 0.0265
    with pytest.raises(ValueError, match="futility_z not above efficacy_z"):
        given_boundaries([0.5, 1.0], [2.5, 2.0], [2.6, 2.0])


def test_one_look_is_the_fixed_test() -> None:
    for found in (classical_boundaries("pocock", [1.0]), spending_boundaries("obrien_fleming", [1.0])):
        assert found.efficacy_z[0] == pytest.approx(stats.norm.isf(0.025), abs=1e-9)
        assert found.inflation(0.8, 0.025) == pytest.approx(1.0, abs=1e-8)


def test_crossing_probabilities_of_two_looks_are_bivariate_normal() -> None:
    exits = exit_probabilities([0.4, 1.0], [-0.2, 0.0], [2.2, 1.9], drift=1.3)
    mean, correlation = 1.3 * np.sqrt([0.4, 1.0]), np.sqrt(0.4)
    assert exits.upper[0] == pytest.approx(stats.norm.sf(2.2 - mean[0]), rel=1e-10)
    both = stats.multivariate_normal(mean, [[1, correlation], [correlation, 1]])
    below = both.cdf([2.2, 1.9]) - both.cdf([-0.2, 1.9])
    assert exits.lower[1] == pytest.approx(below, abs=1e-5)
    assert exits.upper.sum() + exits.lower.sum() == pytest.approx(1.0, abs=1e-10)


def walks(drift: float, information: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    steps = np.diff(information, prepend=0.0)
    generator = np.random.default_rng(seed)
    return np.cumsum(
        generator.normal(drift * steps, np.sqrt(steps), (replicates, len(steps))), axis=1
    ) / np.sqrt(information)


@pytest.mark.slow
@pytest.mark.parametrize("binding", [True, False])
def test_error_and_power_in_simulated_walks(binding: bool) -> None:
    found = spending_boundaries("obrien_fleming", [0.4, 0.7, 1.0], futility="obrien_fleming", binding=binding)
    replicates = 10_000
    z = walks(0.0, found.information, replicates, 3)
    stop = np.full(3, -np.inf)
    heeded = monitor(z, found)
    ignored = monitor(z, spending_boundaries("obrien_fleming", [0.4, 0.7, 1.0]) if not binding else found)
    exact = exit_probabilities(found.information, found.futility_z, found.efficacy_z).upper.sum()
    assert exact == pytest.approx(0.025, abs=1e-9) if binding else exact < 0.025
    assert stats.binomtest(int(heeded.efficacy.sum()), replicates, float(exact)).pvalue > 0.001
    if not binding:  # alpha holds also for those who go on regardless
        assert exit_probabilities(found.information, stop, found.efficacy_z).upper.sum() == pytest.approx(
            0.025, abs=1e-9
        )
        assert stats.binomtest(int(ignored.efficacy.sum()), replicates, 0.025).pvalue > 0.001
    drift = found.drift_for(0.9)
    powered = monitor(walks(drift, found.information, replicates, 4), found)
    assert stats.binomtest(int(powered.efficacy.sum()), replicates, 0.9).pvalue > 0.001
    mean = found.information[powered.look].mean()
    assert mean == pytest.approx(found.expected_information(drift), abs=0.01)


@pytest.mark.slow
def test_corrected_estimates_cover_and_are_median_unbiased() -> None:
    found = spending_boundaries("obrien_fleming", [0.5, 0.75, 1.0], futility="pocock", binding=True)
    replicates, drift, unit = 2000, 2.0, 1.7
    z = walks(drift, found.information, replicates, 5)
    stop = monitor(z, found)
    error = unit / np.sqrt(found.information[stop.look])
    plain = z[np.arange(replicates), stop.look] * error
    corrected = sequential_estimate(plain, error, stop.look, found)
    covered = (corrected.low <= drift * unit) & (drift * unit <= corrected.high)
    assert stats.binomtest(int(covered.sum()), replicates, 0.95).pvalue > 0.001
    assert stats.binomtest(int((corrected.estimate > drift * unit).sum()), replicates, 0.5).pvalue > 0.001
    # The p value agrees with the boundary: below alpha exactly where efficacy was shown.
    np.testing.assert_array_equal(corrected.p_value_one_sided <= 0.025 + 1e-9, stop.efficacy)
    # The plain interval does not cover enough after stopping by design.
    assert np.abs(plain - drift * unit).__le__(1.96 * error).mean() < covered.mean()


def test_at_the_first_look_nothing_is_corrected() -> None:
    found = spending_boundaries("pocock", [0.5, 1.0])
    one = sequential_estimate([2.0], [0.5], [0], found)
    assert one.estimate[0] == pytest.approx(2.0, abs=1e-6)
    assert one.low[0] == pytest.approx(2.0 - 1.959964 * 0.5, abs=1e-5)
    assert one.p_value_one_sided[0] == pytest.approx(stats.norm.sf(4.0), rel=1e-6)


def test_monitoring_stops_at_the_first_crossing() -> None:
    found = Boundaries(
        information=np.array([0.5, 1.0]),
        efficacy_z=np.array([2.5, 2.0]),
        futility_z=np.array([0.0, 2.0]),
        alpha_spent=np.array([0.006, 0.025]),
        binding=False,
    )
    outcome = monitor(
        [[2.6, 1.0], [-0.1, 3.0], [1.0, 2.1], [1.0, 1.0], [np.nan, 2.2], [np.nan, np.nan]], found
    )
    assert outcome.look.tolist() == [0, 0, 1, 1, 1, 1]
    assert outcome.efficacy.tolist() == [True, False, True, False, True, False]
    assert outcome.futility.tolist() == [False, True, False, True, False, False]


@pytest.mark.parametrize("function", ["obrien_fleming", "pocock", "kim_demets", "hwang_shih_decani"])
def test_spending_rises_from_0_to_all(function: str) -> None:
    values = spent(function, np.linspace(0.0, 1.0, 21), 0.025, parameter=2.0)  # type: ignore[arg-type]
    assert values[0] == 0.0 and values[-1] == pytest.approx(0.025) and (np.diff(values) >= 0.0).all()


def test_impossible_requests_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"information is \[0.5, 0.4, 1.0\]; it must rise"):
        spending_boundaries("pocock", [0.5, 0.4, 1.0])
    with pytest.raises(ValueError, match="spending function is 'haybittle'"):
        spending_boundaries("haybittle", [0.5, 1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ratio is 0"):
        patients_for_means(1.0, 3.0, power=0.8, ratio=0.0)
    with pytest.raises(ValueError, match="no trial finds an effect of 0"):
        patients_for_means(0.0, 3.0, power=0.8)
    with pytest.raises(ValueError, match="hazard_ratio is 1"):
        events_for_hazard_ratio(1.0, power=0.8)
    with pytest.raises(ValueError, match=r"z has shape \(1, 3\); it must be \(replicates, 2\)"):
        monitor([[1.0, 2.0, 3.0]], spending_boundaries("pocock", [0.5, 1.0]))


def test_every_row_of_rpacts_final_estimates() -> None:
    for row in pd.read_csv(ORACLES / STAGE_WISE).itertuples():
        found = spending_boundaries(NAMES[row.design], [0.3, 0.6, 1.0])
        own = sequential_estimate([row.plain], [row.plain / row.z], [row.look - 1], found)
        assert own.estimate[0] == pytest.approx(row.median, abs=2e-5)
        assert own.low[0] == pytest.approx(row.low, abs=2e-5)
        assert own.high[0] == pytest.approx(row.high, abs=2e-5)
        assert own.p_value_one_sided[0] == pytest.approx(row.p_value, rel=1e-5)
