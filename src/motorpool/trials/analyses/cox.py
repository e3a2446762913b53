"""Cox's proportional hazards of many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import CONFIDENCE, Array, Estimate, Flags, Numbers, summarised
from motorpool.trials.analyses.newton import Derivatives, Maximum, maximise
from motorpool.trials.analyses.ordered import Ordered, ordered, survival_inputs
from motorpool.trials.analyses.patients import covariate_columns, flags, one_stratum
from motorpool.trials.analyses.repeated import scaled_columns

Ties = Literal["efron", "breslow"]
NUMBERS_AT_ONCE = 1_000_000  # in the largest working array


@dataclass(frozen=True, kw_only=True)
class CoxEstimate(Estimate):
    """Log hazard ratio of treated against control; `events` counts those in both arms."""

    events: Array


def cox(
    time_years: ArrayLike,
    event: ArrayLike,
    treated: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    observed: ArrayLike | None = None,
    ties: Ties = "efron",
    confidence: float = CONFIDENCE,
) -> CoxEstimate:
    """Partial likelihood with covariates; strata have hazards of their own.

    `covariates` are (replicates, patients, columns), all else (replicates, patients). NaN where the likelihood has
    no maximum, as when one arm has no event.

    Raises:
        ValueError: Arrays of other shapes, a negative time, or unknown ties.
    """
    if ties not in ("efron", "breslow"):
        message = f"ties is '{ties}'; known are efron, breslow"
        raise ValueError(message)
    time, happened, counted = survival_inputs(time_years, event, observed)
    arm = flags(treated, "treated")
    extra = covariate_columns(arm, baseline, covariates, None)
    counted = counted & np.isfinite(extra).all(axis=-1)
    scaled, _ = scaled_columns(extra, counted)
    design = np.concatenate([arm[..., None].astype(float), scaled], axis=-1)
    strata = one_stratum(stratum, arm)
    step = max(1, NUMBERS_AT_ONCE // max(design[0].size * design.shape[-1], 1))
    found: list[Array] = []
    for start in range(0, len(time), step):
        part = slice(start, start + step)
        best = _maximum(time[part], happened[part], counted[part], design[part], strata[part], ties)
        found.append(np.stack([best.coefficients[:, 0], best.standard_errors[:, 0]]))
    effect, error = np.concatenate(found, axis=1)
    events = (happened & counted).sum(axis=1).astype(float)
    return CoxEstimate(**summarised(effect, error, np.inf, confidence), events=events)


def _maximum(
    time: Array, happened: Flags, counted: Flags, design: Array, strata: Numbers, ties: Ties
) -> Maximum:
    """Maximum of the partial likelihood of some replicates."""
    parts: list[_Stratum] = []
    for number in range(int(strata.max(initial=0)) + 1):
        member = counted & (strata == number)
        here = ordered(time, member)
        sorted_events = here.sort(happened & member).astype(float)
        parts.append(_Stratum(here, sorted_events, here.sort(design), ties))

    def derivatives(coefficients: Array, active: Numbers) -> Derivatives:
        found = [part.derivatives(coefficients, active) for part in parts]
        return Derivatives(
            sum((one.value for one in found[1:]), found[0].value),
            sum((one.score for one in found[1:]), found[0].score),
            sum((one.information for one in found[1:]), found[0].information),
        )

    return maximise(derivatives, np.zeros((len(time), design.shape[-1])))


@dataclass(frozen=True)
class _Stratum:
    """Sorted patients of one stratum."""

    here: Ordered
    events: Array
    design: Array
    ties: Ties

    def derivatives(self, coefficients: Array, active: Numbers) -> Derivatives:
        """Log partial likelihood, score and information of the active replicates."""
        full = self.here
        here = Ordered(
            *(getattr(full, name)[active] for name in ("order", "time", "weight", "starts", "first", "last"))
        )
        x, events = self.design[active], self.events[active]
        linear = np.clip((x @ coefficients[..., None])[..., 0], -500.0, 500.0)
        risk = here.weight * np.exp(linear)
        product = x[..., :, None] * x[..., None, :]
        zeroth, first = here.at_risk(risk), here.at_risk(risk[..., None] * x)
        second = here.at_risk(risk[..., None, None] * product)
        if self.ties == "efron":
            share = _efron_shares(here, events)
            tied = events * risk
            zeroth = zeroth - share * here.within_ties(tied)
            first = first - share[..., None] * here.within_ties(tied[..., None] * x)
            second = second - share[..., None, None] * here.within_ties(tied[..., None, None] * product)
        zeroth = np.where(events > 0.0, zeroth, 1.0)
        mean = first / zeroth[..., None]
        spread = second / zeroth[..., None, None] - mean[..., :, None] * mean[..., None, :]
        return Derivatives(
            (events * (linear - np.log(zeroth))).sum(axis=1),
            (events[..., None] * (x - mean)).sum(axis=1),
            (events[..., None, None] * spread).sum(axis=1),
        )


def _efron_shares(here: Ordered, events: Flags | Array) -> Array:
    """Share of the tied events already taken out of the risk set when each has its turn."""
    running = np.cumsum(events, axis=1)
    before = np.take_along_axis(running - events, here.first, axis=1)
    turn = running - events - before
    count = here.within_ties(np.asarray(events, dtype=float))
    return np.divide(turn, count, out=np.zeros_like(turn), where=count > 0.0)
