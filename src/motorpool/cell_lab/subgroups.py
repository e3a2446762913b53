"""What cells add by age at the start, SMN2 copies, score at the start and motor neurons still alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH
from motorpool.cell_lab.gains import Array, summarised
from motorpool.cell_lab.measures import measures
from motorpool.cell_lab.people import Group
from motorpool.outcomes.panel import OUTCOMES

PARTS = 3  # equally large, by the pooled people of all draws
FEWEST = 20  # people of all draws together in a part


def traits(groups: Sequence[Group], outcome: str) -> dict[str, tuple[str, NDArray[np.float64]]]:
    """Words and values (N, P) of what people are divided by, at enrolment."""
    row = OUTCOMES.index(outcome)

    def of(read: Any) -> NDArray[np.float64]:
        return np.stack([np.asarray(read(group), np.float64) for group in groups])

    return {
        "age_at_start_months": (
            "Age at the start (months)",
            of(lambda g: g.cohort.people.enrolment_hours / HOURS_PER_MONTH),
        ),
        "smn2_copies": ("SMN2 copies", of(lambda g: g.cohort.people.smn2_copies)),
        "baseline_score": (f"{measures()[outcome].label} at the start", of(lambda g: g.base.true[0, row])),
        "motor_neurons_alive_percent": (
            "Motor neurons alive at the start (percent)",
            of(lambda g: 100.0 * g.base.neurons_alive[0]),
        ),
    }


def by_trait(
    groups: Sequence[Group], gains: Mapping[str, Array], month: int, outcome: str
) -> dict[str, dict[str, Any]]:
    """Summaries of the gains (N, V, P) at one visit within parts of the people.

    Parts have equally many people, pooled over draws; copies are kept whole. A part of fewer than 20 people is
    left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, (words, values) in traits(groups, outcome).items():
        parts: list[dict[str, Any]] = []
        for low, high in _parts(values, whole=name == "smn2_copies"):
            inside = (values >= low) & (values <= high)
            if inside.sum() < FEWEST:
                continue
            cut = {
                measure: summarised(np.where(inside, of[:, month], np.nan), measures()[measure])
                for measure, of in gains.items()
            }
            parts.append(
                {"from": float(low), "to": float(high), "people_of_all_draws": int(inside.sum()), "gain": cut}
            )
        found[name] = {"label": words, "parts": parts}
    return found


def _parts(values: NDArray[np.float64], *, whole: bool) -> list[tuple[float, float]]:
    if whole:
        return [(float(value), float(value)) for value in np.unique(values)]
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, PARTS + 1)))
    return [
        (float(low if place == 0 else np.nextafter(low, np.inf)), float(high))
        for place, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True))
    ]
