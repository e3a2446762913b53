"""Contradictions between a design and its adaptive rules that can be seen without simulating anyone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from motorpool.evidence.adverse_events import load_adverse_event_catalogue
from motorpool.simulation.errors import Problem
from motorpool.therapies.fields import nearest_name
from motorpool.trials.design_sections import MOST_PATIENTS

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign

ADAPTIONS = ("interims", "reestimation", "arm_dropping", "response_adaptive")
APART = {
    (
        "interims",
        "response_adaptive",
    ): "its boundaries count on shares of the information that are fixed beforehand, "
    "which an allocation that follows the responses does not give",
    (
        "reestimation",
        "arm_dropping",
    ): "the size of a trial whose arms change is not set anew; the people of a dropped arm "
    "already go to the others",
    (
        "reestimation",
        "response_adaptive",
    ): "the size is worked out for the planned ratio, which an allocation that follows the responses leaves",
    (
        "arm_dropping",
        "response_adaptive",
    ): "both move people between the arms, and the closed test counts on equal ratios",
}
"""Rules that are not simulated together, and why; all others can stand side by side."""
CUT_APART = {
    "reestimation": "the size is set anew by people who have been followed to the end",
    "arm_dropping": "arms are dropped by people who have been followed to the end",
    "response_adaptive": "its looks count people who have been followed to the end",
    "safety": "harms have no dates within a person's follow-up, so that none is known before its end",
}
"""Rules that are not simulated beside a cut of the data, and why."""
BY_EVENTS = ("logrank", "cox", "gray")


def rule_problems(design: TrialDesign) -> Iterator[Problem]:
    """Every contradiction of the adaptive rules, the safety rule, the imputation and the multiplicity procedure."""
    given = [name for name in ADAPTIONS if getattr(design, name) is not None]
    for (one, other), reason in APART.items():
        if one in given and other in given:
            yield Problem(other, f"cannot stand beside {one}: {reason}")
    for name in given:
        if name != "interims" and (design.control is None or design.external_control is not None):
            yield Problem(name, "needs a randomised control, without controls from outside")
            return
    if not design.test_arms:
        return
    yield from _together(design)
    yield from _data_cut(design)
    yield from _reestimation(design)
    yield from _arm_dropping(design)
    yield from _response_adaptive(design)
    yield from _rerandomisation(design, given)
    yield from _safety(design)
    yield from _imputation(design)
    yield from _multiplicity(design, given)


def _least(design: TrialDesign) -> int:
    return 2 * sum(arm.ratio for arm in design.arms.values())


def _together(design: TrialDesign) -> Iterator[Problem]:
    """Looks beside a size that is set anew, or beside dropped arms, come at times that fit."""
    interims, size, drop = design.interims, design.reestimation, design.arm_dropping
    if interims is None:
        return
    looks = ", ".join(f"{share:g}" for share in interims.information)
    if size is not None and size.method == "blinded_variance" and size.at > interims.information[0]:
        message = (
            f"must not come after the first look, {interims.information[0]:g}, whose time the size decides"
        )
        yield Problem("reestimation.at", message, size.at)
    if size is not None and size.method == "promising_zone" and size.at != interims.information[-1]:
        message = (
            f"must be the last look, {interims.information[-1]:g}; arms are looked at when a look is due"
        )
        yield Problem("reestimation.at", message, size.at)
    if drop is None:
        return
    if interims.information != (drop.at,):
        message = (
            f"are at {looks}; beside arm_dropping there is one look, when arms are dropped ({drop.at:g})"
        )
        yield Problem("interims.information", message)
    if interims.efficacy == "none":
        message = "is none; without a boundary the look of arm_dropping needs no interims"
        yield Problem("interims.efficacy", message)
    if interims.futility_conditional_power is not None:
        message = "has no meaning beside arm_dropping, whose futility rule is lowest_z"
        yield Problem("interims.futility_conditional_power", message, interims.futility_conditional_power)


def _data_cut(design: TrialDesign) -> Iterator[Problem]:
    """A cut of the data stands beside looks alone, which then come after so many events."""
    rule, interims, first = design.data_cut, design.interims, design.endpoints[0]
    if rule is None:
        return
    if design.control is None or design.external_control is not None:
        yield Problem("data_cut", "needs a randomised control, without controls from outside")
    for name, reason in CUT_APART.items():
        if getattr(design, name) is not None:
            yield Problem(name, f"cannot stand beside data_cut: {reason}")
    if rule.events is None:
        if interims is not None:
            message = "need data_cut.events: at a date it is not known what share of the information there is"
            yield Problem("interims", message)
        return
    if first.method not in BY_EVENTS:
        message = f"needs a first endpoint whose information is its events ({', '.join(BY_EVENTS)})"
        yield Problem("data_cut.events", message, rule.events)
    if rule.events > design.patients:
        message = f"is more than the {design.patients} people of the trial"
        yield Problem("data_cut.events", message, rule.events)
    if interims is None:
        return
    looks = [math.ceil(share * rule.events - 1e-9) for share in interims.information]
    if looks != sorted(set(looks)) or looks[0] < 2 or looks[-1] >= rule.events:
        listed = ", ".join(str(events) for events in looks)
        message = f"come after {listed} of {rule.events} events; they must be at least 2, rise, and stay below the last"
        yield Problem("interims.information", message)


def _reestimation(design: TrialDesign) -> Iterator[Problem]:
    rule = design.reestimation
    if rule is None:
        return
    if len(design.test_arms) > 1:
        yield Problem("reestimation", "needs two arms; sizes of several arms are not set anew")
    if rule.method == "blinded_variance" and design.endpoints[0].measure != "change":
        message = "needs a change of a score as first endpoint, whose variance is looked at"
        yield Problem("reestimation.method", message, rule.method)
    if design.most_patients > MOST_PATIENTS:
        message = f"allows {design.most_patients} people; at most {MOST_PATIENTS} can be simulated"
        yield Problem("reestimation.largest_factor", message, rule.largest_factor)
    elif design.most_patients == design.patients:
        message = "allows nobody more than planned, so that nothing could change"
        yield Problem("reestimation.largest_factor", message, rule.largest_factor)
    if math.ceil(rule.at * design.patients - 1e-9) < _least(design):
        message = f"leaves too few people at the look; at least {_least(design)} are needed, two blocks"
        yield Problem("reestimation.at", message, rule.at)


def _arm_dropping(design: TrialDesign) -> Iterator[Problem]:
    rule = design.arm_dropping
    if rule is None:
        return
    if len(design.test_arms) < 2:
        yield Problem("arm_dropping", "needs at least two arms beside the control")
        return
    if rule.keep_best is not None and rule.keep_best >= len(design.test_arms):
        message = f"drops nobody: there are {len(design.test_arms)} arms beside the control"
        yield Problem("arm_dropping.keep_best", message, rule.keep_best)
    ratios = {design.arms[arm].ratio for arm in design.test_arms}
    if len(ratios) > 1:
        message = "needs equal ratios of the arms beside the control (Dunnett's test)"
        yield Problem("arm_dropping", message)
    if math.ceil(rule.at * design.patients - 1e-9) < _least(design):
        message = f"leaves too few people at the look; at least {_least(design)} are needed, two blocks"
        yield Problem("arm_dropping.at", message, rule.at)


def _response_adaptive(design: TrialDesign) -> Iterator[Problem]:
    rule = design.response_adaptive
    if rule is None:
        return
    if design.endpoints[0].measure != "change":
        yield Problem(
            "response_adaptive", "needs a change of a score as first endpoint, whose means it follows"
        )
    fixed = rule.control_share
    moving = len(design.arms) - (0 if fixed is None else 1)
    if fixed is not None and len(design.test_arms) < 2:
        message = "leaves one arm with the rest, so that nothing could follow the responses"
        yield Problem("response_adaptive.control_share", message, fixed)
    elif rule.smallest_share * moving >= 1.0 - (fixed or 0.0):
        message = f"leaves nothing to move between {moving} arms"
        yield Problem("response_adaptive.smallest_share", message, rule.smallest_share)


WITH_SCORES = ("ancova", "cochran_mantel_haenszel", "logrank")


def _rerandomisation(design: TrialDesign, given: list[str]) -> Iterator[Problem]:
    """A test by allocations drawn again needs a score of each person, and one rule by which all were drawn."""
    rule = design.response_adaptive
    if rule is not None and rule.test == "rerandomisation":
        first = design.endpoints[0]
        if first.method != "ancova":
            message = "needs ancova as the first endpoint's analysis, whose scores do not look at the arm"
            yield Problem("response_adaptive.test", message, rule.test)
        if len(design.test_arms) > 1:
            message = (
                "needs one test arm: under the null of one arm nothing is known of what the others would have done, "
                "so that the shares cannot be worked out again; `stages` takes several"
            )
            yield Problem("response_adaptive.test", message, rule.test)
    for place, endpoint in enumerate(design.endpoints):
        if endpoint.test == "analysis":
            continue
        where = f"endpoints.{place}.test"
        if endpoint.method not in WITH_SCORES:
            message = (
                f"needs an analysis with scores of people that do not look at the arm ({', '.join(WITH_SCORES)}); "
                f"{endpoint.method} has none"
            )
            yield Problem(where, message, endpoint.test)
        if design.control is None or design.external_control is not None:
            message = "needs a randomised control alone; people from outside were not allocated"
            yield Problem(where, message, endpoint.test)
        if rule is not None:
            message = "is by blocks; where the allocation follows the responses use response_adaptive.test"
            yield Problem(where, message, endpoint.test)
        elif given:
            message = f"cannot stand beside {given[0]}, whose boundaries count on normal statistics"
            yield Problem(where, message, endpoint.test)


def _safety(design: TrialDesign) -> Iterator[Problem]:
    rule = design.safety
    if rule is None:
        return
    if design.external_control is not None and design.external_control.method != "pooled":
        yield Problem(
            "safety", "cannot stand beside borrowed controls; they are analysed at the full size alone"
        )
    catalogue = load_adverse_event_catalogue()
    therapies = {course.therapy for arm in design.test_arms for course in design.arms[arm].therapies}
    for place, name in enumerate(rule.adverse_events):
        if not therapies & set(catalogue[name].therapies):
            able = ", ".join(catalogue[name].therapies)
            message = f"cannot happen: no arm beside the control has a therapy with it ({able})"
            yield Problem(f"safety.adverse_events.{place}", message, name)
    if rule.every_treated > design.patients:
        message = f"is more than the {design.patients} people of the trial, so that nobody would ever look"
        yield Problem("safety.every_treated", message, rule.every_treated)


def _imputation(design: TrialDesign) -> Iterator[Problem]:
    missing = design.conduct.missing
    strategies = design.estimand.intercurrent_events
    gaps = missing.leave_per_year or missing.visits_missed
    gaps = gaps or "hypothetical" in (strategies.discontinuation, strategies.rescue)
    for place, endpoint in enumerate(design.endpoints):
        if endpoint.method == "multiple_imputation":
            path = f"endpoints.{place}.analysis"
            if not gaps:
                message = (
                    "has nothing to impute: nobody leaves, no visit is missed and nothing is set missing"
                )
                yield Problem(path, message, endpoint.method)
            if design.external_control is not None:
                yield Problem(path, "cannot use controls from outside the trial", endpoint.method)


def _multiplicity(design: TrialDesign, given: list[str]) -> Iterator[Problem]:
    chosen = design.multiplicity
    if chosen.procedure == "fixed_sequence":
        return
    if len(design.endpoints) < 2:
        message = "has one endpoint only, with which no error is shared"
        yield Problem("multiplicity.procedure", message, chosen.procedure)
    rules = [name for name in given if name in ("interims", "arm_dropping")]
    if rules:
        message = (
            f"cannot stand beside {rules[0]}, whose first endpoint has a test of its own; use fixed_sequence"
        )
        yield Problem("multiplicity.procedure", message, chosen.procedure)
    names = [endpoint.name for endpoint in design.endpoints]
    pairs = [("weights", name) for name in chosen.weights]
    pairs += [("transitions", name) for name in chosen.transitions]
    pairs += [(f"transitions.{one}", name) for one, passed in chosen.transitions.items() for name in passed]
    for where, name in pairs:
        if name not in names:
            message = "is not an endpoint of this design; they are " + ", ".join(names)
            yield Problem(f"multiplicity.{where}.{name}", message, name, nearest_name(name, names))
