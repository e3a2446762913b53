"""Results that ship with the package beside the posterior: the validation run, and the table of sensitivities.

``data/validation.json`` is what ``motorpool validate --json`` prints, ``data/sensitivity.json`` what a calibration
writes. Either may be absent, and then nothing is claimed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import ConfigDict

from motorpool.evidence.records import EvidenceError, EvidenceRecord, build_record

VALIDATION_FILE, SENSITIVITY_FILE = "validation.json", "sensitivity.json"


class StoredRecord(EvidenceRecord):
    """A record of results; further fields are kept and not looked at."""

    model_config = ConfigDict(extra="allow", frozen=True)


class ValidatedEndpoint(StoredRecord):
    """One endpoint predicted and held against its published figure; intervals hold 90 %, in the endpoint's unit.

    ``width_ratio``: predicted over published width; ``z``: distance in predictive SDs; ``effective_people`` behind the
    prediction; ``counted`` is false where they are too few.
    """

    study: str
    arm: str
    endpoint: str
    set: str
    family: str
    published: float
    published_low: float | None = None
    published_high: float | None = None
    predicted: float
    predicted_low: float
    predicted_high: float
    inside_90: bool
    width_ratio: float | None = None
    z: float | None = None
    effective_people: float | None = None
    counted: bool = True


class ValidationSummary(StoredRecord):
    """Counted endpoints of one set: how many, how many inside their interval, and the median ratio of widths."""

    n: int
    inside_90: int
    coverage_90: float | None = None
    coverage_90_low: float | None = None
    coverage_90_high: float | None = None
    median_width_ratio: float | None = None


class ValidationResult(StoredRecord):
    """A validation run: summaries by set, every endpoint, and what could not be predicted with the reason."""

    summary: Mapping[str, ValidationSummary]
    endpoints: tuple[ValidatedEndpoint, ...]
    baselines: Mapping[str, Mapping[str, Any]] = {}
    not_predicted: Mapping[str, str] = {}

    def of(self, study: str, endpoint: str) -> ValidatedEndpoint | None:
        """The result of one endpoint, or ``None`` where it was not predicted."""
        return self._by_name.get((study, endpoint))

    @functools.cached_property
    def _by_name(self) -> dict[tuple[str, str], ValidatedEndpoint]:
        return {(row.study, row.endpoint): row for row in self.endpoints}


class Index(StoredRecord):
    """Share of an endpoint's variance that comes from one parameter: with all its interactions, and alone."""

    parameter: str
    total: float
    first: float | None = None


class SensitivityTable(StoredRecord):
    """Global sensitivity: mean total index by parameter, and the largest indices of every endpoint."""

    mean_total_index: Mapping[str, float]
    endpoints: Mapping[str, tuple[Index, ...]]


def read_validation_result(text: str, where: str = VALIDATION_FILE) -> ValidationResult:
    """A validation result from its text.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(ValidationResult, _json(text, where), where)


def read_sensitivity_table(text: str, where: str = SENSITIVITY_FILE) -> SensitivityTable:
    """A table of sensitivities from its text.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(SensitivityTable, _json(text, where), where)


@functools.cache
def load_validation_result() -> ValidationResult | None:
    """The validation that ships with the package, or ``None``."""
    text = stored_text(VALIDATION_FILE)
    return None if text is None else read_validation_result(text)


@functools.cache
def load_sensitivity_table() -> SensitivityTable | None:
    """The sensitivities that ship with the package, or ``None``."""
    text = stored_text(SENSITIVITY_FILE)
    return None if text is None else read_sensitivity_table(text)


def stored_text(name: str) -> str | None:
    """Text of a file below ``evidence/data``, or ``None`` where there is none."""
    entry = resources.files("motorpool.evidence").joinpath("data", name)
    return entry.read_text(encoding="utf-8") if entry.is_file() else None


def stored_digest(name: str) -> str | None:
    """SHA-256 of a file below ``evidence/data``, or ``None`` where there is none."""
    text = stored_text(name)
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _json(text: str, where: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise EvidenceError(f"{where}: not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise EvidenceError(f"{where}: expected an object, got {type(content).__name__}")
    return content  # pyright: ignore[reportUnknownVariableType]
