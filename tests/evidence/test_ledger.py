"""The ledger: every raw figure is there, and everything it says about its use is true."""

import re
from pathlib import Path

import pytest

from motorpool.evidence.ledger import LedgerFigure, load_ledger
from motorpool.evidence.library import (
    endpoint_of,
    fact_files,
    figures_of_study,
    figures_used_by,
    uses_of_source,
)
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.records import EvidenceError, build_record, read_evidence_yaml
from motorpool.evidence.sources import load_sources
from motorpool.evidence.study_sets import load_study_sets

LEDGER = load_ledger()
SCORED = ("calibration", "validation", "apart")
RAW_COUNTS = {"natural_history": 244, "trials": 166, "stem_cells": 142}
# One figure holds an endpoint that is fitted to and, for the same trial, one that is only predicted.
IN_TWO_SETS = {"ADD-SAPPH-HFMSE"}
# Sources that are listed for readers; nothing rests on them.
FURTHER_READING = {"elsheikh2021", "ratni2018", "poirier2018", "kletzl2019", "holt2017_scoliosis"}


def raw_ids() -> dict[str, list[str]]:
    """The ids of the raw collection by file."""
    text = (Path(__file__).parent / "raw_ids.txt").read_text(encoding="utf-8")
    parts = re.split(r"^\[(\w+)\]$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (ids.split() for ids in parts[1::2]), strict=True))


@pytest.mark.parametrize("name", RAW_COUNTS)
def test_every_raw_figure_is_in_the_ledger(name: str):
    raw = raw_ids()[name]
    assert len(raw) == len(set(raw)) == RAW_COUNTS[name]
    recorded = {str(figure) for figure in read_evidence_yaml("figures", f"{name}.yaml")["figures"]}
    assert set(raw) - recorded == set()


def test_every_figure_loads_and_names_known_sources():
    assert len(LEDGER) >= sum(RAW_COUNTS.values())
    for figure in LEDGER.values():
        assert {figure.source, *figure.further_sources} <= set(load_sources())


@pytest.mark.parametrize("figure", [f for f in LEDGER.values() if f.use.where], ids=lambda figure: figure.id)
def test_what_a_figure_is_used_for_exists(figure: LedgerFigure):
    for place in figure.use.where:
        if figure.use.kind in (*SCORED, "context", "not_used"):
            assert endpoint_of(place) is not None, f"{place} is no endpoint"
        elif figure.use.kind == "parameter":
            assert place in load_parameter_table(), f"{place} is no parameter"
        elif figure.use.kind == "fact":
            assert place in fact_files(), f"{place} is no file of facts"
        else:
            assert place in load_parameter_table() or place in fact_files() or endpoint_of(place), place


def test_endpoints_belong_to_the_set_that_their_figure_names():
    sets = load_study_sets()
    wrong: list[str] = []
    for figure in LEDGER.values():
        if figure.use.kind not in SCORED:
            continue
        for place in figure.use.where:
            found = endpoint_of(place)
            assert found is not None
            if sets.of(found[0].study, found[1].id) != figure.use.kind and figure.id not in IN_TWO_SETS:
                wrong.append(f"{figure.id}: {figure.use.kind}: {place}")
    assert wrong == []


def test_a_figure_that_is_scored_stands_behind_an_endpoint_that_is_predicted():
    for figure in LEDGER.values():
        if figure.use.kind in SCORED:
            found = [endpoint_of(place) for place in figure.use.where]
            assert any(pair is not None and pair[1].not_scored is None for pair in found), figure.id


def test_every_endpoint_rests_on_a_figure_of_the_ledger():
    missing = [
        f"{name}.{endpoint.id}"
        for name in list_published()
        for endpoint in load_published(name).endpoints
        if endpoint.evidence_id not in LEDGER
    ]
    assert missing == []


def test_every_predicted_endpoint_is_named_by_its_figure():
    unnamed = [
        f"{name}.{endpoint.id}"
        for name in list_published()
        for endpoint in load_published(name).endpoints
        if load_published(name).run is not None
        and endpoint.not_scored is None
        and f"{name}.{endpoint.id}" not in LEDGER[endpoint.evidence_id].use.where
    ]
    assert unnamed == []


def test_every_source_knows_what_rests_on_it():
    assert {source for source in load_sources() if not uses_of_source(source)} == FURTHER_READING
    uses = uses_of_source("finkel2017_endear")
    assert "NUS-ENDEAR-EVENTS" in uses.figures
    assert "ENDEAR" in uses.studies
    assert "ENDEAR.event_median_sham" in uses.endpoints
    assert "dosing.nusinersen_endear_days" in uses.facts
    table = load_parameter_table()
    for source in load_sources():
        assert set(uses_of_source(source).parameters) == {
            name for name, record in table.items() if source in record.sources
        }


def test_endpoints_without_sources_of_their_own_rest_on_those_of_the_study():
    uses = uses_of_source("apitegromab_sapphire")
    assert "SAPPHIRE.hfmse_difference" in uses.endpoints
    assert "SAPPHIRE.hfmse_response_placebo" not in uses.endpoints


def test_figures_are_found_from_their_study_and_from_what_they_are_used_for():
    assert "NUS-ENDEAR-EVENTS" in {figure.id for figure in figures_of_study("endear")}
    assert figures_of_study("no such study") == ()
    assert [figure.id for figure in figures_used_by("PNCR.event_free_age14")] == ["t1_efs_pncr_2copy_14mo"]


def _fields(**changes: object) -> dict[str, object]:
    return {
        "id": "a",
        "source": "finkel2017_endear",
        "study": "S",
        "population": "p",
        "plan": "untreated",
        "topic": "survival",
        "measure": "m",
        "values": {"median": 1.0},
        "checked": True,
        "risk_of_bias": {"level": "low", "reason": "r"},
        "use": {"as": "calibration", "where": ["PNCR.x"]},
    } | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topic": "survivl"}, "topic"),
        ({"values": {}}, "values"),
        ({"use": {"as": "context"}}, "needs a reason"),
        ({"use": {"as": "calibration"}}, "needs where"),
        ({"use": {"as": "fitted", "where": ["x"]}}, "use.as"),
        ({"risk_of_bias": {"level": "none", "reason": "r"}}, "risk_of_bias.level"),
        ({"medain": 3}, "medain: Extra inputs are not permitted"),
    ],
)
def test_bad_figures_are_refused_with_place_and_field(changes: dict[str, object], message: str):
    build_record(LedgerFigure, _fields(), "figures/x.yaml: a")
    with pytest.raises(EvidenceError, match=rf"^figures/x\.yaml: a: .*{message}"):
        build_record(LedgerFigure, _fields(**changes), "figures/x.yaml: a")
