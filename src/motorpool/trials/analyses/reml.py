"""Restricted maximum likelihood of repeated measures, many replicates at once, by Fisher scoring.

Notation: a patient's values have covariance S restricted to the visits seen, W its inverse (zero elsewhere), X the
design; A = sum X'WX, and the coefficients have covariance A^-1 =: F. All sums are over patterns of missing visits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motorpool.trials.analyses.covariance import Structure
from motorpool.trials.analyses.estimate import Array, Flags
from motorpool.trials.analyses.repeated import Patterns

MOST_STEPS = 60
MOST_HALVINGS = 12
SETTLED = 1e-14  # of the Newton decrement, in units of log likelihood; one more step is taken from there


@dataclass(frozen=True)
class State:
    """Quantities at given covariance parameters, replicates first; `sound` where the matrices are positive definite."""

    weights: Array  # W by pattern (replicates, G, visits, visits)
    information: Array  # A (replicates, p, p)
    inverse: Array  # F (replicates, p, p)
    coefficients: Array  # (replicates, p)
    residuals: Array  # sum of r r' by pattern (replicates, G, visits, visits)
    log_likelihood: Array  # (replicates,)
    sound: Flags  # (replicates,)


@dataclass(frozen=True)
class Fit:
    """Fitted parameters (replicates, K), the state there, and whether the fit settled."""

    parameters: Array
    state: State
    converged: Flags


def _two_sided(to_visits: Array, middle: Array) -> Array:
    """C' M C for M (..., visits, visits, q, q) with axes (s, t, a, b)."""
    visits, q, p = to_visits.shape
    flat = np.ascontiguousarray(np.swapaxes(middle, -3, -2)).reshape(
        *middle.shape[:-4], visits * q, visits * q
    )
    c = to_visits.reshape(visits * q, p)
    return c.T @ (flat @ c)


def over_patterns(by_pattern: Array, columns: Array, to_visits: Array) -> Array:
    """Sum over patterns of X' M X for matrices M (replicates, G, visits, visits): (replicates, p, p)."""
    replicates, count, visits, _ = by_pattern.shape
    q = columns.shape[-1]
    flat = np.swapaxes(by_pattern.reshape(replicates, count, -1), 1, 2) @ columns.reshape(
        replicates, count, -1
    )
    return _two_sided(to_visits, flat.reshape(replicates, visits, visits, q, q))


def spread(inner: Array, patterns: Patterns) -> Array:
    """Sum over a pattern's patients of X K X' for K (replicates, p, p): (replicates, G, visits, visits)."""
    visits, q, p = patterns.to_visits.shape
    c = patterns.to_visits.reshape(visits * q, p)
    full = (c @ inner @ c.T).reshape(-1, visits, q, visits, q)
    flat = np.ascontiguousarray(full.transpose(0, 1, 3, 2, 4)).reshape(len(inner), visits * visits, q * q)
    sums = flat @ np.swapaxes(patterns.columns.reshape(len(inner), -1, q * q), 1, 2)
    return np.swapaxes(sums, 1, 2).reshape(len(inner), -1, visits, visits)


def evaluate(patterns: Patterns, covariance: Array) -> State:
    """Coefficients, residuals and restricted log likelihood with this covariance (replicates, visits, visits)."""
    seen = patterns.observed.astype(float)
    both = seen[..., :, None] * seen[..., None, :]
    visits, q, p = patterns.to_visits.shape
    eye = np.eye(visits)
    filled = covariance[:, None] * both + eye * (1.0 - seen)[..., None, :]
    used = patterns.patients > 0
    filled = np.where(used[..., None, None], filled, eye)
    eigen = np.linalg.eigvalsh(covariance)
    sound: Flags = (eigen[:, 0] > 1e-10 * np.abs(eigen[:, -1])) & np.isfinite(eigen).all(axis=-1)
    filled = np.where(sound[:, None, None, None], filled, eye)
    weights = np.linalg.inv(filled) * both * used[..., None, None]
    log_determinant = (patterns.patients * np.linalg.slogdet(filled)[1]).sum(axis=-1)
    information = over_patterns(weights, patterns.columns, patterns.to_visits)
    # Columns absent from a replicate have no information; they get coefficient 0.
    absent = np.diagonal(information, axis1=1, axis2=2) <= 0.0
    information = information + absent[:, :, None] * np.eye(p)
    inverse: Array = np.asarray(np.linalg.inv(information), dtype=float)
    c = patterns.to_visits.reshape(visits * q, p)
    right = (weights @ np.swapaxes(patterns.column_values, 2, 3)).sum(axis=1)  # (replicates, visits, q)
    coefficients = (inverse @ (c.T @ right.reshape(-1, visits * q, 1)))[..., 0]
    by_visit = (coefficients @ c.T).reshape(-1, 1, visits, q)
    fitted = by_visit @ patterns.column_values
    residuals = patterns.values - fitted - np.swapaxes(fitted, 2, 3)
    residuals = residuals + by_visit @ patterns.columns @ np.swapaxes(by_visit, 2, 3)
    squares = (weights * residuals).sum(axis=(1, 2, 3))
    observations = (patterns.patients[..., None] * seen).sum(axis=(1, 2))
    degrees = observations - (~absent).sum(axis=-1)
    log_likelihood = -0.5 * (
        degrees * np.log(2.0 * np.pi)
        + log_determinant
        + np.linalg.slogdet(information)[1]
        + 2.0 * patterns.log_scale
        + squares
    )
    return State(weights, information, inverse, coefficients, residuals, log_likelihood, sound)


@dataclass(frozen=True)
class Slopes:
    """First derivatives at a state: score (replicates, K), expected information (replicates, K, K), X'W D W X."""

    score: Array
    information: Array
    by_parameter: Array  # (replicates, K, p, p)


def trace_pairs(derivatives: Array, first: Array, second: Array) -> Array:
    """Sum over patterns of tr(D_k A D_l B) for A, B (replicates, G, visits, visits): (replicates, K, K)."""
    replicates, count, visits, _ = first.shape
    # Z[(s, t), (u, v)] = sum_g A[t, u] B[v, s]
    product = np.swapaxes(first.reshape(replicates, count, -1), 1, 2) @ second.reshape(replicates, count, -1)
    z = product.reshape(replicates, visits, visits, visits, visits).transpose(0, 4, 1, 2, 3)
    flat = derivatives.reshape(replicates, -1, visits * visits)
    return flat @ np.ascontiguousarray(z).reshape(replicates, visits**2, visits**2) @ np.swapaxes(flat, 1, 2)


def slopes(patterns: Patterns, state: State, derivatives: Array) -> Slopes:
    """Score and expected information of the restricted likelihood (Harville 1977) by covariance parameter."""
    replicates, parameters, visits, _ = derivatives.shape
    w, n = state.weights, patterns.patients[..., None, None]
    leverage = w @ spread(state.inverse, patterns) @ w
    lack = (w @ state.residuals @ w + leverage - n * w).sum(axis=1)
    score = 0.5 * (derivatives.reshape(replicates, parameters, -1) @ lack.reshape(replicates, -1, 1))[..., 0]
    sandwich = w[:, None] @ derivatives[:, :, None] @ w[:, None]  # (replicates, K, G, visits, visits)
    q = patterns.columns.shape[-1]
    flat = np.swapaxes(sandwich.reshape(replicates, parameters, -1, visits * visits), 2, 3)
    summed = flat @ patterns.columns.reshape(replicates, 1, -1, q * q)
    by_parameter = _two_sided(
        patterns.to_visits, summed.reshape(replicates, parameters, visits, visits, q, q)
    )
    scaled = state.inverse[:, None] @ by_parameter
    p = scaled.shape[-1]
    third = scaled.reshape(replicates, parameters, p * p) @ np.swapaxes(
        np.swapaxes(scaled, 2, 3).reshape(replicates, parameters, p * p), 1, 2
    )
    information = 0.5 * (trace_pairs(derivatives, w, n * w - 2.0 * leverage) + third)
    return Slopes(score, 0.5 * (information + np.swapaxes(information, 1, 2)), by_parameter)


def _start(patterns: Patterns) -> Array:
    """A rough positive definite covariance: variances of residuals of least squares, correlation by exchange."""
    visits = patterns.to_visits.shape[0]
    eye = np.broadcast_to(np.eye(visits), (len(patterns.patients), visits, visits))
    state = evaluate(patterns, np.ascontiguousarray(eye))
    seen = patterns.observed.astype(float)
    pairs = (patterns.patients[..., None, None] * seen[..., :, None] * seen[..., None, :]).sum(axis=1)
    q = patterns.columns.shape[-1]
    masked = state.residuals * seen[..., :, None] * seen[..., None, :]
    moments = masked.sum(axis=1) / np.maximum(pairs - q, 1.0)
    variances = np.maximum(np.diagonal(moments, axis1=1, axis2=2), 1e-8)
    scale = np.sqrt(variances[:, :, None] * variances[:, None, :])
    off = ~np.eye(visits, dtype=bool)
    correlation = (
        np.clip(np.ascontiguousarray((moments / scale)[:, off]).mean(axis=-1), 0.0, 0.9)
        if visits > 1
        else np.zeros(len(pairs))
    )
    return scale * np.where(off, correlation[:, None, None], 1.0)


def _solve(information: Array, score: Array) -> Array:
    """Scoring steps; where the information is singular, a step along the score."""
    diagonal = np.maximum(np.diagonal(information, axis1=1, axis2=2), 1e-300)
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * scale[:, :, None] * scale[:, None, :]
    sound: Flags = np.asarray(np.isfinite(scaled).all(axis=(1, 2)))
    scaled = np.where(sound[:, None, None], scaled, np.eye(score.shape[-1]))
    ridge = 1e-12 * np.eye(score.shape[-1])
    return np.linalg.solve(scaled + ridge, (score * scale)[..., None])[..., 0] * scale


def fit(patterns: Patterns, structure: Structure, *, settled: float = SETTLED) -> Fit:
    """Maximise the restricted likelihood of every replicate by scoring with halved steps.

    Args:
        settled: Newton decrement, in units of log likelihood, from which on one more step is the last.
    """
    parameters = structure.start(_start(patterns))
    replicates = len(parameters)
    converged = np.zeros(replicates, dtype=bool)
    active = np.arange(replicates)
    for _ in range(MOST_STEPS):
        part = patterns.take(active)
        here = parameters[active]
        state = evaluate(part, structure.matrix(here))
        found = slopes(part, state, structure.first(here))
        step = _solve(found.information, found.score)
        decrement = (step * found.score).sum(axis=-1)
        done = state.sound & (np.abs(decrement) < settled)
        converged[active[done]] = True
        parameters[active[done]] += step[done]
        going = ~done & state.sound
        active, here, step = active[going], here[going], step[going]
        if not len(active):
            break
        before, part = state.log_likelihood[going], part.take(going)
        moved, better = _moved(part, structure, here, step, before)
        parameters[active] = moved
        active = active[better]
        if not len(active):
            break
    return Fit(parameters, evaluate(patterns, structure.matrix(parameters)), converged)


def _moved(
    patterns: Patterns, structure: Structure, here: Array, step: Array, before: Array
) -> tuple[Array, Flags]:
    """Parameters after the longest of the halved steps that does not lower the likelihood, and where there is one."""
    moved = here.copy()
    better = np.zeros(len(here), dtype=bool)
    left = np.arange(len(here))
    factor = 1.0
    for _ in range(MOST_HALVINGS):
        trial = here[left] + factor * step[left]
        allowed = structure.allowed(trial)
        trial = np.where(allowed[:, None], trial, here[left])
        state = evaluate(patterns.take(left), structure.matrix(trial))
        good = allowed & state.sound & (state.log_likelihood >= before[left] - 1e-9)
        moved[left[good]] = trial[good]
        better[left[good]] = True
        left = left[~good]
        if not len(left):
            break
        factor *= 0.5
    return moved, better
