"""What each plan adds over the first: words, table, icons and curves tell the same, and layers leave the curves."""

import re
from typing import Any

import pytest

from motorpool.figures.abilities import ability_figure
from motorpool.figures.context import FigureContext
from motorpool.figures.courses import CourseLayers, course_figure
from motorpool.figures.daily_life import daily_life_figure
from motorpool.figures.difference_courses import difference_course_figure
from motorpool.figures.safety import safety_figure
from motorpool.figures.survival import survival_figure
from motorpool.web.added import added_groups, added_table, added_words, paired_shares
from motorpool.web.course_figures import course_layers
from motorpool.web.explore import Explorer
from motorpool.web.family_pictures import family_figure
from motorpool.web.layer_words import begun_words, daily_table, layer_sentences
from motorpool.web.plan_terms import OF_SURVIVAL
from motorpool.web.problems import checked


@pytest.fixture(scope="module")
def context() -> FigureContext:
    description = checked({"age_months": 6, "years": 1, "plans": [
        {"name": "No drug"}, {"courses": [{"therapy": "nusinersen"}]},
        {"courses": [{"therapy": "breathing_support", "begins": "fvc_percent_below", "begins_level": 50}]},
    ]})  # fmt: skip
    return Explorer().show(description, doubt=True).context


def difference(context: FigureContext, kind: str, quantity: str, measure: str) -> dict[str, float]:
    rows = context.rows(kind=kind, quantity=quantity, measure=measure, visit_month=max(context.months))
    return dict(zip(rows["arm"], rows["knowledge.mean"], strict=True))


def test_icons_are_the_difference_of_the_summary(context: FigureContext) -> None:
    told = difference(context, "milestone", "sit_5s", "difference_able_share")
    for arm in ("plan_2", "plan_3"):
        shares = paired_shares(context, arm, "sit_5s")
        assert shares is not None
        assert shares.sum() == pytest.approx(1)
        assert shares[1] - shares[2] == pytest.approx(told[arm])
    (group, *_) = added_groups(context)
    counts = group.rows[0].counts
    assert sum(counts.values()) == group.rows[0].spans[-1][2] == 100
    assert f"{counts['only_this']} can hold their head up with this plan" in group.rows[0].words


def test_words_table_forest_and_curve_agree(context: FigureContext) -> None:
    outcome = context.motor_scales[0]
    told = difference(context, "outcome", outcome, "difference_death_as_worst")["plan_2"]
    words = added_words(context, plain=True)[0]
    found = re.search(r"children score (\S+) more points on average with “Nusinersen”", words)
    assert found is not None
    assert float(found[1]) == pytest.approx(told, abs=0.51)
    table = added_table(context, plain=True).set_index("What")
    cell = table.loc["Movement score for weak infants", "Nusinersen"]
    assert str(cell).startswith(f"+{found[1]} (")
    curve = difference_course_figure(context, outcome)
    assert curve is not None
    ends = curve.table[curve.table["Arm"] == "Nusinersen"]
    assert float(ends["Average difference"].iloc[-1]) == pytest.approx(told)
    sits = difference(context, "milestone", "sit_5s", "difference_able_share")["plan_2"]
    number = re.match(r"\+([\d.]+)", str(table.loc["Can sit without help", "Nusinersen"]))
    assert number is not None
    assert float(number[1]) == pytest.approx(100 * sits, abs=0.5)


FOR_PROFESSIONALS = ("parameter", "95 % range", "interval", "median", "arm", "comparator", "enrolment")


@pytest.mark.parametrize("survival", [False, True])
def test_pictures_for_families_say_in_short_sentences_how_to_read_them(
    context: FigureContext, survival: bool
) -> None:
    outcome = context.motor_scales[0]
    made = [
        ability_figure(context, plain=True), course_figure(context, outcome), daily_life_figure(context),
        difference_course_figure(context, outcome), safety_figure(context, "procedure", plain=True),
        *([survival_figure(context, "death")] if survival else []),
    ]  # fmt: skip
    for figure in made:
        assert figure is not None
        told = family_figure(figure, context, survival=survival)
        words = f"{told.title}. {told.caption} {told.source}"
        assert not [word for word in FOR_PROFESSIONALS if re.search(rf"\b{word}", words)], words
        assert "what we do not know" in words
        assert survival or not OF_SURVIVAL.search(words)
        assert max(len(sentence.split()) for sentence in re.split(r"[.:;]\s", words)) <= 26
        assert told.table is figure.table
        assert told.build is figure.build
    course = made[1]
    assert course is not None
    assert "can be tested" in family_figure(course, context, survival=survival).caption


def test_all_sides_of_daily_life_have_a_row(context: FigureContext) -> None:
    rows = set(daily_table(context, plain=False)["What"])
    assert {
        "FVC",
        "Ventilation",
        "Swallowing",
        "Weight for age",
        "Cobb angle",
        "Endurance",
        "Utility",
    } <= rows


def test_families_read_the_layers_in_words(context: FigureContext) -> None:
    text = " ".join(layer_sentences(context))
    for words in (
        "Children differ.",
        "We do not know the average exactly.",
        "measured on another day",
        "Another 200",
    ):
        assert words in text
    assert not re.search(r"\b(died|death|alive)\b", text)


def test_how_many_get_what_begins_by_a_rule(context: FigureContext) -> None:
    description = checked({"plans": [{"name": "No drug"}, {"courses": [{"therapy": "nusinersen"}]}, {"courses": [
        {"therapy": "breathing_support", "begins": "fvc_percent_below", "begins_level": 50}]}]})  # fmt: skip
    (sentence,) = begun_words(context, description)
    found = re.search(r"Breathing support begins in (\d+) of 100 children", sentence)
    assert found is not None
    assert 0 < int(found[1]) <= 100


def text_of(figure: Any) -> str:
    return str(figure.spec) + figure.caption + " ".join(map(str, figure.table.columns))


def test_layers_and_bands_leave_the_curves_and_the_table(context: FigureContext) -> None:
    expert = checked({"voice": "expert", "hide_bands": [80], "leave_out": ["knowledge"]})
    shown = course_layers(expert)
    assert shown == CourseLayers(bands=(50, 95), knowledge=False, chance=True, measurement=True)
    assert (
        course_layers(checked({"leave_out": ["people"]})) == CourseLayers()
    )  # families see the usual curves
    whole = course_figure(context, "fvc_percent", CourseLayers(chance=True, measurement=True))
    less = course_figure(context, "fvc_percent", shown)
    none = course_figure(context, "fvc_percent", CourseLayers((), False, False, False))
    assert whole is not None
    assert less is not None
    assert none is not None
    everything, some, nothing = map(text_of, (whole, less, none))
    for mark, column in (
        ("'q10'", "People: 10 %"),
        ("'low'", "low end of what we do not know"),
    ):
        assert mark in everything
        assert column in everything
        assert mark not in some
        assert column not in some
    for mark in ("chance_low", "measured_low", "Chance: measurement SD", "single measurements"):
        assert mark in some
        assert mark not in nothing
    assert "People: 2.5 %" in some
    assert "People: 2.5 %" not in nothing
