"""The analysis that a design states for each endpoint, applied to replicate trials, and what its result means."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.labels import event_label, milestone_label, outcome_view
from motorpool.simulation.units import MONTHS_PER_YEAR
from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.competing_risks import incidence_difference
from motorpool.trials.analyses.cox import cox
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.joint_rank import joint_rank
from motorpool.trials.analyses.kaplan_meier import restricted_mean
from motorpool.trials.analyses.log_rank import log_rank
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.ordinal import proportional_odds
from motorpool.trials.analyses.pairwise import EventEndpoint, ScoreEndpoint
from motorpool.trials.analyses.responder import cochran_mantel_haenszel, logistic
from motorpool.trials.analyses.win_ratio import win_ratio
from motorpool.trials.borrowed import Borrowed, borrow
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.estimand_values import changes, event_times, responses
from motorpool.trials.imputed import imputed_change
from motorpool.trials.replicate import TrialData
from motorpool.trials.rerandomised import rerandomised

Array = NDArray[Any]
SUMMARIES = {
    "ancova": "difference of adjusted mean changes",
    "mmrm": "difference of adjusted mean changes",
    "cochran_mantel_haenszel": "risk difference",
    "logistic": "log odds ratio",
    "logrank": "log hazard ratio",
    "cox": "log hazard ratio",
    "restricted_mean": "difference of mean event-free years",
    "competing_risks": "difference of cumulative incidence",
    "gray": "log ratio of subdistribution hazards",
    "multiple_imputation": "difference of adjusted mean changes",
    "joint_rank": "difference of mean joint ranks",
    "win_ratio": "log win ratio",
    "proportional_odds": "log common odds ratio",
}


def benefit_sign(endpoint: Endpoint) -> int:
    """+1 where a positive estimate favours the treated, -1 where a negative one does."""
    if endpoint.measure == "time_to_event":
        return 1 if endpoint.method == "restricted_mean" else -1
    if endpoint.measure == "change":
        return outcome_view(str(endpoint.outcome)).direction or 1
    return 1


def endpoint_words(design: TrialDesign, endpoint: Endpoint) -> str:
    """What an endpoint is, in words."""
    month = f"{design.month_of(endpoint):g} months"
    if endpoint.measure == "time_to_event":
        return f"{event_label(str(endpoint.event))}, time to event within {month}"
    if endpoint.milestone is not None:
        return f"{milestone_label(endpoint.milestone)} at {month}"
    label = outcome_view(str(endpoint.outcome)).label
    if endpoint.measure == "change":
        return f"{label}, change from baseline at {month}"
    if endpoint.measure == "response":
        return f"{label}, better by at least {endpoint.change_at_least:g} at {month}"
    if endpoint.measure == "ordinal":
        return f"{label}, change in {len(endpoint.levels) + 1} ordered categories at {month}"
    words = "joint rank" if endpoint.measure == "joint_rank" else "win ratio"
    return f"{words} of {event_label(str(endpoint.event)).lower()} and change of {label} at {month}"


def unit_of(endpoint: Endpoint) -> str:
    """The unit of the effect of an endpoint."""
    if endpoint.measure == "change":
        return outcome_view(str(endpoint.outcome)).unit or "points"
    return {"restricted_mean": "years"}.get(endpoint.method, "")


def analyse(
    data: TrialData, endpoint: Endpoint, arm: str, *, complete: bool = False, among: Array | None = None
) -> Estimate:
    """Compare one arm with the control on one endpoint, in every replicate.

    Args:
        complete: as if no visit had been missed and nobody had left.
        among: who counts, (R, N); by default everybody of the two arms.
    """
    design = data.design
    place = list(design.arms).index(arm)
    control = len(design.arms) if design.control is None else list(design.arms).index(design.control)
    treated = data.arm == place
    counted = treated | (data.arm == control)
    if design.external_control is not None and design.control is not None:
        # Pooled: people from outside stand beside the trial's own controls.
        counted |= data.arm == len(design.arms)
    if among is not None:
        counted &= among
    stratum = data.stratum if design.strata.any and design.strata.in_analysis else None
    if design.external_control is not None and design.external_control.method != "pooled" and not complete:
        return borrowed_analysis(data, endpoint, arm).estimate
    view = _Compared(data, endpoint, treated, counted, stratum, complete)
    found: Estimate = _METHODS[endpoint.method](view)
    if endpoint.test == "analysis" or complete:
        return found
    return rerandomised(data, endpoint, found, treated, counted, baseline=view.baseline, stratum=view.stratum)


def borrowed_analysis(data: TrialData, endpoint: Endpoint, arm: str) -> Borrowed:
    """The comparison of one arm with the control, with controls from outside borrowed."""
    design, names = data.design, list(data.design.arms)
    visit = design.visit_months.index(design.month_of(endpoint))
    change = changes(data, endpoint)[..., visit]
    treated, control = data.arm == names.index(arm), data.arm == names.index(str(design.control))
    outside = data.arm == len(names)
    return borrow(design, change, treated, control, outside, higher_is_better=benefit_sign(endpoint) > 0)


@dataclasses.dataclass(frozen=True)
class _Compared:
    """Two arms of replicate trials, ready for an analysis."""

    data: TrialData
    endpoint: Endpoint
    treated: Array
    counted: Array
    stratum: Array | None
    complete: bool

    @property
    def baseline(self) -> Array | None:
        """The baseline of the endpoint's score, (R, N), where the analysis adjusts for it."""
        if self.endpoint.outcome is None or not self.endpoint.adjust_for_baseline:
            return None
        return self.data.baseline[self.data.design.outcomes.index(self.endpoint.outcome)]

    @property
    def visit(self) -> int:
        """Which visit the endpoint is read at."""
        return self.data.design.visit_months.index(self.data.design.month_of(self.endpoint))

    def changes(self) -> Array:
        """(R, N, V)."""
        return changes(self.data, self.endpoint, complete=self.complete)

    def pairs(self) -> list[Any]:
        """The event first, then the change, for comparisons of pairs."""
        times = event_times(self.data, self.endpoint, complete=self.complete)
        sign = outcome_view(str(self.endpoint.outcome)).direction or 1
        event = EventEndpoint(time_years=times.months / MONTHS_PER_YEAR, event=times.cause == 1)
        return [event, ScoreEndpoint(value=self.changes()[..., self.visit], higher_is_better=sign > 0)]


def _ancova(view: _Compared) -> Estimate:
    return ancova(
        view.changes()[..., view.visit],
        view.treated,
        baseline=view.baseline,
        stratum=view.stratum,
        observed=view.counted,
    )


def _mmrm(view: _Compared) -> Estimate:
    values = np.where(view.counted[..., None], view.changes(), np.nan)[..., 1 : view.visit + 1]
    covariance = view.endpoint.covariance or "unstructured"
    return mmrm(values, view.treated, baseline=view.baseline, stratum=view.stratum, covariance=covariance)


def _multiple_imputation(view: _Compared) -> Estimate:
    if view.complete:
        return _ancova(view)
    values = view.changes()[..., 1 : view.visit + 1]
    return imputed_change(
        view.data,
        view.endpoint,
        values,
        view.treated,
        view.counted,
        baseline=view.baseline,
        stratum=view.stratum,
    )


def _cochran_mantel_haenszel(view: _Compared) -> Estimate:
    found = responses(view.data, view.endpoint, complete=view.complete)
    return cochran_mantel_haenszel(found, view.treated, stratum=view.stratum, observed=view.counted)


def _logistic(view: _Compared) -> Estimate:
    found = responses(view.data, view.endpoint, complete=view.complete)
    return logistic(
        found, view.treated, baseline=view.baseline, stratum=view.stratum, observed=view.counted, firth=True
    )


def _logrank(view: _Compared) -> Estimate:
    """The log-rank test, with hazard ratio and interval by Cox's model, as trials report them."""
    times = event_times(view.data, view.endpoint, complete=view.complete)
    years = times.months / MONTHS_PER_YEAR
    test = log_rank(years, times.cause == 1, view.treated, stratum=view.stratum, observed=view.counted)
    ratio = cox(years, times.cause == 1, view.treated, stratum=view.stratum, observed=view.counted)
    return Estimate(
        estimate=ratio.estimate,
        standard_error=ratio.standard_error,
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value_two_sided=test.p_value_two_sided,
        low=ratio.low,
        high=ratio.high,
    )


def _cox(view: _Compared) -> Estimate:
    times = event_times(view.data, view.endpoint, complete=view.complete)
    years = times.months / MONTHS_PER_YEAR
    return cox(years, times.cause == 1, view.treated, stratum=view.stratum, observed=view.counted)


def _restricted_mean(view: _Compared) -> Estimate:
    times = event_times(view.data, view.endpoint, complete=view.complete)
    horizon = view.data.design.month_of(view.endpoint) / MONTHS_PER_YEAR
    return restricted_mean(
        times.months / MONTHS_PER_YEAR,
        times.cause == 1,
        view.treated,
        horizon_years=horizon,
        observed=view.counted,
    )


def _competing_risks(view: _Compared) -> Estimate:
    times = event_times(view.data, view.endpoint, complete=view.complete)
    horizon = view.data.design.month_of(view.endpoint) / MONTHS_PER_YEAR
    return incidence_difference(
        times.months / MONTHS_PER_YEAR,
        times.cause,
        view.treated,
        horizon_years=horizon,
        observed=view.counted,
    )


def _gray(view: _Compared) -> Estimate:
    times = event_times(view.data, view.endpoint, complete=view.complete)
    return gray(times.months / MONTHS_PER_YEAR, times.cause, view.treated, observed=view.counted)


def _joint_rank(view: _Compared) -> Estimate:
    return joint_rank(view.pairs(), view.treated, stratum=view.stratum, observed=view.counted)


def _win_ratio(view: _Compared) -> Estimate:
    return win_ratio(view.pairs(), view.treated, stratum=view.stratum, observed=view.counted)


def _proportional_odds(view: _Compared) -> Estimate:
    sign = outcome_view(str(view.endpoint.outcome)).direction or 1
    change = sign * view.changes()[..., view.visit]
    known = np.isfinite(change)
    category = np.searchsorted(np.asarray(view.endpoint.levels), np.nan_to_num(change), side="right")
    return proportional_odds(
        category, view.treated, baseline=view.baseline, stratum=view.stratum, observed=view.counted & known
    )


_METHODS: dict[str, Any] = {
    "ancova": _ancova,
    "mmrm": _mmrm,
    "cochran_mantel_haenszel": _cochran_mantel_haenszel,
    "logistic": _logistic,
    "logrank": _logrank,
    "cox": _cox,
    "restricted_mean": _restricted_mean,
    "competing_risks": _competing_risks,
    "gray": _gray,
    "multiple_imputation": _multiple_imputation,
    "joint_rank": _joint_rank,
    "win_ratio": _win_ratio,
    "proportional_odds": _proportional_odds,
}
