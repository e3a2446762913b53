"""Rules of a design file that change a trial while it runs, on people whose courses and harms are known."""

import numpy as np
import pytest

from motorpool.simulation.errors import ScenarioError
from motorpool.trials.blocks import run_replicates
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign
from motorpool.trials.reallocation import conduct_trials
from motorpool.trials.replicate import draw_trials
from motorpool.trials.rule_words import rule_words
from motorpool.trials.truth import MODEL, NULL, Truth
from tests.support.trial_pools import CHANGE, design, made_up_pool

NOMINAL = (0.05 * 0.95 / 1000) ** 0.5
DROP = "arm_dropping={at: 0.5, keep_best: 1}"
BLINDED = "reestimation={method: blinded_variance, at: 0.5, largest_factor: 3, effect: 1.5, power: 0.9}"
PROMISING = (
    "reestimation={method: promising_zone, at: 0.5, largest_factor: 2, promising_from: 0.3, power: 0.9}"
)
HARM = (
    "safety={adverse_events: [cell_fever], every_treated: 5, acceptable_risk: 0.2, certainty: 0.9, "
    "prior_events: 0.2, prior_without: 0.8}"
)
THREE = (
    "arms={one: {therapies: [{therapy: cell_therapy, doses: 1}]}, "
    "two: {therapies: [{therapy: cell_therapy, doses: 2}]}, "
    "three: {therapies: [{therapy: cell_therapy, doses: 3}]}, sham: {stand_in: sham_procedure}}"
)


def alone(*changes: str) -> TrialDesign:
    return design(*changes, endpoints=f"[{CHANGE}]")


def test_a_blinded_look_raises_the_size_where_the_spread_is_larger_and_power_follows() -> None:
    trial, plain = alone(BLINDED, "patients=60"), alone("patients=60")
    narrow, wide = (made_up_pool(trial, effect=1.5, spread=spread) for spread in (0.5, 3.0))
    small, large = (run_replicates(trial, pool, MODEL, range(150)) for pool in (narrow, wide))
    assert small["patients"].mean() < large["patients"].mean() - 30
    assert large["patients"].max() <= trial.most_patients == 180
    assert large["change/cells/significant"].mean() > 0.25 + (
        run_replicates(plain, wide, MODEL, range(150))["change/cells/significant"].mean()
    )
    course = course_of(trial, large)
    assert course["size_raised"]["value"] > 0.9 and course["patients"]["value"] > 100
    longer = large["months"][large["patients"] > 150].mean()
    assert longer > large["months"][large["patients"] < 120].mean()


def test_the_promising_zone_raises_the_size_and_its_combination_test_keeps_the_error() -> None:
    trial = alone(PROMISING, "patients=60")
    pool = made_up_pool(trial, effect=1.2, spread=2.0)
    null = run_replicates(trial, pool, NULL, range(1000))
    assert null["change/cells/significant"].mean() == pytest.approx(0.05, abs=3 * NOMINAL)
    found = run_replicates(trial, pool, MODEL, range(300))
    raised = found["zone"] == 1
    assert 0.1 < raised.mean() < 0.9
    assert (found["patients"][~raised] == 60).all() and (found["patients"][raised] > 60).mean() > 0.9
    plain = run_replicates(alone("patients=60"), pool, MODEL, range(300))
    gain = found["change/cells/significant"].astype(float) - plain["change/cells/significant"]
    assert gain[raised].mean() > 0.1
    zones = course_of(trial, found)["zones"]
    assert sum(zone["value"] for zone in zones.values()) == pytest.approx(1.0)


def test_harm_stops_the_trial_which_is_then_not_won() -> None:
    trial = alone(HARM, "accrual={patients_per_month: 2}")
    harmless = made_up_pool(trial, effect=3.0, harm={"cells": 0.05, "sham": 0.9})
    harmful = made_up_pool(trial, effect=3.0, harm={"cells": 0.6, "sham": 0.0})
    good, bad = (run_replicates(trial, pool, MODEL, range(100)) for pool in (harmless, harmful))
    assert (good["stopped"] == 3).mean() < 0.15 and good["change/cells/success"].mean() > 0.8
    assert (bad["stopped"] == 3).all() and not bad["change/cells/success"].any()
    assert not bad["change/cells/significant"].any()
    assert bad["patients"].mean() < 80 and bad["months"].mean() < good["months"].mean() - 10
    course = course_of(trial, bad)
    assert course["stopped_for_harm"]["value"] == 1.0 and course["harmed_share"]["value"] > 0.4
    # A therapy without effect still does its harm.
    assert (run_replicates(trial, harmful, NULL, range(20))["stopped"] == 3).all()


def test_dropped_arms_end_at_the_look_and_the_others_take_their_people() -> None:
    trial = alone(THREE, DROP, "patients=160", "alpha=0.05")
    pool = made_up_pool(trial, effects={"one": 0.0, "two": 0.0, "three": 2.0})
    data, plain = conduct_trials(trial, pool, MODEL, range(40)), draw_trials(trial, pool, MODEL, range(40))
    assert np.array_equal(data.arm[:, :80], plain.arm[:, :80])
    assert np.array_equal(data.scores[:, :, :, :80], plain.scores[:, :, :, :80])
    assert all(len(np.unique(row)) == 2 for row in data.arm[:, 80:])
    found = run_replicates(trial, pool, MODEL, range(100))
    assert found["kept/three"].mean() > 0.9 and found["allocated/three"].mean() > 0.3
    assert found["change/three/significant"].mean() > 0.7
    assert not (found["change/one/significant"] & (found["kept/one"] == 0)).any()
    null = run_replicates(trial, pool, NULL, range(500))
    any_arm = np.any([null[f"change/{arm}/significant"] for arm in trial.test_arms], axis=0)
    assert any_arm.mean() == pytest.approx(0.025, abs=3 * (0.025 * 0.975 / 500) ** 0.5)
    course = course_of(trial, found)
    assert sum(one["value"] for one in course["allocated"].values()) == pytest.approx(1.0, abs=1e-4)


def test_a_trial_in_which_no_arm_reaches_the_boundary_ends_at_the_look() -> None:
    trial = alone(
        THREE, "arm_dropping={at: 0.5, lowest_z: 3}", "patients=160", "accrual={patients_per_month: 2}"
    )
    found = run_replicates(trial, made_up_pool(trial), NULL, range(100))
    assert (found["stopped"] == 2).mean() > 0.9 and found["patients"].mean() < 130
    assert not found["change/one/success"][found["stopped"] == 2].any()


def test_people_go_more_often_to_the_arm_that_does_better() -> None:
    rule = "response_adaptive={looks: [0.3, 0.6], exponent: 0.5, smallest_share: 0.1}"
    trial = alone(rule)
    pool = made_up_pool(trial, effect=2.0)
    found, null = (
        run_replicates(trial, pool, MODEL, range(100)),
        run_replicates(trial, pool, NULL, range(100)),
    )
    assert found["allocated/cells"].mean() > 0.65
    assert null["allocated/cells"].mean() == pytest.approx(0.5, abs=0.05)
    assert course_of(trial, found)["allocated"]["sham"]["value"] < 0.35
    data, plain = conduct_trials(trial, pool, MODEL, range(5)), draw_trials(trial, pool, MODEL, range(5))
    assert np.array_equal(data.arm[:, :30], plain.arm[:, :30]) and not np.array_equal(data.arm, plain.arm)
    one = conduct_trials(trial, pool, MODEL, [3])
    assert np.array_equal(data.arm[3], one.arm[0])


def test_stages_keep_the_error_while_the_times_change_and_pooled_people_do_not() -> None:
    rule = "response_adaptive={looks: [0.3, 0.6], exponent: 1, smallest_share: 0.2, test: %s}"
    error: dict[str, float] = {}
    for test in ("stages", "pooled"):
        trial = alone(rule % test, "accrual={patients_per_month: 5}")
        found = run_replicates(trial, made_up_pool(trial), Truth("drift", 8.0), range(400))
        error[test] = float(found["change/cells/significant"].mean())
        low, high = found["change/cells/adjusted_low"], found["change/cells/adjusted_high"]
        known = np.isfinite(low)
        covered = ((low <= 0.0) & (high >= 0.0))[known]
        assert known.mean() > 0.98 and covered.mean() == pytest.approx(
            0.95, abs=3 * (0.95 * 0.05 / 400) ** 0.5
        )
    assert error["stages"] == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 400) ** 0.5)
    assert error["pooled"] > 0.2


LOOK = "interims={information: [0.5], efficacy: pocock, futility_conditional_power: 0.1}"


def test_looks_a_size_set_anew_and_harm_work_in_one_design() -> None:
    trial = alone(LOOK, PROMISING, HARM, "patients=60")
    pool = made_up_pool(trial, effect=1.2, harm={"cells": 0.1, "sham": 0.0})
    found = run_replicates(trial, pool, MODEL, range(400))
    raised, early = found["size_raised"] > 0, found["stopped"] > 0
    assert (
        {0, 1, 2, 3} == set(found["stopped"])
        and raised.any()
        and not (raised & early & (found["stopped"] < 3)).any()
    )
    assert (found["patients"][raised & ~early] > 60).all() and (
        found["patients"][~raised & ~early] == 60
    ).all()
    # Each rule acts: without it the same replicates end elsewhere.
    no_looks = run_replicates(alone(PROMISING, HARM, "patients=60"), pool, MODEL, range(400))
    no_size = run_replicates(alone(LOOK, HARM, "patients=60"), pool, MODEL, range(400))
    no_harm = run_replicates(alone(LOOK, PROMISING, "patients=60"), pool, MODEL, range(400))
    assert found["months"].mean() < no_looks["months"].mean() - 0.5
    assert found["patients"].mean() > no_size["patients"].mean()
    assert not (no_harm["stopped"] == 3).any()
    assert "size_raised" in course_of(trial, found) and course_of(trial, found)["stopped"]
    plain = alone(LOOK.replace(", futility_conditional_power: 0.1", ""), PROMISING, "patients=60")
    null = run_replicates(plain, pool, NULL, range(1000))
    assert null["change/cells/significant"].mean() == pytest.approx(0.05, abs=3 * NOMINAL)


def test_a_blinded_look_comes_before_the_looks_whose_times_it_moves() -> None:
    trial = alone(LOOK.replace("0.5", "0.6"), BLINDED, "patients=60", "accrual={patients_per_month: 1}")
    pool = made_up_pool(trial, effect=1.5, spread=3.0)
    found = run_replicates(trial, pool, MODEL, range(150))
    assert found["size_raised"].mean() > 0.9 and (found["stopped"] == 1).mean() > 0.3
    stopped = found["stopped"] > 0
    assert found["patients"][stopped].mean() > 0.6 * 90 and found["patients"].max() <= 180
    assert np.isfinite(found["change/cells/adjusted_estimate"]).all()


def test_an_arm_that_is_shown_when_arms_are_dropped_ends_the_trial_and_the_family_keeps_its_error() -> None:
    rules = [THREE, DROP, "patients=160"]
    trial, late = alone(*rules, "interims={information: [0.5], efficacy: pocock}"), alone(*rules)
    pool = made_up_pool(trial, effects={"one": 0.0, "two": 0.0, "three": 2.0})
    found, without = (run_replicates(one, pool, MODEL, range(100)) for one in (trial, late))
    early = found["stopped"] == 1
    assert 0.2 < early.mean() and (found["look"][early] == 0).all() and not (without["stopped"] == 1).any()
    assert (
        found["change/three/significant"][early].any() and found["months"].mean() < without["months"].mean()
    )
    null = run_replicates(trial, pool, NULL, range(500))
    any_arm = np.any([null[f"change/{arm}/significant"] for arm in trial.test_arms], axis=0)
    assert any_arm.mean() == pytest.approx(0.025, abs=3 * (0.025 * 0.975 / 500) ** 0.5)


def test_every_rule_is_said_in_words_as_it_acts_beside_the_others() -> None:
    def words(*changes: str) -> dict[str, str]:
        return dict(rule_words(alone(*changes)))

    assert "combination test" in words(PROMISING)["Size set anew"]
    assert (
        "arms hidden" in words(BLINDED)["Size set anew"]
        and "leaves them alone" in words(BLINDED)["Estimates"]
    )
    assert "20 %" in words(HARM)["Safety"] and "before every other rule" not in words(HARM)["Safety"]
    assert words() == {}
    looks, look = "interims={information: [0.3, 0.6]}", "interims={information: [0.5]}"
    plain, moved = words(looks), words(looks, BLINDED.replace("0.5", "0.2"))
    assert "30 % and 60 % of the planned people" in plain["Looks"]
    assert "30 % and 60 % of the people of the size set anew" in moved["Looks"]
    assert "the looks move" in moved["Size set anew"]
    both = words(LOOK, PROMISING)
    assert "conditional power of the planned size below 10 %" in both["Looks"]
    assert "at the last look (50 %), in trials that do not stop there" in both["Size set anew"]
    assert "at the boundary of the end" in both["Size set anew"]
    dropped, together = words(THREE, DROP, "patients=160"), words(THREE, DROP, look, HARM, "patients=160")
    assert "the best arm and the control go on" in dropped["Arms dropped"] and "Looks" not in dropped
    assert "ends the trial for all arms" in together["Looks"]
    assert "where the look does not end the trial" in together["Arms dropped"]
    assert "before every other rule" in together["Safety"] and "all arms count together" in together["Safety"]
    assert "every arm of a trial that ended at the look" in together["Estimates"]
    assert "stopped for harm" in together["Estimates"]
    assert "fixed beforehand" in words("response_adaptive={looks: [0.5]}")["Response-adaptive randomisation"]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ([BLINDED.replace("effect: 1.5, ", "")], "reestimation.effect", "is missing"),
        ([PROMISING.replace("0.3", "0.95")], "reestimation.promising_from", "below power"),
        ([PROMISING.replace("at: 0.5", "at: 0.02")], "reestimation.at", "too few people"),
        ([BLINDED.replace("blinded_variance", "blind_variance")], "reestimation.method", "blinded_variance"),
        ([BLINDED, "interims={information: [0.4, 0.7]}"], "reestimation.at", "must not come after the first look"),
        ([PROMISING, "interims={information: [0.5, 0.7]}"], "reestimation.at", "must be the last look, 0.7"),
        ([BLINDED, "response_adaptive={looks: [0.5]}"], "response_adaptive", "worked out for the planned ratio"),
        (["interims={information: [0.5]}", "response_adaptive={looks: [0.5]}"], "response_adaptive", "fixed before"),
        ([THREE, DROP, PROMISING], "arm_dropping", "is not set anew"),
        ([THREE, DROP, "response_adaptive={looks: [0.5]}"], "response_adaptive", "both"),
        ([THREE, DROP, "interims={information: [0.6]}"], "interims.information", "one look"),
        (
            [THREE, DROP, "interims={information: [0.5], futility_conditional_power: 0.1}"],
            "interims.futility_conditional_power", "lowest_z",
        ),
        ([THREE, "interims={information: [0.5]}"], "interims", "need two randomised arms, or arm_dropping"),
        ([HARM.replace("cell_fever", "cell_feever")], "safety.adverse_events.0", "Did you mean cell_fever?"),
        ([HARM.replace("cell_fever", "liver_injury")], "safety.adverse_events.0", "cannot happen"),
        ([HARM.replace("treated: 5", "treated: 500")], "safety.every_treated", "nobody would ever look"),
        ([DROP], "arm_dropping", "at least two arms"),
        ([THREE, "arm_dropping={at: 0.5, keep_best: 3}"], "arm_dropping.keep_best", "drops nobody"),
        ([THREE, "arm_dropping={at: 0.5}"], "arm_dropping", "either keep_best or lowest_z"),
        (["response_adaptive={looks: [0.5], smallest_share: 0.5}"], "response_adaptive.smallest_share", "nothing"),
        (["response_adaptive={looks: [0.5, 0.3]}"], "response_adaptive.looks", "must rise"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_refused_where_they_stand(changes: list[str], path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        alone(*changes)
    assert path in [problem.path for problem in caught.value.problems]
    assert words in str(caught.value)
