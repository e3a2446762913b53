"""A design in words, row by row: for the report of a trial, and for who checks a file before running it."""

from __future__ import annotations

from collections.abc import Iterator

from motorpool.trials.analysis import SUMMARIES, endpoint_words
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.rule_words import rule_words

METHODS = {
    "ancova": "analysis of covariance",
    "mmrm": "mixed model for repeated measures, Kenward-Roger",
    "multiple_imputation": "multiple imputation and analysis of covariance",
    "cochran_mantel_haenszel": "Cochran-Mantel-Haenszel test",
    "logistic": "penalised logistic regression",
    "logrank": "log-rank test, hazard ratio by Cox's model",
    "cox": "Cox's model",
    "restricted_mean": "difference of restricted means",
    "competing_risks": "difference of cumulative incidences (Aalen-Johansen)",
    "gray": "Gray's test",
    "joint_rank": "joint rank test",
    "win_ratio": "win ratio",
    "proportional_odds": "proportional odds model",
}
Row = tuple[str, str]


def design_rows(design: TrialDesign) -> list[Row]:
    """What, and in words: arms, allocation, visits, endpoints, rules and the estimand."""
    return [*_arms(design), *_endpoints(design), *rule_words(design), *_outside(design), *_estimand(design)]


def _arms(design: TrialDesign) -> Iterator[Row]:
    yield "Arms", "; ".join(design.label_of(arm) for arm in design.arms)
    for name, arm in design.arms.items():
        if arm.stand_in != "none":
            yield "Instead of treatment", f"{design.label_of(name)}: {arm.stand_in.replace('_', ' ')}"
    yield "Control", design.label_of(design.control_arm)
    ratio = " : ".join(str(arm.ratio) for arm in design.arms.values())
    yield "Allocation", f"{ratio}, permuted blocks{_strata(design)}"
    yield "People", str(design.patients)
    yield "Blinding", design.blinding.replace("_", " ")
    window = design.visits.window_days
    late = f", up to {window:g} days early or late" if window else ""
    yield "Visits", ", ".join(f"{month:g}" for month in design.visit_months) + f" months{late}"


def _strata(design: TrialDesign) -> str:
    strata = design.strata
    cuts = [
        f"{what} (from {', '.join(f'{value:g}' for value in values)}{unit})"
        for what, values, unit in (
            ("age", strata.age_months, " months"),
            ("SMN2 copies", strata.smn2_copies, ""),
            ("baseline score", strata.baseline, ""),
        )
        if values
    ]
    if not cuts:
        return ""
    return f" within strata of {' and '.join(cuts)}{'' if strata.in_analysis else ', which are not analysed'}"


def _endpoints(design: TrialDesign) -> Iterator[Row]:
    for place, endpoint in enumerate(design.endpoints, 1):
        yield f"Endpoint {place}", f"{endpoint_words(design, endpoint)}; {_analysis(endpoint)}"
    order = ", endpoints tested in this order" if design.multiplicity.procedure == "fixed_sequence" else ""
    shared = ", for all arms together" if len(design.test_arms) > 1 else ""
    yield "Two-sided alpha", f"{design.alpha:g}{shared}{order}"


def _analysis(endpoint: Endpoint) -> str:
    words = METHODS[endpoint.method]
    if endpoint.method == "mmrm":
        words += f", {(endpoint.covariance or 'unstructured').replace('_', ' ')} covariance"
    if endpoint.imputation is not None:
        asked = endpoint.imputation
        moved = f", moved by {asked.delta:g}" if asked.delta else ""
        words += f" ({asked.assumption.replace('_', ' ')}{moved}, {asked.imputations} imputations)"
    if not endpoint.adjust_for_baseline:
        words += ", not adjusted for the baseline"
    if endpoint.test == "rerandomisation":
        words += "; tested by allocations drawn again (re-randomisation)"
    return words


def _outside(design: TrialDesign) -> Iterator[Row]:
    external = design.external_control
    if external is None:
        return
    how = external.method.replace("_", " ")
    if external.method != "pooled":
        how += f", weight {external.weight:g}"
    if external.between_trials_sd is not None:
        how += f", standard deviation between trials {external.between_trials_sd:g}"
    if external.drift_points:
        how += f"; assumed to do {external.drift_points:g} points better for other reasons"
    yield "External controls", f"{external.patients} people; {how}"


def _estimand(design: TrialDesign) -> Iterator[Row]:
    yield "Estimand: population", design.estimand.population
    first = design.endpoints[0]
    yield "Estimand: variable", endpoint_words(design, first)
    yield "Estimand: summary", SUMMARIES[first.method]
    strategies, conduct = design.estimand.intercurrent_events, design.conduct
    possible = {"discontinuation": conduct.discontinue_per_year > 0, "rescue": conduct.rescue is not None}
    for key in type(strategies).model_fields:
        if possible.get(key, True):
            yield f"Estimand: {key.replace('_', ' ')}", getattr(strategies, key).replace("_", " ")
    if design.estimand.note:
        yield "Estimand: note", design.estimand.note
