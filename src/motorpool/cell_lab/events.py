"""Events, adverse events and procedures: what cells change in them, and what the injections bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.people import Lives
from motorpool.evidence.adverse_events import (
    AdverseEventEntry,
    load_adverse_event_catalogue,
    load_procedure_catalogue,
)
from motorpool.evidence.outcome_catalogue import load_event_catalogue
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.units import MONTHS_PER_YEAR
from motorpool.therapies.courses import CellTherapy

BY_NEEDLE = ("lumbar_puncture", "intravenous_infusion")


def event_differences(
    with_cells: Sequence[Lives], without: Sequence[Lives], months: Sequence[float]
) -> dict[str, dict[str, dict[str, float]]]:
    """Change of the proportion of people with each event by each month, over draws of what is not known."""
    labels = load_event_catalogue()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row, name in enumerate(EVENTS):
        if name not in labels:
            continue
        found[name] = {}
        for month in months:
            at = month / MONTHS_PER_YEAR
            base = np.asarray([np.mean(lives.event_years[row] <= at) for lives in without])
            more = np.asarray([np.mean(lives.event_years[row] <= at) for lives in with_cells]) - base
            low, high = np.quantile(more, [0.025, 0.975])
            found[name][f"{month:g}"] = {
                "without_cells": float(base.mean()),
                "difference": float(more.mean()),
                "low_95": float(low),
                "high_95": float(high),
            }
    return found


def doses_given(with_cells: Lives, base: Lives) -> NDArray[np.float64]:
    """Doses of cells that each person had, (P,): the injections and infusions that the base plan does not have."""
    rows = [row for row, name in enumerate(load_procedure_catalogue()) if name in BY_NEEDLE]
    more = with_cells.procedures[rows].astype(float) - base.procedures[rows]
    return np.maximum(more.sum(axis=0), 0.0)


def adverse_events_of_cells(cells: CellTherapy, doses: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """What the cells bring to people who had so many doses (..., P), by event on record.

    Expected numbers and probabilities follow from the record's own probability per dose, procedure or course,
    so that rare
    events are not lost; ``low`` and ``high`` are those of the record's interval.

    Raises:
        CellLabError: a record counts per something that a course of cells has not.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, entry in _entries(cells).items():
        each = entry.value_for(0.0, cells.route == "intrathecal")
        found[name] = {
            "label": entry.label,
            "plain_language_label": entry.plain_language_label,
            "expected_per_person": _expected(entry, each, doses),
            "p_at_least_one": _any(entry, each, doses),
            "low_95": _any(entry, entry.interval[0], doses),
            "high_95": _any(entry, entry.interval[1], doses),
            "per": entry.per,
            "serious_fraction": entry.serious_fraction,
            "origin": entry.origin,
            "sources": list(entry.sources),
        }
    return found


def _entries(cells: CellTherapy) -> dict[str, AdverseEventEntry]:
    if not cells.adverse_events:
        return {}
    needle = "lumbar_puncture" if cells.route == "intrathecal" else "intravenous_infusion"
    return {
        name: entry
        for name, entry in load_adverse_event_catalogue().items()
        if cells.therapy in entry.therapies and entry.procedure in (None, needle)
    }


def _times(entry: AdverseEventEntry, doses: NDArray[np.float64]) -> NDArray[np.float64]:
    if entry.per in ("dose", "procedure"):
        return doses
    if entry.per == "course":
        return np.minimum(doses, 1.0)
    raise CellLabError(f"adverse event {entry.id}: per {entry.per} is not known for a course of cells.")


def _expected(entry: AdverseEventEntry, each: float, doses: NDArray[np.float64]) -> float:
    return float(np.mean(each * _times(entry, doses)))


def _any(entry: AdverseEventEntry, each: float, doses: NDArray[np.float64]) -> float:
    return float(np.mean(1.0 - (1.0 - min(each, 1.0)) ** _times(entry, doses)))


def adverse_events_per_person(cells: CellTherapy, doses: NDArray[np.float64]) -> float:
    """Expected number of adverse events of cells per person."""
    return sum(event["expected_per_person"] for event in adverse_events_of_cells(cells, doses).values())


def procedures_added(with_cells: Sequence[Lives], without: Sequence[Lives]) -> dict[str, dict[str, Any]]:
    """Procedures per person that the cells add by the end."""
    return {
        name: {
            "label": entry.label,
            "per_person": float(
                np.mean(
                    [
                        (a.procedures[row] - b.procedures[row]).mean()
                        for a, b in zip(with_cells, without, strict=True)
                    ]
                )
            ),
        }
        for row, (name, entry) in enumerate(load_procedure_catalogue().items())
    }
