"""The applicability map: for which ages, copies and therapies the model was tested, and how it came out.

A cell is *green* where enough figures of validation studies lie in it and as many of them fell inside their predictive
interval as the acceptance criteria ask for; *red* where no study lies in it, or where most of those figures were
missed; *amber* between: fitted there, seen there in studies that are counted apart, or tested with too few figures or
too little success. Everything is derived from the studies and the stored validation result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from motorpool.evidence.stored_results import ValidationResult
from motorpool.report.credibility.coverage import NO_THERAPY, Covered, covered_figures
from motorpool.report.credibility.statements import MapRule, load_rules
from motorpool.therapies.plan import THERAPIES

Colour = Literal["green", "amber", "red"]
NO_STUDY = "no study"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell: its place, its colour with the reason, tested and inside counts, and the studies by set."""

    therapy: str
    copies: str
    age: str
    colour: Colour
    reason: str
    tested: int
    inside: int
    studies: Mapping[str, tuple[str, ...]]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self) | {
            "studies": {key: list(names) for key, names in self.studies.items()}
        }


@dataclasses.dataclass(frozen=True)
class ApplicabilityMap:
    """All cells, and the figures that no age could be given to."""

    cells: tuple[Cell, ...]
    not_placed: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Number of cells by colour."""
        return {
            colour: sum(cell.colour == colour for cell in self.cells) for colour in ("green", "amber", "red")
        }


def applicability_map(
    validation: ValidationResult | None,
    least_inside: float,
    figures: Sequence[Covered] | None = None,
    rule: MapRule | None = None,
) -> ApplicabilityMap:
    """The map from the studies and their results.

    Args:
        validation: the stored validation; without one no cell is green.
        least_inside: share inside that the acceptance criteria ask for.
        figures: what each figure is about; by default of all shipped studies.
    """
    chosen = rule or load_rules().map
    known = covered_figures(chosen.ages_months) if figures is None else figures
    rows = _therapy_rows(known)
    cells = [
        _cell(therapy, copies, age, known, validation, least_inside, chosen)
        for therapy in rows
        for copies in chosen.copies
        for age in chosen.ages_months
    ]
    unplaced = tuple(f"{one.study}.{one.endpoint}" for one in known if not one.ages)
    return ApplicabilityMap(tuple(cells), unplaced)


def _therapy_rows(figures: Sequence[Covered]) -> list[str]:
    """Natural history, what was studied (single therapies first), and what a plan may hold but nobody studied."""
    studied = sorted(
        {one.therapy for one in figures} - {NO_THERAPY}, key=lambda words: (words.count("+"), words)
    )
    parts = {part for words in studied for part in words.split(" + ")}
    plain = [name.replace("_", " ") for name in THERAPIES]
    unstudied = [name for name in plain if not any(part.split(" (")[0] == name for part in parts)]
    return [NO_THERAPY, *studied, *unstudied]


def _lies_in(one: Covered, therapy: str, copies: tuple[float, float], age: str, least: float) -> bool:
    share = sum(part for number, part in one.copies.items() if copies[0] <= number <= copies[1])
    return one.therapy == therapy and share >= least and one.ages.get(age, 0.0) >= least


def _cell(
    therapy: str,
    copies: str,
    age: str,
    figures: Sequence[Covered],
    validation: ValidationResult | None,
    least_inside: float,
    rule: MapRule,
) -> Cell:
    here = [
        one for one in figures if _lies_in(one, therapy, rule.copies[copies], age, rule.least_share_of_people)
    ]
    studies: dict[str, tuple[str, ...]] = {}
    for kind in ("calibration", "validation", "apart"):
        names = sorted({one.study for one in here if one.set == kind})
        if names:
            studies[kind] = tuple(names)
    results = [
        found
        for one in here
        if one.set == "validation" and validation is not None
        if (found := validation.of(one.study, one.endpoint)) is not None and found.counted
    ]
    tested, inside = len(results), sum(found.inside_90 for found in results)
    colour, reason = _judge(bool(here), tested, inside, least_inside, rule)
    return Cell(therapy, copies, age, colour, reason, tested, inside, studies)


def _judge(studied: bool, tested: int, inside: int, least_inside: float, rule: MapRule) -> tuple[Colour, str]:
    if not studied:
        return "red", NO_STUDY
    if tested < rule.green_endpoints:
        return (
            "amber",
            "studied; too few figures of validation studies to tell" if tested else "studied, not validated",
        )
    share = inside / tested
    if share >= least_inside:
        return "green", f"{inside} of {tested} figures of validation studies inside their interval"
    if share < rule.red_inside:
        return "red", f"only {inside} of {tested} figures of validation studies inside their interval"
    return "amber", f"{inside} of {tested} figures of validation studies inside their interval"
