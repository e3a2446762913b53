"""Runs in the model's own patients: bits, folders, interruption, tables, and the pages made from them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from motorpool.simulation.errors import OutputFolderError, ScenarioError
from motorpool.trials import workers as working
from motorpool.trials.adam import adtte
from motorpool.trials.blocks import Settings, blocks_of, cached_pool
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.power import PowerSettings, power_report
from motorpool.trials.replicate import draw_trials
from motorpool.trials.run import keep_trial_run, run_trial
from motorpool.trials.truth import MODEL, NULL
from tests.support.trial_pools import design as support_design
from tests.support.trial_pools import made_up_pool

PEOPLE = 64
SMALL = Settings(60, NULL, 0, PEOPLE)


@pytest.fixture(scope="module")
def trial() -> TrialDesign:
    return load_design("cells_addon_sitters", ["patients=40"])


def test_cells_without_any_effect_give_the_controls_lives_bit_by_bit(trial: TrialDesign) -> None:
    pool = cached_pool(trial, PEOPLE, None, 0.0)
    cells, sham = pool.lives["cells"], pool.lives["sham"]
    assert np.array_equal(cells.true, sham.true, equal_nan=True)
    assert np.array_equal(cells.event_months, sham.event_months)
    strong = cached_pool(trial, PEOPLE, None, 1.0)
    gain = strong.lives["cells"].true[-1, 0] - strong.lives["sham"].true[-1, 0]
    assert np.nanmean(gain) > 0.5


def test_nobody_eligible_and_an_endpoint_at_its_floor_get_a_clear_message(trial: TrialDesign) -> None:
    with pytest.raises(ScenarioError, match=r"population: .*nobody of \d+ candidates"):
        run_trial(load_design(trial, ["population.baseline.hfmse={min: 66}"]), SMALL)
    infants = load_design("endear", ["endpoints=[{name: a, outcome: six_minute_walk_m, measure: change}]"])
    with pytest.raises(ScenarioError, match="stands at its lowest value, 0, in"):
        run_trial(infants, SMALL)


def test_a_run_goes_on_where_it_was_interrupted_and_gives_the_same_bytes(
    trial: TrialDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motorpool.trials.blocks.TOGETHER", 20)
    whole = keep_trial_run(trial, SMALL, tmp_path / "whole")
    assert [len(blocks_of(SMALL)), whole.state] == [3, "finished"]
    original, done = working.simulate_block, []

    def breaks(*given: object) -> object:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(given)
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(working, "simulate_block", breaks)
    with pytest.raises(KeyboardInterrupt):
        keep_trial_run(trial, SMALL, tmp_path / "broken")
    assert not (tmp_path / "broken").exists()
    monkeypatch.setattr(working, "simulate_block", original)
    keep_trial_run(trial, SMALL, tmp_path / "broken")
    for name in ("results.json", "replicates.csv", "ADSL.csv", "ADQS.csv", "ADTTE.csv", "design.yaml"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()
    assert keep_trial_run(trial, SMALL, tmp_path / "whole").state == "complete already"
    with pytest.raises(OutputFolderError, match="other inputs"):
        keep_trial_run(trial, Settings(61, NULL, 0, PEOPLE), tmp_path / "whole")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(OutputFolderError, match="letter.txt"):
        keep_trial_run(trial, SMALL, tmp_path / "mine")


def test_tables_of_people_agree_with_each_other_and_with_the_design(
    trial: TrialDesign, tmp_path: Path
) -> None:
    folder = keep_trial_run(trial, SMALL, tmp_path / "run", keep=3).folder
    subjects, scores, times = (pd.read_csv(folder / f"{name}.csv") for name in ("ADSL", "ADQS", "ADTTE"))
    assert len(subjects) == 3 * 40 and subjects["USUBJID"].is_unique
    assert set(scores["USUBJID"]) == set(subjects["USUBJID"]) == set(times["USUBJID"])
    assert (scores["CHG"] - (scores["AVAL"] - scores["BASE"])).abs().max() < 1e-6
    assert (scores.loc[scores["ABLFL"] == "Y", "CHG"] == 0).all()
    assert scores["AVISITN"].max() == 5 and set(scores["PARAMCD"]) == {"HFMSE", "RULM"}
    assert len(times) == len(subjects) and set(times["CNSR"]) <= {0, 1}
    assert set(subjects["EOSSTT"]) == {"COMPLETED", "DISCONTINUED"}
    assert (subjects["DCSREAS"].isna() == (subjects["EOSSTT"] == "COMPLETED")).all()
    for table in (scores, times):
        planned = table.merge(subjects[["USUBJID", "TRT01P"]], on="USUBJID")
        assert (planned["TRTP"] == planned["TRT01P"]).all()
    found = json.loads((folder / "results.json").read_text())
    assert found["replicates"] == 60 and found["manifest"]["seed"] == trial.seed


def test_every_time_to_an_event_has_its_own_code_and_a_death_before_it_is_told() -> None:
    timed = "measure: time_to_event, analysis: gray"
    both = [f"{{name: event_free_{name}, event: tube_feeding, {timed}}}" for name in "ab"]
    endpoints = f"[{', '.join(both)}]"
    made = support_design("multiplicity={procedure: holm}", endpoints=endpoints)
    data = draw_trials(made, made_up_pool(made, deaths={"cells": 0.3, "sham": 0.3}), MODEL, range(2))
    table = adtte(data)
    assert set(table["PARAMCD"]) == {"DEATH", "EVENT_FR", "EVENT_F2"}
    rival = table[(table["PARAMCD"] == "EVENT_FR") & (table["CNSR"] == 2)]
    assert len(rival) > 20 and set(rival["EVNTDESC"]) == {"DEATH BEFORE THE EVENT"}


def test_a_published_effect_is_reported_beside_its_replicates() -> None:
    found = run_trial(
        load_design("sunfish", ["endpoints.0.analysis=ancova"]), Settings(60, MODEL, 0, PEOPLE)
    ).summary
    published = found["published"]
    assert published["published"] == 1.55 and published["published_interval"] == [0.3, 2.81]
    assert 0.0 <= published["inside_published_interval"]["value"] <= 1.0
    assert published["replicates_middle_95"][0] < published["replicates_middle_95"][1]


@pytest.fixture(scope="module")
def answered(trial: TrialDesign) -> dict[str, object]:
    return power_report(trial, PowerSettings(100, 8, PEOPLE, effects=(0.5, 1.5), sizes=(40, 160)))


def test_the_power_report_holds_together(answered: dict[str, object]) -> None:
    found: dict[str, object] = json.loads(json.dumps(answered, allow_nan=False))
    effects = [row["effect"] for row in found["power_by_effect"]]  # type: ignore[index, attr-defined]
    powers = [row["value"] for row in found["power_by_effect"]]  # type: ignore[index, attr-defined]
    assert effects == sorted(effects) and powers[-1] > powers[0] + 0.3
    sizes = [row["value"] for row in found["power_by_size"]]  # type: ignore[index, attr-defined]
    assert sizes[1] > sizes[0]
    assert found["verdict"]["can_tell"] is False  # type: ignore[index]
    assert "No trial of feasible size can tell" in found["verdict"]["words"]  # type: ignore[index]


def test_the_report_says_which_rules_change_the_trial_and_what_they_did() -> None:
    from motorpool.report.trial.tables import trial_tables

    rule = "reestimation={method: promising_zone, at: 0.5, largest_factor: 2, promising_from: 0.3}"
    harm = "safety={adverse_events: [cell_fever], every_treated: 10, acceptable_risk: 0.1, certainty: 0.9, "
    changed = load_design(
        "cells_addon_sitters", ["patients=40", rule, harm + "prior_events: 0.5, prior_without: 4.5}"]
    )
    found = power_report(changed, PowerSettings(60, 4, PEOPLE, effects=(1.5,), sizes=(40,)))
    tables = trial_tables(changed, json.loads(json.dumps(found, allow_nan=False)), [])
    assert "combination test" in tables["design"] and "Fever after a cell dose".lower() in tables["design"]
    assert "Size raised" in tables["course"] and "Stopped for harm" in tables["course"]
    # Twelve doses with a fever in 5 % each: nearly half of the treated, which the rule does not accept.
    assert found["under"]["model"]["course"]["stopped_for_harm"]["value"] > 0.8
    assert found["under"]["null"]["course"]["stopped_for_harm"]["value"] > 0.8


def test_the_pages_hold_the_numbers_and_say_what_they_are_not_for(
    trial: TrialDesign, answered: dict[str, object], tmp_path: Path
) -> None:
    from motorpool.report.trial.page import write_trial_pages

    report, funder = write_trial_pages(trial, answered, [], tmp_path / "pages")
    for page in (report, funder):
        text = page.read_text(encoding="utf-8")
        assert "For research use only" in text and "No trial of feasible size can tell" in text
        assert "None" not in text.split("<script")[0]
    assert "Eurostat" in report.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "pages" / "power.json").read_text())["design"] == trial.name
