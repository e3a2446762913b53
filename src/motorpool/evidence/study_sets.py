"""The locked sets: which studies may be fitted to, and which only judge the result.

One file, ``data/study_sets.yaml``, decided before fitting. A test keeps the sets apart: no group of patients is in
both.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from motorpool.evidence.records import EvidenceError, EvidenceRecord, build_record, read_evidence_yaml

StudySet = Literal["calibration", "validation", "apart"]
"""``apart``: studies that shaped the design of the model; predicted and shown, but counted apart."""


class Membership(EvidenceRecord):
    """The set of a study, with the endpoints that belong to another set."""

    set: StudySet
    except_endpoints: Mapping[str, StudySet] = {}
    reason: str


class StudySets(EvidenceRecord):
    """The set of every study."""

    decided: str
    studies: Mapping[str, Membership]

    def of(self, study: str, endpoint: str) -> StudySet | None:
        """The set of an endpoint, or ``None`` for a study that is not listed (a user's own)."""
        member = self.studies.get(study)
        return None if member is None else member.except_endpoints.get(endpoint, member.set)


@functools.cache
def load_study_sets() -> StudySets:
    """Load ``data/study_sets.yaml``.

    Raises:
        EvidenceError: naming what is wrong.
    """
    content = read_evidence_yaml("study_sets.yaml")
    sets = build_record(StudySets, content, "study_sets.yaml")
    if not sets.studies:
        raise EvidenceError("study_sets.yaml: lists no study")
    return sets
