"""From simulated people to a study's endpoints, as they were defined and measured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.evidence.published import PublishedEndpoint
from motorpool.outcomes.milestones import MILESTONES
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX
from motorpool.simulation.readout import EVENTS
from motorpool.studies import statistics
from motorpool.studies.schedule import change_months
from motorpool.studies.simulate import ArmPeople
from motorpool.studies.study import arms_of

Array = NDArray[np.float64]
Picks = Mapping[str, NDArray[np.intp]]
MONTHS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_MONTH
CHANGES = ("mean_change", "median_change", "sd_change", "percent_change", "change_per_year")
_STATISTIC = {
    "mean": statistics.mean,
    "mean_change": statistics.mean,
    "change_per_year": statistics.mean,
    "proportion": statistics.mean,
    "survival_proportion": statistics.mean,
    "difference": statistics.mean,
    "sd": statistics.standard_deviation,
    "sd_change": statistics.standard_deviation,
    "median": statistics.median,
    "median_change": statistics.median,
    "percent_change": statistics.median,
    "median_time_months": statistics.median,
    "median_age_months": statistics.median,
}


def whole_sample(
    endpoint: PublishedEndpoint, arms: Mapping[str, ArmPeople], sizes: Mapping[str, int]
) -> float:
    """The endpoint in all simulated people, weighted: what the model says of an endless study whose arms have the
    proportions of ``sizes``."""
    picks = {name: np.arange(len(arms[name]))[None] for name in arms_of(endpoint)}
    weights = {name: sizes[name] * arms[name].weights[None] for name in arms_of(endpoint)}
    return float(_statistic(endpoint, arms, picks, weights)[0])


def replicates(
    endpoint: PublishedEndpoint,
    arms: Mapping[str, ArmPeople],
    sizes: Mapping[str, int],
    count: int,
    generator: np.random.Generator,
) -> Array:
    """The endpoint in ``count`` studies of the published size, each of people drawn anew from the simulated ones."""
    picks = {
        name: generator.choice(len(arms[name]), size=(count, sizes[name]), p=arms[name].weights)
        for name in arms_of(endpoint)
    }
    weights = {name: np.ones(pick.shape) for name, pick in picks.items()}
    return _statistic(endpoint, arms, picks, weights)


def _statistic(
    endpoint: PublishedEndpoint, arms: Mapping[str, ArmPeople], picks: Picks, weights: Mapping[str, Array]
) -> Array:
    names = arms_of(endpoint)
    if endpoint.metric == "hazard_ratio" and endpoint.outcome in EVENTS:
        return _hazard_ratio(endpoint, arms, picks, weights)
    if endpoint.metric == "hazard_ratio":
        return _ratio_of_log_shares(endpoint, arms, picks, weights)
    found = [
        _STATISTIC[endpoint.metric](_values(endpoint, arms[name])[picks[name]], weights[name])
        for name in names
    ]
    return found[0] if len(found) == 1 else found[0] - found[1]


def _hazard_ratio(
    endpoint: PublishedEndpoint, arms: Mapping[str, ArmPeople], picks: Picks, weights: Mapping[str, Array]
) -> Array:
    """Cox's hazard ratio; the weights of an arm add to its size, so that it counts as much as in the study."""
    names = arms_of(endpoint)
    until = endpoint.time_months or min(arms[name].horizon_months for name in names)
    events = [_event_months(endpoint, arms[name])[picks[name]] for name in names]
    months = np.concatenate(events, axis=-1)
    treated = np.concatenate(
        [np.full(event.shape, place == 0) for place, event in enumerate(events)], axis=-1
    )
    counted = np.concatenate([weights[name] for name in names], axis=-1)
    return np.exp(
        statistics.cox_log_hazard_ratio(np.minimum(months, until), months <= until, treated, counted)
    )


def _ratio_of_log_shares(
    endpoint: PublishedEndpoint, arms: Mapping[str, ArmPeople], picks: Picks, weights: Mapping[str, Array]
) -> Array:
    """Hazard ratio of giving up an endurance test: endurance is the share of the test that is sustained, so that with
    proportional hazards the ratio of the logarithms of two groups' shares is their hazard ratio."""
    logs = [
        np.log(
            np.clip(
                statistics.mean(_values(endpoint, arms[name])[picks[name]], weights[name]) / 100.0,
                1e-3,
                0.999,
            )
        )
        for name in arms_of(endpoint)
    ]
    return logs[0] / logs[1]


def _event_months(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    return arm.event_months[EVENTS.index(endpoint.outcome)]


def _values(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    """Each person's contribution, (P,); NaN for those not counted."""
    values = _raw_values(endpoint, arm)
    if endpoint.age_band_months is not None:
        low, high = endpoint.age_band_months
        inside = (arm.enrolment_months >= low) & (arm.enrolment_months <= high)
        values = np.where(inside, values, np.nan)
    return values


def _raw_values(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    outcome = endpoint.outcome
    if outcome == "onset_age_months" and endpoint.metric == "proportion":
        # Nobody has noticed anything yet in those whose onset lies beyond the record.
        onset, threshold = np.nan_to_num(arm.onset_months, nan=np.inf), endpoint.value_at_least or 0.0
        return (onset >= threshold).astype(float)
    if outcome == "onset_age_months":
        return arm.onset_months
    if outcome.startswith("sma_type_"):
        kind = int(outcome.removeprefix("sma_type_"))
        return (arm.sma_type >= kind if kind == 3 else arm.sma_type == kind).astype(float)
    if outcome in EVENTS:
        return _event_values(endpoint, arm)
    if outcome in MILESTONES:
        return _milestone_values(endpoint, arm)
    return _scale_values(endpoint, arm)


def _event_values(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    months = _event_months(endpoint, arm)
    # A median beyond the horizon is told as the horizon, so that it stays a number.
    if endpoint.metric == "median_time_months":
        return np.minimum(months, arm.horizon_months)
    if endpoint.metric == "median_age_months":
        return np.minimum(months, arm.horizon_months) + arm.enrolment_months
    if endpoint.age_months is not None:
        happened = months + arm.enrolment_months <= endpoint.age_months
    else:
        happened = months <= change_months(endpoint)
    return (~happened if endpoint.metric == "survival_proportion" else happened).astype(float)


def _visit(endpoint: PublishedEndpoint, arm: ArmPeople) -> NDArray[np.intp]:
    """Index of each person's visit for this endpoint, (P,)."""
    if endpoint.age_months is not None:
        planned = endpoint.age_months - arm.enrolment_months
    else:
        planned = np.full(len(arm), change_months(endpoint))
    return np.abs(arm.visit_months[:, None] - planned[None]).argmin(axis=0)


def _milestone_values(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    row, people = MILESTONE_INDEX[endpoint.outcome], np.arange(len(arm))
    visit = _visit(endpoint, arm)
    alive = arm.alive[visit, people]
    age = arm.enrolment_months + arm.visit_months[visit]
    gained = arm.milestone_gained_months[row]
    if endpoint.metric == "median_age_months":
        return np.where(np.isnan(gained), arm.enrolment_months + arm.horizon_months, gained)
    if endpoint.ever:
        # A milestone reached before enrolment and lost since was still reached.
        at_age = age if endpoint.age_months is None else np.full(len(arm), endpoint.age_months)
        reached = gained <= at_age
    else:
        reached = arm.milestone_status[visit, row, people]
    if endpoint.newly:
        reached = reached & ~arm.milestone_status[0, row].astype(bool)
    values = reached.astype(float)
    if endpoint.counted == "survivors":
        return np.where(alive, values, np.nan)
    return values


def _scale_values(endpoint: PublishedEndpoint, arm: ArmPeople) -> Array:
    row, people = OUTCOME_INDEX[endpoint.outcome], np.arange(len(arm))
    now = arm.observed[_visit(endpoint, arm), row, people]
    baseline = arm.observed[0, row]
    change = now - baseline
    if endpoint.metric == "proportion":
        if endpoint.change_at_least is not None:
            value, threshold = change, endpoint.change_at_least
        else:
            value, threshold = now, endpoint.value_at_least or 0.0
        reached = (value >= threshold) if threshold >= 0 else (value <= threshold)
        dead = np.isnan(value)
        counted = endpoint.counted or "everyone"
        return np.where(dead, np.nan if counted == "survivors" else 0.0, reached.astype(float))
    if endpoint.metric == "percent_change":
        with np.errstate(invalid="ignore", divide="ignore"):
            return 100.0 * change / baseline
    if endpoint.metric == "change_per_year":
        return change / (change_months(endpoint) / MONTHS_PER_YEAR)
    if endpoint.metric in CHANGES or (endpoint.metric == "difference" and change_months(endpoint) > 0):
        return change
    return now
