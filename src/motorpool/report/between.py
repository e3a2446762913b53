"""Whether plans differ from each other, and not only from the arm they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from motorpool.report.numbers import Estimate, more_of_100
from motorpool.report.phrases import quoted

WHAT = "in how many live without permanent ventilation"


def difference_between(event_free: Mapping[str, np.ndarray]) -> str:
    """A sentence on the largest difference between plans.

    Args:
        event_free: name of the plan to the share alive without permanent ventilation, shape (draw,).
    """
    pairs: list[tuple[Estimate, str, str]] = []
    for first, second in combinations(event_free, 2):
        difference = event_free[first] - event_free[second]
        if difference.mean() < 0:
            first, second, difference = second, first, -difference
        low, high = (float(end) for end in np.quantile(difference, [0.025, 0.975]))
        pairs.append((Estimate(float(difference.mean()), low, high), first, second))
    clear = [pair for pair in pairs if not pair[0].includes_zero]
    size, first, second = max(clear or pairs, key=lambda pair: pair[0].mean)
    if clear:
        return (
            f"Within this model, {quoted(first)} has {more_of_100(size)} of 100 alive without permanent "
            f"ventilation than {quoted(second)}. This is not evidence that one is better: the trials behind the "
            "model enrolled different people, and none compared these plans."
        )
    if round(100 * size.mean) == 0:
        return f"Between these treatments themselves there is practically no difference {WHAT}."
    return (
        f"The treatments do not differ from each other {WHAT} by more than we do not know: the largest "
        f"difference, between {quoted(first)} and {quoted(second)}, is about {_whole(size.mean)} of 100 "
        f"(range {_whole(size.low)} to {_whole(size.high)})."
    )


def _whole(share: float | None) -> str:
    return str(round(100 * (share or 0.0))).replace("-", "\u2212")
