"""Looks at one test arm, and a size that is set anew: where each replicate stops, at what size, and with which test.

R replicates, N people each in order of entry. A look counts people in that order who have been followed to the end.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.boundaries import Boundaries, spending_boundaries
from motorpool.trials.adaptive.combination import inverse_normal
from motorpool.trials.adaptive.reestimation import blinded_size, conditional_power, promising_zone
from motorpool.trials.adjusted import after_looks, after_looks_and_size, after_stages
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analysis import analyse, benefit_sign
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_more import Interim
from motorpool.trials.ending import EFFICACY, FUTILITY, Adjusted, Ended, chosen, first_people, retested
from motorpool.trials.estimand_values import changes
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]


def boundaries_of(design: TrialDesign) -> Boundaries | None:
    """The boundaries of a group-sequential design, by a Lan-DeMets spending function; None where none stops early."""
    interims = design.interims
    if interims is None or interims.efficacy == "none":
        return None
    return spending_boundaries(interims.efficacy, [*interims.information, 1.0], design.alpha / 2.0)


def look_number(share: float | Array, size: float | Array) -> Array:
    """How many people have been followed when this share of the size has."""
    return np.ceil(np.asarray(share) * np.asarray(size) - 1e-9).astype(np.int64)


def followed(data: TrialData, alpha: float) -> Ended:
    """Follow looks and a size set anew, one of them or both; `alpha` is two-sided.

    A blinded look sets the size before the first look and leaves the test as it is. The promising zone sets it at the
    last look; stages before and after are then joined with the weights that were planned, at the last boundary.
    """
    design, replicates = data.design, len(data.replicates)
    interims, rule = design.interims, design.reestimation
    endpoint, arm = design.endpoints[0], design.test_arms[0]
    boundaries = boundaries_of(design)
    last_z = float(norm.isf(alpha / 2.0)) if boundaries is None else float(boundaries.efficacy_z[-1])
    planned = np.full(replicates, design.patients)
    blinded = rule is not None and rule.method == "blinded_variance"
    size = _blinded(data, alpha) if blinded else planned
    shares = () if interims is None else interims.information
    numbers = [look_number(share, size) for share in shares]
    estimates = [analyse(data, endpoint, arm, among=first_people(data, number)) for number in numbers]
    facts: dict[str, Array] = {}
    stages: _Stages | None = None
    if rule is not None and not blinded:
        stages = _promising(data, last_z, estimates[-1] if estimates else None)
        size, final = stages.size, stages.final
        facts["zone"] = stages.zone
    else:
        final = analyse(data, endpoint, arm, among=first_people(data, size))
    significant = np.abs(final.normal_statistic) >= last_z
    look, stopped = np.full(replicates, len(shares)), np.zeros(replicates, np.int64)
    sign = benefit_sign(endpoint)
    for place in reversed(range(len(shares))):
        z = sign * estimates[place].normal_statistic
        known = np.isfinite(z)
        if interims is not None and interims.futility_conditional_power is not None:
            chance = conditional_power(z, shares[place], critical_z=last_z)
            futile = known & (chance < interims.futility_conditional_power)
            look, stopped = np.where(futile, place, look), np.where(futile, FUTILITY, stopped)
            significant = np.where(futile, False, significant)
        if boundaries is not None:
            crossed = known & (np.abs(z) >= boundaries.efficacy_z[place])
            look, stopped = np.where(crossed, place, look), np.where(crossed, EFFICACY, stopped)
            significant = np.where(crossed, True, significant)
    if stages is not None:
        # A trial that stops at the look in which its size is set stops at the planned one.
        size = np.where(stopped > 0, planned, size)
    if rule is not None:
        facts["size_raised"] = (size > design.patients).astype(float)
    counted = np.stack([*numbers, size])[look, np.arange(replicates)]
    naive = chosen([*estimates, final], look)
    adjusted: dict[str, Adjusted] = {}
    if interims is not None:
        limits = shares, boundaries, futility_z(interims, shares, last_z)
        adjusted[arm] = after_looks(naive, look, *limits, sign)
        if stages is not None:
            first_weight = float(stages.weights[0] / stages.weights.sum())
            adjusted[arm] = after_looks_and_size(
                adjusted[arm], look == len(shares), stages.before, stages.after, first_weight, *limits, sign
            )
    elif stages is not None:
        adjusted[arm] = after_stages([stages.before, stages.after], stages.weights)
    return Ended(counted, size, look, stopped, {arm: (naive, significant)}, facts, adjusted)


def futility_z(interims: Interim, shares: Sequence[float], last_z: float) -> Array | None:
    """Statistic at each look below which the conditional power is too small; None without such a rule."""
    if interims.futility_conditional_power is None:
        return None
    share = np.asarray(shares, dtype=float)
    short = np.sqrt(1.0 - share) * norm.isf(interims.futility_conditional_power)
    return np.sqrt(share) * (last_z - short)


def _blinded(data: TrialData, alpha: float) -> Array:
    """Sizes from the variance of everybody who has finished, arms hidden, (R,)."""
    design = data.design
    rule, endpoint, arm = design.reestimation, design.endpoints[0], design.test_arms[0]
    assert rule is not None
    visit = design.visit_months.index(design.month_of(endpoint))
    return blinded_size(
        changes(data, endpoint)[..., visit],
        effect=float(rule.effect or 0.0),
        power=rule.power,
        smallest=design.patients,
        largest=design.most_patients,
        alpha=alpha / 2.0,
        ratio=design.arms[arm].ratio / design.arms[str(design.control)].ratio,
        observed=first_people(data, _resizing_number(design)),
    ).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class _Stages:
    """People before and after the look of the promising zone, and the size and test that follow; (R,) each."""

    size: Array
    zone: Array
    before: Estimate
    after: Estimate
    weights: Array
    final: Estimate


def _promising(data: TrialData, last_z: float, before: Estimate | None) -> _Stages:
    """Set the size by the promising zone; `before` is the estimate at the look, where it is known already."""
    design = data.design
    rule, endpoint, arm = design.reestimation, design.endpoints[0], design.test_arms[0]
    assert rule is not None
    number = _resizing_number(design)
    start = first_people(data, number)
    first = analyse(data, endpoint, arm, among=start) if before is None else before
    zone = promising_zone(
        benefit_sign(endpoint) * first.normal_statistic,
        interim_patients=number,
        planned_patients=design.patients,
        largest_patients=design.most_patients,
        alpha=float(norm.sf(last_z)),
        target_power=rule.power,
        promising_from=float(rule.promising_from or 0.0),
    )
    size = zone.patients.astype(np.int64)
    together = first_people(data, size)
    later = analyse(data, endpoint, arm, among=together & ~start)
    z = inverse_normal(
        np.stack([first.normal_statistic, later.normal_statistic], axis=-1), zone.combination_weights
    )
    # The naive interval is that of everybody together, and takes no account of the look.
    naive = retested(analyse(data, endpoint, arm, among=together), z)
    return _Stages(size, zone.zone.astype(float), first, later, zone.combination_weights, naive)


def _resizing_number(design: TrialDesign) -> int:
    rule = design.reestimation
    assert rule is not None
    return min(math.ceil(rule.at * design.patients - 1e-9), design.patients - 1)
