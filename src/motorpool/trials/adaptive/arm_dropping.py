"""Several experimental arms against one control: dropping arms at an interim (multi-arm multi-stage)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from motorpool.trials.adaptive.root import root
from motorpool.trials.adaptive.spending import check_error
from motorpool.trials.analyses.estimate import Array, Flags

QUADRATURE_NODES = 96
MOST_ARMS = 8
SMALLEST = 1e-300
CRITICAL_Z = float(ndtri(0.975))  # of a fixed test with a one-sided error of 0.025


def keep_above(z: ArrayLike, lowest_z: float) -> Flags:
    """Arms whose interim z reaches a boundary; (replicates, arms). A z that is not a number is dropped."""
    return np.asarray(np.asarray(z, dtype=float) >= lowest_z)


def keep_best(z: ArrayLike, number: int) -> Flags:
    """The best arms by interim z, the first of equals; (replicates, arms).

    Raises:
        ValueError: Not between one arm and all.
    """
    values = np.asarray(z, dtype=float)
    if not 1 <= number <= values.shape[1]:
        message = f"number is {number}; there are {values.shape[1]} arms"
        raise ValueError(message)
    order = np.argsort(-np.where(np.isnan(values), -np.inf, values), axis=1, kind="stable")
    kept = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(kept, order[:, :number], True, axis=1)
    return kept & ~np.isnan(values)


def largest_z_p_value(largest: ArrayLike, arms: int, *, ratio: float = 1.0) -> Array:
    """Chance under the null that the largest of `arms` statistics that share a control is this large (Dunnett).

    Each arm has `ratio` patients per control; statistics correlate by ratio / (1 + ratio).
    """
    correlation = ratio / (1.0 + ratio)
    nodes, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE_NODES)
    value = np.asarray(largest, dtype=float)[..., None]
    below = ndtr((value - np.sqrt(correlation) * nodes) / np.sqrt(1.0 - correlation))
    # 1 - prod, exact where it is small
    with np.errstate(divide="ignore"):
        above = -np.expm1(arms * np.log(below))
    return np.asarray(above @ (weights / weights.sum()))


def dunnett_p_values(z: ArrayLike, *, ratio: float = 1.0) -> Array:
    """One-sided p values of each arm against a shared control, adjusted for all in one step; (replicates, arms)."""
    values = np.asarray(z, dtype=float)
    return largest_z_p_value(values, values.shape[1], ratio=ratio)


@dataclass(frozen=True, kw_only=True)
class ClosedTest:
    """Arms shown better at the look between the stages, and at the end; (replicates, arms) each."""

    at_look: Flags
    at_end: Flags


def closed_combination_test(
    first_z: ArrayLike,
    second_z: ArrayLike,
    kept: ArrayLike,
    *,
    first_weight: float,
    first_z_bound: float = np.inf,
    last_z_bound: float = CRITICAL_Z,
    ratio: float = 1.0,
) -> ClosedTest:
    """Arms shown better after one or two stages, family-wise error kept whatever was dropped.

    Every intersection of null hypotheses is tested by Dunnett's p values of its arms: of all of them in the first
    stage, and in the second of those kept, joined by the inverse normal combination (Bretz et al. 2006). With a
    boundary at the look this is a group-sequential test of each intersection. An arm is shown better if all
    intersections with it are rejected; at the end, one that was dropped never is.

    Args:
        first_z: Statistics of the first stage, (replicates, arms).
        second_z: Those of the patients of the second stage alone; anything for dropped arms.
        kept: Which arms went on, (replicates, arms).
        first_weight: Share of the planned information in the first stage, fixed beforehand.
        first_z_bound: Boundary of efficacy at the look; infinite where no trial stops there.
        last_z_bound: Boundary at the end; the normal quantile of the one-sided error without a look.
        ratio: Patients of an arm per control.

    Raises:
        ValueError: Too many arms, arrays of other shapes, or a weight outside 0 to 1.
    """
    check_error(first_weight, "first_weight")
    first, second = np.asarray(first_z, dtype=float), np.asarray(second_z, dtype=float)
    on = np.asarray(kept, dtype=bool)
    arms = first.shape[1]
    if first.shape != second.shape or first.shape != on.shape or arms > MOST_ARMS:
        message = (
            f"z of both stages and kept must have one shape (replicates, arms) with at most {MOST_ARMS} arms"
        )
        raise ValueError(message)
    early, late = np.ones_like(on), on.copy()
    for size in range(1, arms + 1):
        for chosen in combinations(range(arms), size):
            members = list(chosen)
            before = _deviate(largest_z_p_value(first[:, members].max(axis=1), size, ratio=ratio))
            going = on[:, members]
            count = going.sum(axis=1)
            best = np.where(going, second[:, members], -np.inf).max(axis=1)
            after = np.ones(len(first))
            for number in range(1, size + 1):
                here = count == number
                after[here] = largest_z_p_value(best[here], number, ratio=ratio)
            joined = np.sqrt(first_weight) * before + np.sqrt(1.0 - first_weight) * _deviate(after)
            at_look = before >= first_z_bound
            early[:, members] &= at_look[:, None]
            late[:, members] &= (at_look | (joined >= last_z_bound))[:, None]
    return ClosedTest(at_look=early, at_end=late)


def bounds_of_going_on(
    first_z: ArrayLike,
    arm: int,
    *,
    best: int | None = None,
    lowest_z: float = -np.inf,
    first_z_bound: float = np.inf,
    ratio: float = 1.0,
) -> tuple[Array, Array]:
    """Between which of its own statistics an arm goes on to the second stage, (replicates,) each.

    Statistics of arms that share a control rise with one another. What of the others is independent of this arm's, z_j
    less the correlation times its z, is held as it was seen; then the rule is a bound on the arm's own statistic.

    Args:
        first_z: statistics of the first stage, (replicates, arms).
        arm: place of the arm.
        best: how many arms stay; None where a statistic decides.
        lowest_z: statistic that an arm must reach, where `best` is None.
        first_z_bound: boundary of efficacy at which any arm ends the trial (see :func:`closed_combination_test`).
        ratio: patients of an arm per control.
    """
    values = np.asarray(first_z, dtype=float)
    own, correlation = values[:, arm], ratio / (1.0 + ratio)
    rest = np.delete(values, arm, axis=1) - correlation * own[:, None]
    low = np.full(own.shape, lowest_z)
    if best is not None:
        order = np.sort(np.where(np.isnan(rest), -np.inf, rest), axis=1)[:, ::-1]
        low = order[:, best - 1] / (1.0 - correlation)
    if not np.isfinite(first_z_bound):
        return low, np.full(own.shape, np.inf)
    arms = values.shape[1]
    largest = root(
        lambda z: float(_deviate(largest_z_p_value(z, arms, ratio=ratio))) - first_z_bound,
        first_z_bound - 1.0,
        first_z_bound + 3.0,
    )
    others = np.nanmin(np.where(np.isnan(rest), np.inf, (largest - rest) / correlation), axis=1)
    return low, np.minimum(largest, others)


def _deviate(p: Array) -> Array:
    """Normal deviate of an upper tail; -inf for 1, so that a hypothesis without data is never rejected."""
    return np.asarray(-ndtri(np.clip(p, SMALLEST, 1.0)))
