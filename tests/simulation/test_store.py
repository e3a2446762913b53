from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from motorpool.simulation.results import Results, load_results
from motorpool.simulation.store import (
    FILES,
    OutputFolderError,
    check_output_folder,
    is_results_folder,
    rounded,
)
from tests.support.synthetic_results import small_dataset, synthetic_dataset

MANIFEST = {"seed": 1, "versions": {"motorpool": "0.0"}}


@pytest.fixture
def results():
    return Results(small_dataset(), MANIFEST)


def test_round_trip(results, tmp_path):
    folder = results.save(tmp_path / "out")
    again = load_results(folder)
    xr.testing.assert_identical(again.dataset, results.dataset)
    assert again.manifest == MANIFEST
    assert {entry.name for entry in folder.iterdir()} == set(FILES) - {"report.html"}


def test_tables_agree_with_the_dataset(results, tmp_path):
    folder = results.save(tmp_path / "out")
    summary = pd.read_parquet(folder / "summary.parquet")
    assert len(summary) == len(results.summary())
    table = pd.read_csv(folder / "summary.csv")
    wanted = results.summary_table()
    assert list(table.columns) == list(wanted.columns)
    numbers = [name for name in table.columns if "." in name]
    np.testing.assert_allclose(
        table[numbers].to_numpy(dtype=float), wanted[numbers].to_numpy(dtype=float), rtol=1e-5
    )
    people = pd.read_csv(folder / "patients.csv")
    assert len(people) == 2 * 2 * 2 * 2
    row = people[(people["arm"] == "added") & (people["draw"] == 0) & (people["patient"] == 0)]
    row = row[row["visit_month"] == 12.0].iloc[0]
    assert row["hfmse__true"] == 14.0
    assert row["hfmse"] == 15.0
    assert bool(row["able_to_walk"])
    assert row["smn2_copies"] == 3
    scenario = yaml.safe_load((folder / "scenario.yaml").read_text())
    assert scenario == results.scenario


def test_results_json_is_the_same_for_the_same_run_anywhere(results, tmp_path):
    first = results.save(tmp_path / "one" / "a") / "results.json"
    second = results.save(tmp_path / "two" / "b") / "results.json"
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text()
    assert str(tmp_path) not in text
    content = json.loads(text)
    assert set(content) == {
        "format",
        "version",
        "scenario",
        "cohort",
        "excluded",
        "visit_month",
        "counted",
        "summary",
    }
    columns = content["summary"]["columns"]
    assert all(len(row) == len(columns) for row in content["summary"]["rows"])
    assert {"knowledge_mean", "chance_monte_carlo_standard_error"} <= set(columns)
    measures = {row[columns.index("measure")] for row in content["summary"]["rows"]}
    assert measures == set(content["counted"])
    assert content["cohort"]["tried"] == [4, 6]


def test_an_earlier_results_folder_is_replaced(results, tmp_path):
    folder = results.save(tmp_path / "out")
    (folder / "report.html").write_text("old report")
    results.save(folder)
    assert not (folder / "report.html").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["thesis.docx", "results.json"])
def test_a_folder_with_other_things_is_refused(results, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_text("precious")
    with pytest.raises(OutputFolderError, match=name):
        results.save(folder)
    assert (folder / name).read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_results_with_a_stranger_beside_them_are_refused(results, tmp_path):
    folder = results.save(tmp_path / "out")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputFolderError, match="notes.txt"):
        check_output_folder(folder)


def test_a_file_is_refused(results, tmp_path):
    place = tmp_path / "out"
    place.write_text("a file")
    with pytest.raises(OutputFolderError, match="is a file"):
        results.save(place)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_half_written_folder_never_looks_finished(results, tmp_path, error):
    seen = []

    def interrupt(unfinished):
        seen.append(unfinished)
        raise error

    with pytest.raises(error):
        results.save(tmp_path / "out", finish=interrupt)
    assert list(tmp_path.iterdir()) == []
    assert seen[0].parent == tmp_path
    assert seen[0].name != "out"


def test_an_interrupted_replacement_keeps_the_earlier_results(results, tmp_path):
    folder = results.save(tmp_path / "out")

    def interrupt(unfinished):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.save(folder, finish=interrupt)
    assert is_results_folder(folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_finish_adds_files_before_the_folder_appears(results, tmp_path):
    def add(unfinished):
        assert not (tmp_path / "out").exists()
        assert is_results_folder(unfinished)
        (unfinished / "report.html").write_text("a report")

    folder = results.save(tmp_path / "out", finish=add)
    assert (folder / "report.html").read_text() == "a report"


def test_loading_something_else_says_what_is_wanted(tmp_path):
    with pytest.raises(OutputFolderError, match="not a motorpool results folder"):
        load_results(tmp_path / "absent")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(OutputFolderError, match="not a motorpool results folder"):
        load_results(tmp_path)


def test_rounding_keeps_six_digits_and_has_no_infinity():
    assert rounded(1.23456789) == 1.23457
    assert rounded(float("inf")) is None
    assert rounded("text") == "text"
    assert rounded(3) == 3


def test_results_json_stays_short(tmp_path):
    results = Results(synthetic_dataset(patients=10, draws=2), MANIFEST)
    folder = results.save(tmp_path / "out")
    assert (folder / "results.json").stat().st_size < 300_000


def test_damaged_arrays_are_never_read_as_zeros(results, tmp_path):
    folder = results.save(tmp_path / "out")
    shutil.rmtree(folder / "results.zarr" / "alive")
    with pytest.raises(OutputFolderError, match="damaged"):
        load_results(folder)


def test_a_place_below_a_file_is_refused_before_the_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFolderError, match="cannot be made"):
        check_output_folder(tmp_path / "file" / "out")
