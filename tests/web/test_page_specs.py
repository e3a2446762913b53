"""Names of plans are words beside a picture, so that its structure stays; captions for families are whole sentences."""

import json
from typing import Any

import pytest

from motorpool.figures.abilities import ability_figure
from motorpool.figures.courses import course_figure
from motorpool.web.explore import Explorer
from motorpool.web.page_specs import NAMES, page_spec
from motorpool.web.plan_terms import TODAY, gently
from motorpool.web.problems import checked


@pytest.fixture(scope="module")
def contexts() -> list[Any]:
    explorer = Explorer()
    plans = [
        [{"name": "No drug"}, {"courses": [{"therapy": "nusinersen", "from_months": start}]}]
        for start in (1, 7.5)
    ]
    return [
        explorer.show(checked({"age_months": 6, "years": 1, "plans": one}), doubt=False).context
        for one in plans
    ]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("make", [ability_figure, lambda context: course_figure(context, "chop_intend")])
def test_another_name_of_a_plan_is_another_word_and_not_another_structure(
    contexts: list[Any], make: Any, narrow: bool
) -> None:
    found = []
    for context in contexts:
        figure = make(context)
        found.append(page_spec(figure.narrow_spec if narrow else figure.spec, context.labels, TODAY))
    first, second = found
    assert first["structure"] == second["structure"]
    assert first["words"][NAMES] == {"plan_1": "No drug", "plan_2": "Nusinersen from month 1"}
    assert second["words"][NAMES]["plan_2"] == "Nusinersen from month 7.5"
    for part in found:
        assert "Nusinersen" not in part["structure"]
        assert set(part["words"]) == {one["name"] for one in json.loads(part["structure"])["params"]}
        keys = {row["label"] for rows in part["datasets"].values() for row in rows if "label" in row}
        assert keys == {"plan_1", "plan_2"}


def test_names_stay_where_a_picture_writes_them_itself() -> None:
    rows = {"a": [{"label": "Early", "x": 1}]}
    spec = {
        "encoding": {"y": {"field": "label", "type": "nominal"}},
        "data": {"name": "a"},
        "datasets": rows,
    }
    found = page_spec(spec, {"plan_1": "Early"})
    assert found["words"] == {}
    assert found["datasets"] == {"rows-1": rows["a"]}


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        (
            "Everyone is counted; people who died count as not able. Higher is better.",
            "Everyone is counted. Higher is better.",
        ),
        (
            "People alive at 2.5 months are counted; bars (half; all) are ranges.",
            "Bars (half; all) are ranges.",
        ),
        ("Death counts as the worst score. Zero: no difference.", "Zero: no difference."),
        ("Lines are averages; bands are ranges.", "Lines are averages; bands are ranges."),
    ],
)
def test_captions_for_families_are_whole_sentences(caption: str, told: str) -> None:
    assert gently(caption) == told
