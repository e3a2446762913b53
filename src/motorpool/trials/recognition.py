"""A real trial recognised: does the published effect look like one of the simulated replicates? Reported as found."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm

from motorpool.evidence.published import PublishedEndpoint, load_published
from motorpool.trials.analyses.estimate import CONFIDENCE
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import Arrays, share
from motorpool.trials.truth import Truth

LOG_SCALE = ("cox", "logrank", "gray")
MOST = 0.5  # of the replicates


def recognised(design: TrialDesign, results: Arrays, truth: Truth) -> dict[str, Any] | None:
    """The published effect of a design's first endpoint beside its replicates; None where the design names none.

    Numbers are on the published scale, so that ratios of hazards stand beside ratios.

    inside_published_interval: share of replicates whose estimate lies in the published 95 % interval; `ceiling` is what
    it can be, see :func:`ceiling`. recognised: whether that is most of them, and `why_not` says in words what is off.
    published_quantile: share of replicates whose estimate lies below the published one.
    published_inside_middle_95: whether the published estimate lies in the middle 95 % of the replicates.
    """
    if design.published is None or truth.kind != "model":
        return None
    endpoint = _endpoint(design)
    first, arm = design.endpoints[0], design.test_arms[0]
    key = f"{first.name}/{arm}"
    estimate = np.asarray(results[f"{key}/estimate"], float)
    known = estimate[np.isfinite(estimate)]
    if not known.size:
        return None
    to_scale, back = (math.log, math.exp) if first.method in LOG_SCALE else (float, float)
    value = to_scale(endpoint.value)
    low, high = (_short(back(one)) for one in np.quantile(known, [0.025, 0.975]))
    found: dict[str, Any] = {
        "study": design.published.study,
        "endpoint": design.published.endpoint,
        "published": endpoint.value,
        "published_interval": None if endpoint.interval is None else list(endpoint.interval),
        "replicates_middle_95": [low, high],
        "replicates_median": _short(back(float(np.median(known)))),
        "published_quantile": share(known < value).data(),
        "published_inside_middle_95": bool(low <= endpoint.value <= high),
        "power": share(results[f"{key}/significant"] & results[f"{key}/favours"]).data(),
        "inside_published_interval": None,
        "ceiling": None,
        "recognised": None,
        "why_not": "",
    }
    if endpoint.interval is None:
        return found
    limits = sorted(to_scale(limit) for limit in endpoint.interval)
    inside = share((known >= limits[0]) & (known <= limits[1]))
    found["inside_published_interval"] = inside.data()
    errors = np.asarray(results[f"{key}/standard_error"], float)
    errors = errors[np.isfinite(errors) & (errors > 0.0)]
    if errors.size:
        found["ceiling"] = ceiling(value, limits[0], limits[1], float(np.median(errors)))
    found["recognised"] = inside.value > MOST
    if not found["recognised"]:
        found["why_not"] = _why_not(results[f"truth/{key}"], value, limits, back)
    return found


def ceiling(value: float, low: float, high: float, replicate_error: float) -> dict[str, float]:
    """How many replicates can lie inside a published interval, since each has a sampling error of its own.

    same_effect: of a model whose true effect is exactly the published estimate. perfect_model: of a model that is
    right, whose true effect the published estimate misses by its own error, on average: published and replicate then
    differ by a normal amount with the variances of both.

    Args:
        value: the published estimate, on the scale on which estimates are normal.
        low, high: its 95 % interval.
        replicate_error: standard error of one replicate.
    """
    published_error = (high - low) / (2.0 * float(norm.ppf(0.5 + CONFIDENCE / 2.0)))
    both = math.hypot(published_error, replicate_error)

    def inside(error: float) -> float:
        return float(f"{norm.cdf((high - value) / error) - norm.cdf((low - value) / error):.4g}")

    return {
        "same_effect": inside(replicate_error),
        "perfect_model": inside(both),
        "published_standard_error": _short(published_error),
        "replicate_standard_error": _short(replicate_error),
    }


def _why_not(truths: Any, value: float, limits: list[float], back: Callable[[float], float]) -> str:
    """Where the model's true effect lies: one for each draw of what is not known."""
    effects = np.unique(np.asarray(truths, float))
    effects = effects[np.isfinite(effects)]
    interval = f"{back(limits[0]):.3g} to {back(limits[1]):.3g}"
    if not effects.size:
        return ""
    if effects.size == 1:
        effect = float(effects[0])
        where = "below" if effect < limits[0] else "above" if effect > limits[1] else "inside"
        words = (
            f"the model's true effect, {back(effect):.3g}, lies {where} the published interval, {interval}"
        )
        return words + ("; its replicates scatter more than the published trial" if where == "inside" else "")
    below, above = (100.0 * float(np.mean(one)) for one in (effects < limits[0], effects > limits[1]))
    middle = back(float(np.median(effects)))
    return (
        f"over what is not known the model's true effect ({middle:.3g} in the middle) lies below the published "
        f"interval, {interval}, in {below:.0f} % of the draws and above it in {above:.0f} %"
    )


def _endpoint(design: TrialDesign) -> PublishedEndpoint:
    assert design.published is not None
    study = load_published(design.published.study)
    return next(one for one in study.endpoints if one.id == design.published.endpoint)


def _short(value: float) -> float:
    return float(f"{value:.6g}")
