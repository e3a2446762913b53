"""The YAML reader and the strict records: repeated keys, unknown fields and absent files are errors."""

import pytest
import yaml

from motorpool.evidence import records
from motorpool.evidence.records import EvidenceError, build_record, read_evidence_yaml, unknown_name
from motorpool.evidence.sources import Source


def test_repeated_key_is_an_error_with_its_line():
    with pytest.raises(EvidenceError, match="line 2: key 'a' appears twice"):
        yaml.load("a: 1\na: 2\n", Loader=records._UniqueKeyLoader)


def test_repeated_nested_key_is_an_error():
    with pytest.raises(EvidenceError, match="key 'b' appears twice"):
        yaml.load("a:\n  b: 1\n  b: 2\n", Loader=records._UniqueKeyLoader)


def test_absent_file_is_named():
    with pytest.raises(EvidenceError, match="facts/nothing.yaml: no such evidence file"):
        read_evidence_yaml("facts", "nothing.yaml")


def test_unknown_field_names_place_and_field():
    with pytest.raises(EvidenceError, match="sources/main.yaml: x: titel: Extra inputs are not permitted"):
        build_record(Source, {"id": "x", "first_author": "A", "titel": "T"}, "sources/main.yaml: x")


def test_nearest_name_ignores_case():
    assert "the nearest is 'ENDEAR'" in str(unknown_name("study", "endear", ["CHERISH", "ENDEAR"]))


def test_records_cannot_be_changed():
    source = Source(id="x", first_author="A", title="T")
    with pytest.raises(ValueError, match="frozen"):
        source.title = "other"  # pyright: ignore[reportAttributeAccessIssue]
