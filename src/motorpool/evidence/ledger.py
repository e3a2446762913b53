"""The ledger: every published figure that the project knows, with what is done with it.

One record per figure in ``data/figures``. Nothing is dropped in silence: a figure is used somewhere, or says why not.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    RiskOfBias,
    build_record,
    list_evidence_files,
    read_evidence_yaml,
)
from motorpool.evidence.sources import check_sources

Topic = Literal[
    "survival",
    "ventilation",
    "feeding",
    "motor_scale",
    "milestone",
    "onset",
    "genotype",
    "electrophysiology",
    "biomarker",
    "breathing",
    "spine",
    "growth",
    "walking",
    "fatigue",
    "quality_of_life",
    "cost",
    "pharmacokinetics",
    "safety",
    "efficacy",
    "cell_therapy",
    "preclinical",
    "registry",
    "guideline",
    "measurement",
    "biology",
    "care",
    "kinetics",
    "prior",
]
UseKind = Literal["calibration", "validation", "apart", "parameter", "fact", "prior", "context", "not_used"]
_SCORED = ("calibration", "validation", "apart")
Number = float | int | str | bool
Spread = Number | tuple[Number | None, Number | None] | None


class Use(EvidenceRecord):
    """What the project does with a figure.

    ``where`` names study endpoints (``STUDY.endpoint``), parameter ids or facts files. A figure that is not used, or
    only read for context, says why.
    """

    kind: UseKind = Field(alias="as")
    where: tuple[str, ...] = ()
    reason: str | None = None

    @model_validator(mode="after")
    def _says_why_or_where(self) -> Use:
        if self.kind in ("context", "not_used") and not self.reason:
            raise ValueError(f"use '{self.kind}' needs a reason")
        if self.kind in (*_SCORED, "parameter", "fact") and not self.where:
            raise ValueError(f"use '{self.kind}' needs where")
        return self


class LedgerFigure(EvidenceRecord):
    """One published figure: who, what, when, how much, how sure, and what it is used for."""

    id: str
    source: str
    further_sources: tuple[str, ...] = ()
    study: str
    population: str
    n: int | None = None
    plan: str
    topic: Topic
    measure: str
    definition: str | None = None
    time: str | None = None
    values: Mapping[str, Number | None | tuple[Number | None, ...]] = Field(min_length=1)
    unit: str | None = None
    spread: Mapping[str, Spread] | None = None
    checked: bool
    confidence: Literal["high", "medium", "low"] | None = None
    risk_of_bias: RiskOfBias
    notes: str | None = None
    use: Use

    def number(self, name: str) -> float:
        """One of its values as a number.

        Raises:
            EvidenceError: there is no such value, or it is not a number.
        """
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EvidenceError(f"figure {self.id}: {name} is {value!r}, not a number")
        return float(value)


@functools.cache
def load_ledger() -> Mapping[str, LedgerFigure]:
    """Every figure by id.

    Raises:
        EvidenceError: a bad record, a repeated id, or a source that is not in the bibliography.
    """
    ledger: dict[str, LedgerFigure] = {}
    for name in list_evidence_files("figures"):
        where = f"figures/{name}.yaml"
        for figure_id, fields in read_evidence_yaml("figures", f"{name}.yaml")["figures"].items():
            if figure_id in ledger:
                raise EvidenceError(f"{where}: {figure_id!r} appears twice")
            record = build_record(LedgerFigure, {"id": str(figure_id), **fields}, f"{where}: {figure_id}")
            check_sources((record.source, *record.further_sources), f"{where}: {figure_id}")
            ledger[str(figure_id)] = record
    return ledger
