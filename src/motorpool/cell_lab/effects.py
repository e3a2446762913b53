"""Standardised differences from what papers publish, and what open-label readings add to them."""

from __future__ import annotations

import math

from motorpool.cell_lab.synthesis import Effect
from motorpool.evidence.cell_studies import CellStudy, Contrast
from motorpool.evidence.ledger import load_ledger
from motorpool.evidence.records import EvidenceError

INFLATION_FIGURE = "prior_open_label_inflation"


def effect_of(study: CellStudy) -> Effect:
    """The standardised difference (Hedges' g) of a study with a contrast, positive where cells did better.

    Odds ratios become standardised differences by the logistic distribution (Chinn 2000, Stat Med 19:3127-3131).

    Raises:
        EvidenceError: the study has no contrast.
    """
    contrast, treated, compared = study.contrast, study.treated, study.compared
    if contrast is None or not treated or not compared:
        raise EvidenceError(f"{study.id}: has no contrast to derive an effect from")
    if contrast.kind == "shares":
        return _of_shares(contrast, treated, compared)
    return _hedges(_cohens_d(contrast, treated, compared), treated, compared)


def _cohens_d(contrast: Contrast, treated: int, compared: int) -> float:
    from scipy.stats import norm

    sizes = math.sqrt(1.0 / treated + 1.0 / compared)
    if contrast.kind == "means" and contrast.difference is not None and contrast.sd is not None:
        return contrast.difference / contrast.sd
    if contrast.kind == "interval" and contrast.difference is not None and contrast.interval is not None:
        low, high = contrast.interval
        error = (high - low) / (2.0 * float(norm.ppf(0.975)))
        return contrast.difference / error * sizes
    if contrast.kind == "p_value" and contrast.p is not None:
        return (1.0 if contrast.better_with_cells else -1.0) * float(norm.isf(contrast.p / 2.0)) * sizes
    return 0.0  # reported_alike


def _hedges(d: float, treated: int, compared: int) -> Effect:
    people = treated + compared
    g = d * (1.0 - 3.0 / (4.0 * (people - 2) - 1.0))
    return Effect(g, 1.0 / treated + 1.0 / compared + g**2 / (2.0 * people))


def _of_shares(contrast: Contrast, treated: int, compared: int) -> Effect:
    one, two = contrast.treated_share or 0.0, contrast.compared_share or 0.0
    log_odds_ratio = math.log(one / (1.0 - one)) - math.log(two / (1.0 - two))
    variance = 1.0 / (treated * one * (1.0 - one)) + 1.0 / (compared * two * (1.0 - two))
    scale = math.sqrt(3.0) / math.pi
    return Effect(log_odds_ratio * scale, variance * scale**2)


def open_label_inflation() -> tuple[float, float]:
    """Mean and SD of what knowing the treatment adds to a reading, in standard deviations."""
    figure = load_ledger()[INFLATION_FIGURE]
    return figure.number("mean"), figure.number("sd")


def bias_adjusted(study: CellStudy, effect: Effect) -> Effect:
    """An open-label effect lowered by the inflation, its variance raised by what is not known of it.

    Blinded studies stay as they are (Turner and others 2009, J R Stat Soc A 172:21-47, with one bias).
    """
    if study.blinded:
        return effect
    mean, sd = open_label_inflation()
    return Effect(effect.smd - mean, effect.variance + sd**2)
