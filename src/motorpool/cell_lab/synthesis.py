"""Random-effects synthesis of effect sizes, and standardised differences from what papers publish.

Written here because no Python library at hand gives restricted maximum likelihood, Hartung-Knapp and prediction
intervals together; checked against metafor 3.8 (``tests/oracles/meta_analysis_metafor.csv``).

Formulas: Viechtbauer 2005 (J Educ Behav Stat 30:261-293, restricted maximum likelihood), DerSimonian and Laird 1986
(Control Clin Trials 7:177-188), Paule and Mandel 1982, Hartung and Knapp 2001 (Stat Med 20:3875-3889), Higgins,
Thompson and Spiegelhalter 2009 (J R Stat Soc A 172:137-159, prediction interval), Higgins and Thompson 2002 (Stat Med
21:1539-1558, I2), Viechtbauer 2007 (Stat Med 26:37-52, interval of tau2 by the Q profile).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Heterogeneity = Literal["REML", "PM", "DL", "FE"]
IntervalKind = Literal["normal", "hartung_knapp", "hartung_knapp_at_least_normal"]
Array = NDArray[np.float64]


class SynthesisError(ValueError):
    """Effects that cannot be put together; the message says why."""

    exit_code = 2


@dataclass(frozen=True)
class Effect:
    """A standardised difference, positive where the treated did better.

    Attributes:
        smd: difference in standard deviations.
        variance: its sampling variance.
    """

    smd: float
    variance: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Normal interval at a level."""
        from scipy.stats import norm

        half = float(norm.ppf(0.5 + level / 2)) * math.sqrt(self.variance)
        return self.smd - half, self.smd + half


@dataclass(frozen=True)
class Synthesis:
    """The result of putting ``k`` effects together, in the unit of the effects.

    ``predictive_low`` and ``predictive_high`` are where the true effect of one further study of the same kind would
    fall; ``None`` under fixed effects. ``tau2`` is the variance between studies with its 95 % interval, ``i2_percent``
    the share of variation that is not chance, ``q`` Cochran's statistic with its ``q_p_value``.
    """

    k: int
    estimate: float
    standard_error: float
    low: float
    high: float
    predictive_low: float | None
    predictive_high: float | None
    tau2: float
    tau2_low: float
    tau2_high: float
    q: float
    q_p_value: float
    i2_percent: float


def synthesise(
    effects: Sequence[float],
    variances: Sequence[float],
    heterogeneity: Heterogeneity = "REML",
    interval: IntervalKind = "hartung_knapp",
    level: float = 0.95,
) -> Synthesis:
    """Put effects together.

    Args:
        effects, variances: shape (k,), k at least 2.
        heterogeneity: estimator of the variance between studies; ``FE`` takes it as zero.
        interval: ``hartung_knapp_at_least_normal`` never gives an interval narrower than that of the normal one, which
            Hartung-Knapp does where effects happen to agree better than chance would have them.

    Raises:
        SynthesisError: fewer than two effects, unequal lengths, or variances that are not positive and finite.
    """
    from scipy.stats import chi2, norm, t

    y, v = np.asarray(effects, float), np.asarray(variances, float)
    if y.shape != v.shape or y.ndim != 1 or y.size < 2:
        raise SynthesisError(
            f"effects and variances: two or more of each are needed, got {y.size} and {v.size}"
        )
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise SynthesisError("effects must be finite, variances finite and above zero")
    k = y.size
    tau2 = _ESTIMATORS[heterogeneity](y, v)
    weights = 1.0 / (v + tau2)
    estimate = _mean(y, weights)
    plain = math.sqrt(1.0 / float(weights.sum()))
    if interval == "normal":
        error, quantile = plain, float(norm.ppf(0.5 + level / 2))
    else:
        spread = float((weights * (y - estimate) ** 2).sum()) / (k - 1)
        if interval == "hartung_knapp_at_least_normal":
            spread = max(1.0, spread)
        error, quantile = plain * math.sqrt(spread), float(t.ppf(0.5 + level / 2, k - 1))
    q = _q(y, v, 0.0)
    reach = quantile * math.sqrt(error**2 + tau2)
    fixed = heterogeneity == "FE"
    low, high = _q_profile(y, v, level)
    return Synthesis(
        k=k,
        estimate=estimate,
        standard_error=error,
        low=estimate - quantile * error,
        high=estimate + quantile * error,
        predictive_low=None if fixed else estimate - reach,
        predictive_high=None if fixed else estimate + reach,
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        q=q,
        q_p_value=float(chi2.sf(q, k - 1)),
        i2_percent=100.0 * (max(0.0, (q - (k - 1)) / q) if fixed else tau2 / (tau2 + _typical_variance(v))),
    )


def _mean(y: Array, weights: Array) -> float:
    return float((weights * y).sum() / weights.sum())


def _q(y: Array, v: Array, tau2: float) -> float:
    weights = 1.0 / (v + tau2)
    return float((weights * (y - _mean(y, weights)) ** 2).sum())


def _typical_variance(v: Array) -> float:
    w = 1.0 / v
    return float((v.size - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))


def _root(function: Callable[[float], float], v: Array) -> float:
    """Where a falling function of tau2 crosses zero; 0 where it is below from the start."""
    from scipy.optimize import brentq

    if function(0.0) <= 0.0:
        return 0.0
    high = float(v.max())
    while function(high) > 0.0:
        high *= 2.0
    root: Any = brentq(function, 0.0, high, xtol=1e-14)
    return float(root)


def _none(y: Array, v: Array) -> float:
    return 0.0


def _dersimonian_laird(y: Array, v: Array) -> float:
    w = 1.0 / v
    scale = float(w.sum() - (w**2).sum() / w.sum())
    return max(0.0, (_q(y, v, 0.0) - (y.size - 1)) / scale)


def _paule_mandel(y: Array, v: Array) -> float:
    return _root(lambda tau2: _q(y, v, tau2) - (y.size - 1), v)


def _restricted_likelihood(y: Array, v: Array) -> float:
    """The tau2 of the highest restricted likelihood, found on a grid and then refined."""
    from scipy.optimize import minimize_scalar

    def minus_twice(tau2: float) -> float:
        weights = 1.0 / (v + tau2)
        return float(np.log(v + tau2).sum() + math.log(float(weights.sum())) + _q(y, v, tau2))

    most = 10.0 * float(y.var(ddof=1) + v.max())
    grid = np.concatenate([[0.0], np.geomspace(1e-8 * most, most, 200)])
    best = int(np.argmin([minus_twice(float(value)) for value in grid]))
    low, high = float(grid[max(0, best - 1)]), float(grid[min(grid.size - 1, best + 1)])
    found = minimize_scalar(
        minus_twice, bounds=(low, high), method="bounded", options={"xatol": 1e-13 * most}
    )
    return float(found.x) if found.fun < minus_twice(0.0) else 0.0


_ESTIMATORS: dict[Heterogeneity, Callable[[Array, Array], float]] = {
    "REML": _restricted_likelihood,
    "PM": _paule_mandel,
    "DL": _dersimonian_laird,
    "FE": _none,
}


def _q_profile(y: Array, v: Array, level: float) -> tuple[float, float]:
    from scipy.stats import chi2

    def crossing(share: float) -> float:
        aim = float(chi2.ppf(share, y.size - 1))
        return _root(lambda tau2: _q(y, v, tau2) - aim, v)

    return crossing(0.5 + level / 2), crossing(0.5 - level / 2)
