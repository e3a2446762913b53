"""How each replicate ends: looks, a size that is set anew, dropped arms and harm; who then counts, and who won first.

R replicates, N people each in order of entry. A look counts people in that order who have been followed to the end.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from motorpool.trials.adaptive.arm_dropping import closed_combination_test
from motorpool.trials.adaptive.boundaries import Boundaries, spending_boundaries
from motorpool.trials.adaptive.combination import inverse_normal
from motorpool.trials.adaptive.reestimation import blinded_size, conditional_power, promising_zone
from motorpool.trials.adaptive.safety import SafetyRule, stops_at
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analysis import analyse, benefit_sign
from motorpool.trials.design import TrialDesign
from motorpool.trials.estimand_values import changes
from motorpool.trials.reallocation import first_statistics, kept_arms
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
EFFICACY, FUTILITY, HARM = 1, 2, 3
"""Why a trial stopped; 0 where it did not."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """The end of each replicate.

    numbers (R,): people who count, the first to enter. look, stopped (R,): the look at which it ended and why. first:
    by test arm, the first endpoint's estimate and whether it is significant. facts: further results, (R,) each.
    """

    numbers: Array
    look: Array
    stopped: Array
    first: dict[str, tuple[Estimate, Array]]
    facts: dict[str, Array]

    def among(self, data: TrialData) -> Array | None:
        """Who counts, (R, N); None where everybody does."""
        return None if (self.numbers >= data.design.most_patients).all() else _first(data, self.numbers)


def ended(data: TrialData, alpha: float) -> Ended:
    """Follow the rules of the design; `alpha` is the two-sided error of each arm."""
    design = data.design
    if design.interims is not None:
        found = _followed(data, alpha)
    elif design.reestimation is not None:
        found = _resized(data, alpha)
    elif design.arm_dropping is not None:
        found = _dropped(data)
    else:
        found = _plain(data, alpha)
    return found if design.safety is None else _harm(data, found)


def boundaries_of(design: TrialDesign) -> Boundaries | None:
    """The boundaries of a group-sequential design, by a Lan-DeMets spending function; None where none stops early."""
    interims = design.interims
    if interims is None or interims.efficacy == "none":
        return None
    return spending_boundaries(interims.efficacy, [*interims.information, 1.0], design.alpha / 2.0)


def _plain(data: TrialData, alpha: float) -> Ended:
    design, replicates = data.design, len(data.replicates)
    first: dict[str, tuple[Estimate, Array]] = {}
    for arm in design.test_arms:
        estimate = analyse(data, design.endpoints[0], arm)
        first[arm] = estimate, estimate.p_value_two_sided < alpha
    whole, numbers = np.zeros(replicates, np.int64), np.full(replicates, design.patients)
    names = list(design.arms) if design.response_adaptive is not None else []
    facts = {f"allocated/{name}": _share_of(data, place, numbers) for place, name in enumerate(names)}
    return Ended(numbers, whole, whole, first, facts)


def _followed(data: TrialData, alpha: float) -> Ended:
    """Group-sequential looks at the one test arm."""
    design = data.design
    interims, endpoint, arm = design.interims, design.endpoints[0], design.test_arms[0]
    assert interims is not None
    final = analyse(data, endpoint, arm)
    boundaries, sign = boundaries_of(design), benefit_sign(endpoint)
    looks = len(interims.information)
    replicates = len(data.replicates)
    last_z = float(norm.isf(alpha / 2.0)) if boundaries is None else float(boundaries.efficacy_z[-1])
    look, stopped = np.full(replicates, looks), np.zeros(replicates, np.int64)
    numbers = [math.ceil(share * design.patients) for share in interims.information]
    estimates = [analyse(data, endpoint, arm, among=_first(data, number)) for number in numbers] + [final]
    significant = np.abs(final.normal_statistic) >= last_z
    for place in reversed(range(looks)):
        z = sign * estimates[place].normal_statistic
        known = np.isfinite(z)
        if interims.futility_conditional_power is not None:
            chance = conditional_power(z, interims.information[place], critical_z=last_z)
            futile = known & (chance < interims.futility_conditional_power)
            look, stopped = np.where(futile, place, look), np.where(futile, FUTILITY, stopped)
            significant = np.where(futile, False, significant)
        if boundaries is not None:
            crossed = known & (np.abs(z) >= boundaries.efficacy_z[place])
            look, stopped = np.where(crossed, place, look), np.where(crossed, EFFICACY, stopped)
            significant = np.where(crossed, True, significant)
    counted = np.asarray([*numbers, design.patients])[look]
    return Ended(counted, look, stopped, {arm: (chosen(estimates, look), significant)}, {})


def _resized(data: TrialData, alpha: float) -> Ended:
    """A size set anew at the interim, and the test that goes with it."""
    design, replicates = data.design, len(data.replicates)
    rule, endpoint, arm = design.reestimation, design.endpoints[0], design.test_arms[0]
    assert rule is not None
    number = min(math.ceil(rule.at * design.patients - 1e-9), design.patients - 1)
    start = _first(data, number)
    whole = np.zeros(replicates, np.int64)
    if rule.method == "blinded_variance":
        visit = design.visit_months.index(design.month_of(endpoint))
        ratio = design.arms[arm].ratio / design.arms[str(design.control)].ratio
        size = blinded_size(
            changes(data, endpoint)[..., visit],
            effect=float(rule.effect or 0.0),
            power=rule.power,
            smallest=design.patients,
            largest=design.most_patients,
            alpha=alpha / 2.0,
            ratio=ratio,
            observed=start,
        ).astype(np.int64)
        estimate = analyse(data, endpoint, arm, among=_first(data, size))
        significant = estimate.p_value_two_sided < alpha
        raised = (size > design.patients).astype(float)
        return Ended(size, whole, whole, {arm: (estimate, significant)}, {"size_raised": raised})
    before = analyse(data, endpoint, arm, among=start).normal_statistic
    zone = promising_zone(
        benefit_sign(endpoint) * before,
        interim_patients=number,
        planned_patients=design.patients,
        largest_patients=design.most_patients,
        alpha=alpha / 2.0,
        target_power=rule.power,
        promising_from=float(rule.promising_from or 0.0),
    )
    size = zone.patients.astype(np.int64)
    together = _first(data, size)
    after = analyse(data, endpoint, arm, among=together & ~start).normal_statistic
    z = inverse_normal(np.stack([before, after], axis=-1), zone.combination_weights)
    # The interval is that of everybody together, and takes no account of the look.
    naive = analyse(data, endpoint, arm, among=together)
    estimate = retested(naive, z)
    facts = {"size_raised": (size > design.patients).astype(float), "zone": zone.zone.astype(float)}
    return Ended(size, whole, whole, {arm: (estimate, estimate.p_value_two_sided < alpha)}, facts)


def _dropped(data: TrialData) -> Ended:
    """Arms of which some ended at the look, tested by the closed combination test (one-sided)."""
    design, replicates = data.design, len(data.replicates)
    rule, endpoint, names = design.arm_dropping, design.endpoints[0], list(design.arms)
    assert rule is not None
    number = math.ceil(rule.at * design.patients - 1e-9)
    first_z = first_statistics(data, number)
    kept = kept_arms(design, first_z)
    later = ~_first(data, number)
    sign = benefit_sign(endpoint)
    second_z = np.stack(
        [sign * analyse(data, endpoint, arm, among=later).normal_statistic for arm in design.test_arms],
        axis=-1,
    )
    ratio = design.arms[design.test_arms[0]].ratio / design.arms[str(design.control)].ratio
    shown = closed_combination_test(
        first_z, second_z, kept, first_weight=rule.at, alpha=design.alpha / 2.0, ratio=ratio
    )
    none = ~kept.any(axis=1)
    numbers = np.where(none, number, design.patients)
    among = _first(data, numbers)
    first: dict[str, tuple[Estimate, Array]] = {}
    facts: dict[str, Array] = {}
    for place, arm in enumerate(design.test_arms):
        naive = analyse(data, endpoint, arm, among=among)
        first[arm] = retested(naive, np.full(replicates, np.nan)), shown[:, place] & ~none
        facts[f"kept/{arm}"] = kept[:, place].astype(float)
    look = np.where(none, 0, 1)
    facts |= {f"allocated/{name}": _share_of(data, names.index(name), numbers) for name in names}
    return Ended(numbers, look, np.where(none, FUTILITY, 0), first, facts)


def _harm(data: TrialData, found: Ended) -> Ended:
    """Stop where the safety rule does, if that is before the end."""
    design, rule = data.design, data.design.safety
    assert rule is not None
    numbers = harm_stops(data, design)
    halted = numbers < found.numbers
    number = np.where(halted, numbers, found.numbers)
    first: dict[str, tuple[Estimate, Array]] = {}
    for arm, (estimate, significant) in found.first.items():
        then = analyse(data, design.endpoints[0], arm, among=_first(data, number))
        first[arm] = chosen([estimate, then], halted.astype(np.int64)), significant & ~halted
    treated = np.isin(data.arm, [list(design.arms).index(arm) for arm in design.test_arms])
    own = _first(data, number) & treated
    people = own.sum(axis=1)
    facts = {
        **found.facts,
        "harmed_share": (own & data.harmed).sum(axis=1) / np.maximum(people, 1),
        "treated": people.astype(float),
    }
    return Ended(number, found.look, np.where(halted, HARM, found.stopped), first, facts)


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


def chosen(estimates: list[Estimate], look: Array) -> Estimate:
    """Of each replicate the estimate of its look."""
    fields = [field.name for field in dataclasses.fields(Estimate)]
    rows = np.arange(look.size)
    return Estimate(
        **{name: np.stack([getattr(each, name) for each in estimates])[look, rows] for name in fields}
    )


def retested(estimate: Estimate, z: Array) -> Estimate:
    """The estimate with another test; NaN where there is none."""
    plain = {field.name: getattr(estimate, field.name) for field in dataclasses.fields(Estimate)}
    return Estimate(
        **{
            **plain,
            "statistic": z,
            "degrees_of_freedom": np.full(z.shape, np.inf),
            "p_value_two_sided": np.asarray(2.0 * norm.sf(np.abs(z))),
        }
    )


def _first(data: TrialData, number: int | Array) -> Array:
    """The first people to enter, (R, N), and all from outside the trial."""
    numbers = np.broadcast_to(np.asarray(number), (len(data.replicates),))
    place = np.arange(data.arm.shape[1])
    return (place < numbers[:, None]) | (place >= data.design.most_patients)


def _share_of(data: TrialData, arm: int, numbers: Array) -> Array:
    return ((data.arm == arm) & _first(data, numbers)).sum(axis=1) / numbers
