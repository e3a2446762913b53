"""Studies of cells: design, route, dose, schedule, result and the contrast that a meta-analysis can use.

``data/cell_studies.yaml``. Source, population, risk of bias and whether a figure was read are those of the ledger.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from motorpool.evidence.ledger import LedgerFigure, load_ledger
from motorpool.evidence.records import (
    EvidenceError,
    EvidenceRecord,
    Interval,
    build_record,
    check_interval,
    read_evidence_yaml,
    unknown_name,
)

FILE = "cell_studies.yaml"
Group = Literal["sma", "nervous_system", "children", "muscle", "animal"]
Design = Literal[
    "case_report",
    "case_series",
    "non_randomised",
    "randomised_open",
    "randomised_blinded",
    "registered",
    "animal",
]
DESIGN_WORDS: Mapping[Design, str] = {
    "case_report": "one patient",
    "case_series": "patients without a control group",
    "non_randomised": "compared, not drawn by lot",
    "randomised_open": "drawn by lot, not blinded",
    "randomised_blinded": "drawn by lot, blinded",
    "registered": "registered, no result",
    "animal": "animals",
}


class Contrast(EvidenceRecord):
    """What a paper says of treated against compared, positive or first where cells did better.

    ``means``: ``difference`` and ``sd`` in the unit of the measure. ``interval``: ``difference`` with its 95 %
    ``interval``. ``shares``: fractions with the good outcome. ``p_value``: two-sided ``p`` and its direction.
    ``reported_alike``: no number, called alike.
    """

    kind: Literal["means", "interval", "shares", "p_value", "reported_alike"]
    measure: str
    difference: float | None = None
    sd: float | None = Field(default=None, gt=0)
    interval: Interval | None = None
    treated_share: float | None = Field(default=None, gt=0, lt=1)
    compared_share: float | None = Field(default=None, gt=0, lt=1)
    p: float | None = Field(default=None, gt=0, le=1)
    better_with_cells: bool | None = None
    assumptions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Contrast:
        needed = {
            "means": ("difference", "sd"),
            "interval": ("difference", "interval"),
            "shares": ("treated_share", "compared_share"),
            "p_value": ("p", "better_with_cells"),
            "reported_alike": (),
        }[self.kind]
        given = {name for name in type(self).model_fields if getattr(self, name) not in (None, ())} - {
            "kind",
            "measure",
            "assumptions",
        }
        if given != set(needed):
            raise ValueError(f"kind '{self.kind}' needs exactly {', '.join(needed) or 'nothing more'}")
        if self.difference is not None:
            check_interval(self.difference, self.interval)
        return self


class LifeSpan(EvidenceRecord):
    """Gain of life of treated animals as a fraction of that of untreated ones."""

    gain: float
    smn_mouse: bool
    checked: bool


class CellStudy(EvidenceRecord):
    """One study of cells. ``None`` means: not stated in what was read."""

    id: str
    name: str
    group: Group
    figures: tuple[str, ...] = Field(min_length=1)
    disease: str
    design: Design
    phase: Literal["1", "1/2", "2", "3"] | None = None
    year: int | None = Field(default=None, ge=1990, le=2035)
    registration: tuple[str, ...] = ()
    treated: int | None = Field(default=None, ge=0)
    compared: int | None = Field(default=None, ge=0)
    planned: bool = False
    cells: str
    route: str
    dose: str | None
    schedule: str | None
    comparator: str | None
    outcome: str | None
    follow_up: str | None
    result: str
    funding: str | None
    interests: str | None = None
    contrast: Contrast | None = None
    life_span: LifeSpan | None = None
    not_pooled: str | None = None

    @model_validator(mode="after")
    def _pooled_or_says_why(self) -> CellStudy:
        if (self.contrast is None) == (self.not_pooled is None):
            raise ValueError("give either contrast, or not_pooled with the reason")
        if self.contrast is not None and not (self.treated and self.compared):
            raise ValueError("a contrast needs treated and compared")
        if (self.life_span is not None or self.design == "animal") and self.group != "animal":
            raise ValueError("only animal work has life_span and the design 'animal'")
        return self

    @property
    def blinded(self) -> bool:
        """Whether those who measured did not know the treatment."""
        return self.design == "randomised_blinded"

    @property
    def ledger(self) -> tuple[LedgerFigure, ...]:
        """Its figures in the ledger; the first gives source and risk of bias."""
        return tuple(load_ledger()[name] for name in self.figures)


class Pool(EvidenceRecord):
    """Which studies are put together."""

    id: str
    title: str
    short: str
    groups: tuple[Group, ...]
    blinded_only: bool = False
    bias_adjusted: bool = False
    further_studies: tuple[str, ...] = ()
    note: str | None = None


class Approach(EvidenceRecord):
    """An approach that had animal results, and whether it then helped people in a controlled trial."""

    name: str
    figure: str
    helped_people: bool


class Benchmark(EvidenceRecord):
    """Survival of mice whose SMN was restored, as value names of a ledger figure."""

    figure: str
    untreated: str
    treated: tuple[str, ...]


class Translation(EvidenceRecord):
    """From animals to people."""

    note: str
    smn_benchmark: Benchmark
    approaches: Mapping[str, Approach]


class RegisteredTrials(EvidenceRecord):
    """A published count of registered trials up to a year."""

    year: int
    count: int
    what: str
    figure: str


class PublishedOutcomes(EvidenceRecord):
    """How many registered trials had published their outcomes."""

    count: int
    of: int
    figure: str


class Designations(EvidenceRecord):
    """Requests to a regulator by financial year."""

    figure: str
    requested: Mapping[int, int]
    granted: Mapping[int, int]


class CellStudies(EvidenceRecord):
    """Everything in ``cell_studies.yaml``."""

    groups: Mapping[Group, str]
    pools: Mapping[str, Pool]
    studies: Mapping[str, CellStudy]
    translation: Translation
    registered_trials: tuple[RegisteredTrials, ...]
    published_outcomes: PublishedOutcomes
    designations: Designations

    def in_pool(self, pool: Pool) -> tuple[CellStudy, ...]:
        """The studies of a pool that have a contrast, in the order of the file."""
        return tuple(
            study
            for study in self.studies.values()
            if study.contrast is not None
            and (
                study.id in pool.further_studies
                or (study.group in pool.groups and (study.blinded or not pool.blinded_only))
            )
        )


@functools.cache
def load_cell_studies() -> CellStudies:
    """Load and check the studies.

    Raises:
        EvidenceError: a bad record, or a figure or study that does not exist.
    """
    content: dict[str, Any] = read_evidence_yaml(FILE)
    named = {
        part: {key: {"id": key, **fields} for key, fields in content.get(part, {}).items()}
        for part in ("studies", "pools")
    }
    for key, fields in named["studies"].items():  # one error names one study
        build_record(CellStudy, fields, f"{FILE}: {key}")
    found = build_record(CellStudies, {**content, **named}, FILE)
    _check_figures(found)
    for pool in found.pools.values():
        for name in pool.further_studies:
            if name not in found.studies:
                raise EvidenceError(f"{FILE}: {pool.id}: {unknown_name('study', name, found.studies)}")
    return found


def _check_figures(found: CellStudies) -> None:
    named: list[tuple[str, Iterable[str]]] = [(study.id, study.figures) for study in found.studies.values()]
    named += [(key, (one.figure,)) for key, one in found.translation.approaches.items()]
    named += [
        ("smn_benchmark", (found.translation.smn_benchmark.figure,)),
        ("registered_trials", [one.figure for one in found.registered_trials]),
        ("published_outcomes", (found.published_outcomes.figure,)),
        ("designations", (found.designations.figure,)),
    ]
    ledger = load_ledger()
    for key, figures in named:
        for figure in figures:
            if figure not in ledger:
                raise EvidenceError(f"{FILE}: {key}: {unknown_name('figure', figure, ledger)}")
