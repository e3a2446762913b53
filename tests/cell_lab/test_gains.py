"""Summaries keep ignorance and people apart; protocols are judged as written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm

from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.events import adverse_events_of_cells
from motorpool.cell_lab.gains import gain, summarised
from motorpool.cell_lab.measures import measures
from motorpool.cell_lab.protocol import not_dominated, regrets, variance_parts
from motorpool.cell_lab.protocols import all_axes, axes_from, cost_of, grid, read_prices
from motorpool.cell_lab.series import (
    GROUPS,
    Reading,
    likelihood,
    reported,
    surprise,
)
from motorpool.evidence.cell_series import absent_series, load_cell_series
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.therapies.courses import CellTherapy

HFMSE = measures()["hfmse"]


def test_ignorance_and_people_are_two_things():
    generator = np.random.default_rng(1)
    means, people = norm.ppf((np.arange(2000) + 0.5) / 2000), generator.normal(0.0, 5.0, (2000, 400))
    people -= people.mean(axis=1, keepdims=True)
    found = summarised(1.0 + 2.0 * means[:, None] + people, HFMSE)
    assert found["median"] == pytest.approx(1.0, abs=0.02)
    assert found["low_95"] == pytest.approx(1.0 - 1.96 * 2.0, abs=0.05)
    assert found["high_95"] == pytest.approx(1.0 + 1.96 * 2.0, abs=0.05)
    assert found["p_above_mcid"] == pytest.approx(norm.sf(1.0), abs=0.01)  # 3 points of HFMSE
    assert found["p_harm"] == pytest.approx(norm.cdf(-0.5), abs=0.01)
    assert found["ignorance_sd"] == pytest.approx(2.0, rel=0.02)
    assert found["between_people_sd"] == pytest.approx(5.0, rel=0.05)


def test_no_gain_is_neither_harm_nor_benefit():
    found = summarised(np.zeros((8, 5)), HFMSE)
    assert (found["median"], found["p_harm"], found["p_better"], found["p_above_mcid"]) == (
        0.0,
        0.0,
        0.0,
        0.0,
    )


def test_nobody_to_compare_is_said():
    assert summarised(np.full((3, 4), np.nan), HFMSE)["median"] is None


def test_a_gain_is_better_whatever_the_side_of_the_scale():
    less, more = np.array([[1.0]]), np.array([[2.0]])
    assert gain(more, less, HFMSE) > 0
    assert gain(less, more, measures()["cobb_degrees"]) > 0


def test_important_differences_are_those_of_the_catalogue_alone():
    for name, entry in load_outcome_catalogue().items():
        difference = entry.minimal_important_difference
        assert measures()[name].important == (None if difference is None else difference.value)
        assert difference is None or difference.sources


def test_regret_counts_against_giving_no_cells():
    benefit = np.array([[1.0, -1.0], [3.0, -2.0]])
    assert regrets(benefit) == pytest.approx(np.array([[2.0, 1.0], [0.0, 2.0]]))


def test_the_front_holds_what_nothing_beats():
    scores = np.array([[-2.0, 3.0], [-1.0, 1.0], [-1.0, 2.0], [0.0, 0.5]])
    assert not_dominated(scores).tolist() == [True, True, False, True]


def test_shares_of_the_spread():
    only_draws = variance_parts(np.tile([0.0, 1.0, 2.0], (4, 1)))
    assert only_draws["whether_cells_work"] == pytest.approx(1.0)
    only_protocols = variance_parts(np.tile([[0.0], [1.0]], (1, 3)))
    assert only_protocols["protocol"] == pytest.approx(1.0)
    product = variance_parts(np.outer([1.0, 2.0], [-1.0, 1.0]))
    assert product["both_together"] == pytest.approx(0.1) and product["protocol"] == pytest.approx(0.0)
    assert sum(variance_parts(np.zeros((2, 2))).values()) == 0.0


def test_a_single_dose_appears_once_whatever_the_interval():
    protocols = grid(all_axes(axes_from(["doses=1,3", "interval_weeks=2,4,8"])))
    assert len(protocols) == 4
    assert {protocol.weeks for protocol in protocols} == {0.0, 4.0, 8.0, 16.0}


@pytest.mark.parametrize(
    ("axis", "words"),
    [("dozes=1", "Did you mean doses?"), ("doses=", "at least one level"), ("doses=0", "doses")],
)
def test_an_axis_that_cannot_be_is_refused(axis: str, words: str):
    with pytest.raises(CellLabError) as caught:
        grid(all_axes(axes_from([axis])))
    assert words in str(caught.value)


def test_a_protocol_begins_after_enrolment_or_at_an_age_but_not_both():
    by_age = grid(all_axes(axes_from(["start_age_months=24"])))[0]
    start = by_age.course().start
    assert start is not None and start.age_months == 24
    assert "from 24 months of age" in by_age.words()
    later = grid(all_axes(axes_from(["start_months=12"])))[0].course().start
    assert later is not None and later.delay_days == pytest.approx(365.25)
    with pytest.raises(CellLabError, match="both say when to begin"):
        grid(all_axes(axes_from(["start_months=12", "start_age_months=24"])))


def test_what_has_no_price_is_named_and_never_guessed(tmp_path: Path):
    protocol = grid(all_axes(axes_from(["doses=3", "immunosuppression=true"])))[0]
    cost = cost_of(protocol, {})
    assert cost["without_a_price"] == ["Lumbar puncture", "Immunosuppressive drugs and their monitoring"]
    assert (cost["usd_low"], cost["usd_high"]) == (3 * 6000.0, 3 * 20700.0)
    file = tmp_path / "prices.yaml"
    file.write_text("lumbar_puncture: {usd: 900, source: own hospital}\n", encoding="utf-8")
    assert cost_of(protocol, read_prices(file))["usd_low"] == 3 * 6900.0
    file.write_text("lumbar_puncture: {usd: 900}\n", encoding="utf-8")
    with pytest.raises(CellLabError, match="lumbar_puncture: has no source"):
        read_prices(file)


def test_rare_harms_are_not_lost_and_grow_with_doses():
    cells = CellTherapy(therapy="cell_therapy")
    three = adverse_events_of_cells(cells, np.full(5, 3.0))
    six = adverse_events_of_cells(cells, np.full(5, 6.0))
    assert 0.0 < three["cell_tumour"]["p_at_least_one"] < 0.003
    assert three["cell_headache"]["p_at_least_one"] == pytest.approx(1 - (1 - 0.065) ** 3)
    assert six["cell_headache"]["p_at_least_one"] > three["cell_headache"]["p_at_least_one"]
    assert six["cell_tumour"] == three["cell_tumour"]  # once for a course
    by_vein = adverse_events_of_cells(
        CellTherapy(therapy="cell_therapy", route="intravenous"), np.full(5, 3.0)
    )
    assert "cell_headache" not in by_vein and "cell_fever" in by_vein
    silent = CellTherapy(therapy="cell_therapy", adverse_events=False)
    assert adverse_events_of_cells(silent, np.full(5, 3.0)) == {}


def figures(name: str, reading: str, changes: np.ndarray, seed: int = 1) -> np.ndarray:
    series = load_cell_series()[name]
    return reported(series, changes, changes, Reading(reading), np.random.default_rng(seed))


def test_counts_of_a_report_are_binomial(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("motorpool.cell_lab.series.model_error", lambda outcome: 0.0)
    changes = np.array([-1.0, -1.0, 2.0])  # one child in three rises
    series = load_cell_series()["andolina2012"]
    found = figures("andolina2012", "at_face_value", changes)
    exact = binom.pmf(4, 4, 1 / 3)
    assert surprise(series, found) == pytest.approx(exact, abs=4 * np.sqrt(exact / GROUPS))
    assert likelihood(series, found) == pytest.approx(exact, abs=5 * np.sqrt(exact / GROUPS))


def test_hope_and_selection_make_a_report_less_surprising():
    changes = np.random.default_rng(2).normal(-1.0, 4.0, 400)
    series = load_cell_series()["villanova_bach2015"]
    readings = ("at_face_value", "with_hope", "with_hope_and_selection")
    chances = [surprise(series, figures("villanova_bach2015", name, changes)) for name in readings]
    assert chances[0] <= chances[1] < chances[2]


def test_a_better_treated_group_makes_a_good_report_likelier():
    changes = np.random.default_rng(3).normal(-1.0, 4.0, 400)
    series = load_cell_series()["villanova_bach2015"]
    worse, better = (
        likelihood(series, figures("villanova_bach2015", "at_face_value", changes + shift))
        for shift in (0.0, 3.0)
    )
    assert better > worse


def test_what_cannot_be_simulated_is_named():
    assert "ucbmsc_shiyan2011" in absent_series()
    assert "ucbmsc_shiyan2011" not in load_cell_series()
