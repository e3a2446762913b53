"""What a design assumes, varied: each assumption in words, and the entries of the design that change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from motorpool.trials.accrual_facts import load_accrual_facts
from motorpool.trials.analyses.multiple_imputation import Assumption
from motorpool.trials.design import TrialDesign

Variation = tuple[str, list[str]]
STRATEGIES = {
    "death": ("composite", "while_before"),
    "permanent_ventilation": ("treatment_policy", "composite", "while_before"),
    "discontinuation": ("treatment_policy", "composite", "while_before", "hypothetical"),
    "rescue": ("treatment_policy", "composite", "while_before", "hypothetical"),
}
# How far an assumption is moved where the design gives no scale of its own; choices of presentation, not evidence.
LEAST_SHARE, LEAST_LOG_ODDS, GUESSED, RATER_SHARE = 0.02, 0.2, 0.3, 0.5


def variations(design: TrialDesign) -> Iterator[Variation]:
    """Changes of one assumption each that may change effect, power or error; the first is the design itself."""
    yield "as designed", []
    yield from _missing(design)
    yield from _ratings(design)
    for care in ("palliative", "standard", "proactive"):
        if care != design.care:
            yield f"{care} care", [f"care={care}"]
    yield from _strategies(design)
    yield from _plans(design)
    yield from _analysis(design)
    yield from _outside(design)


def accrual_variations(design: TrialDesign) -> Iterator[Variation]:
    """Changes of one assumption each about how people are found, which change only how long that takes."""
    accrual, facts = design.accrual, load_accrual_facts()
    if accrual.patients_per_month is not None:
        for words, factor in (("half as many", 0.5), ("twice as many", 2.0)):
            yield (
                f"{words} people a month",
                [f"accrual.patients_per_month={factor * accrual.patients_per_month:g}"],
            )
    else:
        for key, what in (
            ("reached_share", "are reached"),
            ("consent_share", "agree"),
            ("patients_per_site_month", "can be enrolled by a centre"),
        ):
            own = getattr(accrual, key)
            value = getattr(facts, key).value if own is None else own
            yield f"half as many {what}", [f"accrual.{key}={0.5 * value:g}"]
            twice = 2.0 * value if key == "patients_per_site_month" else min(1.0, 2.0 * value)
            yield (
                f"all {what}"
                if key != "patients_per_site_month" and twice == 1.0
                else f"twice as many {what}",
                [f"accrual.{key}={twice:g}"],
            )
        if accrual.competing:
            yield "no other trial looks for these people", ["accrual.competing=[]"]
    if accrual.site_start_months:
        yield "all centres open at once", ["accrual.site_start_months=0"]
    yield "twice as many centres", [f"sites.count={min(500, 2 * design.sites.count)}"]


def _missing(design: TrialDesign) -> Iterator[Variation]:
    missing = design.conduct.missing
    yield "nobody leaves and no visit is missed", ["conduct.missing={}"]
    more = min(1.0, 2.0 * max(missing.leave_per_year, LEAST_SHARE))
    skipped = min(1.0, 2.0 * max(missing.visits_missed, LEAST_SHARE))
    yield (
        "twice as many leave and miss visits",
        [f"conduct.missing.leave_per_year={more}", f"conduct.missing.visits_missed={skipped}"],
    )
    if design.endpoints[0].outcome is None:
        return
    for mechanism in ("mar", "mnar"):
        words = "seen" if mechanism == "mar" else "unseen"
        log_odds = max(missing.log_odds_per_point, LEAST_LOG_ODDS)
        yield (
            f"those whose score falls leave more often ({words})",
            [
                f"conduct.missing.mechanism={mechanism}",
                f"conduct.missing.log_odds_per_point={log_odds}",
                f"conduct.missing.leave_per_year={max(missing.leave_per_year, 0.05)}",
            ],
        )


def _ratings(design: TrialDesign) -> Iterator[Variation]:
    sites = design.sites
    if design.endpoints[0].outcome is not None:
        yield (
            "half of the noise of a rating belongs to the rater",
            [f"sites.rater_share={RATER_SHARE}", f"sites.raters_per_site={max(2, sites.raters_per_site)}"],
        )
        if sites.count > 1:
            yield "centres differ by one point a year in course", ["sites.course_sd_per_year=1.0"]
    if design.blinding == "double_blind":
        yield "three in ten of the treated guess their arm", [f"conduct.unblinded_share={GUESSED}"]
        yield "open label", ["blinding=open_label", "conduct.unblinded_share=0"]
    if not design.visits.window_days:
        yield "visits a week early or late", ["visits.window_days=7"]


def _strategies(design: TrialDesign) -> Iterator[Variation]:
    """Every other strategy for every intercurrent event that can happen."""
    conduct = design.conduct
    possible = {
        "death": True,
        "permanent_ventilation": True,
        "discontinuation": conduct.discontinue_per_year > 0.0,
        "rescue": conduct.rescue is not None,
    }
    for event, strategies in STRATEGIES.items():
        own = getattr(design.estimand.intercurrent_events, event)
        for strategy in strategies:
            if possible[event] and strategy != own:
                words = f"{event.replace('_', ' ')} handled by {strategy.replace('_', ' ')}"
                yield words, [f"estimand.intercurrent_events.{event}={strategy}"]


def _plans(design: TrialDesign) -> Iterator[Variation]:
    conduct = design.conduct
    if conduct.discontinue_per_year:
        yield (
            "nobody stops the therapy of the arm",
            [
                "conduct.discontinue_per_year=0",
                "estimand.intercurrent_events.discontinuation=treatment_policy",
            ],
        )
        twice = min(1.0, 2.0 * conduct.discontinue_per_year)
        yield "twice as many stop the therapy of the arm", [f"conduct.discontinue_per_year={twice}"]
    if conduct.rescue is not None:
        half = 0.5 * conduct.rescue.fall_at_least
        yield "rescue after half of the fall", [f"conduct.rescue.fall_at_least={half:g}"]
        yield (
            "nobody is rescued",
            [
                "conduct.rescue=null",
                "estimand.intercurrent_events.rescue=treatment_policy",
            ],
        )


def _analysis(design: TrialDesign) -> Iterator[Variation]:
    first = design.endpoints[0]
    if design.strata.any and design.strata.in_analysis:
        yield "strata not in the analysis", ["strata.in_analysis=false"]
    if first.measure != "change":
        return
    if first.method != "ancova":
        yield "analysed by ANCOVA", [
            "endpoints.0.analysis=ancova", "endpoints.0.covariance=null", "endpoints.0.imputation=null",
        ]  # fmt: skip
    if first.method != "mmrm":
        yield "analysed by MMRM", ["endpoints.0.analysis=mmrm", "endpoints.0.imputation=null"]
    if first.adjust_for_baseline:
        yield "not adjusted for the baseline", ["endpoints.0.adjust_for_baseline=false"]
    if first.imputation is not None:
        for assumption in get_args(Assumption):
            if assumption != first.imputation.assumption:
                words = f"imputed by {assumption.replace('_', ' ')}"
                yield words, [f"endpoints.0.imputation.assumption={assumption}"]
        for delta in (-1.0, 1.0):
            moved = first.imputation.delta + delta
            yield f"imputed values moved by {delta:+g}", [f"endpoints.0.imputation.delta={moved:g}"]


def _outside(design: TrialDesign) -> Iterator[Variation]:
    external = design.external_control
    if external is None:
        return
    for drift in (-1.0, 1.0):
        moved = external.drift_points + drift
        yield f"people from outside do {drift:+g} points better", [f"external_control.drift_points={moved:g}"]
    if external.method != "pooled":
        for weight in (0.0, 1.0):
            if weight != external.weight:
                yield f"weight of {weight:g} in borrowing", [f"external_control.weight={weight:g}"]
    if external.between_trials_sd is not None:
        twice = 2.0 * external.between_trials_sd
        yield "trials differ twice as much", [f"external_control.between_trials_sd={twice:g}"]
