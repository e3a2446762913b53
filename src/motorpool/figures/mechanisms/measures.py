"""Figures of measurements: nerve and neurofilament, the six-minute walk, and what observation adds."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from motorpool.biology.vocabulary import HOURS_PER_MONTH, MUSCLE_GROUPS
from motorpool.figures.figure import Figure
from motorpool.figures.mechanisms.lines import POINTS, Panel, line_figure
from motorpool.figures.mechanisms.model import Mechanisms
from motorpool.outcomes import electrophysiology, walking
from motorpool.outcomes.observation import observation_bias
from motorpool.outcomes.panel import OUTCOME_INDEX


def nerve(model: Mechanisms) -> Figure:
    """CMAP from muscle and transmission, neurofilament from dying neurons."""
    parameters = model.outcomes.electrophysiology
    ages = np.linspace(0.0, 15.0, POINTS)
    full = jnp.ones((len(MUSCLE_GROUPS), ages.size))
    cmap = {
        f"muscle {100 * share:g} % of healthy": electrophysiology.cmap_mv(
            share * full, full, jnp.asarray(ages), parameters
        )
        for share in (1.0, 0.7, 0.4)
    }
    dying = np.linspace(0.0, 1.0, POINTS)
    plasma = {
        words: electrophysiology.pnfh_pg_per_ml(jnp.asarray(dying), jnp.asarray(age), parameters)
        for words, age in (("at birth", 0.0), ("at 1 year", 1.0), ("at 5 years", 5.0))
    }
    return line_figure(
        "nerve-and-neurofilament",
        "CMAP follows muscle; neurofilament follows dying neurons",
        "Left: ulnar compound muscle action potential at full transmission. Right: plasma pNfH, a background that "
        "fades with age and what dying neurons release.",
        [
            Panel("CMAP", ("Age, years", ages), "mV", cmap),
            Panel(
                "pNfH",
                ("Neurons that die, share of all per year", dying),
                "pg/mL",
                plasma,
                y_domain=(100.0, 100000.0),
                logarithmic=True,
            ),
        ],
    )


def walk(model: Mechanisms) -> Figure:
    """The six-minute walk: distance from the legs, fall within the test from transmission."""
    parameters = model.outcomes.walking
    odds = np.linspace(0.0, 5.0, POINTS)
    legs = tuple(jnp.asarray(odds) for _ in MUSCLE_GROUPS)

    def metres(transmission: float, age: float) -> np.ndarray:
        fall = walking.fall_within_test(jnp.full((len(MUSCLE_GROUPS), odds.size), transmission), parameters)
        first = walking.first_minute_m(legs, jnp.asarray(age), parameters)
        return np.asarray(walking.metres_by_minute(first, fall))

    distance = {f"at {age:g} years": metres(1.0, age).sum(axis=0) for age in (5.0, 10.0, 18.0)}
    minutes = np.arange(1.0, walking.MINUTES + 1.0)
    tiring = {
        f"transmission {share:.2f}": metres(share, 10.0)[:, -1] / metres(share, 10.0)[0, -1] * 100.0
        for share in (1.0, 0.98, 0.95)
    }
    return line_figure(
        "six-minute-walk",
        "Six-minute walk: distance from the legs, tiring from transmission",
        "Left: metres of those who can walk, with full transmission. Right: metres of each minute, as a share of the "
        "first.",
        [
            Panel("Distance", ("Ability of legs, log-odds", odds), "Metres", distance),
            Panel(
                "Within the test", ("Minute", minutes), "% of the first minute", tiring, y_domain=(0.0, 100.0)
            ),
        ],
    )


def observation(model: Mechanisms) -> Figure:
    """What learning, hope and an open label add to a score."""
    months = np.linspace(0.0, 24.0, POINTS)
    parameters = model.draw.observation
    hours = jnp.asarray(months * HOURS_PER_MONTH)[:, None]
    kinds = {"blinded": 0.0, "open label": 1.0}

    def bias(outcome: str) -> dict[str, np.ndarray]:
        row = OUTCOME_INDEX[outcome]
        return {
            name: np.asarray(observation_bias(hours, open_label, parameters))[:, row, 0]
            for name, open_label in kinds.items()
        }

    return line_figure(
        "observation",
        "What observing adds to a score",
        "Bias by time in the study. Noise, rounding, floor and ceiling come on top of it. None of it is biology.",
        [
            Panel("HFMSE", ("Months since enrolment", months), "Points", bias("hfmse")),
            Panel("CHOP INTEND", ("Months since enrolment", months), "Points", bias("chop_intend")),
        ],
    )


FIGURES = (nerve, walk, observation)
