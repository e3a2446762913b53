"""The elicited prior of the total effect: doubt about a mean, never a share of children."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy.special import ndtr

from motorpool.cell_lab.unknowns import Array, drawn, mechanism_effects
from motorpool.evidence.facts import load_facts
from motorpool.evidence.parameters import load_parameter_table
from motorpool.therapies.kinds import CELL_MECHANISMS

MEANING = "Such a chance is doubt about the mean of all treated people. It never says how many children gain."


def probability_above(smd: float) -> float:
    """Prior probability that the total effect exceeds ``smd`` (SD of 12-month change), within the recorded bounds."""
    record = load_parameter_table()["cells.total_effect_smd"]
    low, high = record.bounds
    if smd >= high:
        return 0.0
    whole = _mixture(high) - _mixture(low)
    return float((_mixture(high) - _mixture(max(smd, low))) / whole)


def _mixture(smd: float) -> float:
    components = load_parameter_table()["cells.total_effect_smd"].prior.components or ()
    whole = sum(part.weight for part in components)
    return float(sum(part.weight / whole * ndtr((smd - part.mean) / part.sd) for part in components))


def probability_mechanism_above(mechanism: str, smd: float, draws: int = 20_000) -> float:
    """Prior probability that one mechanism's share of the total effect exceeds ``smd``, by simulation."""
    return float(np.mean(mechanism_prior(draws)[:, CELL_MECHANISMS.index(mechanism)] > smd))


@functools.cache
def mechanism_prior(draws: int = 20_000, seed: int = 1) -> Array:
    """Draws (N, 5) of the five effects in SD: the total from its mixture, split in proportion to the priors."""
    return mechanism_effects(drawn(draws, seed))


def elicited() -> dict[str, Any]:
    """The elicited prior in HFMSE points over 12 months, from the mixture, beside what was written down."""
    facts = load_facts("cell_laboratory")
    sd = facts.fact("hfmse_change_sd").number
    thresholds = facts.fact("elicited_hfmse_thresholds").numbers
    written = facts.fact("elicited_hfmse_probabilities").numbers
    gain = facts.fact("elicited_hfmse_gain")
    low, high = gain.interval or (np.nan, np.nan)
    return {
        "unit": "HFMSE points, mean gain over 12 months under the reference protocol (about monthly doses)",
        "median": gain.number,
        "low_95": low,
        "high_95": high,
        "points_per_sd": sd,
        "p_mean_gain_above": {
            f"{threshold:g}": {"elicited": stated, "from_mixture": probability_above(threshold / sd)}
            for threshold, stated in zip(thresholds, written, strict=True)
        },
        "meaning": MEANING,
        "sources": list(gain.sources),
    }
