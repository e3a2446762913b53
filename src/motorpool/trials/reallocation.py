"""Arms that are given anew after a look: dropped arms, and response-adaptive randomisation.

People before the look keep arm, life and luck; those after it live under the arm that they are then given.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.adaptive.arm_dropping import keep_above, keep_best
from motorpool.trials.adaptive.response_adaptive import allocation
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analysis import analyse, benefit_sign
from motorpool.trials.design import TrialDesign
from motorpool.trials.estimand_values import changes
from motorpool.trials.luck import allocate, block_size, blocks_needed, strata_count
from motorpool.trials.pool import Pool
from motorpool.trials.replicate import TrialData, draw_trials
from motorpool.trials.rerandomised import luck_again
from motorpool.trials.truth import Truth

Array = NDArray[Any]


def conduct_trials(design: TrialDesign, pool: Pool, truth: Truth, replicates: Sequence[int]) -> TrialData:
    """Draw these replicates and allocate people as the design's adaptive rules say."""
    data = draw_trials(design, pool, truth, replicates)
    if design.arm_dropping is not None:
        number = math.ceil(design.arm_dropping.at * design.patients - 1e-9)
        found = first_estimates(data, number)
        arm = _without_dropped(data, number, kept_arms(design, first_statistics(design, found)))
        # People before the look stay as they are, and so does what was found in them.
        return dataclasses.replace(
            draw_trials(design, pool, truth, replicates, allocation=arm), at_look=found
        )
    if design.response_adaptive is not None:
        for number in look_numbers(design):
            arm = _by_response(design, data.arm, _first_change(data), data.again, number)
            data = draw_trials(design, pool, truth, replicates, allocation=arm)
    return data


def look_numbers(design: TrialDesign) -> list[int]:
    """After how many people the allocation follows the responses anew."""
    rule = design.response_adaptive
    return [] if rule is None else [math.ceil(share * design.patients - 1e-9) for share in rule.looks]


def followed_again(data: TrialData) -> Iterator[Array]:
    """Arms as the rule of response-adaptive randomisation would have given them with other luck, (redraws, R, N).

    Everybody's change is what it was: so it is if no arm does anything.
    """
    design, change = data.design, _first_change(data)
    people, numbers = data.arm.shape[1], look_numbers(design)
    count = strata_count(design.strata)
    places = blocks_needed(design, people) * block_size(design)
    for luck in luck_again(data, design.endpoints[0], count * places + people):
        drawn: list[Array] = []
        for one in luck:
            blocks = one[:, : count * places].reshape(-1, count, places)
            arm = allocate(design, data.stratum, count, blocks)
            for number in numbers:
                arm = _by_response(design, arm, change, one[:, count * places :], number)
            drawn.append(arm)
        yield np.stack(drawn)


def _first_change(data: TrialData) -> Array:
    """The first endpoint's change of each person, (R, N)."""
    endpoint = data.design.endpoints[0]
    return changes(data, endpoint)[..., data.design.visit_months.index(data.design.month_of(endpoint))]


def first_estimates(data: TrialData, number: int) -> dict[str, Estimate]:
    """The first endpoint's estimate of each test arm among the first people."""
    if data.at_look is not None:
        return data.at_look
    among = np.broadcast_to(np.arange(data.arm.shape[1]) < number, data.arm.shape)
    endpoint = data.design.endpoints[0]
    return {arm: analyse(data, endpoint, arm, among=among) for arm in data.design.test_arms}


def first_statistics(design: TrialDesign, found: dict[str, Estimate]) -> Array:
    """z of each test arm on the first endpoint, positive is better; (R, test arms)."""
    z = [found[arm].normal_statistic for arm in design.test_arms]
    return benefit_sign(design.endpoints[0]) * np.stack(z, axis=-1)


def kept_arms(design: TrialDesign, z: Array) -> Array:
    """Which test arms go on, (R, test arms)."""
    rule = design.arm_dropping
    assert rule is not None
    return (
        keep_best(z, rule.keep_best)
        if rule.keep_best is not None
        else keep_above(z, float(rule.lowest_z or 0.0))
    )


def _without_dropped(data: TrialData, number: int, kept: Array) -> Array:
    """Arms in which those who would have gone to a dropped arm go to the others, by their ratios."""
    design, names = data.design, list(data.design.arms)
    stay = np.ones((len(data.replicates), len(names)), bool)
    for place, arm in enumerate(design.test_arms):
        stay[:, names.index(arm)] = kept[:, place]
    weights = stay * np.asarray([design.arms[name].ratio for name in names], float)
    others = _drawn(weights / weights.sum(axis=1, keepdims=True), data.again)
    moved = ~np.take_along_axis(stay, data.arm, axis=1) & (np.arange(data.arm.shape[1]) >= number)
    return np.where(moved, others, data.arm)


def _by_response(design: TrialDesign, arm: Array, change: Array, luck: Array, number: int) -> Array:
    """Arms in which everybody after the first `number` is drawn with shares that follow the changes so far."""
    names, endpoint = list(design.arms), design.endpoints[0]
    rule = design.response_adaptive
    assert rule is not None
    before = np.arange(arm.shape[1]) < number
    means, errors = [], []
    for place in range(len(names)):
        values = np.where((arm == place) & before & np.isfinite(change), change, np.nan)
        count = np.isfinite(values).sum(axis=1)
        mean = np.nansum(values, axis=1) / np.maximum(count, 1)
        spread = np.nansum((values - mean[:, None]) ** 2, axis=1) / np.maximum(count - 1, 1)
        means.append(mean)
        errors.append(np.where(count > 1, np.sqrt(spread / np.maximum(count, 1)), 0.0))
    mean_by_arm, error_by_arm = np.stack(means, axis=-1), np.stack(errors, axis=-1)
    known = np.asarray((error_by_arm > 0.0).all(axis=1))[:, None]
    control = names.index(str(design.control))
    shares = allocation(
        mean_by_arm,
        np.where(error_by_arm > 0.0, error_by_arm, 1.0),
        exponent=rule.exponent,
        control=control,
        control_share=rule.control_share,
        smallest_share=rule.smallest_share,
        higher_is_better=benefit_sign(endpoint) > 0,
    )
    # An arm of which nothing is known yet leaves the allocation as it is.
    return np.where(known & np.logical_not(before), _drawn(shares, luck), arm)


def _drawn(shares: Array, luck: Array) -> Array:
    """An arm for each person, (R, N), with these shares, (R, arms)."""
    edges = np.cumsum(shares, axis=1)
    found = (luck[:, :, None] >= edges[:, None, :]).sum(axis=-1)
    # The last arm that has a share at all takes what rounding leaves over.
    last = shares.shape[1] - 1 - (shares[:, ::-1] > 0.0).argmax(axis=1)
    return np.minimum(found, last[:, None])
