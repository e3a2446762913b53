"""Whole results of the laboratory: what they hold, that they agree with themselves, and that zero stays zero."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from motorpool.cell_lab import addon as addon_room
from motorpool.cell_lab.addon import Asked, addon
from motorpool.cell_lab.measures import measures
from motorpool.cell_lab.mechanisms import Mechanisms, stated_total
from motorpool.cell_lab.needed import needed
from motorpool.cell_lab.plan import base_plan
from motorpool.cell_lab.prior import probability_above
from motorpool.cell_lab.protocol import explore
from motorpool.cell_lab.protocols import axes_from
from motorpool.cell_lab.uncontrolled import _beliefs, _updated, read_uncontrolled
from motorpool.therapies.kinds import CELL_MECHANISMS

KEYS = {"median", "low_95", "high_95", "p_above_mcid", "p_harm"}


def silent(stage: str, share: float) -> None:
    assert 0.0 <= share <= 1.0


@pytest.fixture(scope="session")
def result() -> dict[str, Any]:
    plan = base_plan("cells_addon_sitters", patients=16, months=(6, 12))
    return addon(plan, Mechanisms(), Asked(draws=12, sobol_samples=4), silent)


def test_every_outcome_and_month_has_the_agreed_figures(result: dict[str, Any]):
    assert set(result["gain"]) == set(measures())
    for name, by_month in result["gain"].items():
        assert list(by_month) == ["6", "12"]
        for found in by_month.values():
            assert KEYS <= set(found)
            assert found["low_95"] <= found["median"] <= found["high_95"]
            for key in ("p_above_mcid", "p_harm"):
                assert found[key] is None or 0.0 <= found[key] <= 1.0
            assert (found["p_above_mcid"] is None) == (measures()[name].important is None)
    json.dumps(result, allow_nan=False)


def test_cells_come_beside_what_else_would_add(result: dict[str, Any]):
    others = result["comparisons"]
    assert set(others) == {"earlier_smn_therapy", "rehabilitation", "breathing_support"}
    early = others["earlier_smn_therapy"]["gain"]["hfmse"]["12"]["median"]
    assert early > others["rehabilitation"]["gain"]["hfmse"]["12"]["median"] > 0.0
    assert early > result["gain"]["hfmse"]["12"]["high_95"]


def test_injections_are_counted_whether_or_not_cells_work(result: dict[str, Any]):
    assert result["procedures"]["lumbar_puncture"]["per_person"] == pytest.approx(3.0, abs=0.2)
    assert result["adverse_events"]["cell_csf_pleocytosis"]["p_at_least_one"] > 0.5


def test_belief_and_biology_are_reported_apart(result: dict[str, Any]):
    table = result["elicited_prior"]["p_mean_gain_above"]
    assert (table["1.5"]["elicited"], table["3"]["elicited"]) == (0.08, 0.02)
    through = result["emergent_under_reference_protocol"]["p_mean_gain_above"]
    assert set(through) == set(table)
    # Sitters on a drug have few dying neurons to protect; one of twelve draws more or less is chance.
    assert through["1.5"] <= table["1.5"]["elicited"] + 1.0 / 12.0
    assert "never scaled" in result["emergent"]["meaning"]


def test_shares_name_every_unknown(result: dict[str, Any]):
    shares = result["sensitivity"]["shares"]
    assert {"total_effect_smd", "split_over_mechanisms", "biology", "factor_half_life_hours"} <= set(shares)
    unused = shares["neural_cell_half_life_hours"]  # the cells are mesenchymal
    assert unused["total"] == pytest.approx(0.0, abs=1e-9)


def test_people_are_divided_by_what_the_issue_is(result: dict[str, Any]):
    assert set(result["by"]) == {
        "age_at_start_months",
        "smn2_copies",
        "baseline_score",
        "motor_neurons_alive_percent",
    }
    ages = result["by"]["age_at_start_months"]["parts"]
    assert sum(part["people_of_all_draws"] for part in ages) == 16 * 12


def test_no_effect_gives_no_gain_anywhere_and_the_same_run_gives_the_same_numbers():
    plan = base_plan("cells_addon_sitters", patients=16, months=(6, 12))
    asked = Asked(draws=8, sobol_samples=0)
    first = addon(plan, stated_total(Mechanisms(), "none"), asked, silent)
    for by_month in first["gain"].values():
        for found in by_month.values():
            assert (found["median"], found["low_95"], found["high_95"]) == (0.0, 0.0, 0.0)
            assert found["p_harm"] in (0.0, None)
    assert first["procedures"]["lumbar_puncture"]["per_person"] > 2.0
    assert first["sensitivity"] is None
    again = addon(plan, stated_total(Mechanisms(), "none"), asked, silent)
    assert json.dumps(first) == json.dumps(again)


def test_the_effect_that_is_needed_gives_the_gain_that_is_wanted(monkeypatch: pytest.MonkeyPatch):
    from motorpool.cell_lab import needed as needed_room

    slopes = np.array([0.0, 4.0, 0.0, 2.0, 1.0])
    monkeypatch.setattr(
        needed_room, "mean_gain", lambda people, measure, visit, effects: float(slopes @ effects)
    )
    plan = base_plan("cells_addon_sitters", patients=16, months=(6, 12))
    found = needed(plan, biology=1, tell=silent, outcome="hfmse", wanted=3.0)
    by_name = dict(zip(CELL_MECHANISMS, slopes, strict=True))
    for name, slope in by_name.items():
        of = found["needed"][name]
        if slope * 3.0 < 3.0:
            assert of["needed_smd"] is None and of["prior_probability"] == 0.0
        else:
            assert of["needed_smd"] == pytest.approx(3.0 / slope, abs=2e-3)
    total = found["needed"]["total"]
    if total["needed_smd"] is not None:
        assert total["prior_probability"] == pytest.approx(probability_above(total["needed_smd"]))


def test_protocols_are_ranked_and_none_matters_without_an_effect():
    plan = base_plan("cells_addon_sitters", patients=16, months=(3, 6))
    axes = axes_from(["doses=1,6", "interval_weeks=2,4"])
    nothing = explore(
        plan, stated_total(Mechanisms(), "none"), tell=silent, axes=axes, biology=1, draws=4, search=0
    )
    assert "cells do nothing" in nothing["statement"]
    assert all(row["benefit_mean"] == 0.0 for row in nothing["protocols"])
    works = explore(
        plan, stated_total(Mechanisms(), "0.5"), tell=silent, axes=axes, biology=1, draws=4, search=8
    )
    best = works["protocols"][0]
    assert f"{best['benefit_mean']:+.2f} {works['unit']} of {works['outcome_label']}" in works["statement"]
    assert best["levels"]["doses"] >= 6 and best["mean_regret"] <= works["no_cells"]["mean_regret"]
    single = next(row for row in works["protocols"] if row["levels"]["doses"] == 1)
    assert single["benefit_mean"] < best["benefit_mean"]
    assert single["on_pareto_front"]  # fewest procedures
    assert any(row["found_by"] == "search" for row in works["protocols"])


def test_reports_that_say_nothing_leave_the_prior_as_it_is():
    total = np.linspace(-0.5, 1.0, 31)
    effects = np.tile(total[:, None] / 5.0, (1, 5))
    flat = {"one": {"r": np.zeros(31)}, "two": {"r": np.full(31, -3.0)}}
    assert _updated(total, effects, flat, "r")["total"] == pytest.approx(
        _beliefs(total, effects, np.ones(31))["total"]
    )
    telling = {**flat, "three": {"r": 4.0 * total}}
    moved = _updated(total, effects, telling, "r")
    assert moved["total"]["mean"] > 0.3
    assert moved["moved_by"]["three"] > 0.05
    assert moved["moved_by"]["one"] == pytest.approx(0.0, abs=1e-12)


def test_hope_moves_the_prior_less_than_a_report_at_face_value(monkeypatch: pytest.MonkeyPatch):
    from motorpool.cell_lab import uncontrolled
    from motorpool.evidence.cell_series import load_cell_series

    only = {"andolina2012": load_cell_series()["andolina2012"]}
    monkeypatch.setattr(uncontrolled, "load_cell_series", lambda: only)
    found = read_uncontrolled(people=16, draws=24, biology=1, seed=1, tell=silent)
    prior = found["prior"]["total"]["mean"]
    naive = found["posterior"]["at_face_value"]["total"]["mean"]
    hoping = found["posterior"]["with_hope"]["total"]["mean"]
    assert prior < naive
    assert abs(hoping - prior) < abs(naive - prior)
    chance = found["series"]["andolina2012"]["p_at_least_as_striking"]["without_effect"]
    assert chance["with_hope"] > chance["at_face_value"]


def test_the_reference_protocol_is_a_dose_a_month_for_a_year():
    cells = addon_room.reference_cells()
    assert cells.doses == 13
    assert cells.interval_weeks == pytest.approx(30 / 7)
