"""Published results: valid, traceable, with intervals that can be recomputed, kept in locked roles."""

import math

import pytest
from scipy.stats import beta

from motorpool.evidence.outcome_catalogue import load_event_catalogue, load_milestone_catalogue
from motorpool.evidence.published import (
    PublishedEndpoint,
    PublishedStudy,
    list_published,
    load_published,
    published_points,
)
from motorpool.evidence.records import EvidenceError

ENDPOINTS = [
    pytest.param(study, endpoint, id=f"{study}-{endpoint.id}")
    for study in list_published()
    for endpoint in load_published(study).endpoints
]

CALIBRATION = {
    "PNCR",
    "NeuroNEXT",
    "NATURAL-HISTORY-LATER-ONSET",
    "ENDEAR",
    "STR1VE-US",
    "FIREFISH",
    "NURTURE",
    "CHERISH",
    "SUNFISH",
    "SAPPHIRE",
    "SPACE",
    "HEALTHY",
}


def test_the_studies_the_report_offers_are_there():
    required = CALIBRATION | {"STR1VE-EU", "SPR1NT", "RAINBOWFISH", "ADULT-NUSINERSEN"}
    assert required <= set(list_published())


def test_only_the_locked_studies_are_for_calibration():
    assert {name for name in list_published() if load_published(name).role == "calibration"} == CALIBRATION


def test_parts_of_calibration_studies_that_are_kept_for_validation():
    sapphire, space = load_published("SAPPHIRE"), load_published("SPACE")
    calibrating = {
        e.id for study in (sapphire, space) for e in study.endpoints if study.role_of(e) == "calibration"
    }
    assert calibrating == {"hfmse_difference", "endurance_hazard_ratio"}


def test_studies_that_shaped_the_design_are_marked():
    assert {n for n in list_published() if load_published(n).shaped_the_design} == {"SPR1NT", "SHINE"}


@pytest.mark.parametrize(("study", "endpoint"), ENDPOINTS)
def test_value_lies_in_its_interval_and_fractions_in_their_range(study: str, endpoint: PublishedEndpoint):
    if endpoint.interval is not None:
        assert endpoint.interval[0] <= endpoint.value <= endpoint.interval[1]
        if endpoint.metric in ("proportion", "survival_proportion"):
            assert 0 <= endpoint.interval[0] and endpoint.interval[1] <= 1
    if endpoint.metric == "hazard_ratio":
        assert endpoint.value > 0


@pytest.mark.parametrize(("study", "endpoint"), ENDPOINTS)
def test_computed_intervals_can_be_recomputed(study: str, endpoint: PublishedEndpoint):
    k, n, kind = endpoint.k, endpoint.n, endpoint.interval_kind
    if kind not in ("exact_binomial", "approximate_binomial", "from_sd"):
        return
    assert endpoint.interval is not None and n is not None
    if kind == "exact_binomial":
        assert k is not None
        assert endpoint.value == pytest.approx(k / n, abs=6e-4)
        low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
        high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    elif kind == "approximate_binomial":
        z, p = 1.959964, endpoint.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        low, high = centre - half, centre + half
    else:
        assert endpoint.standard_error is not None
        low, high = (endpoint.value + sign * 1.959964 * endpoint.standard_error for sign in (-1, 1))
    assert endpoint.interval == pytest.approx((low, high), abs=2e-3)


@pytest.mark.parametrize(("study", "endpoint"), ENDPOINTS)
def test_milestones_and_events_are_shown_as_fractions_or_times(study: str, endpoint: PublishedEndpoint):
    if endpoint.outcome in load_milestone_catalogue() or endpoint.outcome in load_event_catalogue():
        allowed = {
            "proportion",
            "survival_proportion",
            "median_time_months",
            "median_age_months",
            "hazard_ratio",
        }
        assert endpoint.metric in allowed


def test_unknown_study_names_the_nearest():
    with pytest.raises(EvidenceError, match="unknown published study 'CHERRISH'; the nearest is 'CHERISH'"):
        load_published("CHERRISH")


def test_points_are_ordered_and_leave_subgroups_out():
    points = published_points("FIREFISH", "sit_5s")
    assert [point.time_months for point in points] == [12, 24]
    assert all(
        p.subgroup is None for p in published_points("ENDEAR", "death_or_permanent_ventilation_16h_21d")
    )


def _endpoint(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": "a",
        "arm": "drug",
        "outcome": "hfmse",
        "metric": "mean_change",
        "value": 1.0,
        "time_months": 12,
        "definition": "d",
        "checked": True,
        "evidence_id": "x",
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "proportion", "value": 57}, "between 0 and 1"),
        ({"interval": [2, 3], "interval_kind": "published_95"}, "outside its interval"),
        ({"interval": [0, 3]}, "belong together"),
        ({"age_months": 12}, "give one of"),
        ({"time_months": None}, "give one of"),
        ({"metric": "difference"}, "comparator_arm"),
        ({"k": 5, "n": 4}, "not a count"),
        ({"interval": [0, 3], "interval_kind": "from_sd"}, "needs sd and n"),
        ({"metric": "average"}, "Input should be"),
    ],
)
def test_bad_endpoints_are_refused(changes: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        PublishedEndpoint.model_validate(_endpoint(**changes))


def test_a_study_refuses_unknown_arms_and_repeated_ids():
    study = {
        "study": "S",
        "title": "t",
        "source": "x",
        "role": "validation",
        "population": "p",
        "arms": {"drug": "d"},
        "arm_therapies": {"drug": ["nusinersen"]},
    }
    with pytest.raises(ValueError, match="the nearest is 'drug'"):
        PublishedStudy.model_validate(study | {"endpoints": [_endpoint(arm="drugs")]})
    with pytest.raises(ValueError, match="appears twice"):
        PublishedStudy.model_validate(study | {"endpoints": [_endpoint(), _endpoint()]})


def test_ages_become_times_where_the_study_states_its_enrolment_age():
    study = load_published("STR1VE-US")
    by_id = {endpoint.id: endpoint for endpoint in study.endpoints}
    assert study.months_since_enrolment(by_id["chop_month3"]) == 3
    assert study.months_since_enrolment(by_id["sit_30s_age18"]) == pytest.approx(14.3)
    pncr = load_published("PNCR")
    assert pncr.months_since_enrolment(pncr.endpoints[0]) is None


def test_arm_therapies_separate_untreated_arms_from_arms_without_a_plan():
    assert load_published("ENDEAR").arm_therapies == {"nusinersen": ("nusinersen",), "sham": ()}
    assert load_published("HEALTHY").arm_therapies == {"healthy": None}
