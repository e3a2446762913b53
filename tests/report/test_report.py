from __future__ import annotations

import re

import pytest

from motorpool.report import write_report
from motorpool.simulation.results import Results
from tests.support.pages import Page, assert_well_formed, parsed
from tests.support.synthetic_results import synthetic_dataset


@pytest.fixture(scope="module")
def results():
    data = synthetic_dataset(patients=30, draws=3, visits=5, months_between_visits=6.0)
    data.attrs["title"] = "Infants <script>alert(1)</script> & more"
    return Results(data, {"seed": 1, "versions": {"motorpool": "0.0"}})


@pytest.fixture(scope="module")
def path(results, tmp_path_factory):
    return write_report(results, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def text(path):
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text) -> Page:
    return parsed(text)


def test_it_loads_nothing_from_anywhere(page, text):
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    assert "url(" not in style and "@import" not in style
    for link in page.links:
        assert not link["href"].startswith("http:")
    assert not re.search(r'xlink:href="http|src="(http|//)', text.split('id="vega-bundle"')[0])


def test_it_is_small_enough_to_send(path):
    assert path.stat().st_size < 5e6


def test_it_is_well_formed_with_language_and_viewport(page, text):
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    assert_well_formed(page)


def test_every_figure_has_words_table_and_downloads(page):
    assert len(page.figures) > 12
    for figure in page.figures:
        assert len(figure["alt"]) > 40, figure["id"]
        kinds = [link["href"].split(";")[0] for link in figure["downloads"]]
        assert kinds == ["data:text/csv"], figure["id"]
        assert figure["pictures"] == 1, figure["id"]


def test_tables_have_scoped_headers(page):
    assert page.headers
    assert all(header.get("scope") in ("col", "row") for header in page.headers)


def test_text_from_the_scenario_is_escaped(text):
    assert "<script>alert(1)</script>" not in text
    assert "Infants &lt;script&gt;" in text


def test_it_says_what_it_must(text):
    assert "For research use only" in text
    assert "The parameters were calibrated together on published studies" in text
    assert "No controlled study of cell therapy in SMA" in text
    assert (
        text.index("For research use only")
        < text.index("In short")
        < text.index("In plain words")
        < text.index("How scores develop")
        < text.index("Where every number came from")
    )


def test_paper_and_dark_mode_are_cared_for(text):
    assert "@media print" in text and "size: A4" in text
    assert "prefers-color-scheme: dark" in text


def test_the_same_results_give_the_same_report(results, text, tmp_path):
    again = write_report(results, tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == text


def test_a_report_of_a_folder_is_written_into_it(results, tmp_path):
    folder = results.save(tmp_path / "out")
    path = write_report(folder)
    assert path == folder / "report.html"
    assert str(tmp_path) not in path.read_text(encoding="utf-8")
    assert not [entry for entry in folder.iterdir() if entry.name.startswith(".")]


def test_slim_pictures_keep_pale_bands_and_share_shapes():
    from motorpool.report.pictures import slim

    shape = "M0,0" + "L1.234,5.678" * 10
    path = f'<path d="{shape}" transform="translate(1.2345,2)" opacity="0.04"/>'
    svg = slim("<svg>" + path * 25 + "</svg>")
    assert 'opacity="0.04"' in svg
    assert "translate(1.2,2)" in svg
    assert svg.count("<path ") == 1 and svg.count("<use ") == 25


def test_slim_pictures_keep_the_numbers_that_people_read():
    from motorpool.report.pictures import slim

    axis = '<text transform="translate(3.14159,2)" aria-label="0.05">0.05</text><text>-12.345 points</text>'
    assert slim(f"<svg>{axis}</svg>") == (
        '<svg><text transform="translate(3.1,2)">0.05</text><text>-12.345 points</text></svg>'
    )


def test_plans_are_told_in_words():
    from motorpool.report.plans import course_words

    course = {
        "therapy": "cell_therapy",
        "route": "intrathecal",
        "mechanisms": {"neuroprotection": True, "muscle": False},
        "adverse_events": True,
        "start": {"age_months": 3.0, "delay_days": 0.0},
        "pauses": [],
    }
    assert course_words(course) == (
        "cell therapy (route intrathecal, mechanisms: neuroprotection, adverse events, start age months 3)"
    )


def test_only_what_the_run_rests_on_is_listed_openly(results):
    from motorpool.figures.context import FigureContext
    from motorpool.report.provenance import provenance

    made = provenance(FigureContext(results.dataset))
    assert {"nusinersen", "risdiplam", "cells", "neurons"} <= set(made.used)
    assert {"gene_transfer", "myostatin"} <= set(made.unused)
    wanted = {source for rows in made.used.values() for row in rows for source in row.sources}
    assert wanted <= made.reference_ids | {""}
