"""What visits of replicate trials record: the project's observation model, with centres, raters and late visits."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH
from motorpool.outcomes.observation import ObservationParameters, observe
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation.labels import outcome_view
from motorpool.trials.design import TrialDesign
from motorpool.trials.luck import Luck
from motorpool.trials.pool import Pool
from motorpool.trials.scenarios import DAYS_PER_MONTH
from motorpool.trials.truth import Truth

Array = NDArray[Any]
PEOPLE_TOGETHER = 16_384  # numerical choice: programs are compiled for this many people
LATEST_MONTH = 1200.0  # people who are never found have no day of entry; the times no longer change after it


@dataclasses.dataclass(frozen=True)
class Scores:
    """Baseline (O, R, N) as it stood at entry; values (O, V, R, N) as rated; true (O, V, R, N)."""

    baseline: Array
    values: Array
    true: Array


def take_scores(
    design: TrialDesign,
    pool: Pool,
    truth: Truth,
    luck: Luck,
    true: Array,
    *,
    arm: Array,
    entry: Array,
    outside: Array,
    baseline: Array,
) -> Scores:
    """Rate everybody at every visit.

    Args:
        true: (V', O, R, N), at the visits of the pool, later visits included.
        arm, entry, outside: arm, month of entry, and who is from outside the trial, (R, N).
        baseline: (O, R, N), as taken at entry.
    """
    months = np.asarray(design.visit_months)
    outcomes, visits = len(design.outcomes), months.size
    replicates, people = arm.shape
    if not outcomes:
        nothing = np.zeros((0, visits, replicates, people), np.float32)
        return Scores(nothing[:, 0], nothing, nothing)
    at = np.broadcast_to(months[:, None, None], (visits, replicates, people)).astype(np.float32)
    values = true[:visits]
    if design.visits.window_days > 0.0:
        late = (2.0 * np.moveaxis(luck.late, 1, 0) - 1.0) * design.visits.window_days / DAYS_PER_MONTH
        at = at + np.concatenate([np.zeros((1, replicates, people), np.float32), late])
        values = _between(true, pool.visit_months, at)
    site = np.floor(luck.site * design.sites.count).astype(np.int64)
    shift = _shifts(design, truth, luck, site, at, entry, outside)
    parameters, values = _rated_by(design, pool, luck, site, values + shift)
    treated = _knows(design, luck, arm)
    seen = _observed(values, months, luck.seeds, parameters, treated)
    baseline = _limited(design, baseline + shift[0], whole=bool(design.sites.level_sd))
    seen[:, 0] = baseline
    return Scores(baseline, seen, np.moveaxis(values, 1, 0))


def _between(true: Array, months: Array, at: Array) -> Array:
    """True scores (V, O, R, N) at visits that come early or late, on the line between the planned ones."""
    visits = at.shape[0]
    before = np.clip(np.searchsorted(months, at, side="right") - 1, 0, months.size - 2)
    share = (at - months[before]) / (months[before + 1] - months[before])
    values = [true[:, row] for row in range(true.shape[1])]
    found: list[Array] = []
    for each in values:
        low = np.take_along_axis(each, before, axis=0)
        high = np.take_along_axis(each, before + 1, axis=0)
        # Who dies before the next planned visit was alive at an earlier moment: the last score stands.
        moved = low + np.where(np.isfinite(high), high - low, 0.0) * share
        found.append(np.where(np.isfinite(each[:visits]) | np.isfinite(low), moved, np.nan))
    return np.stack(found, axis=1).astype(np.float32)


def _shifts(
    design: TrialDesign, truth: Truth, luck: Luck, site: Array, at: Array, entry: Array, outside: Array
) -> Array:
    """What centres, drift of the times and people from outside add to the first outcome, (V, O, R, N)."""
    shift = np.zeros((at.shape[0], len(design.outcomes), *outside.shape), np.float32)
    sites = design.sites
    years = at / 12.0
    if sites.level_sd or sites.course_sd_per_year:
        level = np.take_along_axis(luck.site_level, site, axis=1) * sites.level_sd
        course = np.take_along_axis(luck.site_course, site, axis=1) * sites.course_sd_per_year
        shift[:, 0] += (level + course * years).astype(np.float32)
    progress = at / max(design.horizon_months, 1e-9)
    if truth.kind == "drift":
        shift[:, 0] += (truth.value * np.minimum(entry, LATEST_MONTH) / 12.0 * progress).astype(np.float32)
    if design.external_control is not None and design.external_control.drift_points:
        shift[:, 0] += np.where(outside, design.external_control.drift_points * progress, 0.0).astype(
            np.float32
        )
    return shift


def _rated_by(
    design: TrialDesign, pool: Pool, luck: Luck, site: Array, values: Array
) -> tuple[ObservationParameters, Array]:
    """The observation model of the design's outcomes, with the raters' part of the noise already in the values."""
    rows = np.asarray([OUTCOME_INDEX[name] for name in design.outcomes])
    whole = pool.draw.observation
    fields = {field.name: getattr(whole, field.name)[rows] for field in dataclasses.fields(whole)}
    share = design.sites.rater_share
    if share > 0.0:
        raters = luck.rater_bias.shape[2]
        which = np.floor(np.moveaxis(luck.rater, 1, 0) * raters).astype(np.int64)
        replicate = np.arange(site.shape[0])[:, None]
        values = values.copy()
        noise, proportional = np.asarray(fields["noise_sd"]), np.asarray(fields["proportional"])
        for row in range(rows.size):
            bias = luck.rater_bias[replicate[None], site[None], which, row] * noise[row] * np.sqrt(share)
            moved = values[1:, row] * np.exp(bias) if proportional[row] else values[1:, row] + bias
            values[1:, row] = moved
        fields["noise_sd"] = fields["noise_sd"] * jnp.sqrt(1.0 - share).astype(fields["noise_sd"].dtype)
    return ObservationParameters(**fields), values


def _knows(design: TrialDesign, luck: Luck, arm: Array) -> Array:
    """Who, or whose rater, knows that something is given, 1 or 0, (R, N)."""
    given = np.asarray([bool(each.therapies) for each in design.arms.values()] + [False])[arm]
    if design.blinding == "open_label":
        return given.astype(np.float32)
    return (given & (luck.unblinding < design.conduct.unblinded_share)).astype(np.float32)


def _observed(
    values: Array, months: Array, seeds: Array, parameters: ObservationParameters, knows: Array
) -> Array:
    """Scores as rated, (O, V, R, N), of true ones (V, O, R, N)."""
    visits, outcomes, replicates, people = values.shape
    flat = values.reshape(visits, outcomes, -1)
    size = flat.shape[-1]
    padding = -size % PEOPLE_TOGETHER
    flat = np.pad(flat, ((0, 0), (0, 0), (0, padding)), constant_values=0.0).astype(np.float32)
    luck = np.pad(seeds.reshape(-1), (0, padding))
    label = np.pad(knows.reshape(-1), (0, padding)).astype(np.float32)
    hours = np.round(months * HOURS_PER_MONTH).astype(np.int32)
    found = [
        np.asarray(_see(flat[..., block], hours, luck[block], parameters, label[block]))
        for block in (
            slice(first, first + PEOPLE_TOGETHER) for first in range(0, size + padding, PEOPLE_TOGETHER)
        )
    ]
    seen = np.concatenate(found, axis=-1)[..., :size].reshape(visits, outcomes, replicates, people)
    return np.ascontiguousarray(np.moveaxis(seen, 1, 0))


@functools.partial(jax.jit)
def _see(true: Any, hours: Any, seeds: Any, parameters: ObservationParameters, open_label: Any) -> Any:
    return observe(true, hours, seeds, parameters, open_label=open_label)


def _limited(design: TrialDesign, values: Array, *, whole: bool) -> Array:
    """Baselines within their scales, in whole points again where centres have moved them."""
    found = values.astype(np.float32)
    for row, outcome in enumerate(design.outcomes):
        view = outcome_view(outcome)
        if whole:
            from motorpool.evidence.outcome_catalogue import load_outcome_catalogue

            if load_outcome_catalogue()[outcome].whole_numbers:
                found[row] = np.round(found[row])
        low = -np.inf if view.low is None else view.low
        high = np.inf if view.high is None else view.high
        found[row] = np.clip(found[row], low, high)
    return found
