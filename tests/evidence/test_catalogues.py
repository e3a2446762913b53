"""Outcomes, milestones, events and adverse events: complete, ordered, and tied to the bibliography."""

import pytest
from scipy.stats import beta

from motorpool.evidence.adverse_events import load_adverse_event_catalogue, load_procedure_catalogue
from motorpool.evidence.outcome_catalogue import (
    load_daily_life_problems,
    load_event_catalogue,
    load_milestone_catalogue,
    load_outcome_catalogue,
    outcome,
)
from motorpool.evidence.records import EvidenceError

OUTCOMES = (
    "chop_intend hine2 hfmse rulm mfm32 six_minute_walk_m walk_fatigue_percent endurance_percent "
    "cmap_mv mune pnfh_pg_per_ml fvc_percent ventilation_hours_per_day swallowing_percent "
    "weight_kg weight_z cobb_degrees utility"
).split()
MILESTONES = (
    "head_control sit_5s sit_10s sit_30s crawl stand_with_support stand walk_with_support walk".split()
)
EVENTS = (
    "death niv_start permanent_ventilation_16h_21d permanent_ventilation_16h_14d respiratory_support_6h_7d "
    "death_or_permanent_ventilation_16h_21d death_or_permanent_ventilation_16h_14d "
    "death_or_respiratory_support_6h_7d tube_feeding spine_surgery loss_of_sitting loss_of_walking"
).split()


def test_the_catalogues_hold_every_name_in_order():
    assert list(load_outcome_catalogue()) == OUTCOMES
    assert list(load_milestone_catalogue()) == MILESTONES
    assert list(load_event_catalogue()) == EVENTS


def test_scales_have_their_published_ranges():
    catalogue = load_outcome_catalogue()
    ranges = {name: (catalogue[name].minimum, catalogue[name].maximum) for name in OUTCOMES[:5]}
    assert ranges == {
        "chop_intend": (0, 64),
        "hine2": (0, 26),
        "hfmse": (0, 66),
        "rulm": (0, 37),
        "mfm32": (0, 100),
    }


def test_no_two_names_share_a_label():
    entries = [*load_outcome_catalogue().values(), *load_milestone_catalogue().values()]
    entries += [*load_event_catalogue().values(), *load_adverse_event_catalogue().values()]
    labels = [entry.label for entry in entries]
    assert sorted(labels) == sorted(set(labels))


def test_every_daily_life_problem_is_shown_by_something_and_outcomes_point_back():
    problems = load_daily_life_problems()
    assert len(problems) == 6
    for problem in problems.values():
        assert problem.outcomes or problem.milestones or problem.events
        for name in problem.outcomes:
            assert load_outcome_catalogue()[name].daily_life_problem == problem.id
    for entry in load_outcome_catalogue().values():
        if entry.daily_life_problem is not None:
            assert entry.id in problems[entry.daily_life_problem].outcomes


def test_milestone_order_is_that_of_the_list():
    assert [entry.order for entry in load_milestone_catalogue().values()] == list(range(1, 10))


def test_ventilation_events_state_their_rule():
    for name in (
        "permanent_ventilation_16h_21d",
        "permanent_ventilation_16h_14d",
        "respiratory_support_6h_7d",
    ):
        event = load_event_catalogue()[name]
        assert event.support_hours_per_day and event.support_days and event.support_days_rule
        assert event.excludes_acute_reversible is not None


def test_axis_label_says_which_way_is_better():
    assert outcome("hfmse").axis_label == "HFMSE (points, higher is better)"
    assert outcome("cobb_degrees").axis_label == "Cobb angle (degrees, lower is better)"


def test_unknown_outcome_names_the_nearest():
    with pytest.raises(EvidenceError, match="unknown outcome 'hfms'; the nearest is 'hfmse'"):
        outcome("hfms")


@pytest.mark.parametrize("entry", load_adverse_event_catalogue().values(), ids=lambda entry: entry.id)
def test_exact_intervals_of_adverse_events_can_be_recomputed(entry):
    if entry.interval_kind != "exact_binomial":
        return
    k, n = entry.k, entry.n
    assert entry.value == pytest.approx(k / n, abs=1e-3)
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    assert entry.interval == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize("entry", load_adverse_event_catalogue().values(), ids=lambda entry: entry.id)
def test_a_checked_figure_is_published_and_a_judgement_is_not_checked(entry):
    assert not (entry.origin == "judgement" and entry.checked)


def test_liver_events_after_gene_transfer_rise_with_weight():
    liver = load_adverse_event_catalogue()["liver_injury"]
    assert liver.value_for(weight_kg=5, intrathecal=False) < liver.value_for(weight_kg=12, intrathecal=False)
    assert liver.value_for(weight_kg=25, intrathecal=True) < liver.value_for(weight_kg=12, intrathecal=False)


def test_every_therapy_with_needles_has_its_procedure():
    by_procedure = {entry.id: entry.therapies for entry in load_procedure_catalogue().values()}
    assert "nusinersen" in by_procedure["lumbar_puncture"]
    assert "cell_therapy" in by_procedure["lumbar_puncture"]
    assert "myostatin_inhibition" in by_procedure["intravenous_infusion"]
