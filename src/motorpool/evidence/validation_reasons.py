"""Likely reasons for the published figures that the model missed, written by people after a validation run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    build_record,
    read_evidence_yaml,
    unknown_name,
)

FILE = "validation_reasons.yaml"


class ValidationReasons(EvidenceRecord):
    """The reason of an endpoint by ``STUDY.endpoint``."""

    reasons: Mapping[str, str]


@functools.cache
def load_validation_reasons() -> Mapping[str, str]:
    """Load ``data/validation_reasons.yaml``, in which there may be nothing yet.

    Raises:
        EvidenceError: not a mapping of published endpoints to texts.
    """
    text = resources.files("motorpool.evidence").joinpath("data", FILE).read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    if all(not line or line.startswith("#") for line in lines):
        return {}
    reasons = build_record(ValidationReasons, {"reasons": read_evidence_yaml(FILE)}, FILE).reasons
    for name in reasons:
        _check_name(name)
    return reasons


def _check_name(name: str) -> None:
    study, _, endpoint = name.partition(".")
    if study not in list_published():
        raise EvidenceError(f"{FILE}: {name}: {unknown_name('published study', study, list_published())}")
    known = [one.id for one in load_published(study).endpoints]
    if endpoint not in known:
        raise EvidenceError(f"{FILE}: {name}: {unknown_name('endpoint', endpoint, known)}")
