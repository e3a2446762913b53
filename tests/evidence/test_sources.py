"""The bibliography: complete entries, nearest name for unknown ids, sound BibTeX, no duplicates."""

import re

import pytest

from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.records import EvidenceError, list_evidence_files, read_evidence_yaml
from motorpool.evidence.sources import Bibliography, Source, check_sources, cite, load_sources


def test_every_source_says_what_it_is():
    for source in load_sources().values():
        assert source.title or source.about, source.id
        assert source.citation().startswith(source.first_author.rstrip(".")), source.id


def test_recalled_identifiers_are_given_identifiers():
    for source in load_sources().values():
        for name in source.identifiers_recalled:
            assert getattr(source, name) is not None, f"{source.id}: {name}"


def test_no_two_sources_share_a_doi_unless_they_say_so():
    by_doi: dict[str, list[Source]] = {}
    for source in load_sources().values():
        if source.doi:
            by_doi.setdefault(source.doi.lower(), []).append(source)
    shared = {doi: [s.id for s in sources] for doi, sources in by_doi.items() if len(sources) > 1}
    assert shared == {}


def test_unknown_id_names_the_nearest():
    with pytest.raises(
        EvidenceError, match="unknown source 'finkel2017_endaer'; the nearest is 'finkel2017_endear'"
    ):
        cite("finkel2017_endaer")


def test_check_sources_leads_with_the_place():
    with pytest.raises(EvidenceError, match="growth.yaml: rows: unknown source"):
        check_sources(["who2006_growht"], "growth.yaml: rows")


def test_a_repeated_id_is_an_error():
    source = Source(id="same", first_author="A", title="T")
    with pytest.raises(EvidenceError, match="'same' is listed twice"):
        Bibliography([source, source])


def test_an_id_exists_once_over_all_files():
    files = [
        read_evidence_yaml("sources", f"{name}.yaml")["sources"] for name in list_evidence_files("sources")
    ]
    assert len(files) > 1
    assert sum(map(len, files)) == len(load_sources())


def test_bibtex_holds_each_source_once_and_balances_its_braces():
    text = load_sources().bibtex()
    keys = re.findall(r"^@\w+\{(\w+),$", text, flags=re.MULTILINE)
    assert sorted(keys) == sorted(load_sources())
    assert text.count("{") == text.count("}")


def test_bibtex_of_a_selection():
    text = load_sources().bibtex(["luu2017", "luu2017", "finkel2017_endear"])
    assert text.count("@article{") == 2
    assert "doi = {10.1002/jcph.884}" in text


def test_bibtex_escapes_special_letters():
    source = Source(id="odd", first_author="Smith & Sons", title="50% more")
    assert r"Smith \& Sons" in source.bibtex()
    assert r"50\% more" in source.bibtex()


def test_links_prefer_the_doi():
    assert load_sources()["luu2017"].link() == "https://doi.org/10.1002/jcph.884"
    assert load_sources()["zerres1995"].link() == "https://pubmed.ncbi.nlm.nih.gov/7733848/"


def test_every_source_of_a_parameter_is_in_the_bibliography():
    unknown = {
        source: record.id
        for record in load_parameter_table().values()
        for source in record.sources
        if source not in load_sources()
    }
    assert unknown == {}
