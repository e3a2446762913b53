"""Operating characteristics: how often a design succeeds, how far off its estimate is, each with Monte-Carlo error."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.adapted import ended
from motorpool.trials.adjusted import adjusted_method
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.multiplicity import bonferroni, graphical, hochberg, holm
from motorpool.trials.analysis import analyse, benefit_sign, borrowed_analysis
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import HARM, Ended
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
Arrays = dict[str, Array]
PROCEDURES = {"bonferroni": bonferroni, "holm": holm, "hochberg": hochberg}
FIELDS = ("estimate", "standard_error", "p_value", "low", "high", "significant", "favours", "success")
"""What is kept of each endpoint and test arm, (R,) each, named `endpoint/arm/field`."""
ADJUSTED_FIELDS = ("adjusted_estimate", "adjusted_low", "adjusted_high")
"""What is kept besides of the first endpoint where the rules of the design have an estimate of their own."""


def analyse_trials(data: TrialData) -> Arrays:
    """Analyse every replicate as the design says: all endpoints in order, all test arms, all looks and rules.

    Returns:
        Arrays (R,): the fields of :data:`FIELDS` by endpoint and arm, and those of :data:`ADJUSTED_FIELDS`; `look`,
        `patients`, `months` and `stopped` (0 no, 1 for efficacy, 2 for futility, 3 for harm) of the trial;
        `missing_share` of its last visit; what the rules of the design leave behind (size raised, arms kept, shares
        allocated, treated people harmed).
    """
    design = data.design
    alpha = design.alpha / len(design.test_arms)  # several arms share the error equally (Bonferroni)
    end = ended(data, alpha)
    among = end.among(data)
    found: Arrays = {}
    for arm in design.test_arms:
        estimates = [end.first[arm][0]]
        estimates += [analyse(data, endpoint, arm, among=among) for endpoint in design.endpoints[1:]]
        significant = [end.first[arm][1]]
        going = end.stopped != HARM
        significant += [(estimate.p_value_two_sided < alpha) & going for estimate in estimates[1:]]
        favours = [
            benefit_sign(endpoint) * estimate.estimate > 0.0
            for endpoint, estimate in zip(design.endpoints, estimates, strict=True)
        ]
        won = _won(design, estimates, significant, favours, alpha)
        for place, endpoint in enumerate(design.endpoints):
            one = estimates[place]
            values = (
                one.estimate, one.standard_error, one.p_value_two_sided, one.low, one.high,
                significant[place], favours[place], won[place] & going,
            )  # fmt: skip
            found |= {
                f"{endpoint.name}/{arm}/{field}": np.asarray(value)
                for field, value in zip(FIELDS, values, strict=True)
            }
    for arm, own in end.adjusted.items():
        key = f"{design.endpoints[0].name}/{arm}"
        values = (own.estimate, own.low, own.high)
        found |= {f"{key}/{field}": value for field, value in zip(ADJUSTED_FIELDS, values, strict=True)}
    found |= _course(data, end)
    if design.external_control is not None and design.external_control.method != "pooled":
        borrowed = borrowed_analysis(data, design.endpoints[0], design.test_arms[0])
        found["external_patients"] = borrowed.effective_external_patients
        found["external_drift_p"] = borrowed.drift_p
    found["missing_share"] = 1.0 - data.seen[-1][:, : design.patients].mean(axis=-1)
    return found


def _won(
    design: TrialDesign,
    estimates: list[Estimate],
    significant: list[Array],
    favours: list[Array],
    alpha: float,
) -> list[Array]:
    """Which endpoints of an arm are won under the design's multiplicity procedure, (R,) each."""
    chosen = design.multiplicity
    if chosen.procedure == "fixed_sequence":
        # Endpoints are tested in their order, each only when all before it were won.
        before = np.ones(favours[0].shape, bool)
        found: list[Array] = []
        for shown, better in zip(significant, favours, strict=True):
            before = before & shown & better
            found.append(before)
        return found
    p_values = np.stack([one.p_value_two_sided for one in estimates], axis=-1)
    if chosen.procedure == "graphical":
        names = [endpoint.name for endpoint in design.endpoints]
        weights = [chosen.weights.get(name, 0.0) for name in names]
        moved = [[chosen.transitions.get(one, {}).get(other, 0.0) for other in names] for one in names]
        rejected = graphical(p_values, weights, moved, alpha)
    else:
        rejected = PROCEDURES[chosen.procedure](p_values) <= alpha
    return [rejected[:, place] & better for place, better in enumerate(favours)]


def _course(data: TrialData, end: Ended) -> Arrays:
    """How many people each replicate enrolled and how long it took, from the first centre opened."""
    design = data.design
    rows = np.arange(end.look.size)
    entry = data.entry_months[:, : design.most_patients]
    months = entry[rows, end.numbers - 1] + design.horizon_months
    there = np.minimum((entry <= months[:, None]).sum(axis=1), np.maximum(end.size, end.numbers))
    patients = np.where(end.stopped > 0, there, end.numbers)
    return {"look": end.look, "stopped": end.stopped, "patients": patients, "months": months, **end.facts}


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
