"""Sufficient statistics of repeated measures: what a normal model of visits needs to know of each replicate.

Patients with the same visits observed share their weights, so a replicate is described by the sums of squares and
products within each pattern of missing visits; the cost of a fit does not depend on the number of patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motorpool.trials.analyses.estimate import Array, Flags, Numbers

MOST_VISITS = 40
LARGEST_CONDITION = 1e10
CHUNK_FLOATS = 4_000_000  # of one-hot patterns and products held at once


@dataclass(frozen=True)
class Patterns:
    """Sums within patterns of observed visits; G is the largest number of patterns of a replicate.

    Attributes:
        observed: Which visits a pattern has, (replicates, G, visits); nothing in patterns that are not used.
        patients: Patients, (replicates, G).
        columns: Products of the columns with each other, (replicates, G, q, q).
        column_values: Products of columns with values, (replicates, G, q, visits).
        values: Products of values with each other, (replicates, G, visits, visits).
        to_visits: Map of the p coefficients to those of each column at each visit, (visits, q, p).
        log_scale: Sum over coefficients of the logarithm of what their column was divided by, (replicates,).
    """

    observed: Flags
    patients: Array
    columns: Array
    column_values: Array
    values: Array
    to_visits: Array
    log_scale: Array

    def take(self, chosen: Numbers | Flags | slice) -> Patterns:
        """The same for some of the replicates."""
        return Patterns(
            self.observed[chosen],
            self.patients[chosen],
            self.columns[chosen],
            self.column_values[chosen],
            self.values[chosen],
            self.to_visits,
            self.log_scale[chosen],
        )


def scaled_columns(columns: Array, counted: Flags) -> tuple[Array, Array]:
    """Columns centred and divided by their standard deviation among those counted, and that deviation.

    A column that does not vary in a replicate becomes zero there, with a deviation of zero.
    """
    weight = counted.astype(float)
    patients = np.maximum(weight.sum(axis=1), 1.0)
    clean = np.where(counted[..., None], columns, 0.0)
    centred = (clean - clean.sum(axis=1, keepdims=True) / patients[:, None, None]) * weight[..., None]
    deviation = np.sqrt((centred**2).sum(axis=1) / patients[:, None])
    return np.divide(
        centred, deviation[:, None, :], out=np.zeros_like(centred), where=deviation[:, None, :] > 1e-12
    ), np.where(deviation > 1e-12, deviation, 0.0)


def patterns_of(values: Array, columns: Array, by_visit: Flags) -> Patterns:
    """Sums within patterns of missing visits.

    Args:
        values: (replicates, patients, visits), NaN where missing.
        columns: Columns of each patient, the intercept first, then the treatment, then covariates, (replicates,
            patients, q). Covariates are centred and scaled.
        by_visit: Whether each column has a coefficient at every visit, (q,), or one for all.

    Raises:
        ValueError: More visits than can be handled.
    """
    replicates, patients, visits = values.shape
    if visits > MOST_VISITS:
        message = f"{visits} visits; the repeated measures model takes at most {MOST_VISITS}"
        raise ValueError(message)
    complete: Flags = np.asarray(np.isfinite(columns).all(axis=-1))
    known: Flags = np.isfinite(values) & complete[..., None]
    counted: Flags = np.any(known, axis=-1)
    covariates, deviation = scaled_columns(columns[..., 2:], counted)
    fixed = np.where(counted[..., None], columns[..., :2], 0.0)
    every = np.concatenate([fixed, covariates, np.where(known, values, 0.0)], axis=-1)
    codes = (known @ (2.0 ** np.arange(visits))).astype(np.int64)
    place, observed = _places(codes, visits)
    count = observed.shape[1]
    width = every.shape[-1]
    sums = np.empty((replicates, count, width * width))
    people = np.empty((replicates, count))
    chunk = max(1, CHUNK_FLOATS // max(patients * (count + width * width), 1))
    for first in range(0, replicates, chunk):
        part = slice(first, first + chunk)
        member = (place[part, None, :] == np.arange(count)[None, :, None]).astype(float)
        products = every[part, :, :, None] * every[part, :, None, :]
        sums[part] = member @ products.reshape(len(member), patients, -1)
        people[part] = member.sum(axis=-1)
    q = columns.shape[-1]
    blocks = sums.reshape(replicates, count, width, width)
    to_visits = _map(by_visit, visits)
    times = np.where(by_visit[2:], visits, 1)
    log_scale = (np.log(np.where(deviation > 0.0, deviation, 1.0)) * times).sum(axis=-1)
    return Patterns(
        observed,
        people,
        blocks[:, :, :q, :q],
        blocks[:, :, :q, q:],
        blocks[:, :, q:, q:],
        to_visits,
        log_scale,
    )


def _places(codes: Array, visits: int) -> tuple[Array, Flags]:
    """Number of each patient's pattern within its replicate (-1: nothing observed), and the patterns' visits."""
    found = [np.unique(row[row > 0]) for row in codes]
    most = max(1, max(len(one) for one in found))
    place = np.full(codes.shape, -1)
    observed = np.zeros((len(codes), most, visits), dtype=bool)
    for replicate, (row, one) in enumerate(zip(codes, found, strict=True)):
        kept = row > 0
        place[replicate, kept] = np.searchsorted(one, row[kept])
        observed[replicate, : len(one)] = (one[:, None] >> np.arange(visits)) & 1
    return place, observed


def _map(by_visit: Flags, visits: int) -> Array:
    """Map of coefficients to columns at visits, (visits, q, p)."""
    blocks: list[Array] = []
    for column, each in enumerate(by_visit):
        block = np.zeros((visits, len(by_visit), visits if each else 1))
        block[:, column, :] = np.eye(visits) if each else 1.0
        blocks.append(block)
    return np.concatenate(blocks, axis=-1)
