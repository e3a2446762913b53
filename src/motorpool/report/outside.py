"""What a run says about being outside the range in which the model was validated."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.report.credibility.applicability import ApplicabilityMap
    from motorpool.simulation.scenario import Scenario

NEVER_STUDIED = "no published study of these people with this plan is in the collection"


def outside_words(context: FigureContext) -> str:
    """One sentence that names the plans for which these people lie outside what was validated; empty if none does."""
    from motorpool.simulation.loading import scenario_from_data

    scenario = scenario_from_data(context.scenario)
    months = 12.0 * np.asarray(context.dataset["enrolment_age_years"].values)
    copies = np.asarray(context.dataset["smn2_copies"].values)
    people = (float(np.median(months)), float(np.median(copies)))
    found = {
        context.labels.get(arm, arm): reason
        for arm in context.arms
        if (reason := why_outside(scenario, str(arm), people, validated_map()))
    }
    if not found:
        return ""
    by_reason: dict[str, list[str]] = {}
    for label, reason in found.items():
        by_reason.setdefault(reason, []).append(label)
    parts = [f"{', '.join(labels)} ({reason})" for reason, labels in by_reason.items()]
    return (
        f"Outside what the model was validated for: {'; '.join(parts)}. Read those numbers as a question, not as an "
        "answer."
    )


@functools.cache
def validated_map() -> ApplicabilityMap:
    """The map of the shipped studies and validation, made at the first call: they never change while motorpool runs."""
    from motorpool.calibration.validation_summary import load_acceptance
    from motorpool.evidence.stored_results import load_validation_result
    from motorpool.report.credibility.applicability import applicability_map

    return applicability_map(load_validation_result(), load_acceptance().inside_90.floor or 1.0)


def why_outside(
    scenario: Scenario, arm: str, people: tuple[float, float], validated: ApplicabilityMap
) -> str:
    """Why these people under an arm's plan lie outside; empty where the map is green.

    Args:
        people: median age at enrolment in months, and median copies of SMN2.
    """
    from motorpool.report.credibility.coverage import therapy_words
    from motorpool.report.credibility.statements import load_rules

    rules = load_rules().map
    age = _band(people[0], rules.ages_months)
    copies = _band(people[1], rules.copies)
    therapy = therapy_words(scenario.courses_of(arm))
    for cell in validated.cells:
        if (cell.therapy, cell.age, cell.copies) == (therapy, age, copies):
            if cell.colour == "green":
                return ""
            return NEVER_STUDIED if cell.reason == "no study" else cell.reason
    return NEVER_STUDIED


def _band(value: float, bands: Mapping[str, Any]) -> str:
    """The name of the band that holds a value; a limit belongs to the upper band, the last limit to the last."""
    names = list(bands)
    for name in names:
        low, high = bands[name]
        if low <= value < high or low == high == value:
            return name
    return names[-1] if value >= bands[names[-1]][0] else names[0]
