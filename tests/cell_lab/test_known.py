"""What is known of cells: the records, the pools with the prior they agree with, animals, and the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from motorpool.cell_lab.known import known_content, points_per_sd
from motorpool.cell_lab.known_words import answer, pool_of
from motorpool.evidence import cell_studies
from motorpool.evidence.cell_studies import CellStudy, Contrast, load_cell_studies
from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.records import EvidenceError, build_record
from motorpool.figures.cells_known import documentation_figures, known_figures
from motorpool.figures.mechanisms.files import numbers_digest, stored_digest
from motorpool.figures.rendering import render_svg
from motorpool.report.cells_known import known_page
from motorpool.report.cells_words import known_words_page
from tests.support.reading import reading_grade

REMAKE = "python -m motorpool.figures.cells_known docs/images/cells"


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return known_content()


def test_eighteen_people_and_none_drawn_by_lot(content: dict[str, Any]) -> None:
    assert content["sma"]["people_treated"] == 18
    assert content["sma"]["people_in_randomised_studies"] == 0
    assert content["sma"]["pooled"] == []
    sma = [study for study in content["studies"] if study["group"] == "sma"]
    assert all(study["effect"] is None and study["not_pooled"] for study in sma)


def test_every_study_says_all_that_is_asked_of_it(content: dict[str, Any]) -> None:
    for study in content["studies"]:
        assert study["sources"] and all(source["citation"] for source in study["sources"])
        assert study["risk_of_bias"]["level"] and study["risk_of_bias"]["reason"]
        for field in ("design_words", "cells", "route", "result"):
            assert study[field]
        for field in ("dose", "schedule", "funding", "phase"):
            assert field in study


def test_every_cell_figure_of_the_ledger_is_in_a_study() -> None:
    known = load_cell_studies()
    used = {figure for study in known.studies.values() for figure in study.figures}
    used |= {approach.figure for approach in known.translation.approaches.values()}
    left = {
        name
        for name, figure in load_ledger().items()
        if figure.topic == "cell_therapy" and figure.n and name not in used
    }
    # without cells, advertisements, reviews, laboratory markers or recalled parts of a study that is there
    for name in left:
        plan = load_ledger()[name].plan
        assert name in {
            "sci_meta62", "cochrane_als_cell", "stamina_cassazione", "mscnp_ms_p1_ccl2", "petrou2016_recalled",
            "apitegromab_sapphire", "olesoxime2017", "space_pyridostigmine",
        } or "none" in plan, name  # fmt: skip


def test_the_blinded_pool_is_the_one_the_prior_was_built_on(content: dict[str, Any]) -> None:
    pool, prior = pool_of(content, "blinded"), load_ledger()["prior_blinded_pool"]
    assert pool["shown"]["estimate"] == pytest.approx(prior.number("smd"), abs=0.005)
    assert pool["normal"]["standard_error"] == pytest.approx(prior.number("se"), abs=0.01)
    child, opened = pool_of(content, "with_one_child_trial"), pool_of(content, "with_open_label")
    fixed = {name: _fixed(pool_of(content, name)) for name in ("with_one_child_trial", "with_open_label")}
    assert fixed["with_one_child_trial"] == pytest.approx(0.11, abs=0.01)
    assert fixed["with_open_label"] == pytest.approx(0.13, abs=0.015)
    assert child["shown"]["q"] == pytest.approx(4.9, abs=0.5)
    assert opened["shown"]["q"] == pytest.approx(7.8, abs=0.8)


def _fixed(pool: dict[str, Any]) -> float:
    weights = [1.0 / study["variance"] for study in pool["studies"]]
    return sum(w * study["smd"] for w, study in zip(weights, pool["studies"], strict=True)) / sum(weights)


def test_the_interval_shown_is_never_the_narrower_one(content: dict[str, Any]) -> None:
    for pool in content["syntheses"]:
        shown = pool["shown"]
        for other in (pool["hartung_knapp"], pool["normal"]):
            assert shown["low"] <= other["low"] + 1e-12
            assert shown["high"] >= other["high"] - 1e-12
        left = pool["leave_one_out"]
        assert set(left) == {study["id"] for study in pool["studies"]}
        assert (
            min(left.values()) <= shown["estimate"] + 1e-6 and shown["estimate"] <= max(left.values()) + 1e-6
        )
        assert pool["hfmse_points"]["estimate"] == pytest.approx(points_per_sd() * shown["estimate"])
    assert (
        pool_of(content, "bias_adjusted")["shown"]["estimate"]
        < pool_of(content, "with_open_label")["shown"]["estimate"]
    )


def test_animals_do_not_carry_their_size_over(content: dict[str, Any]) -> None:
    animals = content["animals"]
    assert [round(one["gain"], 2) for one in animals["smn_restored"]] == [2.33, 9.47]
    found = animals["translation"]
    assert (found["helped"], found["tried"]) == (0, 7)
    # Jeffreys: a beta distribution with 0.5 and 7.5
    assert found["share"] == pytest.approx(0.5 / 8.0)
    assert (found["share_low"], found["share_high"]) == (0.0, pytest.approx(0.2924, abs=1e-4))


def test_studies_are_counted_by_year_and_phase(content: dict[str, Any]) -> None:
    numbers = content["numbers"]
    people = [study for study in content["studies"] if study["group"] != "animal"]
    assert sum(numbers["by_phase"].values()) == sum(numbers["by_design"].values()) == len(people)
    dated = sum(row["studies"] for row in numbers["by_year_and_phase"])
    assert dated + len(numbers["without_year"]) == len(people)
    sums = {name: sum(numbers["designations"][name].values()) for name in ("requested", "granted")}
    # the ledger's totals include three months of 2025: 20 and 9
    assert sums == {"requested": 317 - 20, "granted": 152 - 9}


def test_sentences_have_a_number_and_promise_nothing(content: dict[str, Any]) -> None:
    for sentence in answer(content):
        assert re.search(r"\d", sentence)
        assert not re.search(r"promising|breakthrough|hope", sentence, re.IGNORECASE)
    text = " ".join(answer(content))
    assert reading_grade(text) < 8.0
    assert "not a share of children" in text
    assert "18 people with SMA" in text
    json.dumps(content, allow_nan=False)


def test_another_result_gives_other_words(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    known = load_cell_studies()
    contrast = Contrast(kind="means", measure="ALSFRS-R", difference=6.0, sd=6.0)
    better = {
        study.id: study.model_copy(update={"contrast": contrast})
        for study in known.in_pool(known.pools["blinded"])
    }
    changed = known.model_copy(update={"studies": {**known.studies, **better}})
    monkeypatch.setattr("motorpool.cell_lab.known.load_cell_studies", lambda: changed)
    other = known_content()
    assert (
        pool_of(other, "blinded")["shown"]["estimate"]
        > pool_of(content, "blinded")["shown"]["estimate"] + 0.1
    )
    assert "found an effect" in answer(other)[1] and "told from none" in answer(content)[1]
    before, after = (known_figures(one)["forest"].title for one in (content, other))
    assert "No blinded trial" in before and "No blinded trial" not in after


def test_pictures_show_every_study_and_pool(content: dict[str, Any]) -> None:
    figures = known_figures(content)
    forest = figures["forest"].table
    assert len(forest) == sum(study["effect"] is not None for study in content["studies"]) + len(
        content["syntheses"]
    )
    assert len({figure.identifier for figure in figures.values()}) == len(figures)
    for figure in figures.values():
        for spec in (figure.spec, figure.narrow_spec):
            assert "NaN" not in render_svg(spec)
        assert len(figure.alt) > 40 and len(figure.caption) > 40


def test_the_page_is_whole(content: dict[str, Any]) -> None:
    page = known_page(content)
    plain = re.sub(r"<[^>]+>", " ", page)
    for study in content["studies"]:
        assert study["name"].replace("'", "&#39;") in plain
    for name in ("together", "studies", "animals-heading", "numbers", "sources"):
        assert f'id="{name}"' in page
    assert "http://" not in re.sub(
        r'href="[^"]*"|xmlns(:\w+)?="[^"]*"|"\$schema":"[^"]*"', "", page.split("vega-bundle")[0]
    )
    assert "For research use only." in plain


def test_the_pictures_of_the_documentation_are_those_of_the_evidence(
    content: dict[str, Any], checkout: Path
) -> None:
    folder = checkout / "docs" / "images" / "cells"
    for figure in documentation_figures(content):
        assert stored_digest(folder / f"{figure.identifier}.svg") == numbers_digest(figure), (
            f"remake them: {REMAKE}"
        )


def test_the_page_of_the_documentation_is_that_of_the_evidence(
    content: dict[str, Any], checkout: Path
) -> None:
    path = checkout / "docs" / "explanation" / "what-is-known-about-cells.md"
    assert path.read_text(encoding="utf-8") == known_words_page(content), (
        f"make it anew: python -m motorpool.report.cells_words > {path.relative_to(checkout)}"
    )


STUDY: dict[str, Any] = {
    "id": "x", "name": "X", "group": "sma", "figures": ["andolina2012"], "disease": "SMA", "design": "case_series",
    "cells": "cells", "route": "vein", "dose": None, "schedule": None, "comparator": None, "outcome": None,
    "follow_up": None, "result": "none", "funding": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "give either contrast, or not_pooled"),
        ({"not_pooled": "x", "contrast": {"kind": "reported_alike", "measure": "x"}}, "give either contrast"),
        ({"contrast": {"kind": "reported_alike", "measure": "x"}}, "needs treated and compared"),
        ({"contrast": {"kind": "means", "measure": "x", "difference": 1}}, "needs exactly difference, sd"),
        (
            {"contrast": {"kind": "interval", "measure": "x", "difference": 3, "interval": [0, 1]}},
            "outside its interval",
        ),
        ({"not_pooled": "x", "design": "animal"}, "only animal work"),
        ({"not_pooled": "x", "colour": "red"}, "colour: Extra inputs"),
        ({"not_pooled": "x", "design": "trial"}, "design"),
    ],
)
def test_a_bad_record_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        build_record(CellStudy, {**STUDY, **changes}, "cell_studies.yaml: x")


def test_a_figure_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = load_cell_studies()
    wrong = known.studies["alsummit"].model_copy(update={"figures": ("alsumit",)})
    changed = known.model_copy(update={"studies": {"alsummit": wrong}})
    with pytest.raises(EvidenceError, match="unknown figure 'alsumit'; the nearest is 'alsummit'"):
        cell_studies._check_figures(changed)
