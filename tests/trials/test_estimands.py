"""Every strategy for every intercurrent event, on people to whom exactly one thing happens at a known time."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from motorpool.outcomes.milestones import MILESTONES
from motorpool.simulation.readout import EVENTS
from motorpool.trials.design import TrialDesign
from motorpool.trials.effects import true_effects
from motorpool.trials.estimand_values import changes, event_times, responses
from motorpool.trials.pool import VENTILATION
from motorpool.trials.replicate import TrialData, draw_trials
from motorpool.trials.truth import MODEL, NULL
from tests.support.trial_pools import CHANGE, design, made_up_pool

DRUG = "arms={cells: {therapies: [{therapy: nusinersen}]}, sham: {stand_in: sham_procedure}}"
STOP = "conduct.discontinue_per_year=0.3"
RESCUE = "conduct.rescue={outcome: hfmse, fall_at_least: 2, therapies: [{therapy: onasemnogene}]}"
UP = "{name: up, outcome: hfmse, measure: response, change_at_least: -60}"
SITS = "{name: sits, milestone: sit_5s, measure: response}"
EVENT = "{name: tube, event: %s, measure: time_to_event%s}"
WHEN = 7.0
CASES = [
    ("death", ("composite", "while_before")),
    ("permanent_ventilation", ("treatment_policy", "composite", "while_before")),
    ("discontinuation", ("treatment_policy", "composite", "while_before", "hypothetical")),
    ("rescue", ("treatment_policy", "composite", "while_before", "hypothetical")),
]


def other_event() -> str:
    """An event that is neither death nor ventilation."""
    return next(name for name in EVENTS if not any(word in name for word in ("death", "ventilation")))


def happened(key: str, strategy: str, method: str = "") -> TrialData:
    """Ten trials in which one thing happens to everybody in month 7, between the visits at 6 and at 12 months."""
    conduct = {"discontinuation": [DRUG, STOP], "rescue": [DRUG, RESCUE]}.get(key, [])
    trial = design(
        *conduct,
        f"estimand.intercurrent_events.{key}={strategy}",
        endpoints=f"[{CHANGE}, {UP}, {SITS}, {EVENT % (other_event(), method)}]",
    )
    data = draw_trials(trial, made_up_pool(trial), NULL, range(10))
    people = data.arm.shape
    events = np.full((len(EVENTS), *people), np.inf)
    changed = np.full(people, np.inf)
    scores = data.scores.copy()
    if key in ("death", "permanent_ventilation"):
        events[EVENTS.index("death" if key == "death" else VENTILATION)] = WHEN
        if key == "death":
            scores[:, 2] = np.nan
    else:
        changed = np.full(people, WHEN)
    milestones = np.zeros((len(MILESTONES), 3, *people), bool)
    milestones[:, : 2 if key == "death" else 3] = True
    return dataclasses.replace(
        data,
        scores=scores,
        event_months=events,
        change_months=changed,
        milestones=milestones,
        left_months=np.full(people, np.inf),
        seen=np.isfinite(scores[0]),
    )


@pytest.mark.parametrize(("key", "strategy"), [(key, one) for key, all_of in CASES for one in all_of])
def test_each_strategy_does_what_it_says(key: str, strategy: str) -> None:
    data = happened(key, strategy)
    change, up, sits, event = data.design.endpoints
    measured = np.moveaxis(data.scores[0] - data.baseline[0], 0, -1)
    found = changes(data, change)
    assert np.array_equal(found[..., 1], measured[..., 1])
    last = found[..., 2]
    times = event_times(data, event)
    responded = responses(data, up), responses(data, sits)
    if strategy == "composite":
        assert np.array_equal(last, -data.baseline[0])
        assert not any(one.any() for one in responded)
        assert (times.cause == 1).all() and (times.months == WHEN).all()
    elif strategy == "while_before":
        assert np.array_equal(last, measured[..., 1])
        assert all(one.all() for one in responded)
        assert (times.cause != 1).all() and (times.months == WHEN).all()
    elif strategy == "hypothetical":
        assert np.isnan(last).all()
        assert not any(one.any() for one in responded)
        assert (times.cause == 0).all() and (times.months == WHEN).all()
    else:
        assert np.array_equal(last, measured[..., 2])
        assert all(one.all() for one in responded)
        assert (times.cause == 0).all() and (times.months == 12.0).all()


@pytest.mark.parametrize("method", ["competing_risks", "gray"])
def test_death_is_a_rival_where_the_analysis_makes_it_one(method: str) -> None:
    data = happened("death", "composite", f", analysis: {method}")
    times = event_times(data, data.design.endpoints[3])
    assert (times.cause == 2).all() and (times.months == WHEN).all()


@pytest.mark.parametrize("key", ["death", "permanent_ventilation", "discontinuation", "rescue"])
def test_what_happens_after_leaving_the_study_is_not_known(key: str) -> None:
    data = dataclasses.replace(happened(key, "composite"), left_months=np.full((10, 100), 6.5))
    gone = data.seen.copy()
    gone[2] = False
    data = dataclasses.replace(data, seen=gone)
    assert np.isnan(changes(data, data.design.endpoints[0])[..., 2]).all()
    assert (event_times(data, data.design.endpoints[3]).cause == 0).all()
    assert not np.isnan(changes(data, data.design.endpoints[0], complete=True)[..., 2]).any()


def effect(trial: TrialDesign, **pool: Any) -> float:
    return true_effects(trial, made_up_pool(trial, people=2000, **pool), MODEL)["change/cells"]


def test_people_who_stop_live_on_without_their_therapy() -> None:
    endpoints = f"[{CHANGE}]"
    visits = "visits={months: [0, 3, 6, 9, 12]}"
    stays = design(DRUG, visits, endpoints=endpoints)
    stops = design(DRUG, visits, "conduct.discontinue_per_year=0.9", endpoints=endpoints)
    whole, policy = (effect(one, effect=4.0) for one in (stays, stops))
    assert whole == pytest.approx(4.0, abs=0.05)
    # Nine in ten stop within the year, at a third of it on average: about half of the effect is lost.
    assert 1.2 < policy < 2.8
    data = draw_trials(stops, made_up_pool(stops, effect=4.0), MODEL, range(20))
    assert (np.isfinite(data.change_months)).mean() == pytest.approx(0.8, abs=0.08)


def test_who_falls_is_rescued_in_any_arm_and_only_they_are() -> None:
    trial = design(DRUG, RESCUE, endpoints=f"[{CHANGE}]")
    pool = made_up_pool(trial, effect=3.0, spread=4.0)
    data = draw_trials(trial, pool, MODEL, range(20))
    without = draw_trials(design(DRUG, endpoints=f"[{CHANGE}]"), pool, MODEL, range(20))
    rescued = np.isfinite(data.change_months)
    fall = without.baseline[0] - without.scores[0, 1]
    assert np.array_equal(rescued, fall >= 2.0)
    assert rescued[data.arm == 1].mean() > rescued[data.arm == 0].mean() > 0.02
    gained = data.scores[0, 2] - without.scores[0, 2]
    assert gained[rescued].mean() == pytest.approx(3.0, abs=0.3)
    assert np.array_equal(data.scores[0, 2][~rescued], without.scores[0, 2][~rescued])
    halved = design(DRUG, RESCUE, "conduct.rescue.share=0.5", endpoints=f"[{CHANGE}]")
    half = np.isfinite(draw_trials(halved, pool, MODEL, range(20)).change_months)
    assert half.sum() == pytest.approx(0.5 * rescued.sum(), rel=0.2)
