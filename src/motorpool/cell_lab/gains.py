"""Gains of people as summaries that keep two things apart: what we do not know, and how people differ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.measures import Measure, measures

Array = NDArray[np.float64]
Summary = dict[str, float | int | None]
EMPTY: Summary = {
    "median": None,
    "low_95": None,
    "high_95": None,
    "p_above_mcid": None,
    "p_harm": None,
    "mean": None,
    "p_better": None,
    "p_harm_above_mcid": None,
    "ignorance_sd": None,
    "between_people_sd": None,
    "between_people_low_95": None,
    "between_people_high_95": None,
    "monte_carlo_error": None,
    "people": 0,
}


def gain(treated: Array, untreated: Array, measure: Measure) -> Array:
    """What a plan adds in each person, in the outcome's unit; positive is better, where the outcome has a
    better side.
    """
    return (measure.direction or 1) * (treated - untreated)


def summarised(gains: Array, measure: Measure) -> Summary:
    """Summary of gains (N draws, P people); NaN marks people who cannot be compared.

    median, low_95 and high_95 are those of the mean over people, over draws of what is not known.
    Probabilities are doubt
    about that mean, never shares of people: p_above_mcid that it exceeds the minimal important difference, p_harm that
    people are worse off on average. `between_people` is the spread of people within a draw, averaged over draws.
    """
    counted = np.isfinite(gains)
    enough = counted.sum(axis=1) > 0
    if not enough.any():
        return dict(EMPTY)
    own, number = gains[enough], counted[enough].sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one person alone has no spread
        means = np.nanmean(own, axis=1)
        spread = np.nanstd(own, axis=1)
        low, high = np.nanquantile(own, [0.025, 0.975], axis=1)
    found: Summary = {
        "median": float(np.median(means)),
        "low_95": float(np.quantile(means, 0.025)),
        "high_95": float(np.quantile(means, 0.975)),
        "p_above_mcid": None if measure.important is None else float(np.mean(means > measure.important)),
        "p_harm": None if not measure.direction else float(np.mean(means < 0.0)),
        "mean": float(means.mean()),
        "p_better": None if not measure.direction else float(np.mean(means > 0.0)),
        "p_harm_above_mcid": None
        if measure.important is None
        else float(np.mean(means < -measure.important)),
        "ignorance_sd": float(means.std()),
        "between_people_sd": float(spread.mean()),
        "between_people_low_95": float(low.mean()),
        "between_people_high_95": float(high.mean()),
        "monte_carlo_error": float(np.mean(spread / np.sqrt(number))),
        "people": int(round(number.mean())),
    }
    return found


def gains_by_outcome(gains: Mapping[str, Array], months: Sequence[float]) -> dict[str, dict[str, Summary]]:
    """Summaries of gains (N, V, P) by outcome and month, months written without decimals where they are whole."""
    return {
        name: {f"{month:g}": summarised(of[:, place], measures()[name]) for place, month in enumerate(months)}
        for name, of in gains.items()
    }


def stacked(found: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Gains of one draw after another, (N, V, P) by outcome."""
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def words(summary: Mapping[str, Any], unit: str) -> str:
    """A summary in a few words."""
    if summary["median"] is None:
        return "nobody can be compared"
    return f"{summary['median']:+.2f} {unit} (95 % {summary['low_95']:+.2f} to {summary['high_95']:+.2f})"
