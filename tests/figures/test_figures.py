from __future__ import annotations

import json

import altair as alt
import numpy as np
import pytest

from motorpool.figures.additions import difference_table
from motorpool.figures.collection import collect_figures
from motorpool.figures.context import FigureContext
from motorpool.figures.icons import STATES, of_one_hundred, state_shares
from motorpool.figures.milestones import ability_shares, choose_clock
from motorpool.figures.start_age import start_age_figure
from motorpool.figures.start_ages import start_ages
from motorpool.figures.survival import survival_figure
from motorpool.figures.theme import ARM_COLOURS, ARM_DASHES, ARM_SHAPES, arm_styles
from motorpool.figures.walking import walking_figure
from tests.support.synthetic_results import (
    small_dataset,
    start_age_dataset,
    synthetic_dataset,
)


def test_every_section_has_a_figure(collection):
    for name, figures in vars(collection).items():
        if name not in ("start_age", "walking"):  # only for scenarios and people they fit
            assert figures, name
    identifiers = [figure.identifier for figure in collection.all()]
    assert len(set(identifiers)) == len(identifiers)


def test_every_figure_has_words_data_and_source(collection):
    for figure in collection.all():
        assert len(figure.alt) > 40, figure.identifier
        assert len(figure.table) > 0, figure.identifier
        assert figure.title and figure.caption and figure.source
        assert all(isinstance(column, str) and column for column in figure.table.columns)


def test_specifications_are_valid_vega_lite(collection):
    kinds = {figure.identifier.split("-")[0]: figure for figure in collection.all()}
    for figure in kinds.values():
        one_row = {name: rows[:1] for name, rows in figure.spec["datasets"].items()}
        alt.Chart.from_dict({**figure.spec, "datasets": one_row}, validate=True)


def test_figures_render_in_both_layouts(collection):
    figure = collection.survival[0]
    assert figure.svg().startswith("<svg")
    assert figure.svg() != figure.svg(narrow=True)


def axis_titles(part):
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "title" and isinstance(value, str):
                yield value
            yield from axis_titles(value)
    elif isinstance(part, list):
        for value in part:
            yield from axis_titles(value)


@pytest.mark.parametrize("section", ["courses", "survival", "additions", "daily_life", "milestones"])
def test_figures_say_which_way_is_better(collection, section):
    for figure in getattr(collection, section):
        words = " ".join(axis_titles(figure.spec)) + figure.caption + str(figure.spec)
        assert "better" in words, figure.identifier


def test_figures_do_not_load_anything_from_a_network(collection):
    for figure in collection.all():
        assert '"url"' not in str(figure.spec).replace("'", '"')


def test_arms_differ_in_colour_dash_and_marker():
    labels = {name: name for name in ("none", "a", "b", "c", "d")}
    styles = arm_styles(labels, "none")
    for attribute in ("colour", "shape"):
        assert len({getattr(style, attribute) for style in styles}) == len(styles)
    assert len({tuple(style.dash) for style in styles}) == len(styles)
    assert len(ARM_COLOURS) == len(ARM_DASHES) == len(ARM_SHAPES)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_enough_contrast_on_white():
    from motorpool.figures.theme import INK, SOFT_INK

    for colour in (INK, SOFT_INK):
        assert 1.05 / (luminance(colour) + 0.05) >= 7


def test_stacked_shares_add_to_one_hundred(context):
    shares = ability_shares(context, choose_clock(context))
    totals = shares.groupby(["arm", "x"])["percent"].sum()
    np.testing.assert_allclose(totals, 100.0)


def test_age_is_the_clock_for_infants_and_time_for_mixed_ages(context):
    assert choose_clock(context).by_age
    data = synthetic_dataset(patients=10, draws=1, visits=3)
    data["enrolment_age_years"] = data["enrolment_age_years"] * 60
    assert not choose_clock(FigureContext(data)).by_age


def test_icons_are_one_hundred_and_nearest(context):
    for shares in state_shares(context).values():
        assert sum(of_one_hundred(shares.mean(-1))) == 100
    assert of_one_hundred(np.array([1 / 3, 1 / 3, 1 / 3])) == [34, 33, 33]
    assert len(STATES) == 7


def test_differences_name_their_comparator_and_who_is_counted(context):
    table = difference_table(context)
    cells = table[table["arm"] == "nusinersen_and_cells"]
    assert set(cells["versus"]) == {"Nusinersen 12 mg"}
    assert (table["counted"] != "").all()


def test_order_of_arms_in_the_arrays_changes_nothing():
    data = synthetic_dataset(patients=12, draws=2, visits=3, months_between_visits=6.0)
    first = survival_figure(FigureContext(data), "death")
    second = survival_figure(FigureContext(data.isel(arm=[2, 0, 3, 1])), "death")
    colours = [style.colour for style in FigureContext(data).styles]
    assert colours == [style.colour for style in FigureContext(data.isel(arm=[2, 0, 3, 1])).styles]
    columns = list(first.table.columns)
    assert (
        first.table.sort_values(columns)
        .reset_index(drop=True)
        .equals(second.table.sort_values(columns).reset_index(drop=True))
    )


def test_a_sparse_dataset_still_gives_figures():
    figures = collect_figures(FigureContext(small_dataset()))
    assert figures.courses
    assert not figures.neurons


def test_published_points_are_drawn_with_the_arm_that_got_the_same_therapy(context):
    arms = {(point.study, point.arm) for point in context.published}
    assert ("ENDEAR", "nusinersen") in arms
    assert ("ENDEAR", "untreated") in arms
    assert all(arm != "nusinersen_and_cells" for _, arm in arms)
    assert all(0 <= point.value <= 1 for point in context.published if point.measure != "score")


def test_no_published_study_is_no_problem():
    data = synthetic_dataset(patients=10, draws=2, visits=3)
    data.attrs["scenario"] = data.attrs["scenario"].replace('"published": ["ENDEAR"]', '"published": []')
    context = FigureContext(data)
    assert context.published == []
    assert "Diamonds" not in survival_figure(context, "death").caption


def test_arms_that_differ_in_start_age_are_drawn_against_it():
    context = FigureContext(start_age_dataset())
    assert list(start_ages(context.scenario).values()) == [0.0, 1.0, 2.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0]
    figure = start_age_figure(context)
    rows = figure.table[figure.table["Age at start, months"].notna()]
    assert set(rows["Age at start, months"]) == set(start_ages(context.scenario).values())
    assert "months of age" in figure.alt
    assert figure.svg().startswith("<svg")


def test_other_scenarios_have_no_start_age_figure(context):
    assert start_ages(context.scenario) == {}
    assert start_age_figure(context) is None
    scenario = json.loads(start_age_dataset().attrs["scenario"])
    scenario["arms"]["age_3"]["therapies"][0]["route"] = "intrathecal"
    assert start_ages(scenario) == {}


def test_ten_arms_stay_apart():
    context = FigureContext(start_age_dataset())
    assert len({style.colour for style in context.styles}) == len(context.styles)
    lightness = [luminance(style.colour) for style in context.styles if style.arm != "untreated"]
    assert lightness == sorted(lightness)
    labels = {f"arm {index}": str(index) for index in range(12)}
    looks = {(style.colour, tuple(style.dash), style.shape) for style in arm_styles(labels, "arm 0")}
    assert len(looks) == 12


def test_walking_by_minute_needs_walkers(context):
    assert walking_figure(context) is None
    data = synthetic_dataset(patients=20, draws=2, visits=3)
    metres = np.linspace(60.0, 40.0, 6) * np.ones(data["walk_minute_m"].shape)
    data["walk_minute_m"] = (data["walk_minute_m"].dims, metres)
    figure = walking_figure(FigureContext(data))
    assert "60 m in the first, 40 m in the last minute" in figure.alt
