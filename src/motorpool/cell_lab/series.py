"""A published series as it was read: the chance of what it reported, with and without cells, hope and selection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.cell_series import CellSeries, Improved, Scores
from motorpool.evidence.facts import load_facts
from motorpool.evidence.posterior import load_posterior

Array = NDArray[np.float64]
GROUPS = 500  # groups of children of the series' size that are put together from those of one draw of biology
READINGS = ("at_face_value", "with_hope", "with_hope_and_selection")
READING_WORDS = {
    "at_face_value": "At face value: nobody hopes, nobody selects",
    "with_hope": "With the hope of an open-label report",
    "with_hope_and_selection": "With hope, and with the selection that the report allows",
}


@dataclass(frozen=True)
class Reading:
    """How a report is read: whether hope inflates what is seen, and whether the best were chosen."""

    name: str

    @property
    def hope(self) -> bool:
        """Whether open-label inflation is part of what is seen."""
        return self.name != "at_face_value"

    @property
    def selection(self) -> bool:
        """Whether the reported children, or measures, were the best of more."""
        return self.name == "with_hope_and_selection"


def inflation(groups: int, generator: np.random.Generator) -> Array:
    """Draws of open-label inflation in SD of the change: a bias of observation, which never reaches the body."""
    facts = load_facts("cell_laboratory")
    mean = facts.fact("open_label_inflation_smd").number
    sd = facts.fact("open_label_inflation_smd_sd").number
    return generator.normal(mean, sd, groups)


def reported(
    series: CellSeries, changes: Array, untreated: Array, reading: Reading, generator: np.random.Generator
) -> Array:
    """What the series would have reported in ``GROUPS`` groups: (GROUPS,) of its one figure.

    Args:
        changes: measured changes of treated children (any number, from which groups are put together).
        untreated: measured changes of the same children without cells; gives the spread and the comparison.
    """
    hope = np.zeros(GROUPS)
    if reading.hope and series.open_label:
        hope = inflation(GROUPS, generator) * float(untreated.std())
    # The error of the model itself, as calibration found it; a comparison within one study is free of it.
    wrong = generator.normal(0.0, model_error(series.outcome), GROUPS)
    best_of = series.selected_of if reading.selection and series.selected_of else None
    finding = series.finding
    if isinstance(finding, Improved):
        seen = generator.choice(changes, (GROUPS, series.children)) + (hope + wrong)[:, None]
        return (np.round(seen) >= finding.at_least).sum(axis=1).astype(float)
    if isinstance(finding, Scores):
        looked_at = max(best_of or 0, series.children)
        seen = np.sort(generator.choice(changes, (GROUPS, looked_at)), axis=1)[:, -series.children :]
        return seen.mean(axis=1) + hope + wrong
    # The spread is that of the report itself, whose measure need not scatter as the model's does.
    each = generator.normal(changes.mean() - untreated.mean(), finding.error, (GROUPS, best_of or 1))
    return each.max(axis=1) + hope


def model_error(outcome: str) -> float:
    """How far the model itself may be wrong about a mean change of this outcome (SD); 0 where nothing is on record."""
    posterior = load_posterior()
    if posterior is None or outcome not in posterior.discrepancies:
        return 0.0
    return float(posterior.discrepancies[outcome].mean())


def figure_of(series: CellSeries) -> float:
    """The one figure that was reported: how many improved, the mean change, or the difference."""
    finding = series.finding
    if isinstance(finding, Improved):
        return float(finding.improved)
    return float(np.mean(finding.changes)) if isinstance(finding, Scores) else finding.difference


def surprise(series: CellSeries, figures: Array) -> float:
    """Probability that a report is at least as good as this one was (at least as bad, where nobody improved).

    NaN where no child was left to report on.
    """
    if not figures.size:
        return np.nan
    figure = figure_of(series)
    if isinstance(series.finding, Improved) and figure == 0:
        return float(np.mean(figures <= figure))
    return float(np.mean(figures >= figure - 1e-9))


def likelihood(series: CellSeries, figures: Array) -> float:
    """Likelihood of what was reported, from simulated reports: exact for counts, by a kernel for numbers.

    The kernel is approximate Bayesian computation with a soft tolerance: the error of the measurement itself
    for scores, and a
    smoothing of the simulated reports for differences, which hold their error already. NaN where no child was left.
    """
    if not figures.size:
        return np.nan
    figure = figure_of(series)
    finding = series.finding
    if isinstance(finding, Improved):
        # One more report of every kind keeps a count that no simulated group had from being impossible.
        return float((np.sum(figures == figure) + 1.0) / (figures.size + series.children + 1.0))
    width = _tolerance(series) if isinstance(finding, Scores) else float(figures.std()) * figures.size**-0.2
    kernel = np.exp(-0.5 * ((figures - figure) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    return float(kernel.mean() + 1e-12)


def _tolerance(series: CellSeries) -> float:
    """Error of a mean of changes of this many children: twice the repeat error of one reading, shared out."""
    from motorpool.evidence.outcome_catalogue import outcome

    repeat = next(fact.value for fact in outcome(series.outcome).measurement if fact.id == "retest_sd")
    return float(repeat * np.sqrt(2.0 / series.children))
