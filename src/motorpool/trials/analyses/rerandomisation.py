"""Re-randomisation test of many replicates at once: allocations drawn again by the trial's own rule.

Nothing is assumed of the outcomes. If the treatment does nothing at all, each person's score is what it is whatever the
arm, and the difference that was seen is one of those that the allocations could have given (Rosenberger, Uschner and
Wang 2019).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from motorpool.trials.analyses.estimate import Array, Flags, Numbers

ROUNDING = 1e-9  # differences that are equal but for rounding count as equal


def residual_scores(outcome: Array, columns: Array, counted: Flags) -> Array:
    """What covariates leave of the outcome, without the arm (Gail, Tan and Piantadosi 1988).

    Args:
        outcome: Of each person, (replicates, people).
        columns: Covariates, (replicates, people, columns); may have no column.
        counted: Who counts, (replicates, people); known in all of these.

    Returns:
        Residuals around the mean and the covariates of those who count, (replicates, people); 0 for the others.
    """
    weight = counted[..., None].astype(float)
    design = np.concatenate([weight, np.where(counted[..., None], columns, 0.0)], axis=-1)
    values = np.where(counted, outcome, 0.0)[..., None]
    inverse = np.linalg.pinv(np.swapaxes(design, 1, 2) @ design, hermitian=True)
    fitted = design @ (inverse @ (np.swapaxes(design, 1, 2) @ values))
    return (values - fitted)[..., 0]


def log_rank_scores(time: Array, event: Flags, counted: Flags, stratum: Numbers | None = None) -> Array:
    """Scores whose sum over the treated is the numerator of the log-rank test: event less cumulative hazard.

    Args:
        time: To the event or the end of what is known, (replicates, people).
        event: Whether it is the event, (replicates, people).
        counted: Who counts, (replicates, people).
        stratum: Hazards are those of each stratum, (replicates, people).
    """
    groups = np.zeros(time.shape, np.int64) if stratum is None else stratum
    scores = np.zeros(time.shape)
    for group in np.unique(groups):
        mine = counted & (groups == group)
        order = np.argsort(np.where(mine, time, np.inf), axis=1, kind="stable")
        there, happened, sorted_time = (
            np.take_along_axis(values, order, axis=1) for values in (mine, event & mine, time)
        )
        at_risk = np.cumsum(there[:, ::-1], axis=1)[:, ::-1]
        # Everybody with one time shares the number at risk of the first of them, and the hazard of the last.
        place = np.arange(time.shape[1])
        starts = np.concatenate([np.ones((len(time), 1), bool), np.diff(sorted_time, axis=1) != 0.0], axis=1)
        first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
        ends = np.concatenate([starts[:, 1:], np.ones((len(time), 1), bool)], axis=1)
        last = np.minimum.accumulate(np.where(ends, place, place[-1])[:, ::-1], axis=1)[:, ::-1]
        risk = np.maximum(np.take_along_axis(at_risk, first, axis=1), 1)
        hazard = np.take_along_axis(np.cumsum(happened / risk, axis=1), last, axis=1)
        own = np.zeros(time.shape)
        np.put_along_axis(own, order, np.where(there, happened - hazard, 0.0), axis=1)
        scores += own
    return scores


def permuted_within(treated: Flags, block: Numbers, keys: Array) -> Flags:
    """The arms of each block dealt out anew among the people of the block, in the order of their keys.

    Args:
        treated: (replicates, people).
        block: Which block each person is in, (replicates, people).
        keys: Uniform numbers, (..., replicates, people).
    """
    held = np.take_along_axis(treated, np.argsort(block, axis=-1, kind="stable"), axis=-1)
    order = np.argsort(block + keys, axis=-1, kind="stable")
    dealt = np.zeros(order.shape, bool)
    np.put_along_axis(dealt, order, np.broadcast_to(held, order.shape), axis=-1)
    return dealt


def rerandomised_p_value(
    scores: Array, treated: Flags, counted: Flags, redrawn: Iterable[tuple[Flags, Flags]]
) -> Array:
    """Two-sided p value of the difference of mean scores, (replicates,); the allocation seen counts as one of them.

    A redrawn allocation that leaves an arm empty counts as one that is at least as far from none. NaN where the
    allocation seen leaves one empty.

    Args:
        scores: (replicates, people).
        treated: The allocation seen, (replicates, people).
        counted: Who counts, (replicates, people).
        redrawn: Pairs of the treated and the controls of allocations drawn again, (redraws, replicates, people) each.
    """
    seen = np.abs(_difference(scores, treated & counted, ~treated & counted))
    beyond, drawn = np.ones(seen.shape), 1
    for others, controls in redrawn:
        found = np.abs(_difference(scores, others & counted, controls & counted))
        beyond += (~(found < seen * (1.0 - ROUNDING))).sum(axis=0)
        drawn += len(found)
    return np.where(np.isfinite(seen), beyond / drawn, np.nan)


def _difference(scores: Array, treated: Flags, control: Flags) -> Array:
    """Difference of mean scores; NaN where an arm is empty."""
    sums = [np.where(who, scores, 0.0).sum(axis=-1) for who in (treated, control)]
    numbers = [who.sum(axis=-1) for who in (treated, control)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[0] / numbers[0] - sums[1] / numbers[1]
