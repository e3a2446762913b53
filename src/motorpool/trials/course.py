"""What happened to replicate trials: size, duration, stopping, and what the rules of the design did."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from motorpool.simulation.labels import adverse_event_label
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


def rule_words(design: TrialDesign) -> list[tuple[str, str]]:
    """The design's adaptive rules, its safety rule and its multiplicity procedure: what, and in words."""
    found: list[tuple[str, str]] = []
    size, drop, adapt, harm = (
        design.reestimation,
        design.arm_dropping,
        design.response_adaptive,
        design.safety,
    )
    if size is not None:
        how = (
            f"from the blinded variance, for a difference of {size.effect:g}"
            if size.method == "blinded_variance"
            else f"raised where conditional power is at least {100 * (size.promising_from or 0.0):g} %, "
            "tested by a combination test"
        )
        words = f"after {100 * size.at:g} % of the people, {how}; power {100 * size.power:g} %, at most"
        found.append(("Size set anew", f"{words} {design.most_patients} people"))
    if drop is not None:
        best = "arms" if drop.keep_best is None else f"best {drop.keep_best}"
        reach = "" if drop.lowest_z is None else f" with a statistic of at least {drop.lowest_z:g}"
        words = f"after {100 * drop.at:g} % of the people the {best}{reach} stay; closed combination test"
        found.append(("Arms dropped", f"{words} with Dunnett's p values, one-sided"))
    if adapt is not None:
        looks = ", ".join(f"{100 * share_:g} %" for share_ in adapt.looks)
        words = f"after {looks} of the people by the probability to be best to the power {adapt.exponent:g}"
        found.append(
            ("Response-adaptive randomisation", f"{words}; at least {100 * adapt.smallest_share:g} % an arm")
        )
    if harm is not None:
        names = ", ".join(adverse_event_label(name).lower() for name in harm.adverse_events)
        words = f"stops when a risk above {100 * harm.acceptable_risk:g} % is {100 * harm.certainty:g} % certain, asked"
        found.append(("Safety", f"{words} after every {harm.every_treated} treated; {names}"))
    if design.multiplicity.procedure != "fixed_sequence":
        found.append(("Several endpoints", design.multiplicity.procedure.replace("_", " ").capitalize()))
    return found


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
