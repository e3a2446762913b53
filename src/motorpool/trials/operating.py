"""Operating characteristics: how often a design succeeds, how far off its estimate is, each with Monte-Carlo error."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.boundaries import Boundaries, spending_boundaries
from motorpool.trials.adaptive.reestimation import conditional_power
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analysis import analyse, benefit_sign, borrowed_analysis
from motorpool.trials.design import TrialDesign
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
Arrays = dict[str, Array]
FIELDS = ("estimate", "standard_error", "p_value", "low", "high", "significant", "favours", "success")
"""What is kept of each endpoint and test arm, (R,) each, named `endpoint/arm/field`."""


def analyse_trials(data: TrialData) -> Arrays:
    """Analyse every replicate as the design says: all endpoints in order, all test arms, all looks.

    Returns:
        Arrays (R,): the fields of :data:`FIELDS` by endpoint and arm; `look`, `patients`, `months` and `stopped`
        (0 no, 1 for efficacy, 2 for futility) of the trial; `missing_share` of its last visit.
    """
    design = data.design
    found: Arrays = {}
    alpha = design.alpha / len(design.test_arms)  # several arms share the error equally (Bonferroni)
    for arm in design.test_arms:
        before = np.ones(len(data.replicates), bool)
        for place, endpoint in enumerate(design.endpoints):
            estimate = analyse(data, endpoint, arm)
            if place == 0 and design.interims is not None:
                look, stopped, estimate, significant = _followed(data, arm, estimate, alpha)
                found |= _course(data, look, stopped)
            else:
                significant = estimate.p_value_two_sided < alpha
            favours = benefit_sign(endpoint) * estimate.estimate > 0.0
            # Endpoints are tested in their order, each only when all before it were won.
            before = before & significant & favours
            values = (
                estimate.estimate, estimate.standard_error, estimate.p_value_two_sided, estimate.low, estimate.high,
                significant, favours, before,
            )  # fmt: skip
            found |= {
                f"{endpoint.name}/{arm}/{field}": np.asarray(value)
                for field, value in zip(FIELDS, values, strict=True)
            }
    if design.interims is None:
        whole = np.zeros(len(data.replicates), np.int64)
        found |= _course(data, whole, whole)
    if design.external_control is not None and design.external_control.method != "pooled":
        borrowed = borrowed_analysis(data, design.endpoints[0], design.test_arms[0])
        found["external_patients"] = borrowed.effective_external_patients
        found["external_drift_p"] = borrowed.drift_p
    found["missing_share"] = 1.0 - data.seen[-1][:, : design.patients].mean(axis=-1)
    return found


def boundaries_of(design: TrialDesign) -> Boundaries | None:
    """The boundaries of a group-sequential design, by a Lan-DeMets spending function; None where none stops early."""
    interims = design.interims
    if interims is None or interims.efficacy == "none":
        return None
    return spending_boundaries(interims.efficacy, [*interims.information, 1.0], design.alpha / 2.0)


def _followed(
    data: TrialData, arm: str, final: Estimate, alpha: float
) -> tuple[Array, Array, Estimate, Array]:
    """Look at which each replicate stops, why, the estimate of then, and whether the first endpoint was won."""
    design = data.design
    interims, endpoint = design.interims, design.endpoints[0]
    assert interims is not None
    boundaries, sign = boundaries_of(design), benefit_sign(endpoint)
    looks = len(interims.information)
    replicates = len(data.replicates)
    last_z = float(norm.isf(alpha / 2.0)) if boundaries is None else float(boundaries.efficacy_z[-1])
    look, stopped = np.full(replicates, looks), np.zeros(replicates, np.int64)
    estimates = [
        analyse(data, endpoint, arm, among=_first(data, share)) for share in interims.information
    ] + [final]
    significant = np.abs(final.normal_statistic) >= last_z
    for place in reversed(range(looks)):
        z = sign * estimates[place].normal_statistic
        known = np.isfinite(z)
        if interims.futility_conditional_power is not None:
            chance = conditional_power(z, interims.information[place], critical_z=last_z)
            futile = known & (chance < interims.futility_conditional_power)
            look, stopped = np.where(futile, place, look), np.where(futile, 2, stopped)
            significant = np.where(futile, False, significant)
        if boundaries is not None:
            crossed = known & (np.abs(z) >= boundaries.efficacy_z[place])
            look, stopped = np.where(crossed, place, look), np.where(crossed, 1, stopped)
            significant = np.where(crossed, True, significant)
    return look, stopped, _at_look(estimates, look), significant


def _at_look(estimates: list[Estimate], look: Array) -> Estimate:
    fields = [field.name for field in dataclasses.fields(Estimate)]
    rows = np.arange(look.size)
    return Estimate(
        **{name: np.stack([getattr(each, name) for each in estimates])[look, rows] for name in fields}
    )


def _first(data: TrialData, share: float) -> Array:
    """Who has been followed to the end at a look with this share of the information, (R, N)."""
    number = math.ceil(share * data.design.patients)
    return np.broadcast_to(np.arange(data.arm.shape[1]) < number, data.arm.shape)


def _course(data: TrialData, look: Array, stopped: Array) -> Arrays:
    """How many people each replicate enrolled and how long it took, from the first centre opened."""
    design = data.design
    shares = [*design.interims.information, 1.0] if design.interims is not None else [1.0]
    numbers = np.asarray([math.ceil(share * design.patients) for share in shares])[look]
    rows = np.arange(look.size)
    entry = data.entry_months[:, : design.patients]
    months = entry[rows, numbers - 1] + design.horizon_months
    patients = np.where(stopped > 0, (entry <= months[:, None]).sum(axis=1), design.patients)
    return {"look": look, "stopped": stopped, "patients": patients, "months": months}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number with its Monte-Carlo standard error."""

    value: float
    monte_carlo_error: float

    def data(self) -> dict[str, float | None]:
        """Plain data."""
        return {"value": _plain(self.value), "monte_carlo_error": _plain(self.monte_carlo_error)}


@dataclasses.dataclass(frozen=True)
class Characteristics:
    """How one endpoint does for one test arm under one truth.

    power: significant in favour of the treated, and won in its order (`success`); rejection: significant either way.
    mean_estimate, bias, coverage: against `truth`, the value in an endless trial without missing data.
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

    def data(self) -> dict[str, Any]:
        """Plain data."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value.data()
            if isinstance(value, Figure)
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
                )
            )
    return tuple(found)


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
