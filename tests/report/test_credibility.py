"""The credibility report: what it says follows from what it was given, and nothing is claimed without it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from motorpool.cli.console import InputProblem
from motorpool.cli.credibility import credibility
from motorpool.engine.grid import halved
from motorpool.evidence.records import EvidenceError
from motorpool.evidence.stored_results import read_sensitivity_table, read_validation_result
from motorpool.report.credibility.applicability import applicability_map
from motorpool.report.credibility.calibration import calibrated_axes, sampling_checks
from motorpool.report.credibility.card import model_card
from motorpool.report.credibility.content import Evidence, credibility_content
from motorpool.report.credibility.coverage import Covered, covered_figures
from motorpool.report.credibility.engine_error import measure_engine_error
from motorpool.report.credibility.page import MARK, page_html
from motorpool.report.credibility.statements import MapRule, load_rules, load_statements
from tests.support.credibility_samples import (
    made_up_engine_error,
    made_up_evidence,
    made_up_posterior,
    made_up_validation,
    validation_data,
)
from tests.support.pages import assert_well_formed, parsed

NOTHING = Evidence("not calibrated", None, None, None)
SECTIONS = {
    "contexts",
    "assumptions",
    "verification",
    "calibration",
    "validation",
    "adequacy",
    "uncertainty",
    "sensitivity",
    "applicability",
    "standards",
    "limits",
    "reproduce",
}


def verdicts(evidence: Evidence) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in credibility_content(evidence)["contexts"]}


def reached(evidence: Evidence) -> dict[str, str]:
    return {one["criterion"]: one["reached"] for one in credibility_content(evidence)["adequacy"]["criteria"]}


@pytest.fixture(scope="module")
def whole() -> Evidence:
    return made_up_evidence()


@pytest.mark.parametrize("evidence", [NOTHING, made_up_evidence()], ids=["nothing", "everything"])
def test_the_content_is_plain_json_with_every_section(evidence: Evidence) -> None:
    content = credibility_content(evidence)
    assert set(content) >= SECTIONS
    assert json.loads(json.dumps(content, allow_nan=False)) == json.loads(json.dumps(content))


def test_every_test_named_as_verification_exists(checkout: Path) -> None:
    named = [test for claim in load_statements().verification for test in claim.tests]
    assert named
    assert [test for test in named if not (checkout / test).is_file()] == []


def test_without_posterior_and_validation_nothing_is_established() -> None:
    found = verdicts(NOTHING)
    assert found.pop("individual") == "not adequate"
    assert set(found.values()) == {"not established"}
    assert set(reached(NOTHING).values()) == {"not known"}


def test_a_good_model_is_adequate_for_groups_and_never_for_a_person(whole: Evidence) -> None:
    found = verdicts(whole)
    assert found.pop("individual") == "not adequate"
    assert set(found.values()) == {"adequate"}


def test_a_posterior_of_another_model_establishes_nothing(whole: Evidence) -> None:
    found = verdicts(made_up_evidence(state="not calibrated for this model"))
    assert found["trial-design"] == found["teaching"] == "not established"


def test_too_few_endpoints_inside_miss_the_floor() -> None:
    studies = {row["study"] for row in validation_data()["endpoints"] if row["set"] == "validation"}
    missed = sorted(studies)[: len(studies) // 2]
    evidence = made_up_evidence(validation=made_up_validation(missed))
    assert reached(evidence)["Share inside the 90 % interval"] == "missed"
    assert verdicts(evidence)["trial-design"] == "not adequate"
    assert verdicts(evidence)["teaching"] == "adequate"
    rows = credibility_content(evidence)["validation"]["missed"]
    assert {row["study"] for row in rows} == set(missed)


def test_negative_controls_that_come_out_wrong_are_a_miss() -> None:
    evidence = made_up_evidence(validation=made_up_validation(["NEGATIVE-CONTROLS"]))
    assert reached(evidence)["Negative controls"] == "missed"
    assert verdicts(evidence)["trial-design"] == "adequate in part"


def test_a_smaller_result_without_further_fields_is_enough() -> None:
    data = validation_data(studies=["START", "ENDEAR"])
    del data["baselines"], data["not_predicted"]
    evidence = made_up_evidence(validation=read_validation_result(json.dumps(data)))
    found = reached(evidence)
    assert found["Baselines"] == found["Negative controls"] == "not known"
    assert found["Number of endpoints"] == "missed"
    assert verdicts(evidence)["trial-design"] == "adequate in part"


def test_prior_and_posterior_are_compared_on_the_priors_scale() -> None:
    well, partly, hardly = calibrated_axes(made_up_posterior())
    assert (well.informed, partly.informed, hardly.informed) == ("well", "partly", "hardly")
    assert well.shift == pytest.approx(1.5, abs=0.05)
    assert well.spread == pytest.approx(0.2, abs=0.03)
    assert well.contraction == pytest.approx(1 - 0.2**2, abs=0.02)
    assert partly.contraction == pytest.approx(1 - 0.8**2, abs=0.08)
    assert well.overlap < 0.3 < 0.8 < partly.overlap < hardly.overlap
    assert well.low_90 < well.median < well.high_90


def test_a_sampler_that_did_not_mix_is_said() -> None:
    checks = {check["diagnostic"]: check["met"] for check in sampling_checks(made_up_posterior(r_hat=1.2))}
    assert checks["Largest R-hat"] is False
    assert sum(checks.values()) == len(checks) - 1
    evidence = made_up_evidence(posterior=made_up_posterior(r_hat=1.2))
    assert verdicts(evidence)["teaching"] == verdicts(evidence)["trial-design"] == "adequate in part"
    content = credibility_content(evidence)
    status = {one["category"]: one["status"] for one in content["standards"]["fda_2023"]}
    assert status["Model calibration evidence"] == "partly"


def test_the_engine_rule_decides_the_factor() -> None:
    def status(most: float) -> str:
        content = credibility_content(made_up_evidence(engine=made_up_engine_error(most)))
        return {one["factor"]: one["status"] for one in content["standards"]["v_and_v_40"]}[
            "Discretisation error"
        ]

    assert status(1e-4) == "reached"
    assert status(0.2) == "partly"


RULE = MapRule(
    least_share_of_people=0.1,
    green_endpoints=2,
    red_inside=0.5,
    ages_months={"infant": (0, 12), "child": (12, 144)},
    copies={"2": (2, 2), "3": (3, 3)},
)


def figure(endpoint: str, kind: str, **other: object) -> Covered:
    fields = {
        "study": "START",
        "therapy": "nusinersen",
        "copies": {2: 0.95, 3: 0.05},
        "ages": {"infant": 1.0},
    }
    return Covered(endpoint=endpoint, set=kind, **{**fields, **other})  # type: ignore[arg-type]


def colours(figures: list[Covered], inside: dict[str, bool]) -> dict[tuple[str, str, str], str]:
    rows = [
        {
            "study": "START",
            "arm": "a",
            "endpoint": name,
            "set": "validation",
            "family": "survival",
            "published": 0.5,
            "predicted": 0.5,
            "predicted_low": 0.4,
            "predicted_high": 0.6,
            "inside_90": good,
        }
        for name, good in inside.items()
    ]
    result = read_validation_result(json.dumps({"summary": {}, "endpoints": rows}))
    cells = applicability_map(result, 0.85, figures, RULE).cells
    return {(cell.therapy, cell.copies, cell.age): cell.colour for cell in cells}


@pytest.mark.parametrize(
    ("results", "colour"),
    [
        ({"one": True, "two": True}, "green"),
        ({"one": True}, "amber"),
        ({"one": True, "two": False}, "amber"),
        ({"one": False, "two": False}, "red"),
        ({}, "amber"),
    ],
)
def test_colours_follow_how_validation_came_out(results: dict[str, bool], colour: str) -> None:
    figures = [figure("one", "validation"), figure("two", "validation"), figure("three", "calibration")]
    found = colours(figures, results)
    assert found["nusinersen", "2", "infant"] == colour
    assert found["nusinersen", "3", "infant"] == "red"  # too few of its people have three copies
    assert found["nusinersen", "2", "child"] == "red"
    assert found["cell therapy", "2", "infant"] == "red"


def test_fitted_studies_alone_never_make_a_cell_green() -> None:
    figures = [figure(name, "calibration") for name in ("one", "two", "three")]
    assert (
        colours(figures, dict.fromkeys(("one", "two", "three"), True))["nusinersen", "2", "infant"] == "amber"
    )


def test_what_a_study_covers_is_read_from_its_own_instructions() -> None:
    found = {(one.study, one.endpoint): one for one in covered_figures(load_rules().map.ages_months)}
    assert not [one for one in found.values() if one.study == "HEALTHY"]
    endear = [one for one in found.values() if one.study == "ENDEAR"]
    assert {one.therapy for one in endear} == {"nusinersen", "no SMN therapy"}
    treated = next(one for one in endear if one.therapy == "nusinersen")
    assert treated.copies == {2: 1.0}
    assert set(treated.ages) == {"1.5 to 7 months", "7 to 24 months"}
    assert {one.therapy for one in found.values() if one.study == "SAPPHIRE"} >= {
        "myostatin inhibition + nusinersen"
    }
    baselines = [one for one in found.values() if one.study == "SUNFISH" and "baseline" in one.endpoint]
    assert {one.therapy for one in baselines} == {"no SMN therapy"}


def test_the_shipped_map_has_no_green_cell_without_validation() -> None:
    cells = applicability_map(None, 0.85).cells
    assert {cell.colour for cell in cells} == {"amber", "red"}
    assert all(cell.colour == "red" for cell in cells if cell.therapy == "cell therapy")
    here = next(c for c in cells if (c.therapy, c.copies, c.age) == ("risdiplam", "2", "1.5 to 7 months"))
    assert "FIREFISH" in here.studies["calibration"]


def test_damaged_files_are_refused_with_their_name() -> None:
    with pytest.raises(EvidenceError, match=r"validation.json: not valid JSON"):
        read_validation_result("{")
    with pytest.raises(EvidenceError, match=r"validation.json: .*endpoints"):
        read_validation_result('{"summary": {}}')
    with pytest.raises(EvidenceError, match=r"sensitivity.json: expected an object, got list"):
        read_sensitivity_table("[]")


@pytest.fixture(scope="module")
def full_page(whole: Evidence) -> str:
    return page_html(credibility_content(whole))


@pytest.fixture(scope="module")
def bare_page() -> str:
    return page_html(credibility_content(NOTHING))


@pytest.mark.parametrize("which", ["full_page", "bare_page"])
def test_the_page_is_self_contained_and_well_formed(which: str, request: pytest.FixtureRequest) -> None:
    text = request.getfixturevalue(which)
    assert_well_formed(parsed(text))


def test_the_full_page_shows_every_figure_and_every_miss(full_page: str) -> None:
    shown = {figure["id"] for figure in parsed(full_page).figures}
    assert shown == {
        "applicability-map",
        "validation-distances",
        "validation-agreement",
        "prior-and-posterior",
        "sensitivity",
    }
    assert "There is no stored validation result" not in full_page


def test_its_figures_are_valid_vega_lite(whole: Evidence) -> None:
    import altair

    from motorpool.figures.credibility.applicability import map_figure
    from motorpool.figures.credibility.parameters import informed_figure, sensitivity_figure
    from motorpool.figures.credibility.validation import agreement_figure, distance_figure

    content = credibility_content(whole)
    endpoints = content["validation"]["endpoints"]
    for figure in (
        map_figure(content["applicability"]),
        distance_figure(endpoints),
        agreement_figure(endpoints),
        informed_figure(content["calibration"]["parameters"]),
        sensitivity_figure(content["sensitivity"]["parameters"]),
    ):
        assert figure is not None
        for spec in (figure.spec, figure.narrow_spec):
            one_row = {name: rows[:1] for name, rows in spec["datasets"].items()}
            altair.Chart.from_dict({**spec, "datasets": one_row}, validate=True)


def test_the_bare_page_says_what_is_absent(bare_page: str) -> None:
    assert {figure["id"] for figure in parsed(bare_page).figures} == {"applicability-map"}
    for words in (
        "There is no posterior.",
        "There is no stored validation result.",
        "There is no stored table of sensitivities",
        "was not measured for this report",
    ):
        assert words in bare_page


def test_the_model_card_holds_the_numbers(whole: Evidence) -> None:
    content = credibility_content(whole)
    card = model_card(content)
    summary = content["validation"]["summary"]["validation"]
    assert f"| {summary['n']} | {summary['inside_90']} |" in card
    assert "Largest R-hat | 1.003" in card
    assert "There is no posterior yet" in model_card(credibility_content(NOTHING))


def test_the_verb_writes_one_page_and_replaces_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "review" / "page.html"
    for _ in range(2):
        credibility(out=target, as_json=False, engine=False)
        assert capsys.readouterr().out.splitlines()[-1] == str(target)
    assert MARK in target.read_text(encoding="utf-8")
    assert list(target.parent.iterdir()) == [target]


def test_the_verb_prints_json_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    credibility(out=None, as_json=True, engine=False)
    assert set(json.loads(capsys.readouterr().out)) >= SECTIONS
    assert list(tmp_path.iterdir()) == []


def test_the_verb_leaves_other_files_alone(tmp_path: Path) -> None:
    other = tmp_path / "thesis.html"
    other.write_text("<p>Mine</p>")
    with pytest.raises(InputProblem, match="not a credibility report"):
        credibility(out=other, as_json=False, engine=False)
    assert other.read_text() == "<p>Mine</p>"
    with pytest.raises(InputProblem, match="is a folder"):
        credibility(out=tmp_path, as_json=False, engine=False)


def test_a_halved_grid_keeps_every_boundary() -> None:
    grid = np.array([[0, 0], [10, 4], [10, 9], [30, 9]], np.int32)
    finer = halved(grid)
    assert (finer[:7:2] == grid).all()
    assert (np.diff(finer, axis=0) >= 0).all()
    assert finer[1].tolist() == [5, 2]
    assert (finer[7:] == grid[-1]).all()


@pytest.mark.slow
def test_the_engines_steps_are_fine_enough() -> None:
    rule = load_rules().engine
    found = measure_engine_error(rule.quantile)
    assert 0.0 < found.most <= rule.share_of_range
    assert {"chop_intend", "integrated hazard of death"} <= set(found.by_quantity)
