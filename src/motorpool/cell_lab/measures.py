"""What is compared between two arms: every outcome of the model, and three rates of deterioration made from them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.people import Lives
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.outcomes.panel import OUTCOMES
from motorpool.simulation.units import MONTHS_PER_YEAR

RATES = {"hfmse_change_per_year": "hfmse", "chop_intend_change_per_year": "chop_intend"}
NEURONS = "motor_neurons_alive_percent"


@dataclass(frozen=True)
class Measure:
    """One outcome: its words, which way is better (+1, -1, 0), and the change that matters, where one is on record."""

    id: str
    label: str
    plain_label: str
    unit: str
    direction: int
    important: float | None
    problem: str | None


@functools.cache
def measures() -> dict[str, Measure]:
    """All outcomes by id, the model's own first."""
    found: dict[str, Measure] = {}
    for name, entry in load_outcome_catalogue().items():
        difference = entry.minimal_important_difference
        found[name] = Measure(
            name,
            entry.label,
            entry.plain_language_label,
            entry.unit,
            {"higher": 1, "lower": -1, "neither": 0}[entry.better],
            None if difference is None else difference.value,
            entry.daily_life_problem,
        )
    for name, of in RATES.items():
        scale = found[of]
        found[name] = Measure(
            name,
            f"{scale.label}, change per year",
            f"How fast the {scale.plain_label[0].lower()}{scale.plain_label[1:]} changes in a year",
            f"{scale.unit} per year",
            1,
            None,
            "rate_of_deterioration",
        )
    found[NEURONS] = Measure(
        NEURONS,
        "Own motor neurons alive",
        "Nerve cells for movement still alive",
        "percent",
        1,
        None,
        "rate_of_deterioration",
    )
    return found


def values_of(lives: Lives, months: Sequence[float]) -> dict[str, NDArray[np.float64]]:
    """True values (V, P) of every measure at the months after enrolment, NaN after death."""
    alive = np.where(lives.alive, 1.0, np.nan)
    found = {name: np.asarray(lives.true[1:, row], np.float64) for row, name in enumerate(OUTCOMES)}
    years = np.asarray(months)[:, None] / MONTHS_PER_YEAR
    for name, of in RATES.items():
        row = OUTCOMES.index(of)
        found[name] = (lives.true[1:, row] - lives.true[:1, row]) / years
    found[NEURONS] = 100.0 * lives.neurons_alive[1:] * alive[1:]
    return {name: found[name] for name in measures()}
