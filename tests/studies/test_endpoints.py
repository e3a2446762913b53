"""Endpoints of hand-made arms, whose figures can be worked out on paper: every metric, every option."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import binom

from motorpool.evidence.published import Metric, PublishedEndpoint
from motorpool.simulation.readout import EVENTS
from motorpool.studies.endpoints import _STATISTIC, replicates, whole_sample
from motorpool.studies.predict import LARGEST_SAMPLE
from motorpool.studies.simulate import ArmPeople
from motorpool.studies.statistics import LARGEST_LOG_HAZARD_RATIO, cox_log_hazard_ratio
from tests.studies.hand_made import GONE, arm, endpoint

INF = np.inf
# Three visits (0, 6 and 12 months) of four people; the third is dead at the last.
SCORES = [[10.0, 20.0, 30.0, 40.0], [11.0, 20.0, 28.0, 43.0], [13.0, 22.0, GONE, 48.0]]
ALIVE = [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1]]
EVENT = "death_or_permanent_ventilation_16h_21d"


def scored(**fields: Any) -> ArmPeople:
    return arm(4, scores={"hfmse": SCORES, "pnfh_pg_per_ml": SCORES}, alive=ALIVE, **fields)


def value(
    one: PublishedEndpoint,
    treated: ArmPeople,
    control: ArmPeople | None = None,
    sizes: tuple[int, int] = (40, 40),
) -> float:
    arms = {"treated": treated}
    if control is not None:
        arms["control"] = control
    return whole_sample(one, arms, dict(zip(("treated", "control"), sizes, strict=True)))


def test_every_metric_has_a_statistic():
    assert set(_STATISTIC) | {"hazard_ratio"} == set(get_args(Metric))


# ---------------------------------------------------------------- scores


@pytest.mark.parametrize(
    ("metric", "months", "wanted"),
    [
        ("mean", 0, 25.0),
        ("mean", 6, 25.5),
        ("mean", 12, (13 + 22 + 48) / 3),
        ("median", 0, 25.0),
        ("median", 12, 22.0),
        ("sd", 0, np.std([10, 20, 30, 40], ddof=1)),
        ("sd", 12, np.std([13, 22, 48], ddof=1)),
        ("mean_change", 6, (1 + 0 - 2 + 3) / 4),
        ("mean_change", 12, (3 + 2 + 8) / 3),
        ("median_change", 6, 0.5),
        ("median_change", 12, 3.0),
        ("sd_change", 12, np.std([3, 2, 8], ddof=1)),
        ("percent_change", 12, 20.0),  # the median of 30, 10 and 20 per cent
        ("change_per_year", 6, 1.0),  # half a point in half a year
        ("change_per_year", 12, 13 / 3),
    ],
)
def test_figures_of_scores_by_visit(metric: str, months: float, wanted: float):
    one = endpoint("hfmse", metric, 1.0, time_months=months)
    assert value(one, scored()) == pytest.approx(wanted)


def test_weights_count():
    heavy = scored(weights=[3.0, 1.0, 1.0, 1.0])
    assert value(endpoint("hfmse", "mean", 1.0, time_months=0), heavy) == pytest.approx(
        (30 + 20 + 30 + 40) / 6
    )
    assert value(endpoint("hfmse", "median", 1.0, time_months=0), heavy) == pytest.approx(15.0)
    assert value(endpoint("hfmse", "mean_change", 1.0), heavy) == pytest.approx((9 + 2 + 8) / 5)


def test_a_slope_without_a_time_is_the_change_over_a_year():
    assert value(endpoint("hfmse", "change_per_year", 1.0), scored()) == pytest.approx(13 / 3)


def test_slopes_are_per_year_over_the_time_that_was_studied():
    longer = arm(1, scores={"hfmse": [[10.0], [16.0]]}, visits=[0, 18])
    assert value(endpoint("hfmse", "change_per_year", 1.0, time_months=18), longer) == pytest.approx(4.0)


def test_the_visit_nearest_to_the_time_is_read():
    assert value(endpoint("hfmse", "mean", 1.0, time_months=8.9), scored()) == pytest.approx(25.5)
    assert value(endpoint("hfmse", "mean", 1.0, time_months=9.1), scored()) == pytest.approx(83 / 3)


def test_by_age_everyone_is_read_at_a_visit_of_their_own():
    # At 12 months of age the first two are at their visit of 12 months, the last two at the one of 6 months.
    people = scored(enrolled_at=[0.0, 0.5, 6.0, 6.4])
    found = value(endpoint("hfmse", "mean", 1.0, age_months=12), people)
    assert found == pytest.approx((13 + 22 + 28 + 43) / 4)


def test_only_those_within_the_age_band_count():
    people = scored(enrolled_at=[12.0, 36.0, 60.0, 84.0])
    one = endpoint("hfmse", "mean", 1.0, age_band_months=(36, 60))
    assert value(one, people) == pytest.approx(25.0)  # at baseline, edges included
    change = endpoint("hfmse", "mean_change", 1.0, age_band_months=(36, 84))
    assert value(change, people) == pytest.approx((2 + 8) / 2)


def test_an_age_band_without_anybody_has_no_figure():
    one = endpoint("hfmse", "mean", 1.0, age_band_months=(200, 300))
    with np.errstate(invalid="ignore"):
        assert math.isnan(value(one, scored()))


def test_responders_are_counted_with_the_dead_as_failures_unless_survivors_alone_are_counted():
    at_least_3 = {"change_at_least": 3}
    assert value(endpoint("hfmse", "proportion", **at_least_3), scored()) == pytest.approx(2 / 4)
    everyone = endpoint("hfmse", "proportion", **at_least_3, counted="everyone")
    assert value(everyone, scored()) == pytest.approx(2 / 4)
    survivors = endpoint("hfmse", "proportion", **at_least_3, counted="survivors")
    assert value(survivors, scored()) == pytest.approx(2 / 3)


def test_a_threshold_of_the_score_is_met_at_its_edge():
    one = {"value_at_least": 22, "counted": "survivors"}
    assert value(endpoint("hfmse", "proportion", **one), scored()) == pytest.approx(2 / 3)
    assert value(endpoint("hfmse", "proportion", value_at_least=22.1), scored()) == pytest.approx(1 / 4)


def test_a_negative_threshold_counts_those_who_fell_at_least_that_far():
    one = endpoint("hfmse", "proportion", time_months=6, change_at_least=-2)
    assert value(one, scored()) == pytest.approx(1 / 4)
    assert value(
        endpoint("hfmse", "proportion", time_months=6, change_at_least=0), scored()
    ) == pytest.approx(3 / 4)


def test_differences_are_changes_against_the_other_arm():
    control = arm(2, scores={"hfmse": [[10, 10], [10, 10], [9, 7]]})
    assert value(endpoint("hfmse", "difference", 4.0, time_months=12), scored(), control) == pytest.approx(
        13 / 3 + 2.0
    )
    at_once = endpoint("hfmse", "difference", 4.0, time_months=0)
    assert value(at_once, scored(), control) == pytest.approx(15.0)


# ---------------------------------------------------------------- milestones


def milestones() -> ArmPeople:
    """Five people enrolled at 3 months: holds since 8 months of age; had it and lost it; never; had it before
    enrolment and lost it; holds since 14 months of age, dead at the last visit (15 months of age)."""
    return arm(
        5,
        enrolled_at=3.0,
        gained={"sit_10s": [8.0, 7.0, GONE, 2.0, 14.0]},
        held={"sit_10s": [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 1]]},
        alive=[[1] * 5, [1] * 5, [1, 1, 1, 1, 0]],
    )


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"time_months": 0}, 0 / 5),
        ({"time_months": 6}, 2 / 5),
        ({"time_months": 12}, 1 / 5),
        ({"time_months": 12, "counted": "survivors"}, 1 / 4),
        ({"time_months": 12, "ever": True}, 4 / 5),
        ({"time_months": 12, "ever": True, "counted": "survivors"}, 3 / 4),
        ({"time_months": 0, "ever": True}, 1 / 5),
        ({"age_months": 9}, 2 / 5),
        ({"age_months": 15}, 1 / 5),
        ({"age_months": 7.5, "ever": True}, 2 / 5),
        ({"age_months": 13, "ever": True}, 3 / 5),
        ({"age_months": 14, "ever": True}, 4 / 5),
        ({"age_months": 15, "ever": True, "counted": "survivors"}, 3 / 4),
    ],
)
def test_milestones_held_or_ever_reached_by_study_time_and_by_age(fields: dict[str, Any], wanted: float):
    assert value(endpoint("sit_10s", "proportion", **fields), milestones()) == pytest.approx(wanted)


def test_newly_reached_milestones_leave_out_who_could_at_enrolment():
    able = arm(4, held={"stand": [[1, 0, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0]]})
    assert value(endpoint("stand", "proportion", time_months=12), able) == pytest.approx(2 / 4)
    assert value(endpoint("stand", "proportion", time_months=12, newly=True), able) == pytest.approx(1 / 4)
    assert value(endpoint("stand", "proportion", time_months=0, newly=True), able) == 0.0


def test_newly_is_refused_where_it_means_nothing():
    with pytest.raises(ValidationError, match="newly belongs to the proportion with a milestone"):
        endpoint("hfmse", "mean_change", 1.0, time_months=12, newly=True)


def test_the_median_age_at_a_milestone_counts_those_who_never_reach_it_as_latest():
    # Ages 2, 7, 8, 14 and, for the one who never sits, the end of the record at 27 months.
    one = endpoint("sit_10s", "median_age_months", 8.0)
    assert value(one, milestones()) == pytest.approx(8.0)
    never = arm(3, gained={"sit_10s": [8.0, GONE, GONE]}, enrolled_at=3.0, horizon=24.0)
    assert value(one, never) == pytest.approx(27.0)


# ---------------------------------------------------------------- events


def eventful(**fields: Any) -> ArmPeople:
    return arm(5, enrolled_at=[1, 2, 3, 4, 5], events={EVENT: [2.0, 4.0, 8.0, 20.0, INF]}, **fields)


@pytest.mark.parametrize(
    ("metric", "fields", "wanted"),
    [
        ("proportion", {"time_months": 8}, 3 / 5),
        ("proportion", {"time_months": 7.9}, 2 / 5),
        ("survival_proportion", {"time_months": 8}, 2 / 5),
        ("survival_proportion", {"time_months": 0}, 1.0),
        ("proportion", {"age_months": 6}, 2 / 5),  # at 3, 6, 11 and 24 months of age
        ("survival_proportion", {"age_months": 11}, 2 / 5),
        ("proportion", {"age_band_months": (1, 3), "time_months": 4}, 2 / 3),
        ("median_time_months", {}, 8.0),
        ("median_age_months", {}, 11.0),
    ],
)
def test_events_by_study_time_and_by_age(metric: str, fields: dict[str, Any], wanted: float):
    assert value(endpoint(EVENT, metric, 0.5, **fields), eventful()) == pytest.approx(wanted)


def test_a_median_beyond_the_record_is_told_as_its_end():
    late = arm(4, enrolled_at=6.0, events={EVENT: [5.0, INF, INF, INF]}, horizon=18.0)
    assert value(endpoint(EVENT, "median_time_months", 30.0), late) == pytest.approx(18.0)
    assert value(endpoint(EVENT, "median_age_months", 30.0), late) == pytest.approx(24.0)


def test_a_difference_of_shares_with_an_event():
    calm = arm(4, events={EVENT: [8.0, INF, INF, INF]})
    one = endpoint(EVENT, "difference", 0.2, time_months=12)
    assert value(one, eventful(), calm) == pytest.approx(3 / 5 - 1 / 4)


def two_arms(ratio: float, people: int = 400, seed: int = 2) -> tuple[ArmPeople, ArmPeople]:
    """Exponential events, with this hazard ratio."""
    quantiles = (np.arange(people) + 0.5) / people
    times = -8.0 * np.log1p(-quantiles)
    order = np.random.default_rng(seed).permutation(people)
    return arm(people, events={EVENT: times[order] / ratio}, horizon=60.0), arm(
        people, events={EVENT: times}, horizon=60.0
    )


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.0])
def test_hazard_ratios_are_those_with_which_the_events_were_made(ratio: float):
    one = endpoint(EVENT, "hazard_ratio", 0.5, time_months=12)
    assert value(one, *two_arms(ratio)) == pytest.approx(ratio, rel=0.03)


def test_a_hazard_ratio_sees_only_what_happened_until_its_time():
    # The same until 6 months, nothing afterwards in the treated.
    treated = arm(6, events={EVENT: [1, 3, 5, INF, INF, INF]})
    control = arm(6, events={EVENT: [1, 3, 5, 7, 8, 9]})
    until_6 = value(endpoint(EVENT, "hazard_ratio", 0.5, time_months=6), treated, control)
    until_12 = value(endpoint(EVENT, "hazard_ratio", 0.5, time_months=12), treated, control)
    assert until_6 == pytest.approx(1.0)
    assert until_12 < 0.6
    whole_record = value(endpoint(EVENT, "hazard_ratio", 0.5), treated, control)
    assert whole_record == pytest.approx(until_12)


def test_a_hazard_ratio_does_not_depend_on_how_many_people_stand_for_an_arm():
    treated, control = two_arms(0.5, people=60)
    doubled = arm(120, events={EVENT: np.repeat(control.event_months[EVENTS.index(EVENT)], 2)}, horizon=60.0)
    one = endpoint(EVENT, "hazard_ratio", 0.5, time_months=12)
    assert value(one, treated, doubled) == pytest.approx(value(one, treated, control), rel=1e-6)


def crossing_arms() -> tuple[ArmPeople, ArmPeople]:
    """Treated people of unequal weight whose events come late, so that their ratio to the others is not constant and
    an estimate depends on how large each arm is."""
    treated = arm(6, weights=[1, 2, 3, 1, 2, 3], events={EVENT: [2, 7, 8, 9, 10, INF]})
    return treated, arm(6, events={EVENT: [1, 2, 3, 4, 6, INF]})


def log_ratio(times: Any, treated: Any, weights: Any) -> float:
    """Cox's estimate of these people, each with a weight."""
    arrays = [
        np.asarray(part)[None] for part in (np.minimum(times, 12.0), np.isfinite(times), treated, weights)
    ]
    return float(cox_log_hazard_ratio(*arrays)[0])


def test_a_hazard_ratio_keeps_the_sizes_of_the_arms_and_the_weights_within_them():
    treated, control = crossing_arms()
    one = endpoint(EVENT, "hazard_ratio", 0.5, time_months=12)
    times = np.concatenate([people.event_months[EVENTS.index(EVENT)] for people in (treated, control)])
    found = {}
    for sizes in ((80, 40), (40, 80)):
        weights = np.concatenate([sizes[0] * treated.weights, sizes[1] * control.weights])
        found[sizes] = math.log(value(one, treated, control, sizes))
        assert found[sizes] == pytest.approx(log_ratio(times, np.arange(12) < 6, weights))
    assert abs(found[80, 40] - found[40, 80]) > 0.02  # else the sizes would say nothing


def test_replicate_hazard_ratios_count_everybody_drawn_once():
    arms = dict(zip(("treated", "control"), crossing_arms(), strict=True))
    one, sizes = endpoint(EVENT, "hazard_ratio", 0.5, time_months=12), {"treated": 20, "control": 8}
    found = replicates(one, arms, sizes, 1, np.random.default_rng(2))
    generator = np.random.default_rng(2)
    times = np.concatenate(
        [
            people.event_months[EVENTS.index(EVENT)][
                generator.choice(6, (1, sizes[name]), p=people.weights)[0]
            ]
            for name, people in arms.items()
        ]
    )
    assert np.log(found[0]) == pytest.approx(log_ratio(times, np.arange(28) < 20, np.ones(28)))


def test_a_hazard_ratio_without_events_in_one_arm_is_a_number():
    treated, control = arm(6), arm(6, events={EVENT: [1, 3, 5, 7, 8, 9]})
    found = value(endpoint(EVENT, "hazard_ratio", 0.1, time_months=12), treated, control)
    assert found == pytest.approx(math.exp(-LARGEST_LOG_HAZARD_RATIO))


def test_the_hazard_ratio_of_an_endurance_test_comes_from_the_shares_that_were_sustained():
    # With proportional hazards the share sustained is exp(-rate x time).
    treated = arm(2, scores={"endurance_percent": np.full((3, 2), 100 * math.exp(-0.3))})
    control = arm(2, scores={"endurance_percent": np.full((3, 2), 100 * math.exp(-0.6))})
    assert value(endpoint("endurance_percent", "hazard_ratio", 0.5), treated, control) == pytest.approx(0.5)


# ---------------------------------------------------------------- who was enrolled


def test_shares_of_types_count_walking_and_better_as_type_3():
    people = arm(10, sma_type=[0, 1, 1, 1, 2, 2, 3, 3, 3, 4])
    for kind, wanted in ((1, 0.3), (2, 0.2), (3, 0.4)):
        assert value(endpoint(f"sma_type_{kind}", "proportion", time_months=0), people) == pytest.approx(
            wanted
        )


def test_ages_at_onset_leave_out_those_who_never_noticed_anything():
    people = arm(4, onset=[2.0, 4.0, 12.0, GONE])
    assert value(endpoint("onset_age_months", "mean", 6.0, time_months=0), people) == pytest.approx(6.0)
    assert value(endpoint("onset_age_months", "median", 4.0, time_months=0), people) == pytest.approx(4.0)


def test_shares_by_onset_count_those_without_onset_as_late():
    people = arm(4, onset=[2.0, 4.0, 12.0, GONE])
    one = endpoint("onset_age_months", "proportion", time_months=0, value_at_least=4.0)
    assert value(one, people) == pytest.approx(3 / 4)
    later = endpoint("onset_age_months", "proportion", time_months=0, value_at_least=36.0)
    assert value(later, people) == pytest.approx(1 / 4)


# ---------------------------------------------------------------- studies of the published size


def test_replicates_scatter_as_studies_of_their_size_do():
    people = arm(1000, events={"death": np.where(np.arange(1000) < 300, 5.0, INF)})
    one = endpoint("death", "proportion", 0.3)
    found = replicates(one, {"treated": people}, {"treated": 40}, 4000, np.random.default_rng(1))
    assert found.mean() == pytest.approx(0.3, abs=0.005)
    assert found.std() == pytest.approx(binom(40, 0.3).std() / 40, rel=0.05)
    assert np.quantile(found, 0.95) == pytest.approx(binom(40, 0.3).ppf(0.95) / 40)


def test_replicates_draw_people_by_their_weights():
    people = arm(2, weights=[0.9, 0.1], scores={"hfmse": [[10, 20]] * 3})
    one = endpoint("hfmse", "mean", 11.0, time_months=0)
    found = replicates(one, {"treated": people}, {"treated": 50}, 2000, np.random.default_rng(1))
    assert found.mean() == pytest.approx(11.0, abs=0.05)
    assert found.std() == pytest.approx(3.0 / math.sqrt(50), rel=0.06)


def test_replicates_of_a_hazard_ratio_scatter_as_the_number_of_events_says():
    treated, control = two_arms(0.5)
    one = endpoint(EVENT, "hazard_ratio", 0.5, time_months=60)
    sizes = {"treated": 80, "control": 80}
    found = np.log(
        replicates(one, {"treated": treated, "control": control}, sizes, 1000, np.random.default_rng(1))
    )
    assert found.mean() == pytest.approx(math.log(0.5), abs=0.03)
    # Schoenfeld: variance 1 / events in one arm + 1 / events in the other, and nearly everybody has one.
    assert found.std() == pytest.approx(math.sqrt(1 / 80 + 1 / 80), rel=0.15)
    assert LARGEST_SAMPLE >= 80
