"""Multiple imputation of missing visits of many replicates at once, also by reference, with Rubin's rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, summarised
from motorpool.trials.analyses.imputation_model import (
    Streams,
    Sums,
    design_of,
    draw_missing,
    draw_parameters,
    first_root,
    gaps_of,
    start_means,
    sums_of,
    sums_of_rows,
    times,
)
from motorpool.trials.analyses.patients import covariate_columns, flags

Assumption = Literal[
    "missing_at_random", "jump_to_reference", "copy_increments_in_reference", "copy_reference"
]
ASSUMPTIONS: tuple[Assumption, ...] = (
    "missing_at_random",
    "jump_to_reference",
    "copy_increments_in_reference",
    "copy_reference",
)
CYCLES = 10  # of data augmentation before a draw counts; each chain gives one imputation
VALUES_AT_ONCE = 2_000_000


@dataclass(frozen=True, kw_only=True)
class ImputedEstimate(Estimate):
    """Estimate pooled over imputations; `missing_information` is the fraction of information missing."""

    missing_information: Array


def impute(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    assumption: Assumption = "missing_at_random",
    delta: float = 0.0,
    imputations: int = 20,
    generator: np.random.Generator | Sequence[np.random.Generator],
) -> Array:
    """Complete data sets, (imputations, replicates, patients, visits), with draws of the imputation model.

    Values missing after a treated patient's last visit follow the assumption (Carpenter, Roger and Kenward 2013): the
    mean of the treated (missing at random), that of controls (jump to reference), the last mean of the treated plus
    the changes of controls (copy increments in reference), or that of controls from the start (copy reference), each
    given what was seen. Missed visits in between, and controls, are missing at random. Where that model
    has no posterior (see `first_root`) there is no complete data set, but NaN.

    Args:
        value: Change from baseline, (replicates, patients, visits); NaN where missing.
        treated: Whether treated, (replicates, patients).
        baseline: Value before treatment, (replicates, patients), known for everyone.
        covariates: Further columns, (replicates, patients, columns), known for everyone.
        stratum: Stratum of randomisation, (replicates, patients).
        assumption: How values after withdrawal of the treated are distributed.
        delta: Added to the values imputed after withdrawal of the treated (missing not at random), in points.
        imputations: Number of complete data sets.
        generator: Source of random numbers; one for each replicate makes a replicate the same in any company.

    Raises:
        ValueError: An unknown assumption, fewer than two imputations, or arrays of other shapes.
    """
    parts = _parts(value, treated, baseline, covariates, stratum, assumption, delta, imputations, generator)
    return np.concatenate([complete for _, complete in parts], axis=1)


def _parts(
    value: ArrayLike,
    treated: ArrayLike,
    baseline: ArrayLike | None,
    covariates: ArrayLike | None,
    stratum: ArrayLike | None,
    assumption: Assumption,
    delta: float,
    imputations: int,
    generator: np.random.Generator | Sequence[np.random.Generator],
) -> Iterator[tuple[slice, Array]]:
    """Complete data of some replicates at a time, so that memory holds those of many."""
    if assumption not in ASSUMPTIONS:
        message = f"assumption is '{assumption}'; known are {', '.join(ASSUMPTIONS)}"
        raise ValueError(message)
    if imputations < 2:
        message = f"imputations is {imputations}; Rubin's rules need at least 2"
        raise ValueError(message)
    values, arm = np.asarray(value, dtype=float), flags(treated, "treated")
    if values.ndim != 3 or values.shape[:2] != arm.shape:
        message = (
            f"value has shape {values.shape}; it must be (replicates, patients, visits) with {arm.shape}"
        )
        raise ValueError(message)
    extra = covariate_columns(arm, baseline, covariates, stratum)
    if not np.isfinite(extra).all():
        message = "baseline and covariates must be known for everyone who is imputed"
        raise ValueError(message)
    extra = extra - extra.mean(axis=1, keepdims=True)
    columns = np.concatenate([np.ones((*arm.shape, 1)), arm[..., None].astype(float), extra], axis=-1)
    each = _generators(generator, len(values))
    step = max(1, VALUES_AT_ONCE // max(imputations * values[0].size, 1))
    for start in range(0, len(values), step):
        part = slice(start, start + step)
        complete = np.full((imputations, *values[part].shape), np.nan)
        root = first_root(values[part], columns[part])
        sound = np.flatnonzero(np.isfinite(root).all(axis=(1, 2)))
        if sound.size:
            rows = start + sound
            streams = Streams([each[int(row)] for row in rows], imputations)
            complete[:, sound] = _imputed(
                values[rows], arm[rows], columns[rows], root[sound], assumption, delta, streams
            )
        yield part, complete


def _generators(
    generator: np.random.Generator | Sequence[np.random.Generator], replicates: int
) -> Sequence[np.random.Generator]:
    """One generator for each replicate."""
    if isinstance(generator, np.random.Generator):
        return generator.spawn(replicates)
    if len(generator) != replicates:
        message = f"{len(generator)} generators are given for {replicates} replicates"
        raise ValueError(message)
    return generator


def _imputed(
    values: Array,
    arm: Flags,
    columns: Array,
    start: Array,
    assumption: Assumption,
    delta: float,
    streams: Streams,
) -> Array:
    """Imputations of some replicates; a chain is a replicate and an imputation.

    Only patients with a visit missing change from cycle to cycle; of the others the sums are enough.
    """
    imputations, replicates = streams.imputations, len(values)
    known = np.isfinite(values)
    gaps = gaps_of(np.concatenate([known] * imputations))
    own = gaps.chain % replicates, gaps.patient
    here, rows = values[own], columns[own]
    whole: Flags = np.expand_dims(known.all(axis=-1), -1)
    complete = sums_of(np.where(whole, values, 0.0), np.where(whole, columns, 0.0))
    fixed = Sums(*(np.concatenate([one] * imputations) for one in (complete.column_values, complete.values)))
    design = design_of(columns, values.shape[-1], imputations)
    root = np.concatenate([start] * imputations)
    filled = draw_missing(here, start_means(values, columns)[own], root, gaps, streams)
    for cycle in range(CYCLES):
        sums = fixed.with_rows(sums_of_rows(filled, rows, gaps.chain, len(root)))
        draw = draw_parameters(sums, design, streams)
        coefficients = draw.coefficients[gaps.chain]
        means = times(np.swapaxes(coefficients, 1, 2), rows)
        if cycle == CYCLES - 1:
            means = _assumed(means, coefficients[:, 1], here, rows[:, 1] > 0.0, assumption)
        filled = draw_missing(here, means, draw.root, gaps, streams)
    if delta:
        filled = filled + delta * (_after_last(here) & (rows[:, 1:2] > 0.0))
    found = np.concatenate([values] * imputations)
    found[gaps.chain, gaps.patient] = filled
    return found.reshape(imputations, *values.shape)


def _after_last(values: Array) -> Flags:
    """Visits after the last one seen, (..., visits)."""
    known = np.isfinite(values)
    return ~np.logical_or.accumulate(known[..., ::-1], axis=-1)[..., ::-1]


def _assumed(means: Array, effect: Array, here: Array, treated: Flags, assumption: Assumption) -> Array:
    """Means that missing values of the treated are drawn around, (rows, visits).

    Args:
        means: of each patient's own arm; effect: of the arm, (rows, visits) both.
        here: values, NaN where missing; treated: (rows,).
    """
    if assumption == "missing_at_random":
        return means
    late = _after_last(here)
    if assumption == "copy_reference":
        lost = effect
    elif assumption == "jump_to_reference":
        lost = np.where(late, effect, 0.0)
    else:
        seen = (~late).sum(axis=-1, keepdims=True)
        gained = np.concatenate([np.zeros_like(effect[:, :1]), effect], axis=-1)
        at_last = np.take_along_axis(gained, seen, axis=-1)  # 0 for those never seen after baseline
        lost = np.where(late, effect - at_last, 0.0)
    return means - np.where(treated[:, None], lost, 0.0)


def pool(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    complete_degrees_of_freedom: ArrayLike,
    confidence: float = CONFIDENCE,
) -> ImputedEstimate:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin (1999).

    Args:
        estimates: Of each imputation, (imputations, replicates).
        standard_errors: Of each imputation, (imputations, replicates).
        complete_degrees_of_freedom: Those without missing data, (replicates,) or a number; may be infinite.
        confidence: Level of the interval.
    """
    # Imputations as last axis: sums then have one order, whatever the number of replicates.
    effects, errors = (
        np.array(np.transpose(one), dtype=float, order="C") for one in (estimates, standard_errors)
    )
    count = effects.shape[-1]
    within, between = (errors**2).mean(axis=-1), effects.var(axis=-1, ddof=1)
    added = (1.0 + 1.0 / count) * between
    total = within + added
    full = np.broadcast_to(np.asarray(complete_degrees_of_freedom, dtype=float), total.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = added / total
        old = (count - 1) / share**2
        seen = np.where(np.isfinite(full), (full + 1.0) / (full + 3.0) * full * (1.0 - share), np.inf)
        degrees = 1.0 / (1.0 / old + 1.0 / seen)
        ratio = added / within
        information = (ratio + 2.0 / (degrees + 3.0)) / (ratio + 1.0)
    return ImputedEstimate(
        **summarised(effects.mean(axis=-1), np.sqrt(total), degrees, confidence),
        missing_information=np.where(added > 0.0, information, 0.0),
    )


def imputed_ancova(
    value: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    visit: int = -1,
    assumption: Assumption = "missing_at_random",
    delta: float = 0.0,
    imputations: int = 20,
    generator: np.random.Generator | Sequence[np.random.Generator],
    confidence: float = CONFIDENCE,
) -> ImputedEstimate:
    """Impute (see `impute`), analyse each complete data set by analysis of covariance at one visit, and pool.

    With a reference-based assumption Rubin's variance is known to be larger than that of repeated trials.

    Raises:
        ValueError: As `impute` and `ancova`.
    """
    found: list[tuple[Array, Array, Array]] = []
    for part, complete in _parts(
        value, treated, baseline, covariates, stratum, assumption, delta, imputations, generator
    ):
        fitted = [
            ancova(
                data[..., visit],
                np.asarray(treated)[part],
                baseline=_some(baseline, part),
                covariates=_some(covariates, part),
                stratum=_some(stratum, part),
                confidence=confidence,
            )
            for data in complete
        ]
        effects, errors = (
            np.stack([getattr(one, name) for one in fitted]) for name in ("estimate", "standard_error")
        )
        found.append((effects, errors, fitted[0].degrees_of_freedom))
    effects, errors = (np.concatenate([one[place] for one in found], axis=1) for place in (0, 1))
    return pool(effects, errors, np.concatenate([one[2] for one in found]), confidence)


def _some(values: ArrayLike | None, part: slice) -> ArrayLike | None:
    return None if values is None else np.asarray(values)[part]
