"""What is kept of each replicate once it is analysed as its design says: all endpoints, arms, looks and rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.adapted import ended
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.multiplicity import bonferroni, graphical, hochberg, holm
from motorpool.trials.analysis import analyse, benefit_sign, borrowed_analysis
from motorpool.trials.data_cut import as_of, due
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.ending import HARM, Ended
from motorpool.trials.replicate import TrialData

Array = NDArray[Any]
Arrays = dict[str, Array]
PROCEDURES = {"bonferroni": bonferroni, "holm": holm, "hochberg": hochberg}
FIELDS = ("estimate", "standard_error", "p_value", "low", "high", "significant", "favours", "success")
"""What is kept of each endpoint and test arm, (R,) each, named `endpoint/arm/field`."""
ADJUSTED_FIELDS = ("adjusted_estimate", "adjusted_low", "adjusted_high")
"""What is kept besides of the first endpoint where the rules of the design have an estimate of their own."""


def analyse_trials(data: TrialData, *, first_only: bool = False) -> Arrays:
    """Analyse every replicate as the design says: all endpoints in order, all test arms, all looks and rules.

    Args:
        first_only: leave out the endpoints after the first, and who won under the multiplicity procedure.

    Returns:
        Arrays (R,): the fields of :data:`FIELDS` by endpoint and arm, and those of :data:`ADJUSTED_FIELDS`; `look`,
        `patients`, `months` and `stopped` (0 no, 1 for efficacy, 2 for futility, 3 for harm) of the trial;
        `missing_share` of its last visit; what the rules of the design leave behind (size raised, arms kept, shares
        allocated, treated people harmed).
    """
    design = data.design
    alpha = design.alpha / len(design.test_arms)  # several arms share the error equally (Bonferroni)
    # Who won under another procedure than the fixed sequence depends on all endpoints.
    alone = first_only and design.multiplicity.procedure == "fixed_sequence"
    endpoints = design.endpoints[:1] if alone else design.endpoints
    end = ended(data, alpha)
    found: Arrays = {}
    for arm in design.test_arms:
        estimates = [end.first[arm][0]]
        estimates += [_later(data, end, endpoint, arm) for endpoint in endpoints[1:]]
        significant = [end.first[arm][1]]
        going = end.stopped != HARM
        significant += [(estimate.p_value_two_sided < alpha) & going for estimate in estimates[1:]]
        favours = [
            benefit_sign(endpoint) * estimate.estimate > 0.0
            for endpoint, estimate in zip(endpoints, estimates, strict=True)
        ]
        won = _won(design, estimates, significant, favours, alpha)
        for place, endpoint in enumerate(endpoints):
            one = estimates[place]
            values = (
                one.estimate, one.standard_error, one.p_value_two_sided, one.low, one.high,
                significant[place], favours[place], won[place] & going,
            )  # fmt: skip
            found |= {
                f"{endpoint.name}/{arm}/{field}": np.asarray(value)
                for field, value in zip(FIELDS, values, strict=True)
            }
    for arm, own in end.adjusted.items():
        key = f"{design.endpoints[0].name}/{arm}"
        values = (own.estimate, own.low, own.high)
        found |= {f"{key}/{field}": value for field, value in zip(ADJUSTED_FIELDS, values, strict=True)}
    found |= _course(data, end)
    if design.external_control is not None and design.external_control.method != "pooled":
        borrowed = borrowed_analysis(data, design.endpoints[0], design.test_arms[0])
        found["external_patients"] = borrowed.effective_external_patients
        found["external_drift_p"] = borrowed.drift_p
    found["missing_share"] = _missing(data, end)
    return found


def _later(data: TrialData, end: Ended, endpoint: Endpoint, arm: str) -> Estimate:
    """An endpoint after the first, among those who count at the end, with what is known of them by then."""
    if end.cut_months is None:
        return analyse(data, endpoint, arm, among=end.among(data))
    return analyse(as_of(data, end.cut_months), endpoint, arm, among=due(data, endpoint, end.cut_months))


def _missing(data: TrialData, end: Ended) -> Array:
    """Share of last visits that are missing, (R,), of those that are due where the data are cut; NaN where none is."""
    seen = data.seen[-1][:, : data.design.patients]
    if end.cut_months is None:
        return 1.0 - seen.mean(axis=-1)
    over = data.entry_months + data.design.horizon_months <= end.cut_months[:, None]
    count = over.sum(axis=1)
    share = (over & ~seen).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, share, np.nan)


def _won(
    design: TrialDesign,
    estimates: list[Estimate],
    significant: list[Array],
    favours: list[Array],
    alpha: float,
) -> list[Array]:
    """Which endpoints of an arm are won under the design's multiplicity procedure, (R,) each."""
    chosen = design.multiplicity
    if chosen.procedure == "fixed_sequence":
        # Endpoints are tested in their order, each only when all before it were won.
        before = np.ones(favours[0].shape, bool)
        found: list[Array] = []
        for shown, better in zip(significant, favours, strict=True):
            before = before & shown & better
            found.append(before)
        return found
    p_values = np.stack([one.p_value_two_sided for one in estimates], axis=-1)
    if chosen.procedure == "graphical":
        names = [endpoint.name for endpoint in design.endpoints]
        weights = [chosen.weights.get(name, 0.0) for name in names]
        moved = [[chosen.transitions.get(one, {}).get(other, 0.0) for other in names] for one in names]
        rejected = graphical(p_values, weights, moved, alpha)
    else:
        rejected = PROCEDURES[chosen.procedure](p_values) <= alpha
    return [rejected[:, place] & better for place, better in enumerate(favours)]


def _course(data: TrialData, end: Ended) -> Arrays:
    """How many people each replicate enrolled and how long it took, from the first centre opened."""
    design = data.design
    if end.cut_months is not None:
        found = {"look": end.look, "stopped": end.stopped, "patients": end.numbers, "months": end.cut_months}
        return found | end.facts
    rows = np.arange(end.look.size)
    entry = data.entry_months[:, : design.most_patients]
    months = entry[rows, end.numbers - 1] + design.horizon_months
    there = np.minimum((entry <= months[:, None]).sum(axis=1), np.maximum(end.size, end.numbers))
    patients = np.where(end.stopped > 0, there, end.numbers)
    return {"look": end.look, "stopped": end.stopped, "patients": patients, "months": months, **end.facts}
