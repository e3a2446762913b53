from __future__ import annotations

import warnings

import numpy as np
import pytest

from motorpool.simulation.comparators import arm_comparators
from motorpool.simulation.layers import (
    COLUMNS,
    KEYS,
    STATISTICS,
    Measure,
    columns_of,
    exact_statistics,
    knowledge,
    mean_over_last,
    quantiles_over_last,
)
from motorpool.simulation.summary import cohort_table, select, summarise, summary_table, value_of
from motorpool.simulation.survival_summary import survival_table
from tests.support.synthetic_results import small_dataset, synthetic_dataset


@pytest.fixture(scope="module")
def small():
    return summarise(small_dataset())


def hfmse(summary, measure, arm, layer, statistic, month=12.0):
    return value_of(
        summary,
        kind="outcome",
        quantity="hfmse",
        measure=measure,
        arm=arm,
        layer=layer,
        statistic=statistic,
        visit_month=month,
    )


def test_every_row_names_its_layer_and_who_is_counted(small):
    assert tuple(small.columns) == COLUMNS
    assert set(small["layer"]) == {"between_people", "knowledge", "chance"}
    assert (small["counted"] != "").all()
    assert (small["people"] > 0).all()


def test_scores_among_the_living_leave_the_dead_out(small):
    assert hfmse(small, "score_among_living", "plain", "knowledge", "mean") == pytest.approx((14 + 10) / 2)
    assert hfmse(small, "score_among_living", "plain", "between_people", "q50") == pytest.approx(12)
    counted = select(small, quantity="hfmse", measure="score_among_living", arm="plain", visit_month=12.0)
    assert set(counted["people"]) == {1.5}


def test_death_as_worst_counts_everybody(small):
    assert hfmse(small, "score_death_as_worst", "plain", "knowledge", "mean") == pytest.approx((14 + 5) / 2)
    low = hfmse(small, "score_death_as_worst", "plain", "knowledge", "q2.5")
    assert low == pytest.approx(5 + 0.025 * 9)


def test_change_from_enrolment(small):
    assert hfmse(small, "change_among_living", "plain", "knowledge", "mean") == pytest.approx((-1 - 2) / 2)
    assert hfmse(small, "change_among_living", "added", "between_people", "q50") == pytest.approx((2 - 1) / 2)


def test_paired_difference_is_per_person(small):
    assert hfmse(small, "difference_among_living", "added", "knowledge", "mean") == pytest.approx(1.5)
    assert hfmse(small, "difference_death_as_worst", "added", "knowledge", "mean") == pytest.approx(
        (3 + 11) / 2
    )
    difference = select(small, measure="difference_death_as_worst")
    assert set(difference["comparator"]) == {"plain"}
    assert set(difference["arm"]) == {"added"}


def test_shares_beyond_the_minimal_important_difference(small):
    better = "share_better_by_minimal_important_difference"
    worse = "share_worse_by_minimal_important_difference"
    assert hfmse(small, better, "added", "knowledge", "mean") == pytest.approx(0.5)
    assert hfmse(small, worse, "added", "knowledge", "mean") == 0.0


def test_chance_layer(small):
    assert hfmse(small, "score_among_living", "plain", "chance", "measurement_sd") == pytest.approx(0.0)
    error = hfmse(small, "score_among_living", "plain", "chance", "monte_carlo_standard_error")
    assert error == pytest.approx(np.sqrt((36 / 2 + 0) / 2 / 2))
    scatter = value_of(
        small,
        kind="event",
        quantity="death",
        measure="event_free_share",
        arm="plain",
        visit_month=12.0,
        statistic="binomial_sd_of_100_people",
    )
    assert scatter == pytest.approx(np.sqrt(100 * 0.75 * 0.25))


def test_events_milestones_and_adverse_events(small):
    alive = {"kind": "event", "quantity": "death", "measure": "event_free_share", "statistic": "mean"}
    assert value_of(small, **alive, arm="plain", visit_month=12.0) == pytest.approx(0.75)
    assert value_of(small, **alive, arm="added", visit_month=12.0) == pytest.approx(1.0)
    walk = {"kind": "milestone", "quantity": "walk", "statistic": "mean", "visit_month": 12.0, "arm": "added"}
    assert value_of(small, **walk, measure="able_share") == pytest.approx(0.25)
    assert value_of(small, **walk, measure="ever_share") == pytest.approx(0.25)
    ache = {"kind": "adverse_event", "quantity": "headache", "statistic": "mean"}
    assert value_of(small, **ache, arm="added", measure="rate_per_year_lived") == pytest.approx(1.0)
    assert value_of(small, **ache, arm="added", measure="share_affected") == pytest.approx(0.75)
    assert value_of(small, **ache, arm="plain", measure="rate_per_year_lived") == 0.0


def test_one_draw_has_no_knowledge_range():
    summary = summarise(small_dataset().isel(draw=[0]))
    assert set(summary[summary["layer"] == "knowledge"]["statistic"]) == {"mean"}


def test_doubt_about_parameters_does_not_widen_the_spread_between_people():
    people = np.linspace(-1, 1, 101)
    values = np.stack([people, people + 100.0])
    measure = Measure({}, {"arm": ["one"]}, values[None], "number")
    row = columns_of(measure, exact_statistics(measure))
    assert row["between_people.q97.5"] - row["between_people.q2.5"] == pytest.approx(1.9)
    assert knowledge(values)["q97.5"] - knowledge(values)["q2.5"] == pytest.approx(95.0)


def test_shares_equal_kaplan_meier_and_aalen_johansen():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import AalenJohansenFitter, KaplanMeierFitter

        data = synthetic_dataset(patients=60, draws=1)
        months = np.array([3.0, 7.7, 12.0, 20.0, 24.0])
        arm = "untreated"
        times = data["event_time_years"].sel(arm=arm, draw=0) * 12.0
        whole = np.asarray(times.sel(event="death_or_permanent_ventilation_16h_21d"))
        fitter = KaplanMeierFitter().fit(np.minimum(whole, 24.0), whole <= 24.0)
        death, niv = np.asarray(times.sel(event="death")), np.asarray(times.sel(event="niv_start"))
        first = np.minimum(death, niv)
        kind = np.where(first > 24.0, 0, np.where(niv <= death, 1, 2))
        competing = AalenJohansenFitter(calculate_variance=False, seed=1)
        competing.fit(np.minimum(first, 24.0), kind, event_of_interest=1)
        incidence = competing.cumulative_density_.iloc[:, 0]
        expected = [float(incidence[incidence.index <= month + 1e-4].iloc[-1]) for month in months]

    def shares(event, measure):
        table = survival_table(data, event, months)
        return select(table, arm=arm, measure=measure)["knowledge.mean"].to_numpy()

    ours = shares("death_or_permanent_ventilation_16h_21d", "event_free_share")
    np.testing.assert_allclose(ours, fitter.predict(months).to_numpy(), atol=1e-9)
    np.testing.assert_allclose(shares("niv_start", "cumulative_incidence"), expected, atol=1e-6)


def test_cells_are_compared_with_the_same_plan_without_cells():
    comparators = arm_comparators(synthetic_dataset(patients=5, draws=1))
    assert comparators == {
        "nusinersen": "untreated",
        "nusinersen_and_cells": "nusinersen",
        "risdiplam": "untreated",
    }


def test_summary_does_not_depend_on_the_order_of_arms():
    data = synthetic_dataset(patients=20, draws=2, visits=3)
    keys = [name for name in COLUMNS if name != "value"]
    first = summarise(data).sort_values(keys).reset_index(drop=True)
    turned = summarise(data.isel(arm=[3, 1, 0, 2])).sort_values(keys).reset_index(drop=True)
    assert first.equals(turned)


def test_value_of_refuses_an_ambiguous_question(small):
    with pytest.raises(ValueError, match="name more columns"):
        value_of(small, quantity="hfmse")


def test_cohort_table_says_who_is_in_it():
    table = cohort_table(small_dataset()).set_index("trait")
    assert table.loc["SMN2 copies", "summary"] == "3: 100 %"
    assert "female: 50 %" in table.loc["Sex", "summary"]
    assert table.loc["Age at enrolment", "summary"].startswith("24.0")


def test_table_and_tidy_form_hold_the_same_numbers():
    data = synthetic_dataset(patients=15, draws=3, visits=3)
    table, tidy = summary_table(data), summarise(data)
    assert list(table.columns) == [*KEYS, *STATISTICS]
    assert len(tidy) == table[list(STATISTICS)].notna().sum().sum()
    row = table.iloc[7]
    keys = {name: row[name] for name in KEYS if name not in ("people", "draws", "counted", "unit")}
    found = select(tidy, **keys)
    for name in STATISTICS:
        layer, statistic = name.split(".", 1)
        values = select(found, layer=layer, statistic=statistic)["value"].tolist()
        assert values == ([] if np.isnan(row[name]) else [row[name]])


def test_quantiles_and_means_equal_numpy_and_ignore_nan():
    random = np.random.default_rng(3)
    values = random.normal(size=(4, 3, 25))
    values[random.random(values.shape) < 0.3] = np.nan
    wanted = (0.0, 0.025, 0.31, 0.5, 0.9, 1.0)
    np.testing.assert_allclose(
        quantiles_over_last(values, wanted), np.nanquantile(values, wanted, axis=-1), rtol=1e-12
    )
    np.testing.assert_allclose(mean_over_last(values), np.nanmean(values, axis=-1), rtol=1e-12)
    nobody = np.full((2, 5), np.nan)
    assert np.isnan(quantiles_over_last(nobody, wanted)).all()
    assert np.isnan(mean_over_last(nobody)).all()
    one = np.array([[np.nan, 4.0, np.nan]])
    np.testing.assert_array_equal(quantiles_over_last(one, (0.1, 0.9)), [[4.0], [4.0]])


def test_losing_an_ability_is_counted_among_those_who_have_it_at_enrolment():
    data = synthetic_dataset(patients=20, draws=2, visits=3, months_between_visits=6.0)
    status = data["milestone_status"].values.copy()
    sit = [str(name) for name in data["milestone"].values].index("sit_10s")
    status[:, :, :, 0, sit] = False
    status[:, :, :5, 0, sit] = True
    data["milestone_status"] = (data["milestone_status"].dims, status)
    times = data["event_time_years"].values.copy()
    place = [str(name) for name in data["event"].values].index("loss_of_sitting")
    times[..., place] = np.inf
    times[:, :, 0, place] = 0.25
    data["event_time_years"] = (data["event_time_years"].dims, times)
    rows = select(summary_table(data), quantity="loss_of_sitting", measure="cumulative_incidence")
    assert set(rows["people"]) == {5.0}
    assert set(rows[rows["visit_month"] == 12.0]["knowledge.mean"]) == {0.2}
    assert rows["counted"].str.contains("with the ability at enrolment").all()
    status[:, :, :, 0, sit] = False
    data["milestone_status"] = (data["milestone_status"].dims, status)
    assert select(summary_table(data), quantity="loss_of_sitting").empty


def test_shares_are_compared_with_the_comparator_person_by_person():
    data = synthetic_dataset(patients=30, draws=3)
    table = summary_table(data)
    fixed = {"kind": "event", "quantity": "death", "visit_month": 24.0}
    shares = select(table, **fixed, measure="event_free_share").set_index("arm")["knowledge.mean"]
    differences = select(table, **fixed, measure="difference_event_free_share").set_index("arm")
    assert dict(differences["comparator"])["nusinersen_and_cells"] == "nusinersen"
    for arm, row in differences.iterrows():
        assert row["knowledge.mean"] == pytest.approx(shares[arm] - shares[row["comparator"]])
    width = differences["knowledge.q97.5"] - differences["knowledge.q2.5"]
    assert (width >= 0).all()
