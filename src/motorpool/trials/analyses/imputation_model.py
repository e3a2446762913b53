"""Draws of missing visits from a Bayesian multivariate normal model, many replicates and imputations at once.

The model: values at all visits are normal around columns (arm, baseline, covariates) times coefficients of each
visit, with an unstructured covariance and the usual flat prior. Draws alternate between parameters given complete
data and missing values given parameters (data augmentation, Schafer 1997), started from the observed data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motorpool.trials.analyses.covariance import structure
from motorpool.trials.analyses.estimate import Array, Flags, Numbers
from motorpool.trials.analyses.reml import fit
from motorpool.trials.analyses.repeated import patterns_of

NEAR = (
    1e-3  # of the log likelihood: chains leave the maximum at once, so that they need not start at it exactly
)
LARGEST_CONDITION = 1e8  # of the covariance; beyond it one visit determines another


@dataclass(frozen=True)
class Streams:
    """Random numbers for the chains of some replicates, each replicate with a generator of its own.

    Chains come by imputation first: all replicates of the first imputation, then all of the second.
    """

    generators: Sequence[np.random.Generator]
    imputations: int

    def normal(self, shape: tuple[int, ...]) -> Array:
        """Standard normals, (chains, *shape)."""
        drawn = [one.standard_normal((self.imputations, *shape)) for one in self.generators]
        return np.stack(drawn, axis=1).reshape(-1, *shape)

    def chi_square(self, degrees: Array) -> Array:
        """Chi squares with degrees (chains, k) that are alike in all chains of a replicate."""
        own = degrees[: len(self.generators)]
        size = (self.imputations, degrees.shape[1])
        drawn = [one.chisquare(row, size=size) for one, row in zip(self.generators, own, strict=True)]
        return np.stack(drawn, axis=1).reshape(degrees.shape)

    def normal_of(self, gaps: Gaps, visits: int) -> Array:
        """Standard normals for patients with a visit missing, (gaps, visits)."""
        counts = np.bincount(gaps.chain, minlength=len(self.generators))[: len(self.generators)]
        drawn = [
            one.standard_normal((self.imputations, count, visits))
            for one, count in zip(self.generators, counts, strict=True)
        ]
        return np.concatenate(drawn, axis=1).reshape(-1, visits)


@dataclass(frozen=True)
class Draw:
    """Coefficients (chains, q, visits) and a root of the covariance (chains, visits, visits): root root' is it."""

    coefficients: Array
    root: Array


@dataclass(frozen=True)
class Design:
    """Of the cross products of the columns of each chain the inverse, its root and the degrees left."""

    inverse: Array
    root: Array
    degrees: Array


def design_of(columns: Array, visits: int, repeats: int) -> Design:
    """The design of each replicate (replicates, patients, q), repeated for all its chains."""
    cross = np.swapaxes(columns, 1, 2) @ columns
    inverse: Array = np.asarray(np.linalg.pinv(cross, hermitian=True), dtype=float)
    rank = np.linalg.matrix_rank(cross, hermitian=True)
    degrees = np.maximum(columns.shape[1] - rank, visits).astype(float)

    def repeated(one: Array) -> Array:
        return np.concatenate([one] * repeats)

    return Design(repeated(inverse), repeated(symmetric_root(inverse)), repeated(degrees))


def first_root(values: Array, columns: Array) -> Array:
    """Root of the covariance by restricted likelihood, (replicates, visits, visits), where the draws start.

    NaN where the model has no posterior or no likelihood with a maximum: where fewer people were seen at a visit than
    there are columns and visits together, or one visit determines another.

    Args:
        values: (replicates, patients, visits), NaN where missing.
        columns: (replicates, patients, q).
    """
    visits = values.shape[-1]
    rank = np.linalg.matrix_rank(np.swapaxes(columns, 1, 2) @ columns, hermitian=True)
    enough = (np.isfinite(values).sum(axis=1) >= rank[:, None] + visits).all(axis=-1)
    root = np.full((len(values), visits, visits), np.nan)
    rows = np.flatnonzero(enough)
    if not rows.size:
        return root
    kind = structure("unstructured", visits)
    patterns = patterns_of(values[rows], columns[rows], np.ones(columns.shape[-1], dtype=bool))
    with np.errstate(all="ignore"):
        found = np.asarray(kind.matrix(fit(patterns, kind, settled=NEAR).parameters))
        known: Flags = np.asarray(np.isfinite(found).all(axis=(1, 2)))
        settled = known & (np.linalg.cond(np.where(known[:, None, None], found, 0.0)) < LARGEST_CONDITION)
    root[rows[settled]] = symmetric_root(found[settled])
    return root


def start_means(values: Array, columns: Array) -> Array:
    """Means of each arm at each visit among those seen, as where the draws start."""
    known = np.isfinite(values)
    arm = columns[..., 1][..., None] > 0.0
    means = np.zeros(values.shape)
    for member in (arm, ~arm):
        who = known & member
        sums = np.where(who, values, 0.0).sum(axis=1, keepdims=True)
        means = np.where(member, sums / np.maximum(who.sum(axis=1, keepdims=True), 1), means)
    return means


@dataclass(frozen=True)
class Sums:
    """Products summed over patients: of columns with values, (chains, q, visits), and of values with each other."""

    column_values: Array
    values: Array

    def with_rows(self, rows: Sums) -> Sums:
        """These and others together."""
        return Sums(self.column_values + rows.column_values, self.values + rows.values)


def sums_of(values: Array, columns: Array) -> Sums:
    """Of complete data: values (chains, patients, visits), columns (chains, patients, q)."""
    return Sums(np.swapaxes(columns, 1, 2) @ values, np.swapaxes(values, 1, 2) @ values)


def sums_of_rows(values: Array, columns: Array, chain: Numbers, chains: int) -> Sums:
    """Of patients given one a row, chains in order: values (rows, visits), columns (rows, q), chain (rows,)."""
    starts = np.flatnonzero(np.diff(chain, prepend=-1))

    def summed(left: Array) -> Array:
        found = np.zeros((chains, left.shape[1], values.shape[1]))
        if starts.size:
            found[chain[starts]] = np.add.reduceat(left[:, :, None] * values[:, None, :], starts, axis=0)
        return found

    return Sums(summed(columns), summed(values))


def draw_parameters(sums: Sums, design: Design, streams: Streams) -> Draw:
    """Coefficients and covariance given the sums of complete data."""
    visits = sums.values.shape[-1]
    centre = design.inverse @ sums.column_values
    squares = sums.values - np.swapaxes(sums.column_values, 1, 2) @ centre
    # Bartlett: T lower triangular, T T' standard Wishart; the covariance is R (T T')^-1 R' with R R' the squares.
    triangle = np.tril(streams.normal((visits, visits)), -1)
    chi = np.sqrt(streams.chi_square(design.degrees[:, None] - np.arange(visits)))
    triangle[:, np.arange(visits), np.arange(visits)] = chi
    half = symmetric_root(squares) @ np.swapaxes(np.linalg.inv(triangle), 1, 2)
    noise = streams.normal((centre.shape[1], visits))
    return Draw(centre + design.root @ noise @ np.swapaxes(half, 1, 2), half)


def symmetric_root(matrices: Array) -> Array:
    """A root L with L L' = M of positive semidefinite matrices."""
    values, vectors = np.linalg.eigh(matrices)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]


@dataclass(frozen=True)
class Gaps:
    """Patients with a visit missing: chain and place of each, and which pattern of its chain each has.

    Attributes:
        chain: Number of the chain, (gaps,).
        patient: Place of the patient, (gaps,).
        seen: Visits seen, (gaps, visits).
        pattern: Index into the distinct patterns of chains, (gaps,).
        pattern_chain: Chain of each distinct pattern.
        pattern_seen: Visits seen of each distinct pattern.
    """

    chain: Numbers
    patient: Numbers
    seen: Flags
    pattern: Numbers
    pattern_chain: Numbers
    pattern_seen: Flags


def gaps_of(known: Flags) -> Gaps:
    """Where visits are missing; `known` is (chains, patients, visits)."""
    chain, patient = np.nonzero(~known.all(axis=-1))
    seen = known[chain, patient]
    visits = known.shape[-1]
    code = seen @ (1 << np.arange(visits, dtype=np.int64)) + (chain << visits)
    _, first, pattern = np.unique(code, return_index=True, return_inverse=True)
    return Gaps(chain, patient, seen, pattern, chain[first], seen[first])


def draw_missing(here: Array, means: Array, root: Array, gaps: Gaps, streams: Streams) -> Array:
    """Complete values of the patients with a visit missing, (gaps, visits): seen ones kept, others drawn around means.

    A whole set of values is drawn, and the missing ones are moved by what the seen ones differ from those drawn.

    Args:
        here: their values, (gaps, visits), NaN where missing.
        means: around which they lie, (gaps, visits).
        root: of the covariance, (chains, visits, visits).
    """
    covariance = root @ np.swapaxes(root, 1, 2)
    both = gaps.pattern_seen[:, :, None] & gaps.pattern_seen[:, None, :]
    of_pattern = covariance[gaps.pattern_chain]
    inverse = np.where(both, _inverse(np.where(both, of_pattern, np.eye(here.shape[-1]))), 0.0)
    weights = of_pattern @ inverse
    drawn = means + times(root[gaps.chain], streams.normal_of(gaps, here.shape[-1]))
    short = np.where(gaps.seen, here - drawn, 0.0)
    return np.where(gaps.seen, here, drawn + times(weights[gaps.pattern], short))


def times(matrices: Array, vectors: Array) -> Array:
    """Each matrix times its vector; for small ones several times as fast as stacked matrix products."""
    return np.einsum("gij,gj->gi", matrices, vectors)


def _inverse(matrices: Array) -> Array:
    """Inverses of small positive definite matrices, all together, by Gauss and Jordan without pivots."""
    found = matrices.copy()
    for place in range(found.shape[-1]):
        pivot = found[:, place, place].copy()[:, None]
        row, column = found[:, place, :] / pivot, found[:, :, place].copy()
        found -= column[:, :, None] * row[:, None, :]
        found[:, place, :], found[:, :, place] = row, -column / pivot
        found[:, place, place] = 1.0 / pivot[:, 0]
    return found
