"""The page of a validation, its sentences, and the page of the documentation, from made-up results."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from motorpool.calibration.validation_summary import report_data
from motorpool.evidence import validation_reasons
from motorpool.evidence.posterior import load_posterior
from motorpool.evidence.published import load_published
from motorpool.evidence.records import EvidenceError
from motorpool.evidence.stored_results import read_validation_result
from motorpool.evidence.study_sets import load_study_sets
from motorpool.evidence.validation_reasons import load_validation_reasons
from motorpool.figures.rendering import render_svg
from motorpool.figures.validation import MOST_ROWS, coverage_figure, interval_figures, pit_figure
from motorpool.report import validation_page, validation_words
from motorpool.report.credibility.coverage import Covered
from motorpool.report.validation_page import MARK, page_html, set_figures, write_validation_page
from motorpool.report.validation_scope import therapy_scopes
from motorpool.report.validation_sentences import answer, criteria_rows, display_unit, interval_words
from motorpool.report.validation_words import how_sure_page, stored_validation
from motorpool.studies.study import load_study
from tests.support.pages import assert_well_formed, parsed
from tests.support.validation_samples import made_up_validation_run

STUDIES = ("STR1VE-EU", "CS3A", "TOPAZ", "SAPPHIRE", "SPACE", "NEGATIVE-CONTROLS", "SHANGHAI", "SPR1NT")
MISSED = ("CS3A.alive_month36", "SHANGHAI.onset_2a")
FEW, ABSENT = "STR1VE-EU.chop_month1", "STR1VE-EU.chop_month3"
COMMAND = "python -m motorpool.report.validation_words > docs/explanation/how-sure-are-we.md"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    studies = [load_study(name) for name in STUDIES]
    run = made_up_validation_run(studies, missed=MISSED, few=[FEW], absent=[ABSENT])
    return json.loads(json.dumps(report_data(run)))  # as it is stored


@pytest.fixture(scope="module")
def text(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("validation") / "new" / "page.html"
    assert write_validation_page(data, target) == target
    assert list(target.parent.iterdir()) == [target]
    return target.read_text(encoding="utf-8")


def rows_of_table(text: str, caption: str) -> list[str]:
    """Rows of the table with a caption that starts so, as text."""
    found = re.search(rf"<caption>{caption}[^<]*</caption>.*?</table>", text, flags=re.DOTALL)
    assert found is not None
    rows = re.findall(r"<tr>(.*?)</tr>", found[0], flags=re.DOTALL)[1:]
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def test_the_samples_are_stored_results(data: dict[str, Any]) -> None:
    found = read_validation_result(json.dumps(data))
    outside = {f"{row.study}.{row.endpoint}" for row in found.endpoints if not row.inside_90}
    assert outside == set(MISSED)


def test_the_page_is_self_contained_and_well_formed(text: str) -> None:
    assert MARK in text[:2000]
    assert_well_formed(parsed(text))
    before_bundle = text.split('id="vega-bundle"')[0]
    assert not re.search(r"<script[^>]+src|url\(|@import", before_bundle)


def test_every_endpoint_is_in_a_table_and_in_a_picture(data: dict[str, Any], text: str) -> None:
    rows = [row for row in rows_of_table(text, "Every figure")]
    rows += rows_of_table(text.split("Counted apart", 1)[1].split("<details>", 1)[1], "Every figure")
    assert len(rows) >= len([entry for entry in data["endpoints"] if entry["set"] == "validation"])
    drawn = {
        name
        for chosen in ("validation", "apart", "calibration")
        for figure in set_figures(data, chosen)
        for name in figure.table["Figure"]
    }
    for entry in data["endpoints"]:
        assert f"{entry['study']} {entry['endpoint'].replace('_', ' ')}" in drawn
        assert f"<td>{entry['endpoint']}</td>" in text
    assert f"<code>{ABSENT}</code>: under most draws" in text


def test_what_failed_comes_first_with_its_distance(data: dict[str, Any], text: str) -> None:
    rows = rows_of_table(text, "Every figure")
    entries = {f"{entry['study']}.{entry['endpoint']}": entry for entry in data["endpoints"]}
    worst_first = sorted(MISSED, key=lambda name: -abs(entries[name]["z"]))
    for row, name in zip(rows, worst_first, strict=False):
        study, endpoint = name.split(".")
        assert row.startswith(f"{study} {endpoint} ")
        assert f"{entries[name]['z']:+.1f}".replace("-", "\u2212") in row
        assert "OUTSIDE" in row
    assert "OUTSIDE" not in "".join(rows[len(MISSED) :])
    missed = rows_of_table(text, "Figures outside their interval")
    assert [row.split()[:2] for row in missed] == [name.split(".") for name in worst_first]


def test_a_figure_that_is_not_counted_is_shown_as_such(data: dict[str, Any], text: str) -> None:
    study, endpoint = FEW.split(".")
    row = next(row for row in rows_of_table(text, "Every figure") if row.startswith(f"{study} {endpoint} "))
    assert "not counted" in row
    counted = [entry for entry in data["endpoints"] if entry["set"] == "validation" and entry["counted"]]
    assert data["summary"]["validation"]["n"] == len(counted)
    assert f"Of {len(counted)} published figures" in text


def test_a_reason_stands_beside_its_failure(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {MISSED[0]: "Survivors were <chosen> & few."}
    monkeypatch.setattr(validation_reasons, "load_validation_reasons", lambda: reasons)
    monkeypatch.setattr(validation_words, "load_validation_reasons", lambda: reasons)
    tables = validation_page._tables(data)
    assert "Survivors were &lt;chosen&gt; &amp; few." in tables["missed"]
    page = how_sure_page(data)
    line = next(line for line in page.splitlines() if f"`{MISSED[0].split('.')[1]}`" in line)
    assert line.endswith("| Survivors were <chosen> & few. |")
    other = next(line for line in page.splitlines() if f"`{MISSED[1].split('.')[1]}`" in line)
    assert other.endswith("| not known |")


def test_a_users_own_study_has_no_criteria_to_meet() -> None:
    run = made_up_validation_run([load_study("STR1VE-EU")])
    own = report_data(run)
    for entry in own["endpoints"]:
        entry["set"] = "own"
    own = {**own, "summary": {"own": own["summary"]["validation"]}, "acceptance": {}}
    text = page_html(own)
    assert "Your own studies" in text or "your own studies" in text
    assert "criteria set beforehand" not in text
    assert "of your own" in answer(own)[0]
    assert not any("validated" in sentence for sentence in answer(own))


@pytest.mark.parametrize("studies", [(), ("ENDEAR",)])
def test_a_run_without_unseen_studies_claims_nothing(studies: tuple[str, ...]) -> None:
    found = report_data(made_up_validation_run([load_study(name) for name in studies]))
    text = page_html(found)
    assert "says nothing of unseen studies" in text
    assert parsed(text).open == []


def verdict(data: dict[str, Any], **changed: Any) -> str:
    """The last sentence of the answer, with criteria set to these."""
    good = {"value": 1, "goal": 0.9, "floor": 0.85, "goal_met": True, "floor_met": True}
    acceptance = {
        "decided": "2026-11-26",
        "inside_90": good,
        "median_width_ratio": good,
        "least_endpoints": {**good, "goal": None, "goal_met": None},
        "negative_controls": {"value": 1, "of": 1, "floor_met": True},
        "baselines": {"value": {}, "floor_met": True},
    }
    for name, part in changed.items():
        acceptance[name] = {**acceptance[name], **part}
    return answer({**data, "acceptance": acceptance})[-1]


def test_the_answer_follows_the_criteria(data: dict[str, Any]) -> None:
    assert "is validated: it reaches every floor, and every goal is reached" in verdict(data)
    short = verdict(data, inside_90={"goal_met": False})
    assert "is validated" in short
    assert "misses the goal of share inside the 90 % interval" in short
    bad = verdict(data, inside_90={"floor_met": False, "goal_met": False}, baselines={"floor_met": False})
    assert "not validated: it misses the floor of share inside the 90 % interval and better than" in bad
    unknown = verdict(data, negative_controls={"floor_met": None})
    assert "nothing can be said of negative controls inside" in unknown
    assert "is validated" not in unknown


def test_criteria_stand_with_what_was_found(data: dict[str, Any]) -> None:
    rows = {row["Criterion"]: row for row in criteria_rows(data)}
    share = rows["Share inside the 90 % interval"]
    assert share["Found"] == f"{100 * data['summary']['validation']['coverage_90']:.0f} %"
    assert (share["Floor"], share["Goal"]) == ("85 %", "90 %")
    assert rows["Number of figures"]["Found"] == str(data["summary"]["validation"]["n"])
    assert rows["Negative controls inside"]["Found"].startswith("2 of ")


def test_values_are_shown_in_the_unit_people_read(data: dict[str, Any]) -> None:
    share = next(e for e in data["endpoints"] if f"{e['study']}.{e['endpoint']}" == MISSED[0])
    assert display_unit(share) == "%"
    assert interval_words(share, "published").startswith("75 (")
    age = next(e for e in data["endpoints"] if f"{e['study']}.{e['endpoint']}" == MISSED[1])
    assert display_unit(age) == "months"
    assert interval_words({**age, "published": -1.25, "published_low": None}, "published") == "\u22121.25"


def drawn(count: int) -> list[dict[str, Any]]:
    made = []
    for number in range(count):
        how = ("inside", "outside", "not counted")[number % 3]
        values = {"published": 10.0 + number, "predicted": 11.0, "predicted_low": 5.0, "predicted_high": 30.0}
        made.append({"name": f"STUDY figure {number}", "how": how, "z": 0.5, **values})
    return made


@pytest.mark.parametrize("family", ["hfmse", "time"])
@pytest.mark.parametrize("rows", [1, 3])
def test_pictures_tell_inside_and_outside_by_shape_and_colour(family: str, rows: int) -> None:
    (figure,) = interval_figures(drawn(rows), family, "A family", "points", "validation")
    for spec in (figure.spec, figure.narrow_spec):
        svg = render_svg(spec)
        assert "NaN" not in svg
        assert ("#d55e00" in svg) == (rows > 1)
        assert "#0072b2" in svg
    dots = figure.spec["layer"][3]["encoding"]
    assert dots["shape"]["field"] == dots["color"]["field"] == "how"
    assert len(set(dots["shape"]["scale"]["range"])) == len(set(dots["color"]["scale"]["range"])) == 3


def test_many_figures_make_several_pictures_and_lose_none() -> None:
    rows = drawn(2 * MOST_ROWS + 1)
    made = interval_figures(rows, "proportion", "Shares", "%", "validation")
    assert [len(figure.table) for figure in made] == [22, 22, 21]
    assert len({figure.identifier for figure in made}) == 3
    assert [name for figure in made for name in figure.table["Figure"]] == [row["name"] for row in rows]


def test_coverage_and_percentiles_are_drawn() -> None:
    rows = [{"family": "HFMSE", "n": 8, "share": 0.75, "low": 0.5, "high": 1.0}]
    coverage = coverage_figure(rows, 0.9, 0.85)
    assert coverage is not None
    assert "HFMSE: 75 %" in coverage.alt
    assert "NaN" not in render_svg(coverage.spec)
    percentiles = pit_figure([0.0, 0.05, 0.5, 0.99, 1.0])
    assert percentiles is not None
    assert percentiles.table["Figures"].tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert "NaN" not in render_svg(percentiles.narrow_spec)
    assert coverage_figure([], 0.9, 0.85) is None
    assert pit_figure([]) is None


def test_a_therapy_is_validated_by_other_studies_alone() -> None:
    def covered(study: str, endpoint: str, kind: str, therapy: str) -> Covered:
        return Covered(study, endpoint, kind, therapy, {2: 1.0}, {})  # type: ignore[arg-type]

    figures = [
        covered("FITTED", "a", "calibration", "risdiplam"),
        covered("OTHER", "a", "validation", "risdiplam"),
        covered("THIRD", "a", "validation", "risdiplam"),
        covered("SAME", "a", "calibration", "transmission support"),
        covered("SAME", "b", "validation", "transmission support"),
        covered("SHAPED", "a", "apart", "brace"),
        covered("ALONE", "a", "validation", "nusinersen (high dose)"),
    ]
    found = {scope.therapy: scope for scope in therapy_scopes([], figures)}
    assert found["risdiplam"].tested == "several studies"
    assert found["transmission support"].tested == found["brace"].tested == "not validated"
    assert found["nusinersen (high dose)"].tested == "one study"
    assert found["cell therapy"].tested == "not studied"
    assert "nusinersen" not in found
    results = [
        {"study": "OTHER", "endpoint": "a", "set": "validation", "counted": True, "inside_90": False},
        {"study": "THIRD", "endpoint": "a", "set": "validation", "counted": False, "inside_90": True},
        {"study": "SAME", "endpoint": "b", "set": "validation", "counted": True, "inside_90": True},
    ]
    judged = {scope.therapy: scope for scope in therapy_scopes(results, figures)}
    assert (judged["risdiplam"].tested_by, judged["risdiplam"].judged, judged["risdiplam"].inside) == (
        ("OTHER",),
        1,
        0,
    )
    assert judged["transmission support"].tested == "not validated"
    assert judged["nusinersen (high dose)"].tested_by == ()


def test_the_locked_sets_leave_therapies_without_a_second_study() -> None:
    found = {scope.therapy: scope for scope in therapy_scopes([])}
    assert load_study_sets().studies["SPACE"].except_endpoints
    assert found["transmission support"].fitted == ("SPACE",)
    assert found["transmission support"].tested == "not validated"
    assert found["myostatin inhibition + nusinersen"].tested_by == ("TOPAZ",)
    assert found["cell therapy"].tested == "not studied"


def test_the_page_of_the_documentation_says_all_of_it(data: dict[str, Any]) -> None:
    page = how_sure_page(data)
    assert page.startswith("# How sure are we?\n")
    whole = " ".join(page.split())
    assert " ".join(answer(data)) in whole
    for name in (FEW, ABSENT):
        assert f"`{name}`" in page
    for heading in ("By family of figures", "What was missed", "What is validated, and what is not"):
        assert f"\n## {heading}\n" in page
    assert "| transmission support | SPACE | \u2013 |" in page
    assert page.endswith("\n") and not page.endswith("\n\n")
    widths = {line.count("|") for line in page.splitlines() if line.startswith("| --- ")}
    assert widths
    assert "nan" not in page.lower().split()
    assert how_sure_page(data) == page


def test_without_a_run_the_page_claims_nothing() -> None:
    page = how_sure_page(None)
    assert "nothing is claimed" in page
    assert "What was missed" not in page
    assert "## How the intervals are made" in page


def test_the_page_in_the_documentation_is_the_one_of_the_shipped_run(checkout: Path) -> None:
    stored = stored_validation()
    if load_posterior() is not None:
        assert stored is not None, (
            "there is a posterior and no validation.json: `motorpool validate --set all --ship`"
        )
    page = (checkout / "docs" / "explanation" / "how-sure-are-we.md").read_text(encoding="utf-8")
    assert page == how_sure_page(stored), f"make it anew: {COMMAND}"


def test_the_shipped_run_is_of_the_shipped_posterior() -> None:
    stored, posterior = stored_validation(), load_posterior()
    if stored is None:
        assert posterior is None, (
            "there is a posterior and no validation.json: `motorpool validate --set all --ship`"
        )
        return
    assert posterior is not None
    assert stored["made_with"]["posterior_sha256"] == posterior.facts.draws_sha256, "validate again"


def test_reasons_are_of_published_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in load_validation_reasons():
        study, _, endpoint = name.partition(".")
        assert endpoint in {one.id for one in load_published(study).endpoints}
    for name, message in (
        ("CS4A.alive", "unknown published study 'CS4A'"),
        ("CS3A.alife", "unknown endpoint 'alife'"),
    ):
        with pytest.raises(EvidenceError, match=f"validation_reasons.yaml: {name}: {message}"):
            validation_reasons._check_name(name)
