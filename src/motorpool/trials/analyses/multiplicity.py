"""Several hypotheses in one trial: fixed sequence, Bonferroni, Holm, Hochberg and graphical procedures."""

from __future__ import annotations

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array, Flags


def fixed_sequence(p_values: ArrayLike) -> Array:
    """Adjusted p values of hypotheses tested in order, each only after all before it; (replicates, hypotheses)."""
    raise NotImplementedError


def bonferroni(p_values: ArrayLike) -> Array:
    """Adjusted p values: times the number of hypotheses; (replicates, hypotheses)."""
    raise NotImplementedError


def holm(p_values: ArrayLike) -> Array:
    """Adjusted p values of Holm's step-down procedure; (replicates, hypotheses)."""
    raise NotImplementedError


def hochberg(p_values: ArrayLike) -> Array:
    """Adjusted p values of Hochberg's step-up procedure; (replicates, hypotheses)."""
    raise NotImplementedError


def graphical(p_values: ArrayLike, weights: ArrayLike, transitions: ArrayLike, alpha: float) -> Flags:
    """Which hypotheses the graph of Bretz et al. (2009) rejects; (replicates, hypotheses).

    `weights` (hypotheses,) share alpha at the start; `transitions` (hypotheses, hypotheses) say where the share of
    a rejected hypothesis goes.
    """
    raise NotImplementedError
