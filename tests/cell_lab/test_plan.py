"""The base plan: the scenario's arm without cells, and what is said and refused on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.mechanisms import Mechanisms, changed, of_course, read_mechanisms, stated_total
from motorpool.cell_lab.plan import BASE, base_plan, changed_cells
from motorpool.cell_lab.unknowns import TOTAL, drawn
from motorpool.simulation.errors import ScenarioError
from motorpool.therapies.courses import CellTherapy


def test_the_base_is_what_the_arm_with_cells_is_compared_with():
    plan = base_plan("demo", patients=10)
    assert plan.label == "Nusinersen 12 mg"
    assert [course.therapy for course in plan.courses()] == ["nusinersen"]
    assert plan.scenario.visit_months() == (0.0, 6.0, 12.0, 24.0, 60.0)
    assert list(plan.scenario.arms) == [BASE]


def test_cells_in_the_base_are_taken_out_and_that_is_said():
    plan = base_plan("cells_addon_sitters", arm="drug_rehabilitation_and_cells")
    assert [course.therapy for course in plan.courses()] == ["rehabilitation"]
    assert any("taken out of the base plan" in note for note in plan.notes)


def test_a_scenario_without_cells_gets_those_of_the_registered_trial():
    plan = base_plan("later_onset")
    assert plan.cells == CellTherapy(therapy="cell_therapy")
    assert any("says nothing of cells" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"arm": "druggg"}, ["druggg", "Did you mean drug?"]),
        ({"cell_changes": ["dozes=3"]}, ["--cells", "dozes", "Did you mean doses?"]),
        ({"cell_changes": ["doses=zero"]}, ["doses", "zero"]),
        ({"cell_changes": ["doses"]}, ["NAME=VALUE"]),
        ({"cell_changes": ["route=oral"]}, ["oral"]),
        ({"cell_changes": ["effect=prior"]}, ["--cells", "effect"]),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments: dict[str, object], words: list[str]):
    with pytest.raises(CellLabError) as caught:
        base_plan("cells_addon_sitters", **arguments)  # type: ignore[arg-type]
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_an_unknown_scenario_is_refused_as_elsewhere():
    with pytest.raises(ScenarioError, match="Did you mean cells_addon_sitters"):
        base_plan("cells_addon_siters")


def test_one_dose_needs_no_interval():
    twice = changed_cells(CellTherapy(therapy="cell_therapy"), ["doses=2", "interval_weeks=6"])
    assert changed_cells(twice, ["doses=1"]).interval_weeks is None


def test_mechanisms_are_switched_and_set_from_options_and_files(tmp_path: Path):
    values = drawn(4, 1)
    file = tmp_path / "mechanisms.yaml"
    file.write_text("muscle: off\ntransmission: 0.25\n", encoding="utf-8")
    set_by_file = read_mechanisms(file, Mechanisms())
    set_by_option = changed(Mechanisms(), ["muscle=off", "transmission=0.25"])
    assert set_by_file == set_by_option
    effects = set_by_file.effects(values)
    assert (effects[:, 3] == 0.0).all() and (effects[:, 1] == 0.25).all()
    assert effects[:, 0] == pytest.approx(Mechanisms().effects(values)[:, 0])  # others keep their own share


def test_effects_of_files_and_options_mean_the_same():
    none = of_course(CellTherapy(therapy="cell_therapy", effect="none"))
    assert none.nothing and not none.effects(drawn(3, 1)).any()
    assert stated_total(Mechanisms(), "none").nothing
    stated = of_course(CellTherapy(therapy="cell_therapy", effect=0.3))
    assert stated.effects(drawn(3, 1)).sum(axis=1) == pytest.approx(0.3)
    assert not stated.from_prior
    assert stated_total(stated, "prior").effects(drawn(3, 1)).sum(axis=1) == pytest.approx(drawn(3, 1)[TOTAL])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("musle=off", "Did you mean muscle?"),
        ("muscle", "NAME=on"),
        ("muscle=much", "on, off, or a number"),
        ("muscle=nan", "on, off, or a number"),
        ("muscle=9", "from -3 to 3"),
    ],
)
def test_a_mechanism_that_cannot_be_is_refused(change: str, words: str):
    with pytest.raises(CellLabError) as caught:
        changed(Mechanisms(), [change])
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n", "muscle: [1]\n", "magic: 1\n", "a: b: c\n"])
def test_a_file_of_mechanisms_that_cannot_be_is_refused(text: str, tmp_path: Path):
    file = tmp_path / "m.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CellLabError, match="m.yaml"):
        read_mechanisms(file, Mechanisms())
