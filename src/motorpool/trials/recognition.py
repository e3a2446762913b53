"""A real trial recognised: does the published effect look like one of the simulated replicates? Reported as found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from motorpool.evidence.published import PublishedEndpoint, load_published
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import Arrays, share
from motorpool.trials.truth import Truth


def recognised(design: TrialDesign, results: Arrays, truth: Truth) -> dict[str, Any] | None:
    """The published effect of a design's first endpoint beside its replicates; None where the design names none.

    inside_published_interval: share of replicates whose estimate lies in the published 95 % interval.
    published_quantile: share of replicates whose estimate lies below the published one.
    published_inside_middle_95: whether the published estimate lies in the middle 95 % of the replicates.
    """
    if design.published is None or truth.kind != "model":
        return None
    endpoint = _endpoint(design)
    first, arm = design.endpoints[0], design.test_arms[0]
    estimate = np.asarray(results[f"{first.name}/{arm}/estimate"], float)
    scale = math.log if first.method in ("cox", "logrank") else float
    value = scale(endpoint.value)
    known = estimate[np.isfinite(estimate)]
    if not known.size:
        return None
    low, high = np.quantile(known, [0.025, 0.975])
    found: dict[str, Any] = {
        "study": design.published.study,
        "endpoint": design.published.endpoint,
        "published": endpoint.value,
        "published_interval": None if endpoint.interval is None else list(endpoint.interval),
        "scale": "log" if scale is math.log else "as published",
        "replicates_middle_95": [float(f"{low:.6g}"), float(f"{high:.6g}")],
        "published_quantile": share(known < value).data(),
        "published_inside_middle_95": bool(low <= value <= high),
        "inside_published_interval": None,
    }
    if endpoint.interval is not None:
        limits = sorted(scale(limit) for limit in endpoint.interval)
        found["inside_published_interval"] = share((known >= limits[0]) & (known <= limits[1])).data()
    return found


def _endpoint(design: TrialDesign) -> PublishedEndpoint:
    assert design.published is not None
    study = load_published(design.published.study)
    return next(one for one in study.endpoints if one.id == design.published.endpoint)
