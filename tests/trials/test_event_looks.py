"""Trials cut after so many events or at a date: rpact's boundaries and events, known courses, and refusals."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.readout import EVENTS
from motorpool.trials.adam import adam_tables
from motorpool.trials.adaptive.boundaries import given_boundaries
from motorpool.trials.analysed import analyse_trials
from motorpool.trials.analysis import analyse
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign
from motorpool.trials.event_looks import ended_by_cut, event_boundaries
from motorpool.trials.pool import Pool
from motorpool.trials.replicate import draw_trials
from motorpool.trials.rule_words import rule_words
from motorpool.trials.truth import MODEL, NULL
from tests.support.trial_pools import CHANGE, DEATH, design, made_up_pool

ORACLES = Path(__file__).parents[1] / "oracles"
LOOKS = "interims={information: [0.5], efficacy: %s}"
FAST = "accrual={patients_per_month: 12}"


def survival(*changes: str, endpoints: str = f"[{DEATH}]") -> TrialDesign:
    return design("patients=300", "visits={months: [0, 12, 36]}", FAST, *changes, endpoints=endpoints)


def dying(trial: TrialDesign, ratio: float, people: int = 4000) -> Pool:
    """People who die at a rate of 5 in 100 a month, times `ratio` with cells; what is luck has no other meaning."""
    pool = made_up_pool(trial, people=people)
    luck = np.random.default_rng(5).standard_exponential(people)
    lives = dict(pool.lives)
    for name, times in (("cells", ratio), ("sham", 1.0)):
        events = lives[name].event_months.copy()
        events[EVENTS.index("death")] = luck / (0.05 * times)
        lives[name] = dataclasses.replace(lives[name], event_months=events)
    return dataclasses.replace(pool, lives=lives)


def test_boundaries_at_looks_by_events_are_rpacts() -> None:
    table = pd.read_csv(ORACLES / "group_sequential_rpact.csv")
    for shape, name in (("obrien_fleming", "asOF"), ("pocock", "asP")):
        for looks, rows in table[table["design"] == name].groupby("looks"):
            events = tuple(60 * (k + 1) for k in range(int(looks)))  # type: ignore[arg-type]
            found = event_boundaries(shape, events[:-1], events[-1], events[-1], 0.025)
            assert found is not None
            np.testing.assert_allclose(found.efficacy_z, rows["critical_z"], atol=1e-7)


def test_fewer_events_than_planned_leave_the_looks_as_they_were_and_keep_the_error() -> None:
    planned = event_boundaries("obrien_fleming", (40, 80), 120, 120, 0.025)
    fewer = event_boundaries("obrien_fleming", (40, 80), 120, 95, 0.025)
    assert planned is not None and fewer is not None
    np.testing.assert_allclose(fewer.efficacy_z[0], planned.efficacy_z[0], atol=1e-9)
    assert fewer.efficacy_z[2] < planned.efficacy_z[2]  # nearly the same people are looked at again
    spent = given_boundaries([40 / 95, 80 / 95, 1.0], list(fewer.efficacy_z)).alpha_spent
    assert spent[-1] == pytest.approx(0.025, abs=1e-8)
    early = given_boundaries([40 / 120, 80 / 120, 1.0], list(planned.efficacy_z)).alpha_spent
    np.testing.assert_allclose(spent[:2], early[:2], rtol=2e-6)


def test_rpacts_number_of_events_gives_its_power_and_no_effect_the_error() -> None:
    table = pd.read_csv(ORACLES / "sample_size_rpact.csv")
    row = table[(table["kind"] == "survival_events") & (table["effect"] == 0.53)].iloc[0]
    events = int(np.ceil(row["n_total"]))
    trial = survival(f"data_cut={{events: {events}}}")
    pool = dying(trial, 0.53)
    found = analyse_trials(draw_trials(trial, pool, MODEL, range(800)))
    assert (found["events"] == events).all()
    # Schoenfeld's number is for small effects: simulated power lies within a few points of it.
    assert found["death/cells/significant"].mean() == pytest.approx(row["power"], abs=0.04)
    null = analyse_trials(draw_trials(trial, pool, NULL, range(800)))
    assert null["death/cells/significant"].mean() == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 800) ** 0.5)


def test_looks_come_after_their_events_stop_early_and_keep_the_error() -> None:
    trial = survival("data_cut={events: 100}", LOOKS % "pocock")
    pool = dying(trial, 0.5)
    data = draw_trials(trial, pool, MODEL, range(300))
    end = ended_by_cut(data, 0.05)
    early = end.stopped == 1
    assert 0.3 < early.mean() < 0.95 and set(end.facts["events"][early]) == {50.0}
    assert set(end.facts["events"][~early]) == {100.0}
    found = analyse_trials(data)
    assert found["months"][early].mean() < found["months"][~early].mean() - 4
    assert found["patients"][early].mean() < found["patients"][~early].mean()
    assert course_of(trial, found)["stopped"][0]["efficacy"]["value"] == pytest.approx(early.mean())
    # Those who stopped look better than they are; the adjusted estimate is median unbiased.
    naive, adjusted = found["death/cells/estimate"], found["death/cells/adjusted_estimate"]
    assert np.abs(np.mean(adjusted < np.log(0.5)) - 0.5) < 3 * 0.5 / 300**0.5
    assert naive[early].mean() < np.log(0.5) - 0.05
    null = analyse_trials(draw_trials(trial, pool, NULL, range(800)))
    assert null["death/cells/significant"].mean() == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 800) ** 0.5)


def test_a_cut_censors_who_is_still_followed_and_leaves_out_visits_that_are_not_due() -> None:
    trial = survival("data_cut={months: 20}", endpoints=f"[{DEATH}, {CHANGE}]")
    pool = dying(trial, 1.0)
    data = draw_trials(trial, pool, MODEL, range(20))
    found = analyse_trials(data)
    assert (found["months"] == 20.0).all()
    death = data.event_months[EVENTS.index("death")]
    until = np.minimum(36.0, 20.0 - data.entry_months)
    events = ((death <= until) & (until > 0.0)).sum(axis=1)
    np.testing.assert_array_equal(found["events"], events)
    np.testing.assert_array_equal(found["patients"], (data.entry_months < 20.0).sum(axis=1))
    early = data.entry_months + 12.0 <= 20.0
    assert 0.1 < early.mean() < 0.9
    wanted = analyse(data, trial.endpoints[1], "cells", among=early)
    np.testing.assert_allclose(found["change/cells/estimate"], wanted.estimate)
    tables = adam_tables(trial, data, pool, found["months"])
    assert len(tables["ADSL"]) == found["patients"].sum() and "ONGOING" in set(tables["ADSL"]["EOSSTT"])
    assert (tables["ADTTE"].query("PARAMCD.str.startswith('DEATH')")["CNSR"] == 0).sum() == events.sum()


def test_a_trial_that_never_has_so_many_events_ends_when_everybody_has_been_followed() -> None:
    trial = survival("data_cut={events: 299}", LOOKS % "obrien_fleming")
    data = draw_trials(trial, dying(trial, 1.0), NULL, range(200))
    end = ended_by_cut(data, 0.05)
    went_on = end.stopped == 0
    assert (end.facts["events"][went_on] < 299).all() and end.cut_months is not None
    last = data.entry_months[:, -1] + 36.0
    np.testing.assert_allclose(end.cut_months[went_on], last[went_on])
    estimate, significant = end.first["cells"]
    fixed = np.abs(estimate.normal_statistic) >= norm.isf(0.025)
    assert not (significant & ~fixed)[went_on].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["data_cut={}"], "data_cut: .*must have either events or months"),
        (["data_cut={events: 100, months: 20}"], "must have either events or months"),
        (["data_cut={events: 301}"], r"data_cut\.events: .*more than the 300 people"),
        (["data_cut={months: 20}", LOOKS % "pocock"], r"interims: need data_cut\.events"),
        (["data_cut={events: 3}", LOOKS % "pocock", "interims.information=[0.1]"], "come after 1 of 3 events"),
        (
            ["data_cut={events: 90}", "endpoints=[{name: a, outcome: hfmse, measure: change}]"],
            r"data_cut\.events: .*needs a first endpoint whose information is its events \(logrank, cox, gray\)",
        ),
        (
            ["data_cut={events: 90}", "reestimation={method: promising_zone, at: 0.5, largest_factor: 2, "
             "promising_from: 0.3}"],
            "reestimation: cannot stand beside data_cut: the size is set anew by people who",
        ),
    ],
)  # fmt: skip
def test_what_a_cut_cannot_do_is_refused(changes: list[str], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        survival(*changes)


def test_words_say_what_the_cut_does() -> None:
    words = dict(rule_words(survival("data_cut={events: 100}", LOOKS % "pocock")))
    assert words["Looks"].startswith("after 50 of the 100 events; a result beyond a Pocock")
    assert "after 100 events of the first endpoint" in words["End of the trial"]
