"""The calibration section: diagnostics of the sampler, and what the data say about every parameter.

Everything is computed from the draws and the priors, on the scale on which each prior is a standard normal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde, truncnorm

from motorpool.calibration.space import Axis, parameter_space
from motorpool.evidence.parameters import ParameterTable, load_parameter_table
from motorpool.evidence.posterior import Posterior
from motorpool.report.credibility.statements import InformedRule, SamplingRule, load_rules
from motorpool.simulation.calibration_state import CalibrationState
from motorpool.studies.scale import load_calibration_rules

Array = NDArray[np.float64]
Informed = Literal["well", "partly", "hardly"]
GRID = 801  # numerical choice: places at which two densities are compared
STRONGEST = 12


@dataclasses.dataclass(frozen=True)
class AxisReport:
    """One calibrated parameter: prior and posterior in its own unit and in prior standard deviations.

    overlap: shared area of prior and posterior densities (1: the data say nothing). contraction: share of the prior's
    variance that is gone. shift: posterior mean, in prior SDs from the prior's centre.
    """

    name: str
    unit: str
    centre: float
    median: float
    low_90: float
    high_90: float
    shift: float
    spread: float
    contraction: float
    overlap: float
    informed: Informed


def normalised(axis: Axis, values: Array) -> Array:
    """Draws of a parameter (S,) in prior standard deviations from its centre."""
    if axis.logarithmic:
        return np.log(np.maximum(values, 1e-300) / axis.centre) / axis.spread
    return (values - axis.centre) / axis.spread


def axis_report(axis: Axis, values: Array, unit: str, rule: InformedRule) -> AxisReport:
    """What the draws (S,) of one parameter say beside its prior."""
    z = normalised(axis, values)
    low, high = axis.reach()
    prior = truncnorm(low, high)
    contraction = float(1.0 - np.var(z) / prior.var())
    median, low_90, high_90 = (float(x) for x in np.quantile(values, [0.5, 0.05, 0.95]))
    informed: Informed = "hardly"
    if contraction >= rule.partly:
        informed = "well" if contraction >= rule.well else "partly"
    return AxisReport(
        name=axis.name,
        unit=unit,
        centre=axis.centre,
        median=median,
        low_90=low_90,
        high_90=high_90,
        shift=float(z.mean()),
        spread=float(z.std()),
        contraction=contraction,
        overlap=_overlap(z, prior),
        informed=informed,
    )


def _overlap(z: Array, prior: Any) -> float:
    """Area under the lower of the prior's density and a smooth one through the draws."""
    if float(np.std(z)) < 1e-9:
        return 0.0
    places = np.linspace(min(float(z.min()), -4.0) - 1.0, max(float(z.max()), 4.0) + 1.0, GRID)
    lower = np.minimum(gaussian_kde(z)(places), prior.pdf(places))
    return float(np.trapezoid(lower, places))


def calibrated_axes(posterior: Posterior, table: ParameterTable | None = None) -> list[AxisReport]:
    """Every parameter of the posterior that still exists, most informed first."""
    records, rule = table or load_parameter_table(), load_rules().informed
    axes = {axis.name: axis for axis in parameter_space(records, load_calibration_rules()).axes}
    found = [
        axis_report(axes[name], posterior.parameters[:, place], records[axes[name].parameter].unit, rule)
        for place, name in enumerate(posterior.names)
        if name in axes
    ]
    return sorted(found, key=lambda one: -one.contraction)


def strongest_correlations(posterior: Posterior, count: int = STRONGEST) -> list[dict[str, Any]]:
    """Pairs of parameters that trade off most in the posterior."""
    spread = posterior.parameters.std(axis=0)
    moving = np.flatnonzero(np.asarray(spread) > 0)
    if moving.size < 2:
        return []
    matrix: Array = np.asarray(np.corrcoef(posterior.parameters[:, moving].T), np.float64)
    rows, columns = np.triu_indices(moving.size, 1)
    strongest = np.argsort(-np.abs(matrix[rows, columns]))[:count]
    return [
        {
            "first": posterior.names[moving[rows[i]]],
            "second": posterior.names[moving[columns[i]]],
            "correlation": float(matrix[rows[i], columns[i]]),
        }
        for i in strongest
    ]


def discrepancies(posterior: Posterior) -> list[dict[str, Any]]:
    """How far the model itself is wrong, by family of endpoint: the scale it started from and what became of it."""
    rules = load_calibration_rules()
    found: list[dict[str, Any]] = []
    for family, draws in posterior.discrepancies.items():
        entry = rules.discrepancy.get(family)
        found.append(
            {
                "family": family,
                "unit": entry.unit if entry else "",
                "prior_scale": entry.scale if entry else None,
                "posterior_median": float(np.median(draws)),
                "posterior_high_90": float(np.quantile(draws, 0.95)),
            }
        )
    return found


def sampling_checks(posterior: Posterior, rule: SamplingRule | None = None) -> list[dict[str, Any]]:
    """Diagnostics of the sampler, each with what it must reach and whether it does."""
    limits, facts = rule or load_rules().sampling, posterior.facts
    most = (
        ("Largest R-hat", facts.largest_r_hat, limits.largest_r_hat),
        ("Divergent transitions", facts.divergences, limits.divergences),
    )
    least = (
        ("Smallest effective sample size", facts.smallest_effective_size, limits.smallest_effective_size),
        ("Draws shipped", len(posterior), limits.least_draws),
    )
    return [_check(name, found, f"at most {limit:g}", found <= limit) for name, found, limit in most] + [
        _check(name, found, f"at least {limit:g}", found >= limit) for name, found, limit in least
    ]


def _check(name: str, value: float, wanted: str, met: bool) -> dict[str, Any]:
    return {"diagnostic": name, "value": value, "wanted": wanted, "met": met}


def calibration_section(posterior: Posterior | None, state: CalibrationState) -> dict[str, Any]:
    """The whole section as plain data."""
    if posterior is None:
        return {"state": state, "available": False}
    facts, axes = posterior.facts, calibrated_axes(posterior)
    return {
        "state": state,
        "available": True,
        "made": facts.made,
        "method": facts.method,
        "seed": facts.seed,
        "targets": facts.targets,
        "simulations": facts.simulations,
        "checks": sampling_checks(posterior),
        "parameters": [dataclasses.asdict(axis) for axis in axes],
        "informed": {
            level: sum(axis.informed == level for axis in axes) for level in ("well", "partly", "hardly")
        },
        "correlations": strongest_correlations(posterior),
        "discrepancies": discrepancies(posterior),
        "further_diagnostics": _numbers(facts.diagnostics),
    }


def _numbers(diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """Diagnostics that are single numbers or a few of them; long tables are shown from the draws instead."""
    found: dict[str, Any] = {}
    for name, value in diagnostics.items():
        if isinstance(value, int | float | str):
            found[name] = value
        elif isinstance(value, Mapping) and len(value) <= 6:  # pyright: ignore[reportUnknownArgumentType]
            found[name] = dict(value)  # pyright: ignore[reportUnknownArgumentType]
    return found
