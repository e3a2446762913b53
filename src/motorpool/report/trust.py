"""How far a report can be trusted: whether its numbers were calibrated, and how the model did on unseen studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motorpool.evidence.stored_results import ValidationResult

DIFFERENCES = "Differences between arms are more trustworthy than absolute numbers."


def trust_sentences(state: str, validation: ValidationResult | None) -> list[str]:
    """What calibration and validation say of every result, a sentence or two each.

    Args:
        state: as :func:`motorpool.simulation.calibration_state.calibration_state` gives it.
        validation: the shipped validation run, or None.
    """
    if state != "calibrated":
        return [
            "The parameters are not calibrated for this version of the model: no published study confirms the numbers.",
            DIFFERENCES,
        ]
    found = [
        "The parameters were calibrated together on published studies that were set aside for it beforehand."
    ]
    unseen = None if validation is None else validation.summary.get("validation")
    if validation is None or unseen is None or not unseen.n:
        found.append("How the model does on studies that it never saw is not known.")
    else:
        share = f"{100 * unseen.inside_90 / unseen.n:.0f} %"
        low, high = unseen.coverage_90_low, unseen.coverage_90_high
        if low is not None and high is not None:
            share += f"; {100 * low:.0f} to {100 * high:.0f} % if other studies had been done"
        found.append(
            f"Of {unseen.n} published figures from studies that had no part in it, {unseen.inside_90} "
            f"({share}) lie within the range that the model gives to nine of ten."
            + _against_the_floor(validation)
        )
    found.append(
        f"{DIFFERENCES} What was missed, and why, is in the credibility report (`motorpool credibility`)."
    )
    return found


def _against_the_floor(validation: ValidationResult) -> str:
    accepted: Mapping[str, Any] = (validation.model_extra or {}).get("acceptance", {}).get("inside_90", {})
    if "floor" not in accepted:
        return ""
    asked = f" At least {100 * float(accepted['floor']):.0f} % had been asked for beforehand"
    if accepted.get("floor_met"):
        return f"{asked}, which is reached."
    return f"{asked}. That is not reached, so the model does not count as validated."
