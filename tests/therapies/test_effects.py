"""Every therapy acts, through the states; and when its effect is taken out of the parameters, nothing is left of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from motorpool.biology.vocabulary import ARMS, BREATHING, BULBAR, LEGS_AND_TRUNK
from motorpool.engine import blocks
from motorpool.outcomes.panel import OUTCOMES
from tests.support import lives
from tests.support.lives import Life, changed

START_YEARS = 0.3
UNTIL_YEARS = 2.0
# A weak infant, a sitter and a walker.
COPIES = np.asarray([2.0, 3.0, 4.0])


def run(
    *courses: dict[str, Any],
    without: dict[str, float] | None = None,
    like: Life | None = None,
    until_years: float = UNTIL_YEARS,
    start_years: float = START_YEARS,
    care: float = 1.0,
    copies: Any = COPIES,
    **anchors: Any,
) -> Life:
    draw = changed(lives.central_draw(), **(without or {}))
    return lives.live(
        lives.courses_from(*courses),
        lives.people(smn2_copies=copies),
        until_years=until_years,
        enrolment_years=start_years,
        draw=draw,
        care=care,
        grid_hours=None if like is None else like.grid_hours,
        **anchors,
    )


def same(first: Life, second: Life) -> bool:
    """Whether body and every outcome are the same bits throughout."""
    pairs = [
        (first.path.outcomes, second.path.outcomes),
        (first.path.pools, second.path.pools),
        (first.path.margins, second.path.margins),
        (first.path.cumulative_hazard, second.path.cumulative_hazard),
    ]
    bodies = zip(jax.tree.leaves(first.end.body), jax.tree.leaves(second.end.body), strict=True)
    return all(np.array_equal(a, b) for a, b in [*pairs, *bodies])


def working(life: Life) -> Any:
    """Share of working neurons at the end, (G, P)."""
    return life.path.pools[-1, 0]


@dataclasses.dataclass(frozen=True)
class Medicine:
    course: dict[str, Any]
    effect: dict[str, float]


EXPRESSION = [
    f"therapies__gene_transfer__expression_in_{tissue}_{route}"
    for tissue in ("neurons", "muscle")
    for route in ("intravenous", "intrathecal")
]
MEDICINES = {
    "nusinersen": Medicine({"therapy": "nusinersen"}, {"therapies__nusinersen__splicing_gain_maximum": 0.0}),
    "nusinersen high dose": Medicine(
        {"therapy": "nusinersen", "regimen": "high_dose"},
        {"therapies__nusinersen__splicing_gain_maximum": 0.0},
    ),
    "risdiplam": Medicine({"therapy": "risdiplam"}, {"therapies__risdiplam__splicing_gain_maximum": 0.0}),
    "onasemnogene intravenous": Medicine({"therapy": "onasemnogene"}, dict.fromkeys(EXPRESSION, 0.0)),
    "onasemnogene intrathecal": Medicine(
        {"therapy": "onasemnogene", "route": "intrathecal"}, dict.fromkeys(EXPRESSION, 0.0)
    ),
    "myostatin inhibition": Medicine(
        {"therapy": "myostatin_inhibition"}, {"therapies__myostatin__growth_maximum": 0.0}
    ),
    "transmission support": Medicine(
        {"therapy": "transmission_support"}, {"therapies__transmission_support__deficit_bridged": 0.0}
    ),
    "rehabilitation": Medicine(
        {"therapy": "rehabilitation"}, {"therapies__rehabilitation__half_effect_sessions_per_week": np.inf}
    ),
    "brace": Medicine({"therapy": "brace"}, {"biology__skeleton__brace_effect": 0.0}),
    "dietitian": Medicine(
        {"therapy": "nutrition_support", "tube_feeding": False}, {"biology__nutrition__support_effect": 0.0}
    ),
    "cells": Medicine(
        {"therapy": "cell_therapy", "effect": "prior"}, {"therapies__cells__total_effect_smd": 0.0}
    ),
}


@pytest.mark.parametrize("name", MEDICINES)
def test_nothing_is_left_when_the_effect_is_taken_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a transgene half of the neurons are not followed, by another program, which rounds otherwise.
    monkeypatch.setattr(blocks, "_transgene", lambda life, span: True)
    medicine = MEDICINES[name]
    treated = run(medicine.course)
    untreated = run(like=treated)
    assert not same(treated, untreated)
    removed = run(medicine.course, without=medicine.effect, like=treated)
    bare = run(without=medicine.effect, like=treated)
    assert same(removed, bare)
    assert removed.path.doses.sum() == treated.path.doses.sum()  # it was given all the same


@pytest.mark.parametrize(
    "name",
    [
        "nusinersen",
        "nusinersen high dose",
        "risdiplam",
        "onasemnogene intravenous",
        "onasemnogene intrathecal",
    ],
)
def test_smn_therapies_raise_smn_and_save_neurons(name: str) -> None:
    treated = run(MEDICINES[name].course)
    untreated = run(like=treated)
    assert (treated.end.smn[1] > 1.2 * untreated.end.smn[1]).all()
    assert (treated.path.pools[-1, 2] < untreated.path.pools[-1, 2]).all()  # fewer dead in every pool
    assert (working(treated)[:, 0] > working(untreated)[:, 0] + 0.02).all()  # the weak infant gains most
    assert (treated.outcome("hine2")[-1, :2] > untreated.outcome("hine2")[-1, :2] + 0.5).all()


def test_a_high_dose_of_nusinersen_saves_more_than_the_standard_dose() -> None:
    high = run(MEDICINES["nusinersen high dose"].course)
    standard = run(MEDICINES["nusinersen"].course)
    assert (high.surviving()[-1] > standard.surviving()[-1]).all()
    assert (high.end.amounts.nusinersen.cns > 1.5 * standard.end.amounts.nusinersen.cns).all()


def test_nusinersen_acts_after_a_delay() -> None:
    early = run(MEDICINES["nusinersen"].course, until_years=START_YEARS + 0.03)
    amounts = early.end.amounts.nusinersen
    assert (amounts.acting > 0.0).all()
    assert (amounts.acting < amounts.cns).all()  # splicing lags behind the first dose


def test_nusinersen_acts_least_at_the_brain_stem_and_risdiplam_everywhere() -> None:
    spinal, oral = run(MEDICINES["nusinersen"].course), run(MEDICINES["risdiplam"].course)
    untreated = run()
    gain = spinal.end.smn[0] / untreated.end.smn[0] - 1.0
    assert (gain[LEGS_AND_TRUNK] > gain[ARMS]).all()
    assert (gain[ARMS] > gain[BREATHING]).all()
    assert (gain[BREATHING] > gain[BULBAR]).all()
    everywhere = oral.end.smn[0] / untreated.end.smn[0] - 1.0
    assert np.ptp(everywhere, axis=0).max() < 1e-3


def test_risdiplam_stops_when_it_is_stopped() -> None:
    stopped = run({"therapy": "risdiplam", "stop": {"after_months": 6}})
    kept = run({"therapy": "risdiplam"}, like=stopped)
    untreated = run(like=stopped)
    assert (stopped.end.amounts.risdiplam < 1e-6).all()
    assert stopped.end.smn == pytest.approx(untreated.end.smn, rel=1e-3)
    assert (stopped.surviving()[-1] < kept.surviving()[-1]).all()
    assert (
        stopped.surviving()[-1, 0] > untreated.surviving()[-1, 0]
    ).all()  # what it saved stays for a while


def test_nusinersen_fades_slowly_after_the_last_dose() -> None:
    stopped = run({"therapy": "nusinersen", "stop": {"after_months": 6}})
    kept = run({"therapy": "nusinersen"})
    cord = stopped.end.amounts.nusinersen.cns / kept.end.amounts.nusinersen.cns
    assert (cord > 0.05).all()
    assert (cord < 0.6).all()


def test_gene_transfer_helps_only_the_part_it_reaches_and_lasts() -> None:
    treated, untreated = run({"therapy": "onasemnogene"}, until_years=8), run(until_years=8)
    assert treated.end.smn[0] == pytest.approx(untreated.end.smn[0], rel=1e-6)
    assert (treated.end.smn[1] > 1.5 * untreated.end.smn[1]).all()
    early = run({"therapy": "onasemnogene"}, until_years=1)
    assert (treated.end.smn[1] > 0.9 * early.end.smn[1]).all()


def test_people_with_antibodies_get_no_gene_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_transgene", lambda life, span: True)
    course = {"therapy": "onasemnogene"}
    excluded = run(course, excluded=np.asarray([True, False, True]))
    untreated = run(like=excluded)
    assert (excluded.path.doses.sum(axis=(0, 1)) == [0.0, 1.0, 0.0]).all()
    assert np.array_equal(excluded.path.outcomes[..., [0, 2]], untreated.path.outcomes[..., [0, 2]])
    assert not np.array_equal(excluded.path.outcomes[..., 1], untreated.path.outcomes[..., 1])


def test_those_who_get_no_transgene_live_alike_with_half_of_their_neurons_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one_part = run()
    monkeypatch.setattr(blocks, "_transgene", lambda life, span: True)
    two_parts = run(like=one_part)
    for found, wanted in zip(
        jax.tree.leaves(one_part.end.body), jax.tree.leaves(two_parts.end.body), strict=True
    ):
        assert np.asarray(found) == pytest.approx(np.asarray(wanted), rel=1e-5, abs=1e-6)


def test_two_splicing_modifiers_together_never_exceed_full_inclusion() -> None:
    parameters = lives.central_draw().model.therapies
    ceiling = max(
        float(parameters.nusinersen.splicing_gain_maximum), float(parameters.risdiplam.splicing_gain_maximum)
    )
    both = run({"therapy": "nusinersen", "regimen": "high_dose"}, {"therapy": "risdiplam"})
    one = run({"therapy": "risdiplam"})
    untreated = run()
    assert (both.end.smn[0] >= one.end.smn[0]).all()
    assert (both.end.smn[0] / untreated.end.smn[0] < 1.0 + ceiling).all()


def test_myostatin_inhibition_grows_muscle_and_saves_no_neuron() -> None:
    treated = run({"therapy": "myostatin_inhibition"})
    untreated = run(like=treated)
    assert np.array_equal(treated.end.body.alive, untreated.end.body.alive)
    assert (treated.end.body.muscle[:, :2] > untreated.end.body.muscle[:, :2]).all()
    assert (treated.outcome("hfmse")[-1] > untreated.outcome("hfmse")[-1]).all()


def test_transmission_support_helps_endurance_more_than_strength() -> None:
    treated = run({"therapy": "transmission_support"}, until_years=6)
    untreated = run(like=treated, until_years=6)
    assert np.array_equal(treated.end.body.alive, untreated.end.body.alive)
    endurance = treated.outcome("endurance_percent")[-1] / untreated.outcome("endurance_percent")[-1]
    strength = treated.end.body.muscle / untreated.end.body.muscle
    weak = [0, 1]
    assert (endurance[weak] > 1.01).all()
    assert (endurance[weak] > strength[:2].max(axis=0)[weak]).all()


def test_transmission_support_is_gone_within_a_week() -> None:
    stopped = run({"therapy": "transmission_support", "stop": {"after_months": 6}})
    assert (stopped.end.amounts.transmission_support < 1e-6).all()
    half = run({"therapy": "transmission_support", "dose_fraction": 0.5})
    assert half.end.amounts.transmission_support == pytest.approx(0.5, rel=1e-3)


def test_rehabilitation_interrupts_disuse_and_stiffness() -> None:
    treated = run({"therapy": "rehabilitation"}, until_years=5)
    untreated = run(like=treated, until_years=5)
    assert np.array_equal(treated.end.body.alive, untreated.end.body.alive)
    assert (treated.end.body.muscle[:, 0] > untreated.end.body.muscle[:, 0]).all()
    assert (treated.end.body.contracture[:2] < untreated.end.body.contracture[:2]).all()
    more = run({"therapy": "rehabilitation", "sessions_per_week": 14}, like=treated, until_years=5)
    assert (more.end.body.contracture[:2] < treated.end.body.contracture[:2]).all()


def test_ventilation_gives_hours_to_those_in_need_and_lowers_the_risk_of_death() -> None:
    severe = np.asarray([1.4, 3.0, 4.0])
    treated = run({"therapy": "breathing_support", "cough_assist": False}, care=0.0, copies=severe)
    untreated = run(like=treated, care=0.0, copies=severe)
    hours = (
        treated.outcome("ventilation_hours_per_day")[-1] - untreated.outcome("ventilation_hours_per_day")[-1]
    )
    assert hours[0] > 1.0
    assert hours[2] < 1.0  # nobody ventilates a child who breathes well
    gained = treated.path.cumulative_hazard[-1, 0] / untreated.path.cumulative_hazard[-1, 0]
    assert gained[0] < 0.95
    assert np.array_equal(treated.path.pools, untreated.path.pools)


def test_cough_assistance_protects_during_infections() -> None:
    treated = run({"therapy": "breathing_support", "niv": False})
    untreated = run(like=treated)
    assert (treated.path.cumulative_hazard[-1, 0] < untreated.path.cumulative_hazard[-1, 0]).all()
    no_infections = {"outcomes__infections__mean_severity": 0.0}
    calm = run({"therapy": "breathing_support", "niv": False}, without=no_infections, like=treated)
    calm_untreated = run(without=no_infections, like=treated)
    assert np.array_equal(calm.path.cumulative_hazard, calm_untreated.path.cumulative_hazard)


def test_feeding_support_keeps_weight_when_swallowing_fails() -> None:
    dietitian = run({"therapy": "nutrition_support", "tube_feeding": False})
    tube = run({"therapy": "nutrition_support"})
    untreated = run()
    weak = 0
    assert tube.outcome("weight_z")[-1, weak] > dietitian.outcome("weight_z")[-1, weak]
    assert dietitian.outcome("weight_z")[-1, weak] > untreated.outcome("weight_z")[-1, weak]
    assert tube.end.body.nutrition[weak] > 0.97  # all that swallowing cannot do is replaced
    assert tube.end.body.muscle[0, weak] > untreated.end.body.muscle[0, weak]  # and muscle is fed


def test_a_brace_slows_the_curve_and_surgery_corrects_and_stops_it() -> None:
    years = 12.0
    untreated = run(until_years=years)
    braced = run({"therapy": "brace"}, until_years=years)
    assert (braced.outcome("cobb_degrees")[-1, :2] < untreated.outcome("cobb_degrees")[-1, :2]).all()
    half = run({"therapy": "brace", "hours_per_day": 8}, until_years=years)
    assert (half.outcome("cobb_degrees")[-1, :2] > braced.outcome("cobb_degrees")[-1, :2]).all()

    fused = run({"therapy": "spine_surgery", "start": {"age_months": 96}}, until_years=years)
    ratio = float(lives.central_draw().model.biology.skeleton.fusion_cobb_ratio)
    before, after = (fused.outcome_at("cobb_degrees", age)[:2] for age in (7.99, 8.1))
    assert after == pytest.approx(ratio * before, rel=0.03)
    assert fused.outcome("cobb_degrees")[-1, :2] == pytest.approx(after, rel=1e-4)  # and it grows no more
    assert (fused.end.amounts.fusion == 1.0).all()
    stiffness = fused.outcome_at("hfmse", 8.1) - untreated.outcome_at("hfmse", 8.1)
    assert np.isfinite(stiffness).all()
    no_correction = {
        "biology__skeleton__fusion_cobb_ratio": 1.0,
        "biology__skeleton__range_lost_by_cobb_per_degree": 0.0,
        "biology__skeleton__fusion_range_loss": 0.3,
    }
    stiff = run(
        {"therapy": "spine_surgery", "start": {"age_months": 96}}, without=no_correction, until_years=years
    )
    loose = run(without=no_correction, until_years=years)
    assert (stiff.outcome_at("hfmse", 8.1) <= loose.outcome_at("hfmse", 8.1)).all()
    assert stiff.outcome_at("hfmse", 8.1)[1] < loose.outcome_at("hfmse", 8.1)[1]  # a fused trunk costs points


def test_care_changes_survival_and_never_biology() -> None:
    palliative, standard, proactive = (run(care=care) for care in (0.0, 1.0, 2.0))
    hazards = [life.path.cumulative_hazard[-1, 0] for life in (palliative, standard, proactive)]
    assert (hazards[0] > hazards[1]).all()
    assert (hazards[1] > hazards[2]).all()
    assert np.array_equal(palliative.path.pools, proactive.path.pools)
    motor = [
        OUTCOMES.index(name) for name in ("chop_intend", "hine2", "hfmse", "rulm", "mfm32", "fvc_percent")
    ]
    assert np.array_equal(palliative.path.outcomes[:, motor], proactive.path.outcomes[:, motor])
