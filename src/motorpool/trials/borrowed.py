"""Controls from outside beside the trial's own: how much is borrowed, and whether the two look alike.

The trial has a control arm; means of the changes of both control groups are combined by a robust meta-analytic prior
or a power prior. A single arm has no controls to compare with, so that its outside controls can only be pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.analyses.borrowing import (
    BayesianEstimate,
    NormalMixture,
    borrow_with_mixture,
    borrow_with_power,
    drift_report,
    meta_analytic_prior,
    robust,
)
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.design import TrialDesign

Array = NDArray[Any]


@dataclass(frozen=True)
class Borrowed:
    """The estimate, how many outside people it was worth, and the two-sided p of a drift between the controls; (R,)."""

    estimate: Estimate
    effective_external_patients: Array
    drift_p: Array


def borrow(
    design: TrialDesign,
    change: Array,
    treated: Array,
    control: Array,
    outside: Array,
    *,
    higher_is_better: bool,
) -> Borrowed:
    """Compare treated and control changes with outside controls borrowed as the design says.

    Args:
        change: change from baseline, (R, N), NaN where missing.
        treated, control, outside: who is in which group, (R, N).
    """
    external = design.external_control
    assert external is not None
    groups = [_mean_and_error(change, group) for group in (treated, control, outside)]
    (treated_mean, treated_error), (control_mean, control_error), (outside_mean, outside_error) = groups
    spread = _spread(change, control | outside)
    rows: list[BayesianEstimate] = []
    drift: list[float] = []
    for row in range(change.shape[0]):
        own = slice(row, row + 1)
        scale = float(external.between_trials_sd or 0.0)
        unit = float(spread[row])
        given = (control_mean[own], control_error[own], treated_mean[own], treated_error[own])
        if external.method == "robust_map":
            plain = meta_analytic_prior(outside_mean[own], outside_error[own], between_trial_scale=scale)
            prior = robust(
                plain, weight=external.weight, mean=float(outside_mean[row]), standard_deviation=unit
            )
            rows.append(
                borrow_with_mixture(
                    *given, prior, unit_standard_deviation=unit, higher_is_better=higher_is_better
                )
            )
        else:
            prior = NormalMixture(
                weights=np.ones(1), means=outside_mean[own], standard_deviations=outside_error[own]
            )
            rows.append(
                borrow_with_power(
                    *given,
                    float(outside_mean[row]),
                    float(outside_error[row]),
                    power=external.weight,
                    unit_standard_deviation=unit,
                    higher_is_better=higher_is_better,
                )
            )
        alike = drift_report(given[0], given[1], float(outside_mean[row]), float(outside_error[row]), prior)
        drift.append(float(np.asarray(alike.p_value_two_sided).reshape(-1)[0]))
    worth = np.concatenate([np.atleast_1d(one.effective_external_patients) for one in rows])
    return Borrowed(_as_estimate(rows, higher_is_better=higher_is_better), worth, np.asarray(drift))


def _mean_and_error(values: Array, among: Array) -> tuple[Array, Array]:
    kept = np.where(among, values, np.nan)
    count = np.isfinite(kept).sum(axis=1)
    return np.nanmean(kept, axis=1), np.nanstd(kept, axis=1, ddof=1) / np.sqrt(count)


def _spread(values: Array, among: Array) -> Array:
    return np.nanstd(np.where(among, values, np.nan), axis=1, ddof=1)


def _as_estimate(rows: list[BayesianEstimate], *, higher_is_better: bool) -> Estimate:
    """A posterior as an estimate: the probability of being better is one minus a one-sided p value."""

    def joined(name: str) -> Array:
        return np.concatenate([np.atleast_1d(getattr(one, name)) for one in rows])

    better = np.clip(joined("probability_better"), 1e-15, 1.0 - 1e-15)
    z = norm.isf(1.0 - better) * (1.0 if higher_is_better else -1.0)
    return Estimate(
        estimate=joined("estimate"),
        standard_error=joined("standard_deviation"),
        statistic=z,
        degrees_of_freedom=np.full(z.shape, np.inf),
        p_value_two_sided=2.0 * np.minimum(better, 1.0 - better),
        low=joined("low"),
        high=joined("high"),
    )
