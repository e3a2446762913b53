"""The words and rules of the credibility report, from its two data files, in strict form."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

import yaml

from motorpool.evidence.records import EvidenceRecord, Interval, build_record

Level = Literal["low", "medium", "high"]
Need = Literal["calibrated", "floor", "never"]


class ContextOfUse(EvidenceRecord):
    """One context of use: what is asked, what is decided, how much the model weighs and what a wrong answer costs.

    ``needs``: a calibrated model, the floor of the acceptance criteria, or never adequate.
    """

    id: str
    title: str
    use: str
    decision: str
    influence: Level
    influence_why: str
    consequence: Level
    consequence_why: str
    needs: Need
    note: str | None = None


class Assumption(EvidenceRecord):
    """One assumption, why it is made, and what follows if it is wrong."""

    text: str
    why: str
    if_wrong: str


class Claim(EvidenceRecord):
    """One claim about the code and the test files that would notice its failure."""

    claim: str
    tests: tuple[str, ...]


class Factor(EvidenceRecord):
    """One credibility factor of ASME V&V 40."""

    factor: str
    group: str
    status: str
    goal: str
    reached: str


class Category(EvidenceRecord):
    """One category of evidence of FDA's guidance of 2023."""

    category: str
    status: str
    evidence: str


class Statements(EvidenceRecord):
    """``statements.yaml``."""

    question: str
    contexts: tuple[ContextOfUse, ...]
    assumptions: tuple[Assumption, ...]
    verification: tuple[Claim, ...]
    v_and_v_40: tuple[Factor, ...]
    fda_2023: tuple[Category, ...]
    gaps: tuple[str, ...]
    limits: tuple[str, ...]


class EngineRule(EvidenceRecord):
    """Which share of differences must stay below which share of a quantity's range."""

    quantile: float
    share_of_range: float


class SamplingRule(EvidenceRecord):
    """What a sampler must reach."""

    largest_r_hat: float
    smallest_effective_size: float
    divergences: int
    least_draws: int


class InformedRule(EvidenceRecord):
    """Lost share of the prior's variance from which a parameter counts as well or partly informed."""

    well: float
    partly: float


class MapRule(EvidenceRecord):
    """Axes of the applicability map and when a cell is green, amber or red."""

    least_share_of_people: float
    green_endpoints: int
    red_inside: float
    ages_months: Mapping[str, Interval]
    copies: Mapping[str, Interval]


class Rules(EvidenceRecord):
    """``rules.yaml``."""

    decided: str
    risk: Mapping[Level, Mapping[Level, Level]]
    engine: EngineRule
    sampling: SamplingRule
    informed: InformedRule
    map: MapRule


@functools.cache
def load_statements() -> Statements:
    """The report's words.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(Statements, _read("statements.yaml"), "statements.yaml")


@functools.cache
def load_rules() -> Rules:
    """The report's rules.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(Rules, _read("rules.yaml"), "rules.yaml")


def _read(name: str) -> dict[str, Any]:
    text = resources.files("motorpool.report.credibility").joinpath(name).read_text(encoding="utf-8")
    return yaml.safe_load(text)
