"""How each replicate ends under the rules of its design: plainly, by looks, with arms given anew, or for harm.

R replicates, N people each in order of entry. A look counts people in that order who have been followed to the end.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.arm_dropping import bounds_of_going_on, closed_combination_test
from motorpool.trials.adaptive.combination import inverse_normal
from motorpool.trials.adaptive.safety import SafetyRule, stops_at
from motorpool.trials.adjusted import after_selection, after_stages
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.rerandomisation import rerandomised_p_value
from motorpool.trials.analysis import analyse, benefit_sign
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import (
    EFFICACY,
    FUTILITY,
    HARM,
    Adjusted,
    Ended,
    first_people,
    put,
    replicates_of,
    retested,
)
from motorpool.trials.event_looks import ended_by_cut
from motorpool.trials.looks import boundaries_of, followed
from motorpool.trials.reallocation import first_estimates, first_statistics, followed_again, kept_arms
from motorpool.trials.replicate import TrialData
from motorpool.trials.rerandomised import scores_of, tested

Array = NDArray[Any]


def ended(data: TrialData, alpha: float) -> Ended:
    """Follow the rules of the design; `alpha` is the two-sided error of each arm."""
    design = data.design
    if design.data_cut is not None:
        found = ended_by_cut(data, alpha)
    elif design.arm_dropping is not None:
        found = _dropped(data)
    elif design.interims is not None or design.reestimation is not None:
        found = followed(data, alpha)
    elif design.response_adaptive is not None:
        found = _responsive(data, alpha)
    else:
        found = _plain(data, alpha)
    return found if design.safety is None else _harm(data, found)


def _plain(data: TrialData, alpha: float) -> Ended:
    design, replicates = data.design, len(data.replicates)
    first: dict[str, tuple[Estimate, Array]] = {}
    for arm in design.test_arms:
        estimate = analyse(data, design.endpoints[0], arm)
        first[arm] = estimate, estimate.p_value_two_sided < alpha
    whole, numbers = np.zeros(replicates, np.int64), np.full(replicates, design.patients)
    return Ended(numbers, numbers, whole, whole, first, {})


def _responsive(data: TrialData, alpha: float) -> Ended:
    """Response-adaptive randomisation: between two looks the shares are fixed, so that each stage is a fair trial."""
    design, endpoint, rule = data.design, data.design.endpoints[0], data.design.response_adaptive
    assert rule is not None
    found = _plain(data, alpha)
    ends = [math.ceil(share * design.patients - 1e-9) for share in rule.looks]
    stage = np.searchsorted(np.asarray(ends), np.arange(data.arm.shape[1]), side="right")
    sizes = np.bincount(stage[: design.patients])
    first: dict[str, tuple[Estimate, Array]] = {}
    adjusted: dict[str, Adjusted] = {}
    nobody = np.zeros(data.arm.shape, bool)
    for arm, (naive, plainly) in found.first.items():
        parts = [analyse(data, endpoint, arm, among=nobody | (stage == one)) for one in range(sizes.size)]
        adjusted[arm] = after_stages(parts, sizes)
        first[arm] = naive, plainly
        if rule.test == "stages":
            z = inverse_normal(np.stack([one.normal_statistic for one in parts], axis=-1), sizes)
            first[arm] = retested(naive, z), np.abs(z) >= norm.isf(alpha / 2.0)
        elif rule.test == "rerandomisation":
            again = _drawn_again(data, arm, naive)
            first[arm] = again, again.p_value_two_sided < alpha
    names = list(design.arms)
    facts = {f"allocated/{name}": _share_of(data, place, found.numbers) for place, name in enumerate(names)}
    return dataclasses.replace(found, first=first, facts=facts, adjusted=adjusted)


def _drawn_again(data: TrialData, arm: str, naive: Estimate) -> Estimate:
    """The estimate of everybody, tested by allocations that follow the responses with other luck."""
    design, endpoint = data.design, data.design.endpoints[0]
    place = list(design.arms).index(arm)
    baseline = data.baseline[design.outcomes.index(str(endpoint.outcome))]
    scores, known = scores_of(
        data,
        endpoint,
        np.ones(data.arm.shape, bool),
        baseline if endpoint.adjust_for_baseline else None,
        data.stratum if design.strata.any and design.strata.in_analysis else None,
    )
    redrawn = ((arms == place, arms != place) for arms in followed_again(data))
    return tested(naive, rerandomised_p_value(scores, data.arm == place, known, redrawn))


def _dropped(data: TrialData) -> Ended:
    """Arms of which some ended at the look, tested by the closed combination test (one-sided).

    With a boundary of efficacy at the same look, a trial that shows any arm there stops.
    """
    design, replicates = data.design, len(data.replicates)
    rule, endpoint, names = design.arm_dropping, design.endpoints[0], list(design.arms)
    assert rule is not None
    number = math.ceil(rule.at * design.patients - 1e-9)
    at_look = first_estimates(data, number)
    first_z = first_statistics(design, at_look)
    kept = kept_arms(design, first_z)
    later = ~first_people(data, number)
    sign = benefit_sign(endpoint)
    seconds = [_second(data, arm, later, kept[:, place]) for place, arm in enumerate(design.test_arms)]
    second_z = np.stack([sign * one.normal_statistic for one in seconds], axis=-1)
    ratio = design.arms[design.test_arms[0]].ratio / design.arms[str(design.control)].ratio
    boundaries = boundaries_of(design)
    early, last_z = np.inf, float(norm.isf(design.alpha / 2.0))
    if boundaries is not None:
        early, last_z = float(boundaries.efficacy_z[0]), float(boundaries.efficacy_z[-1])
    tested = closed_combination_test(
        first_z, second_z, kept, first_weight=rule.at, first_z_bound=early, last_z_bound=last_z, ratio=ratio
    )
    won: Array = np.asarray(tested.at_look.any(axis=1))
    shown = np.where(won[:, None], tested.at_look, tested.at_end)
    none = ~kept.any(axis=1) & ~won
    halted = none | won
    numbers = np.where(halted, number, design.patients)
    among = first_people(data, numbers)
    first: dict[str, tuple[Estimate, Array]] = {}
    facts: dict[str, Array] = {}
    adjusted: dict[str, Adjusted] = {}
    for place, arm in enumerate(design.test_arms):
        naive = analyse(data, endpoint, arm, among=among)
        low, high = bounds_of_going_on(
            first_z,
            place,
            best=rule.keep_best,
            lowest_z=-np.inf if rule.lowest_z is None else rule.lowest_z,
            first_z_bound=early,
            ratio=ratio,
        )
        adjusted[arm] = after_selection(
            kept[:, place] & ~halted, at_look[arm], seconds[place], low, high, sign
        )
        first[arm] = retested(naive, np.full(replicates, np.nan)), shown[:, place] & ~none
        facts[f"kept/{arm}"] = kept[:, place].astype(float)
    look = np.where(halted, 0, 1)
    stopped = np.where(won, EFFICACY, np.where(none, FUTILITY, 0))
    facts |= {f"allocated/{name}": _share_of(data, names.index(name), numbers) for name in names}
    size = np.full(replicates, design.patients)
    return Ended(numbers, size, look, stopped, first, facts, adjusted)


def _second(data: TrialData, arm: str, later: Array, kept: Array) -> Estimate:
    """The estimate of the people after the look, where the arm went on; NaN elsewhere, where nothing asks for it."""
    rows = np.flatnonzero(kept)
    none = np.full(kept.size, np.nan)
    nothing = Estimate(**{field.name: none for field in dataclasses.fields(Estimate)})
    if not rows.size:
        return nothing
    found = analyse(replicates_of(data, rows), data.design.endpoints[0], arm, among=later[rows])
    return put(nothing, rows, found)


def _harm(data: TrialData, found: Ended) -> Ended:
    """Stop where the safety rule does, if that is before the end."""
    design, rule = data.design, data.design.safety
    assert rule is not None
    numbers = harm_stops(data, design)
    halted = numbers < found.numbers
    number = np.where(halted, numbers, found.numbers)
    first: dict[str, tuple[Estimate, Array]] = {}
    rows = np.flatnonzero(halted)
    some = replicates_of(data, rows)
    for arm, (estimate, significant) in found.first.items():
        naive = estimate
        if rows.size:
            then = analyse(some, design.endpoints[0], arm, among=first_people(some, number[rows]))
            naive = put(estimate, rows, then)
        first[arm] = naive, significant & ~halted
    treated = np.isin(data.arm, [list(design.arms).index(arm) for arm in design.test_arms])
    own = first_people(data, number) & treated
    people = own.sum(axis=1)
    facts = {
        **found.facts,
        "harmed_share": (own & data.harmed).sum(axis=1) / np.maximum(people, 1),
        "treated": people.astype(float),
    }
    # Before the size is set anew nobody beyond the planned people is enrolled.
    size = found.size
    if design.reestimation is not None:
        early = number <= design.reestimation.at * design.patients
        size = np.where(early, np.minimum(size, design.patients), size)
    adjusted = {
        arm: Adjusted(*(np.where(halted, np.nan, values) for values in (own.estimate, own.low, own.high)))
        for arm, own in found.adjusted.items()
    }
    stopped = np.where(halted, HARM, found.stopped)
    return Ended(number, size, found.look, stopped, first, facts, adjusted)


def harm_stops(data: TrialData, design: TrialDesign) -> Array:
    """How many people have been followed when the safety rule stops, (R,); a number beyond all where it does not."""
    safety = design.safety
    assert safety is not None
    rule = SafetyRule(
        acceptable_risk=safety.acceptable_risk,
        certainty=safety.certainty,
        prior_events=safety.prior_events,
        prior_without=safety.prior_without,
    )
    own = design.most_patients
    treated = np.isin(data.arm[:, :own], [list(design.arms).index(arm) for arm in design.test_arms])
    followed = np.cumsum(treated, axis=1)
    events = np.cumsum(treated & data.harmed[:, :own], axis=1)
    # The rule is asked at every person, and answers where a multiple of so many treated has just been reached.
    due = treated & (followed % safety.every_treated == 0)
    at_look = np.where(due, followed, 0)
    place = stops_at(np.where(due, events, 0), at_look, rule)
    return np.where(place >= 0, place + 1, own + 1)


def _share_of(data: TrialData, arm: int, numbers: Array) -> Array:
    return ((data.arm == arm) & first_people(data, numbers)).sum(axis=1) / numbers
