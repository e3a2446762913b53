from __future__ import annotations

import json
import re

import numpy as np
import pytest

from motorpool.report.numbers import Estimate, difference_words, months_words, more_of_100, out_of_100
from motorpool.report.phrases import addition_words, joined, spread_out
from motorpool.report.sentences import SentenceMaker
from motorpool.simulation.comparators import arm_comparators
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.summary import summary_table
from tests.support.synthetic_results import small_dataset, synthetic_dataset

HFMSE = outcome_view("hfmse")


def maker_for(data):
    scenario = json.loads(data.attrs["scenario"])
    labels = {arm: plan["label"] for arm, plan in scenario["arms"].items()}
    return SentenceMaker(summary_table(data), scenario, labels, arm_comparators(data), "infants")


@pytest.fixture(scope="module")
def maker():
    return maker_for(synthetic_dataset(patients=60, draws=4))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (Estimate(0.38, 0.25, 0.52), "about 38 (range 25 to 52)"),
        (Estimate(0.38), "about 38"),
        (Estimate(0.0, 0.0, 0.0), "almost none"),
        (Estimate(0.001, 0.0, 0.02), "fewer than 1 (range 0 to 2)"),
        (Estimate(1.0, 1.0, 1.0), "almost all"),
        (Estimate(0.998, 0.98, 1.0), "more than 99 (range 98 to 100)"),
    ],
)
def test_shares_of_one_hundred(share, words):
    assert out_of_100(share) == words


def test_differences_carry_signs_and_no_false_digits():
    assert (
        difference_words(Estimate(0.2, -1.1, 2.7), "points") == "about +0.2 points (range \u22121.1 to +2.7)"
    )
    assert difference_words(Estimate(28.4, 24.2, 31.3), "points") == "about +28 points (range +24 to +31)"
    assert (
        difference_words(Estimate(-0.004, -0.02, 0.01), "")
        == "about \u22120.004 (range \u22120.020 to +0.010)"
    )


def test_months_and_years():
    assert months_words(14.0) == "14 months"
    assert months_words(240.0) == "20 years"


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Estimate(0.2, -1.1, 2.7), "may add nothing"),
        (Estimate(-0.2, -1.1, 0.7), "may add nothing"),
        (Estimate(0.0, 0.0, 0.0), "may add nothing"),
        (Estimate(4.9, 3.1, 6.7), "adds about 4.9 points (range +3.1 to +6.7)"),
        (Estimate(1.8, 0.2, 2.9), "less than the smallest difference usually called important"),
        (Estimate(-2.0, -3.0, -1.0), "does worse by about 2.0 points"),
        (Estimate(0.004, 0.001, 0.008), "makes practically no difference, about +0.004 points"),
    ],
)
def test_a_range_that_includes_no_difference_says_so(difference, words):
    assert words in addition_words(difference, HFMSE)


def test_lower_is_better_is_respected():
    cobb = outcome_view("cobb_degrees")
    assert addition_words(Estimate(-12.0, -15.0, -11.0), cobb).startswith("adds") is False
    assert "improves" in addition_words(Estimate(-12.0, -15.0, -11.0), cobb)
    assert "does worse" in addition_words(Estimate(12.0, 11.0, 15.0), cobb)


def test_every_question_is_answered(maker):
    sentences = maker.all()
    assert {sentence.topic for sentence in sentences} == {"living", "ability", "adding", "cells"}
    assert "alive without permanent ventilation 24 months later" in sentences[0].text
    assert sentences[0].text.startswith("Of 100 infants like these, about")


def test_every_number_carries_its_range(maker):
    for sentence in maker.living() + maker.abilities() + maker.headline():
        for number in re.findall(r"(?:about|perhaps) [+\d.]+", sentence.text):
            words = r"( more| fewer| points| of 100)? \(range"
            assert re.search(re.escape(number) + words, sentence.text), sentence.text


def test_nothing_is_promised_and_no_date_of_death_is_given(maker):
    for sentence in maker.all():
        lower = sentence.text.lower()
        for word in (
            "promising",
            "promise",
            "will ",
            "cure",
            "breakthrough",
            "hope",
            "die at",
            "life expectancy",
        ):
            assert word not in lower, sentence.text


def test_cell_therapy_always_has_its_range_and_its_warning(maker):
    assert {s.topic for s in maker.all() if s.arm == "nusinersen_and_cells"} == {"cells"}
    cells = [sentence for sentence in maker.all() if sentence.topic == "cells"]
    assert any("range" in sentence.text and "Nusinersen 12 mg" in sentence.text for sentence in cells)
    assert any("No controlled study of cell therapy in SMA" in sentence.text for sentence in cells)
    assert not any("of 100" in sentence.text for sentence in cells)


def test_zero_effect_of_cells_says_may_add_nothing():
    data = synthetic_dataset(patients=30, draws=3)
    for name, variable in data.data_vars.items():
        if "arm" in variable.dims:
            values = variable.values.copy()
            values[2] = values[1]
            data[name] = (variable.dims, values)
    sentence = maker_for(data).cells()[0]
    assert "may add nothing" in sentence.text


def test_cells_without_their_twin_plan_are_not_credited_with_the_whole_plan():
    data = synthetic_dataset(patients=30, draws=3).sel(arm=["untreated", "nusinersen_and_cells"])
    scenario = json.loads(data.attrs["scenario"])
    scenario["arms"] = {arm: scenario["arms"][arm] for arm in ("untreated", "nusinersen_and_cells")}
    data.attrs["scenario"] = json.dumps(scenario)
    texts = [sentence.text for sentence in maker_for(data).cells()]
    assert any("it does not show what the cells themselves add" in text for text in texts)


def test_one_draw_gives_sentences_without_ranges():
    maker = maker_for(synthetic_dataset(patients=30, draws=1))
    assert all("(range" not in sentence.text for sentence in maker.all())
    assert any("cannot say how uncertain" in sentence.text for sentence in maker.cells())


def test_no_difference_without_range_is_not_an_addition():
    assert addition_words(Estimate(0.0), HFMSE) == "shows no difference"


def test_a_dataset_without_ventilation_still_speaks():
    sentences = maker_for(small_dataset()).all()
    assert any("alive" in sentence.text for sentence in sentences)
    assert np.all([sentence.text.endswith(".") for sentence in sentences])


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Estimate(0.18, 0.05, 0.28), "about 18 more (range 5 to 28)"),
        (Estimate(-0.04, -0.09, -0.01), "about 4 fewer (range 1 to 9)"),
        (Estimate(0.03, -0.02, 0.08), "perhaps 3 more (range 2 fewer to 8 more)"),
        (Estimate(0.0, -0.02, 0.02), "about as many (range 2 fewer to 2 more)"),
        (Estimate(0.0, 0.0, 0.0), "as many"),
        (Estimate(0.004, 0.001, 0.02), "hardly any more (range 0 to 2)"),
        (Estimate(1.0, 1.0, 1.0), "about 100 more (range 100 to 100)"),
        (Estimate(0.18), "about 18 more"),
        (Estimate(0.0), "about as many"),
    ],
)
def test_differences_of_one_hundred(difference, words):
    assert more_of_100(difference) == words


def test_headline_is_short_and_ends_with_the_warning_about_cells(maker):
    headline = maker.headline()
    assert 3 <= len(headline) <= 5
    assert "No controlled study of cell therapy in SMA" in headline[-1].text


def with_shares(data, values):
    """The dataset with the given shares of people alive at the end, by arm."""
    data = data.copy()
    times = np.full(data["event_time_years"].shape, np.inf)
    people = data.sizes["patient"]
    for arm, share in enumerate(values):
        times[arm, :, : people - round(share * people)] = 0.25
    data["event_time_years"] = (data["event_time_years"].dims, times)
    return data


@pytest.mark.parametrize(
    ("shares", "start", "end"),
    [
        (
            (0, 1, 1, 1),
            "Of 100 infants like these, almost none are alive",
            "about 100 more (range 100 to 100)",
        ),
        ((1, 1, 1, 1), "In this simulation almost all of 100 infants", "6 months later, in every arm."),
        ((0, 0, 0, 0), "In this simulation hardly any of 100 infants", "6 months later, in any arm."),
        ((0.5, 0.5, 0.5, 0.5), "Of 100 infants like these, about 50 (range 50 to 50) are", "as many."),
        ((0.01, 1, 1, 1), "Of 100 infants like these, about 1 (range 1 to 1) is alive", "to 99)."),
    ],
)
def test_extreme_and_equal_shares_are_grammatical(shares, start, end):
    data = with_shares(synthetic_dataset(patients=100, draws=3, visits=3), shares)
    text = maker_for(data).living()[0].text
    assert text.startswith(start), text
    assert text.rstrip(".").endswith(end.rstrip(".")), text


def test_arms_that_differ_less_than_is_known_are_said_to():
    data = synthetic_dataset(patients=20, draws=3)
    scenario = json.loads(data.attrs["scenario"])
    labels = {arm: plan["label"] for arm, plan in scenario["arms"].items()}

    def sentence(first, second):
        shares = {"untreated": np.zeros(3), "nusinersen": np.array(first), "risdiplam": np.array(second)}
        maker = SentenceMaker(
            summary_table(data), scenario, labels, arm_comparators(data), "infants", event_free=shares
        )
        return maker.between()[0].text

    assert "do not differ from each other" in sentence([0.5, 0.6, 0.7], [0.55, 0.55, 0.75])
    assert "has about 20 more (range 20 to 20) of 100 alive" in sentence([0.5, 0.6, 0.7], [0.7, 0.8, 0.9])
    assert "practically no difference" in sentence([0.5, 0.6, 0.7], [0.5, 0.6, 0.7])


def test_lists_and_choices():
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a, x", "b"]) == "a, x, and b"
    assert spread_out(list("abcdefghij"), 4) == ["a", "d", "g", "j"]


def test_plans_built_step_by_step_are_compared_with_the_step_before():
    data = with_shares(synthetic_dataset(patients=100, draws=3, visits=3), (0.5, 0.6, 0.6, 0.7))
    scenario = json.loads(data.attrs["scenario"])
    for arm, before in (("nusinersen_and_cells", "nusinersen"), ("risdiplam", "nusinersen")):
        scenario["arms"][arm] = {**scenario["arms"][arm], "therapies": [], "comparator": before}
    data.attrs["scenario"] = json.dumps(scenario)
    text = maker_for(data).living()[0].text
    assert "with \u201cNusinersen and cells\u201d as many as with \u201cNusinersen 12 mg\u201d" in text
    assert "with \u201cRisdiplam\u201d about 10 more (range 10 to 10) than with" in text
