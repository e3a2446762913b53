"""What happened to replicate trials: size, duration, stopping, and what the rules of the design did."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from motorpool.trials.adaptive.reestimation import FAVOURABLE, PROMISING, UNFAVOURABLE
from motorpool.trials.design import TrialDesign
from motorpool.trials.ending import HARM
from motorpool.trials.operating import Arrays, Figure, mean, share

ZONES = {"unfavourable": UNFAVOURABLE, "promising": PROMISING, "favourable": FAVOURABLE}


def course_of(design: TrialDesign, results: Arrays) -> dict[str, Any]:
    """Size, duration and missing data over replicates."""
    months = results["months"]
    filled = np.isfinite(months)
    found: dict[str, Any] = {
        "patients": mean(results["patients"]).data(),
        "enrolled_in_a_century": share(filled).data(),
        "months_median": _finite(float(np.median(months))),
        "months": (mean(months[filled]) if filled.sum() > 1 else Figure(math.nan, math.nan)).data(),
        "missing_at_last_visit": mean(results["missing_share"]).data(),
    }
    if "external_patients" in results:
        found["external_patients_worth"] = mean(results["external_patients"]).data()
        found["drift_noticed"] = share(results["external_drift_p"] < design.alpha).data()
    if "events" in results:
        found["events"] = mean(results["events"]).data()
    if design.interims is not None:
        looks = len(design.interims.information)
        found["stopped"] = [
            {
                "look": look + 1,
                "information": design.interims.information[look],
                "efficacy": share((results["look"] == look) & (results["stopped"] == 1)).data(),
                "futility": share((results["look"] == look) & (results["stopped"] == 2)).data(),
            }
            for look in range(looks)
        ]
    return found | _rules_of(design, results)


def _rules_of(design: TrialDesign, results: Arrays) -> dict[str, Any]:
    """What the adaptive rules and the safety rule did."""
    found: dict[str, Any] = {}
    if design.reestimation is not None:
        found["size_raised"] = share(results["size_raised"] > 0).data()
        found["size_at_its_limit"] = share(results["patients"] >= design.most_patients).data()
        if "zone" in results:
            found["zones"] = {name: share(results["zone"] == zone).data() for name, zone in ZONES.items()}
    if design.arm_dropping is not None:
        found["arms_kept"] = {arm: share(results[f"kept/{arm}"] > 0).data() for arm in design.test_arms}
    if design.arm_dropping is not None or design.response_adaptive is not None:
        found["allocated"] = {arm: mean(results[f"allocated/{arm}"]).data() for arm in design.arms}
    if design.safety is not None:
        found["stopped_for_harm"] = share(results["stopped"] == HARM).data()
        found["treated"] = mean(results["treated"]).data()
        found["harmed_share"] = mean(results["harmed_share"]).data()
    return found


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
