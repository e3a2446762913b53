"""Published reports of cells in SMA, as something that can be simulated with cells doing nothing."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from motorpool.evidence.records import EvidenceError, EvidenceRecord, build_record, read_evidence_yaml
from motorpool.evidence.sources import check_sources

_FILE = "cell_series.yaml"


class Improved(EvidenceRecord):
    """So many children were said or found to improve, by at least so many points."""

    kind: Literal["improved"]
    improved: int = Field(ge=0)
    at_least: float = Field(gt=0)


class Scores(EvidenceRecord):
    """Each child's change on the scale."""

    kind: Literal["scores"]
    changes: tuple[float, ...] = Field(min_length=1)


class Difference(EvidenceRecord):
    """The mean change of treated children less that of untreated ones, with its standard error."""

    kind: Literal["difference"]
    difference: float
    untreated: int = Field(gt=0)
    error: float = Field(gt=0)


Finding = Annotated[Improved | Scores | Difference, Field(discriminator="kind")]


class CellSeries(EvidenceRecord):
    """One report: who, for how long, on which scale, what was found, and how it was come by.

    ``selected_of``: of how many children (or measures) what was reported is the best; None for everybody.
    """

    id: str
    label: str
    source: str
    children: int = Field(gt=0)
    cohort: dict[str, Any]
    care: Literal["palliative", "standard", "proactive"]
    months: float = Field(gt=0)
    outcome: str
    finding: Finding
    open_label: bool
    selected_of: int | None
    cells: dict[str, Any]
    judgements: str
    limits: str

    @model_validator(mode="after")
    def _consistent(self) -> CellSeries:
        finding = self.finding
        if isinstance(finding, Improved) and finding.improved > self.children:
            raise ValueError(f"{finding.improved} improved of {self.children}")
        if isinstance(finding, Scores) and len(finding.changes) != self.children:
            raise ValueError(f"{len(finding.changes)} changes of {self.children} children")
        return self


@functools.cache
def load_cell_series() -> dict[str, CellSeries]:
    """Every report that can be simulated, by id.

    Raises:
        EvidenceError: the file is damaged, or names an unknown source or outcome.
    """
    from motorpool.evidence.outcome_catalogue import outcome

    content = read_evidence_yaml(_FILE)["series"]
    found = {
        name: build_record(CellSeries, {"id": name, **fields}, f"{_FILE}: {name}")
        for name, fields in content.items()
    }
    for series in found.values():
        check_sources((series.source,), f"{_FILE}: {series.id}")
        outcome(series.outcome)
    return found


def absent_series() -> dict[str, str]:
    """Reports that cannot be simulated, with the reason."""
    absent: dict[str, str] = read_evidence_yaml(_FILE)["absent"]
    for name in absent:
        check_sources((name,), f"{_FILE}: absent")
    if not all(absent.values()):
        raise EvidenceError(f"{_FILE}: absent: every report needs a reason")
    return dict(absent)
