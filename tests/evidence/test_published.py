"""Published results: valid, traceable, with intervals that can be recomputed."""

import math

import pytest
from scipy.stats import beta

from motorpool.evidence.outcome_catalogue import load_event_catalogue, load_milestone_catalogue
from motorpool.evidence.published import (
    COHORT_OUTCOMES,
    PublishedEndpoint,
    PublishedStudy,
    list_published,
    load_published,
    published_points,
)
from motorpool.evidence.records import EvidenceError
from motorpool.simulation.loading import load_scenario, shipped_scenarios

ENDPOINTS = [
    pytest.param(study, endpoint, id=f"{study}-{endpoint.id}")
    for study in list_published()
    for endpoint in load_published(study).endpoints
]

NAMED_BY_SCENARIOS = {name for scenario in shipped_scenarios() for name in load_scenario(scenario).published}


def test_the_studies_the_report_offers_are_there():
    assert NAMED_BY_SCENARIOS
    assert set(list_published()) >= NAMED_BY_SCENARIOS


@pytest.mark.parametrize("study", list_published())
def test_every_study_says_how_far_it_can_be_trusted_and_how_it_is_simulated(study: str):
    record = load_published(study)
    assert record.risk_of_bias is not None
    assert record.risk_of_bias.reason
    assert (record.run is None) == bool(record.not_run)


@pytest.mark.parametrize(("study", "endpoint"), ENDPOINTS)
def test_a_predicted_figure_tells_its_error_or_its_number_of_people(study: str, endpoint: PublishedEndpoint):
    if endpoint.not_scored is None and load_published(study).run is not None:
        assert endpoint.interval is not None or endpoint.n is not None


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
        ({"time_months": None}, "give time_months, age_months or age_band_months"),
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
        "population": "p",
        "arms": {"drug": "d"},
        "arm_therapies": {"drug": ["nusinersen"]},
    }
    with pytest.raises(ValueError, match="the nearest is 'drug'"):
        PublishedStudy.model_validate(study | {"endpoints": [_endpoint(arm="drugs")]})
    with pytest.raises(ValueError, match="appears twice"):
        PublishedStudy.model_validate(study | {"endpoints": [_endpoint(), _endpoint()]})
    with pytest.raises(ValueError, match="role\n  Extra inputs"):
        PublishedStudy.model_validate(study | {"endpoints": [_endpoint()], "role": "validation"})


def test_slopes_of_an_age_band_and_spreads_are_metrics():
    slope = _endpoint(metric="change_per_year", time_months=None, age_band_months=[60, 120])
    assert PublishedEndpoint.model_validate(slope).age_band_months == (60, 120)
    for metric in ("sd", "sd_change"):
        assert PublishedEndpoint.model_validate(_endpoint(metric=metric)).metric == metric


def test_who_was_enrolled_can_be_an_endpoint():
    study = load_published("TYPE-GIVEN-COPIES")
    assert {endpoint.outcome for endpoint in study.endpoints} <= set(COHORT_OUTCOMES)


def test_ages_become_times_where_the_study_states_its_enrolment_age():
    study = load_published("STR1VE-US")
    by_id = {endpoint.id: endpoint for endpoint in study.endpoints}
    assert study.months_since_enrolment(by_id["chop_month3"]) == 3
    assert study.months_since_enrolment(by_id["sit_30s_age18"]) == pytest.approx(14.3)
    pncr = load_published("PNCR")
    assert pncr.months_since_enrolment(pncr.endpoints[0]) is None


def test_arm_therapies_separate_untreated_arms_from_arms_without_a_plan():
    assert load_published("ENDEAR").arm_therapies == {"nusinersen": ("nusinersen",), "sham": ()}
    assert set(load_published("HEALTHY").arm_therapies.values()) == {None}
