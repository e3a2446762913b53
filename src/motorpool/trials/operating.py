"""Operating characteristics: how often a design succeeds, how far off its estimate is, each with Monte-Carlo error."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from motorpool.trials.adjusted import adjusted_method
from motorpool.trials.analysed import ADJUSTED_FIELDS, FIELDS, Array, Arrays
from motorpool.trials.design import TrialDesign


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number with its Monte-Carlo standard error."""

    value: float
    monte_carlo_error: float

    def data(self) -> dict[str, float | None]:
        """Plain data."""
        return {"value": _plain(self.value), "monte_carlo_error": _plain(self.monte_carlo_error)}


@dataclasses.dataclass(frozen=True)
class Estimates:
    """How one way to estimate does: `above_truth` is 50 % where the estimate is median unbiased."""

    method: str
    mean_estimate: Figure
    bias: Figure
    above_truth: Figure
    coverage: Figure

    def data(self) -> dict[str, Any]:
        """Plain data."""
        figures = ("mean_estimate", "bias", "above_truth", "coverage")
        return {"method": self.method, **{name: getattr(self, name).data() for name in figures}}


@dataclasses.dataclass(frozen=True)
class Estimation:
    """Naive and adjusted estimate in the same replicates: those that have both."""

    naive: Estimates
    adjusted: Estimates
    replicates: int

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "replicates": self.replicates,
            "naive": self.naive.data(),
            "adjusted": self.adjusted.data(),
        }


@dataclasses.dataclass(frozen=True)
class Characteristics:
    """How one endpoint does for one test arm under one truth.

    power: significant in favour of the treated, and won in its order (`success`); rejection: significant either way.
    mean_estimate, bias, coverage: against `truth`, the value in an endless trial without missing data; they are those
    of the naive estimate, which takes no account of rules that change the trial. estimation: naive and adjusted
    estimate side by side; None where there is no adjusted one.
    """

    endpoint: str
    arm: str
    summary: str
    unit: str
    replicates: int
    truth: float
    power: Figure
    success: Figure
    rejection: Figure
    mean_estimate: Figure
    bias: Figure
    coverage: Figure
    standard_deviation: float
    mean_standard_error: float
    no_answer: float
    estimation: Estimation | None

    def data(self) -> dict[str, Any]:
        """Plain data."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value.data()
            if isinstance(value, Figure | Estimation)
            else _plain(value)
            if isinstance(value, float)
            else value
            for name, value in found.items()
        }


def share(happened: Array) -> Figure:
    """A share of replicates with its binomial error."""
    values = np.asarray(happened, float)
    p = float(values.mean())
    return Figure(p, math.sqrt(p * (1.0 - p) / values.size))


def mean(values: Array) -> Figure:
    """A mean over the replicates that have an answer."""
    known = np.asarray(values, float)[np.isfinite(values)]
    if known.size < 2:
        return Figure(float("nan"), float("nan"))
    return Figure(float(known.mean()), float(known.std(ddof=1) / math.sqrt(known.size)))


def characteristics(
    design: TrialDesign, results: Arrays, truths: Mapping[str, float | Array]
) -> tuple[Characteristics, ...]:
    """Operating characteristics of every endpoint and test arm.

    Args:
        truths: value of each effect in an endless trial, by `endpoint/arm`, one or (R,).
    """
    from motorpool.trials.analysis import SUMMARIES, unit_of

    found: list[Characteristics] = []
    for endpoint in design.endpoints:
        for arm in design.test_arms:
            key = f"{endpoint.name}/{arm}"
            if f"{key}/{FIELDS[0]}" not in results:
                continue
            field = {name: results[f"{key}/{name}"] for name in FIELDS}
            truth = truths.get(key, float("nan"))
            estimate = np.asarray(field["estimate"], float)
            answered = np.isfinite(estimate)
            covered = (field["low"] <= truth) & (truth <= field["high"])
            known = estimate[answered]
            found.append(
                Characteristics(
                    endpoint=endpoint.name,
                    arm=arm,
                    summary=SUMMARIES[endpoint.method],
                    unit=unit_of(endpoint),
                    replicates=int(estimate.size),
                    truth=float(np.mean(truth)),
                    power=share(field["significant"] & field["favours"]),
                    success=share(field["success"]),
                    rejection=share(field["significant"]),
                    mean_estimate=mean(estimate),
                    bias=mean(estimate - truth),
                    coverage=share(covered[answered]) if answered.any() else Figure(math.nan, math.nan),
                    standard_deviation=float(known.std(ddof=1)) if known.size > 1 else math.nan,
                    mean_standard_error=mean(field["standard_error"]).value,
                    no_answer=float(1.0 - answered.mean()),
                    estimation=_estimation(design, results, key, truth),
                )
            )
    return tuple(found)


def _estimation(design: TrialDesign, results: Arrays, key: str, truth: float | Array) -> Estimation | None:
    """Both estimates where the rules of the design have one of their own, and any replicate has it."""
    if f"{key}/{ADJUSTED_FIELDS[0]}" not in results:
        return None
    known = np.isfinite(results[f"{key}/{ADJUSTED_FIELDS[0]}"]) & np.isfinite(results[f"{key}/estimate"])
    if not known.any():
        return None
    value = np.broadcast_to(np.asarray(truth, float), known.shape)[known]

    def estimates(method: str, prefix: str) -> Estimates:
        estimate, low, high = (
            results[f"{key}/{prefix}{name}"][known] for name in ("estimate", "low", "high")
        )
        return Estimates(
            method,
            mean(estimate),
            mean(estimate - value),
            share(estimate > value),
            share((low <= value) & (value <= high)),
        )

    naive = estimates("naive: takes no account of the rules that change the trial", "")
    return Estimation(naive, estimates(adjusted_method(design), "adjusted_"), int(known.sum()))


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
