"""The scale on which an endpoint is compared: log-odds for shares, logarithms for times and ratios, else its own unit.

On these scales sampling errors are nearly normal and a discrepancy of the model means the same at every level.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import beta, norm

from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.records import EvidenceRecord, build_record, read_evidence_yaml
from motorpool.studies.words import SHARES, SPREADS, TIMES

Array = NDArray[np.float64]
Kind = Literal["logit", "log", "identity", "log_ratio"]
NORMAL_95, NORMAL_90 = float(norm.ppf(0.975)), float(norm.ppf(0.95))
_HALF = 0.5  # a count moved half a person inwards, so that none and all have finite log-odds
LEVELS = ("hfmse", "rulm", "mfm32", "six_minute_walk_m", "fvc_percent", "cobb_degrees")
_LOG_OUTCOMES = ("cmap_mv", "mune", "pnfh_pg_per_ml")


class DiscrepancyScale(EvidenceRecord):
    """How far the model may be wrong on one family of endpoints, one SD."""

    scale: float = Field(gt=0)
    unit: str


class CalibrationRules(EvidenceRecord):
    """``data/calibration.yaml``: which parameters move, and how far the model itself may be wrong."""

    also_calibrated: tuple[str, ...]
    not_calibrated: tuple[str, ...]
    discrepancy: Mapping[str, DiscrepancyScale]
    shared_by_study: float = Field(ge=0, le=1)
    families_log_sd: float = Field(gt=0)
    tails_degrees_of_freedom: float = Field(gt=2)
    start: Mapping[str, float] = {}  # where the search for the mode begins, by axis; no part of the posterior


@functools.cache
def load_calibration_rules() -> CalibrationRules:
    """Load ``data/calibration.yaml``.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(CalibrationRules, read_evidence_yaml("calibration.yaml"), "calibration.yaml")


def kind_of(endpoint: PublishedEndpoint) -> Kind:
    """The scale of an endpoint."""
    if endpoint.metric in SHARES:
        return "logit"
    if endpoint.metric in (*TIMES, *SPREADS, "hazard_ratio"):
        return "log"
    if endpoint.metric == "percent_change":
        return "log_ratio"
    if endpoint.outcome == "onset_age_months":
        return "log"
    if endpoint.outcome in _LOG_OUTCOMES and endpoint.metric in ("mean", "median"):
        return "log"
    return "identity"


def family_of(endpoint: PublishedEndpoint) -> str:
    """The family whose discrepancy an endpoint shares."""
    outcome, metric = endpoint.outcome, endpoint.metric
    if metric == "hazard_ratio":
        return "hazard_ratio"
    if metric in SPREADS:
        return "spread"
    if metric == "survival_proportion":
        return "survival"
    if metric == "proportion":
        return "proportion"
    if metric in TIMES or outcome == "onset_age_months":
        return "time"
    if outcome in ("cmap_mv", "mune"):
        return "electrophysiology" if kind_of(endpoint) != "identity" else outcome
    if outcome == "pnfh_pg_per_ml":
        return "biomarker"
    if outcome in LEVELS and metric in ("mean", "median"):
        return f"{outcome}_level"
    return outcome if outcome in load_calibration_rules().discrepancy else "other"


def forward(endpoint: PublishedEndpoint, value: Array | float, n: float | None = None) -> Array:
    """From an endpoint's unit to its scale; shares are moved half a person of ``n`` inwards.

    Raises:
        ValueError: a share without ``n``; study files that give none are refused when they are read.
    """
    kind, x = kind_of(endpoint), np.asarray(value, np.float64)
    if kind == "logit":
        if n is None:
            raise ValueError(f"{endpoint.id}: a share needs the number of people it is of")
        share = (x * n + _HALF) / (n + 2 * _HALF)
        return np.log(share / (1.0 - share))
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "log":
            return np.log(x)
        if kind == "log_ratio":
            return np.log(np.maximum(1.0 + x / 100.0, 1e-4))
    return x


def backward(endpoint: PublishedEndpoint, value: Array | float) -> Array:
    """From an endpoint's scale to its unit."""
    kind, x = kind_of(endpoint), np.asarray(value, np.float64)
    if kind == "logit":
        return 1.0 / (1.0 + np.exp(-x))
    if kind == "log":
        return np.exp(x)
    return 100.0 * (np.exp(x) - 1.0) if kind == "log_ratio" else x


@dataclasses.dataclass(frozen=True)
class PublishedEstimate:
    """A published figure on its scale: value, standard error (``None`` where nothing gives one), and 90 % interval in
    its own unit."""

    value: float
    standard_error: float | None
    low_90: float | None
    high_90: float | None


def published_estimate(endpoint: PublishedEndpoint) -> PublishedEstimate:
    """The published figure on its scale.

    The standard error comes from the published 95 % interval, from k of n, or from the SD and n.
    """
    n = float(endpoint.n) if endpoint.n else None
    value = float(forward(endpoint, endpoint.value, n))
    if endpoint.metric in SHARES and n is not None:
        k = endpoint.k if endpoint.k is not None else endpoint.value * n
        share = (k + _HALF) / (n + 2 * _HALF)
        error = 1.0 / math.sqrt((n + 2 * _HALF) * share * (1.0 - share))
        low = 0.0 if k <= 0 else float(beta.ppf(0.05, k, n - k + 1))
        high = 1.0 if k >= n else float(beta.ppf(0.95, k + 1, n - k))
        return PublishedEstimate(value, error, low, high)
    if endpoint.interval is not None:
        low, high = (float(forward(endpoint, limit, n)) for limit in endpoint.interval)
        if math.isfinite(low) and math.isfinite(high) and high > low:
            error = (high - low) / (2 * NORMAL_95)
            middle = 0.5 * (low + high)
            edges = (middle - NORMAL_90 * error, middle + NORMAL_90 * error)
            return PublishedEstimate(value, error, *(float(backward(endpoint, edge)) for edge in edges))
    if endpoint.standard_error is not None and kind_of(endpoint) == "identity":
        error = endpoint.standard_error
        return PublishedEstimate(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error)
    if endpoint.metric in SPREADS and n is not None:
        error = 1.0 / math.sqrt(2.0 * (n - 1.0))
        edges = (value - NORMAL_90 * error, value + NORMAL_90 * error)
        return PublishedEstimate(value, error, *(float(backward(endpoint, edge)) for edge in edges))
    return PublishedEstimate(value, None, None, None)
