from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from motorpool.report import write_report
from motorpool.simulation.results import Results
from tests.support.synthetic_results import synthetic_dataset

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "use": "href"}
VOID = {"meta", "link", "img", "br", "hr", "input", "source", "col"}


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.loads, self.headings, self.ids, self.links, self.headers = [], [], [], [], []
        self.figures = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in LOADING and values.get(LOADING[tag]):
            self.loads.append(values[LOADING[tag]])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values)
        if tag == "th":
            self.headers.append(values)
        if tag == "figure":
            self.figures.append({"id": values["id"], "alt": "", "tables": 0, "downloads": [], "pictures": 0})
        if self.figures and "figure" in self.open:
            figure = self.figures[-1]
            if values.get("role") == "img":
                figure["alt"] = values.get("aria-label", "")
            if tag == "table":
                figure["tables"] += 1
            if values.get("data-picture") == figure["id"]:
                figure["pictures"] += 1
            if tag == "a" and "download" in values:
                figure["downloads"].append(values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass


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
def page(text):
    parser = Page()
    parser.feed(text)
    return parser


def test_it_loads_nothing_from_anywhere(page, text):
    assert page.loads == []
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    assert "url(" not in style and "@import" not in style
    for link in page.links:
        assert not link["href"].startswith("http:")
    assert not re.search(r'xlink:href="http|src="(http|//)', text.split('id="vega-bundle"')[0])


def test_it_is_small_enough_to_send(path):
    assert path.stat().st_size < 5e6


def test_language_viewport_and_headings(page, text):
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    assert page.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(page.headings, page.headings[1:], strict=False))


def test_ids_are_unique_and_links_lead_somewhere(page):
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        if link["href"].startswith("#"):
            assert link["href"][1:] in page.ids


def test_every_figure_has_words_table_and_downloads(page):
    assert len(page.figures) > 12
    for figure in page.figures:
        assert len(figure["alt"]) > 40, figure["id"]
        assert figure["tables"] == 1, figure["id"]
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
    assert "Preliminary parameters, not yet calibrated" in text
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
