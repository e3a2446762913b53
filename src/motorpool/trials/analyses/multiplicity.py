"""Several hypotheses in one trial: fixed sequence, Bonferroni, Holm, Hochberg and graphical procedures."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array, Flags, Numbers


def _clean(p_values: ArrayLike) -> Array:
    """p values (replicates, hypotheses); what is not a number counts as 1.

    Raises:
        ValueError: Another number of axes, or values outside 0 to 1.
    """
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 2:
        message = f"p_values has shape {p.shape}; it must be (replicates, hypotheses)"
        raise ValueError(message)
    p = np.where(np.isnan(p), 1.0, p)
    if ((p < 0.0) | (p > 1.0)).any():
        message = "p_values must lie between 0 and 1"
        raise ValueError(message)
    return p


def fixed_sequence(p_values: ArrayLike) -> Array:
    """Adjusted p values of hypotheses tested in order, each only after all before it; (replicates, hypotheses)."""
    return np.maximum.accumulate(_clean(p_values), axis=1)


def bonferroni(p_values: ArrayLike) -> Array:
    """Adjusted p values: times the number of hypotheses; (replicates, hypotheses)."""
    p = _clean(p_values)
    return np.minimum(p * p.shape[1], 1.0)


def holm(p_values: ArrayLike) -> Array:
    """Adjusted p values of Holm's step-down procedure; (replicates, hypotheses)."""
    p = _clean(p_values)
    order = np.argsort(p, axis=1, kind="stable")
    factors = p.shape[1] - np.arange(p.shape[1])
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, axis=1) * factors, axis=1)
    return _back(np.minimum(stepped, 1.0), order)


def hochberg(p_values: ArrayLike) -> Array:
    """Adjusted p values of Hochberg's step-up procedure; (replicates, hypotheses)."""
    p = _clean(p_values)
    order = np.argsort(p, axis=1, kind="stable")
    factors = p.shape[1] - np.arange(p.shape[1])
    scaled = np.take_along_axis(p, order, axis=1) * factors
    stepped = np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]
    return _back(np.minimum(stepped, 1.0), order)


def _back(values: Array, order: Numbers) -> Array:
    out = np.empty_like(values)
    np.put_along_axis(out, order, values, axis=1)
    return out


def graphical(p_values: ArrayLike, weights: ArrayLike, transitions: ArrayLike, alpha: float) -> Flags:
    """Which hypotheses the graph of Bretz et al. (2009) rejects; (replicates, hypotheses).

    Args:
        p_values: (replicates, hypotheses).
        weights: Share of alpha of each hypothesis at the start, (hypotheses,).
        transitions: Where the share of a rejected hypothesis (row) goes, (hypotheses, hypotheses).
        alpha: Error of the whole family.

    Raises:
        ValueError: Shares that are negative or add up to more than 1, or a hypothesis that passes alpha to itself.
    """
    p = _clean(p_values)
    share, passed = np.asarray(weights, dtype=float), np.asarray(transitions, dtype=float)
    count = p.shape[1]
    if share.shape != (count,) or passed.shape != (count, count):
        message = f"weights and transitions must be for {count} hypotheses"
        raise ValueError(message)
    sums = np.append(passed.sum(axis=1), share.sum())
    if (share < 0.0).any() or (passed < 0.0).any() or (sums > 1.0 + 1e-9).any() or np.diagonal(passed).any():
        message = "shares of alpha must not be negative, add up to at most 1, and go to other hypotheses"
        raise ValueError(message)
    held = np.broadcast_to(share, p.shape).copy()
    graph = np.broadcast_to(passed, (len(p), count, count)).copy()
    rejected = np.zeros(p.shape, dtype=bool)
    rows = np.arange(len(p))
    for _ in range(count):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(rejected | (held <= 0.0), np.inf, p / held)
        best = ratio.argmin(axis=1)
        active = rows[ratio[rows, best] <= alpha]
        if not len(active):
            break
        _reject(held, graph, rejected, active, best[active])
    return rejected


def _reject(held: Array, graph: Array, rejected: Flags, rows: Numbers, gone: Numbers) -> None:
    """Reject one hypothesis in each of some replicates and pass its share on."""
    out = graph[rows, gone]  # where its share goes, (rows, hypotheses)
    into = graph[rows, :, gone]  # what comes to it
    held[rows] += held[rows, gone][:, None] * out
    held[rows, gone] = 0.0
    rejected[rows, gone] = True
    numerator = graph[rows] + into[:, :, None] * out[:, None, :]
    denominator = 1.0 - into * out
    following = np.divide(
        numerator,
        denominator[:, :, None],
        out=np.zeros_like(numerator),
        where=denominator[:, :, None] > 1e-12,
    )
    following[:, np.arange(graph.shape[1]), np.arange(graph.shape[1])] = 0.0
    following[np.arange(len(rows)), gone, :] = 0.0
    following[np.arange(len(rows)), :, gone] = 0.0
    graph[rows] = following
