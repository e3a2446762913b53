"""Whether the model is good enough: the acceptance criteria, a verdict for each context of use, and the standards.

The criteria were written before the first validation run (``evidence/data/acceptance.yaml``); nothing here is judged by
eye.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from motorpool.calibration.validation_summary import Acceptance, Criterion
from motorpool.evidence.posterior import Posterior
from motorpool.evidence.stored_results import ValidationResult
from motorpool.report.credibility.applicability import ApplicabilityMap
from motorpool.report.credibility.calibration import sampling_checks
from motorpool.report.credibility.engine_error import EngineError
from motorpool.report.credibility.statements import ContextOfUse, Statements, load_rules
from motorpool.simulation.calibration_state import CalibrationState

Reached = Literal["goal", "floor", "missed", "not known"]
Status = Literal["reached", "partly", "not reached", "not known", "not applicable"]
Verdict = Literal["adequate", "adequate in part", "not adequate", "not established"]
NEGATIVE_CONTROLS = "NEGATIVE-CONTROLS"
COVERAGE = "Share inside the 90 % interval"


@dataclasses.dataclass(frozen=True)
class CriterionResult:
    """One acceptance criterion with what was found."""

    criterion: str
    meaning: str
    floor: float | None
    goal: float | None
    found: str
    reached: Reached


def criteria(acceptance: Acceptance, validation: ValidationResult | None) -> list[CriterionResult]:
    """Every criterion held against the stored validation result."""
    summary = None if validation is None else validation.summary.get(acceptance.set)
    inside = None if summary is None else summary.coverage_90
    ratio = None if summary is None else summary.median_width_ratio
    counted = None if summary is None else float(summary.n)
    return [
        _compared(COVERAGE, acceptance.inside_90, inside, larger=True),
        _compared("Width of the predictive interval", acceptance.median_width_ratio, ratio, larger=False),
        _compared("Number of endpoints", acceptance.least_endpoints, counted, larger=True),
        _effective_people(acceptance.effective_people, validation, acceptance.set),
        _controls(acceptance.negative_controls, validation),
        _baselines(acceptance.baselines, validation),
    ]


def _compared(name: str, criterion: Criterion, value: float | None, *, larger: bool) -> CriterionResult:
    def met(limit: float | None) -> bool:
        return limit is not None and value is not None and (value >= limit if larger else value <= limit)

    reached: Reached = "not known"
    if value is not None:
        reached = "goal" if met(criterion.goal) else "floor" if met(criterion.floor) else "missed"
        if criterion.goal is None and reached == "floor":
            reached = "goal"
    found = "no validation result" if value is None else f"{value:.3g}"
    return CriterionResult(name, criterion.meaning, criterion.floor, criterion.goal, found, reached)


def _effective_people(
    criterion: Criterion, validation: ValidationResult | None, chosen: str
) -> CriterionResult:
    name = "People behind a prediction"
    if validation is None:
        return CriterionResult(
            name, criterion.meaning, criterion.floor, criterion.goal, "no validation result", "not known"
        )
    left_out = sum(not row.counted for row in validation.endpoints if row.set == chosen)
    words = "every endpoint has enough" if left_out == 0 else f"{left_out} endpoints shown and not counted"
    return CriterionResult(name, criterion.meaning, criterion.floor, criterion.goal, words, "goal")


def _controls(criterion: Criterion, validation: ValidationResult | None) -> CriterionResult:
    rows = [] if validation is None else [r for r in validation.endpoints if r.study == NEGATIVE_CONTROLS]
    if not rows:
        return CriterionResult(
            "Negative controls", criterion.meaning, None, None, "not in the result", "not known"
        )
    inside = sum(row.inside_90 for row in rows)
    reached: Reached = "goal" if inside == len(rows) else "missed"
    return CriterionResult(
        "Negative controls", criterion.meaning, None, None, f"{inside} of {len(rows)} inside", reached
    )


def _baselines(criterion: Criterion, validation: ValidationResult | None) -> CriterionResult:
    entries = {} if validation is None else validation.baselines
    if not entries:
        return CriterionResult("Baselines", criterion.meaning, None, None, "not in the result", "not known")
    better = {name: bool(entry.get("better")) for name, entry in entries.items()}
    words = "; ".join(f"{'better' if won else 'not better'} than {name}" for name, won in better.items())
    return CriterionResult(
        "Baselines", criterion.meaning, None, None, words, "goal" if all(better.values()) else "missed"
    )


def floors_met(results: list[CriterionResult]) -> bool | None:
    """Whether every criterion reached its floor; ``None`` where one is not known."""
    if any(one.reached == "missed" for one in results):
        return False
    return None if any(one.reached == "not known" for one in results) else True


def verdict(
    context: ContextOfUse, state: CalibrationState, sampled: bool, results: list[CriterionResult]
) -> tuple[Verdict, str]:
    """The verdict on one context of use, with the reason.

    Args:
        state: whether the parameters were calibrated for these equations; sampled: whether the sampler reached its
            diagnostics.
        results: the acceptance criteria.
    """
    if context.needs == "never":
        return "not adequate", "by intent, whatever the numbers say"
    if state != "calibrated":
        return "not established", f"the model is {state}"
    if not sampled:
        return "adequate in part", "the sampler of the posterior did not reach its diagnostics"
    if context.needs == "calibrated":
        return "adequate", "calibrated for exactly these equations and priors"
    return _validated(results)


def _validated(results: list[CriterionResult]) -> tuple[Verdict, str]:
    """The verdict where validation decides: missed coverage is a no, anything else missed or unknown a part."""
    names = {
        kind: ", ".join(one.criterion.lower() for one in results if one.reached == kind)
        for kind in ("missed", "not known")
    }
    coverage = next(one for one in results if one.criterion == COVERAGE)
    if coverage.reached == "not known":
        return "not established", "there is no validation result"
    if coverage.reached == "missed":
        return "not adequate", f"below the floor: {names['missed']}"
    if names["missed"]:
        return "adequate in part", f"below the floor: {names['missed']}; use the green cells of the map alone"
    if names["not known"]:
        return (
            "adequate in part",
            f"not yet known: {names['not known']}; use the green cells of the map alone",
        )
    return "adequate", "every acceptance criterion reached its floor; within the green cells of the map"


def context_rows(
    statements: Statements,
    state: CalibrationState,
    posterior: Posterior | None,
    results: list[CriterionResult],
) -> list[dict[str, Any]]:
    """The assessment table of ICH M15: one row per context of use, with risk and verdict."""
    risk = load_rules().risk
    sampled = posterior is not None and all(check["met"] for check in sampling_checks(posterior))
    rows: list[dict[str, Any]] = []
    for context in statements.contexts:
        words, reason = verdict(context, state, sampled, results)
        rows.append(
            {
                **context.model_dump(),
                "risk": risk[context.influence][context.consequence],
                "verdict": words,
                "reason": reason,
            }
        )
    return rows


def statuses(
    state: CalibrationState,
    posterior: Posterior | None,
    results: list[CriterionResult],
    cells: ApplicabilityMap,
    engine: EngineError | None,
    origins: Mapping[str, int],
) -> dict[str, Status]:
    """The measured statuses that the tables of the standards refer to by name."""
    rules = load_rules()
    found: dict[str, Status] = {
        "engine": "not known",
        "calibration": "not reached",
        "map": "partly" if cells.counts()["green"] else "not reached",
        "inputs": "partly" if origins.get("judgement") else "reached",
    }
    if engine is not None:
        found["engine"] = "reached" if engine.most <= rules.engine.share_of_range else "partly"
    if posterior is not None and state == "calibrated":
        met = all(check["met"] for check in sampling_checks(posterior))
        found["calibration"] = "reached" if met else "partly"
    met = floors_met(results)
    some = any(one.reached in ("goal", "floor") for one in results if one.floor is not None)
    found["validation"] = "reached" if met else "partly" if some else "not reached"
    if met is None and not some:
        found["validation"] = "not known"
    return found


def resolved(status: str, measured: Mapping[str, Status]) -> str:
    """A status that names what decides it, decided."""
    return measured.get(status, status)
