"""`evidence list|show|search|cite`: what is known is found, shown with its links both ways, and cited."""

import json
import re
from pathlib import Path

import pytest

from motorpool.cli.main import run
from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.library import figures_used_by, uses_of_source
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.posterior import load_posterior
from motorpool.evidence.published import load_published
from motorpool.evidence.run_sources import sources_of_run, sources_of_set
from motorpool.evidence.sources import load_sources
from motorpool.report.provenance import THERAPY_MODULES
from motorpool.simulation.loading import SHIPPED_FOLDER
from tests.support.command_line import Capture, refused, shown


def keys_of(bibtex: str) -> set[str]:
    return set(re.findall(r"^@\w+\{(\w+),$", bibtex, flags=re.MULTILINE))


def test_help_names_the_verbs_with_an_example(capsys: Capture):
    text = shown(["evidence", "--help"], capsys)
    assert all(f"\n  {verb} " in text for verb in ("list", "show", "search", "cite"))
    for verb in ("list", "show", "search", "cite"):
        assert f"motorpool evidence {verb}" in shown(["evidence", verb, "--help"], capsys)


def test_every_figure_is_listed(capsys: Capture):
    lines = shown(["evidence", "list"], capsys).splitlines()
    assert lines[0].split()[:3] == ["id", "study", "topic"]
    assert {line.split()[0] for line in lines[1:]} == set(load_ledger())
    assert shown(["evidence"], capsys).splitlines() == lines


def test_the_list_is_narrowed(capsys: Capture):
    ledger = load_ledger()

    def ids(*options: str) -> set[str]:
        return {entry["id"] for entry in json.loads(shown(["evidence", "list", *options, "--json"], capsys))}

    assert ids("--topic", "cost") == {i for i, f in ledger.items() if f.topic == "cost"}
    assert ids("--use", "not_used") == {i for i, f in ledger.items() if f.use.kind == "not_used"}
    assert ids("--unchecked") == {i for i, f in ledger.items() if not f.checked}
    assert "NUS-ENDEAR-EVENTS" in ids("--study", "endear")
    assert "NUS-ENDEAR-EVENTS" not in ids("--study", "ENDEAR", "--topic", "milestone")
    assert "nothing" not in ids("--study", "Italian care cohort")
    everything = json.loads(shown(["evidence", "list", "--json"], capsys))
    assert all(entry["use"]["as"] and entry["citations"] for entry in everything)


def test_a_wrong_filter_is_answered_with_what_is_allowed(capsys: Capture):
    message = refused(["evidence", "list", "--topic", "survivl"], capsys)
    assert "--topic: 'survivl' must be one of survival, ventilation" in message
    assert "Did you mean survival?" in message
    assert "must be one of calibration, validation" in refused(["evidence", "list", "--use", "fit"], capsys)
    assert "Did you mean ENDEAR?" in refused(["evidence", "list", "--study", "ENDAER"], capsys)
    assert "No figure matches" in refused(
        ["evidence", "list", "--topic", "cost", "--use", "validation"], capsys
    )


def test_a_figure_is_shown_with_what_uses_it(capsys: Capture):
    text = shown(["evidence", "show", "NUS-ENDEAR-EVENTS"], capsys)
    figure = load_ledger()["NUS-ENDEAR-EVENTS"]
    for part in (figure.study, figure.risk_of_bias.reason, load_sources()[figure.source].citation()):
        assert part in text
    assert "ENDEAR.event_crude_nusinersen" in text
    assert "38.75 (28.06 to 50.3) %" in text
    data = json.loads(shown(["evidence", "show", "NUS-ENDEAR-EVENTS", "--json"], capsys))
    assert list(data) == ["figure"]
    assert data["figure"]["use"]["where"] == list(figure.use.where)


def test_a_source_is_shown_with_everything_that_rests_on_it(capsys: Capture):
    source = next(
        s for s in load_sources() if all(getattr(uses_of_source(s), k) for k in ("figures", "parameters"))
    )
    for name in ("finkel2017_endear", source):
        text = shown(["evidence", "show", name], capsys)
        uses = uses_of_source(name)
        for ids in (uses.figures, uses.studies, uses.endpoints, uses.parameters, uses.facts):
            assert all(entry in text for entry in ids)
        assert load_sources()[name].citation() in text
        data = json.loads(shown(["evidence", "show", name, "--json"], capsys))["source"]
        assert data["used_by"]["parameters"] == list(uses.parameters)


def test_a_study_is_shown_with_its_set_its_endpoints_and_its_figures(capsys: Capture):
    text = shown(["evidence", "show", "sapphire"], capsys)
    study = load_published("SAPPHIRE")
    assert all(endpoint.id in text for endpoint in study.endpoints)
    assert "validation; hfmse_difference: calibration" in text
    assert "ADD-SAPPH-RESP" in text
    assert load_sources()[study.source].citation() in text
    assert json.loads(shown(["evidence", "show", "SAPPHIRE", "--json"], capsys))["study"]["figures"]


def test_a_parameter_is_shown_with_its_sources_and_figures(capsys: Capture):
    table = load_parameter_table()
    name = next(name for name in table if figures_used_by(name) and table[name].sources)
    text = shown(["evidence", "show", name], capsys)
    assert all(load_sources()[source].citation() in text for source in table[name].sources)
    assert all(figure.id in text for figure in figures_used_by(name))


def test_an_id_of_a_figure_and_a_source_shows_both(capsys: Capture):
    assert "oskoui2007" in load_ledger() and "oskoui2007" in load_sources()
    assert set(json.loads(shown(["evidence", "show", "oskoui2007", "--json"], capsys))) == {
        "figure",
        "source",
    }


def test_an_unknown_id_names_the_nearest(capsys: Capture):
    message = refused(["evidence", "show", "finkel2017_endaer"], capsys)
    assert "Did you mean finkel2017_endear?" in message
    assert "evidence search" in message


def test_search_ranks_names_and_rare_words_first(capsys: Capture):
    lines = shown(["evidence", "search", "Finkel", "2017"], capsys).splitlines()
    assert lines[0].split()[:2] == ["source", "finkel2017_endear"]
    found = json.loads(
        shown(["evidence", "search", "scoliosis", "surgery", "--json", "--limit", "500"], capsys)
    )
    assert found[0]["score"] >= found[-1]["score"]
    assert "scoliosis" in (found[0]["id"] + found[0]["text"]).lower()
    assert {"figure", "source", "study"} == {entry["kind"] for entry in found}
    studies = [entry["id"] for entry in found if entry["kind"] == "study"]
    assert "DUTCH-COHORT" in studies


def test_search_does_not_mind_case_accents_and_endings(capsys: Capture):
    plain = json.loads(shown(["evidence", "search", "rudnik", "schoneborn", "--json"], capsys))
    assert plain
    assert json.loads(shown(["evidence", "search", "RUDNIK-Schöneborn", "--json"], capsys)) == plain
    assert shown(["evidence", "search", "neurofil"], capsys)


def test_search_suggests_what_is_near(capsys: Capture):
    message = refused(["evidence", "search", "nusinersn"], capsys)
    assert "nusinersn: did you mean nusinersen" in message
    assert "Try fewer or other words" in refused(["evidence", "search", "qqqqqq"], capsys)
    assert run(["evidence", "search", "walkng", "distance"]) == 0
    captured = capsys.readouterr()
    assert "Nothing holds walkng: did you mean walking" in captured.err
    assert "distance" in captured.out


def test_what_is_left_out_of_a_search_is_said(capsys: Capture):
    assert run(["evidence", "search", "scoliosis", "--limit", "2"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert re.search(r"\d+ more; add words, or --limit \d+", captured.err)


@pytest.mark.parametrize("name", ["demo", "myostatin_addon", "cells_addon_sitters"])
def test_a_scenario_is_cited(name: str, capsys: Capture):
    assert run(["evidence", "cite", name]) == 0
    captured = capsys.readouterr()
    keys = keys_of(captured.out)
    assert keys <= set(load_sources())
    assert captured.err.count("\n") == 1
    assert f"rests on {len(keys)} sources" in captured.err
    always = {
        s
        for record in load_parameter_table().values()
        if record.id.startswith("smn.")
        for s in record.sources
    }
    assert always <= keys
    calibration = set(sources_of_set("calibration"))
    if load_posterior() is None:
        assert "none (no posterior)" in captured.err
    else:
        assert calibration <= keys


def test_only_what_occurs_is_cited():
    def sources(therapies: set[str], published: list[str], calibrated: bool) -> set[str]:
        found = sources_of_run(
            therapies=therapies, published=published, therapy_modules=THERAPY_MODULES, calibrated=calibrated
        )
        return set(found.all)

    table = load_parameter_table()
    nothing = sources(set(), [], False)
    for therapy, module in THERAPY_MODULES.items():
        own = {
            source
            for record in table.values()
            if record.id.startswith(f"{module}.")
            for source in record.sources
        }
        assert own <= sources({therapy}, [], False)
    elsewhere = {s for record in table.values() if not record.id.startswith("cells.") for s in record.sources}
    cells = {s for record in table.values() if record.id.startswith("cells.") for s in record.sources}
    assert not (cells - elsewhere) & nothing
    assert "mercuri2022_sunfish" in sources(set(), ["SUNFISH"], False) - nothing
    assert set(sources_of_set("calibration")) <= sources(set(), [], True)
    assert "mendell2017" in set(sources_of_set("validation"))
    assert "mendell2017" not in set(sources_of_set("calibration"))


@pytest.mark.parametrize(("posterior", "calibrated"), [(None, False), ("0" * 64, True)])
def test_a_results_folder_is_cited(posterior: str | None, calibrated: bool, tmp_path: Path, capsys: Capture):
    folder = tmp_path / "run"
    folder.mkdir()
    manifest = {"format": "motorpool-results", "version": 1, "run": {"posterior_sha256": posterior}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "scenario.yaml").write_bytes((SHIPPED_FOLDER / "endear_like.yaml").read_bytes())
    assert run(["evidence", "cite", str(folder)]) == 0
    captured = capsys.readouterr()
    assert "endear_like rests on" in captured.err
    keys = keys_of(captured.out)
    assert "finkel2017_endear" in keys
    assert (set(sources_of_set("calibration")) <= keys) == calibrated


def test_what_cannot_be_cited_is_refused(tmp_path: Path, capsys: Capture):
    assert "is not a folder of motorpool results" in refused(["evidence", "cite", str(tmp_path)], capsys)
    message = refused(["evidence", "cite", "endear"], capsys)
    assert "nor the name of a shipped scenario" in message
    assert "Did you mean endear_like?" in message
