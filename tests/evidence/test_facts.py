"""Plain facts: every file loads, units and values fit, growth and dosing have the right shape."""

import itertools

import pytest

from motorpool.evidence.facts import Fact, list_facts, load_facts
from motorpool.evidence.outcome_catalogue import load_milestone_catalogue
from motorpool.evidence.records import EvidenceError


@pytest.mark.parametrize("topic", list_facts())
def test_every_topic_loads_and_says_what_it_is(topic: str):
    file = load_facts(topic)
    assert file.description
    assert file.facts or file.tables
    for fact in file.facts.values():
        assert fact.sources or fact.origin == "judgement", fact.id


@pytest.mark.parametrize("topic", list_facts())
def test_fractions_lie_between_0_and_1(topic: str):
    file = load_facts(topic)
    for fact in file.facts.values():
        if fact.unit.startswith("fraction"):
            assert all(0 <= number <= 1 for number in fact.numbers), fact.id
            assert fact.interval is None or 0 <= fact.interval[0] <= fact.interval[1] <= 1, fact.id
    for table in file.tables.values():
        for name, unit in table.columns.items():
            if unit == "fraction":
                assert all(0 <= value <= 1 for value in table.column(name)), f"{table.id}.{name}"


def test_growth_covers_birth_to_adulthood_and_never_falls():
    table = load_facts("growth").table("size_for_age")
    ages = table.column("age_years")
    assert ages[0] == 0 and ages[-1] == 20
    for name in (
        "age_years",
        *(f"{size}_{sex}" for size in ("weight_median_kg", "length_median_cm") for sex in ("female", "male")),
    ):
        column = table.column(name)
        assert all(a < b for a, b in itertools.pairwise(column)), name


def test_growth_has_the_published_medians():
    table = load_facts("growth").table("size_for_age")
    at = table.column("age_years").index
    assert table.column("weight_median_kg_male")[at(1)] == pytest.approx(9.65, abs=0.01)
    assert table.column("weight_median_kg_female")[at(0)] == pytest.approx(3.23, abs=0.01)
    assert table.column("length_median_cm_male")[at(18)] == pytest.approx(176.2, abs=0.1)


def test_dosing_schedules_are_the_labels():
    dosing = load_facts("dosing")
    assert dosing.fact("nusinersen_standard_loading_days").numbers == (0, 14, 28, 63)
    assert dosing.fact("nusinersen_high_dose_loading_days").numbers == (0, 14)
    assert dosing.fact("onasemnogene_intravenous_vg_per_kg").number == pytest.approx(1.1e14)
    bands = dosing.table("risdiplam_dose_bands")
    assert bands.column("dose_mg_per_kg") == (0.15, 0.2, 0.25, 0.25)
    assert bands.rows[-1][1] * bands.rows[-1][2] == pytest.approx(bands.rows[-1][3])


def test_milestone_windows_agree_with_the_catalogue():
    windows = load_facts("milestones").table("windows")
    by_order = {entry.order: entry for entry in load_milestone_catalogue().values()}
    for order, first, mean, _, last in windows.rows:
        entry = by_order[int(order)]
        assert (entry.who_p1_months, entry.who_mean_months, entry.who_p99_months) == (first, mean, last)


def test_healthy_chop_intend_rises_to_the_maximum():
    band = load_facts("healthy_chop_intend").table("band_by_age").column("mean_points")
    assert list(band) == sorted(band)
    assert band[-1] == 64


def test_type_given_copies_adds_to_one():
    for row in load_facts("smn2_copies").table("type_given_copies").rows:
        assert sum(row[1:]) == pytest.approx(1)


def test_unknown_topic_fact_and_column_name_the_nearest():
    with pytest.raises(EvidenceError, match="unknown fact topic 'grow'; the nearest is 'growth'"):
        load_facts("grow")
    with pytest.raises(EvidenceError, match="the nearest is 'risdiplam_half_life_hours'"):
        load_facts("dosing").fact("risdiplam_half_life")
    with pytest.raises(EvidenceError, match="the nearest is 'weight_median_kg_male'"):
        load_facts("growth").table("size_for_age").column("weight_median_male")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": "1.1e14"}, "only text has the unit"),
        ({"interval": [2, 3]}, "outside its interval"),
        ({"interval": [3, 0]}, "must be increasing"),
        ({"origin": "publication"}, "needs at least one source"),
        ({"value": [1, 2], "interval": [0, 3]}, "only a single number"),
    ],
)
def test_bad_facts_are_refused(changes: dict[str, object], message: str):
    fields: dict[str, object] = {
        "id": "a",
        "value": 1,
        "unit": "kg",
        "description": "d",
        "origin": "judgement",
        "checked": False,
    }
    with pytest.raises(ValueError, match=message):
        Fact.model_validate(fields | changes)
