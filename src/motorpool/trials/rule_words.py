"""The rules that change a trial while it runs, in words: each as it acts beside the others."""

from __future__ import annotations

from collections.abc import Sequence

from motorpool.simulation.labels import adverse_event_label
from motorpool.trials.adjusted import adjusted_method, without_adjusted
from motorpool.trials.design import TrialDesign
from motorpool.trials.event_looks import look_events

BOUNDARIES = {"obrien_fleming": "an O'Brien-Fleming", "pocock": "a Pocock"}
TESTS = {
    "stages": "the people between two looks are compared on their own and joined with weights fixed beforehand",
    "pooled": "everybody is analysed together, as if the shares had been fixed",
    "rerandomisation": "everybody is compared, and tested by allocations that follow the responses with other luck",
}


def rule_words(design: TrialDesign) -> list[tuple[str, str]]:
    """The design's looks, adaptive rules, safety rule and multiplicity procedure: what, and in words.

    Where rules act together, each says what it does beside the others.
    """
    found: list[tuple[str, str]] = []
    for what, words in (
        ("End of the trial", _cut(design)),
        ("Looks", _looks(design)),
        ("Size set anew", _size(design)),
        ("Arms dropped", _dropped(design)),
        ("Response-adaptive randomisation", _responsive(design)),
        ("Safety", _safety(design)),
        ("Estimates", _estimates(design)),
        ("Several endpoints", _endpoints(design)),
    ):
        if words:
            found.append((what, words))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _listed(shares: Sequence[float]) -> str:
    words = [_percent(share) for share in shares]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _cut(design: TrialDesign) -> str:
    rule = design.data_cut
    if rule is None:
        return ""
    when = (
        f"{rule.months:g} months after the first centre opened"
        if rule.events is None
        else f"after {rule.events} events of the first endpoint, or when everybody has been followed to the end"
    )
    return (
        f"{when}; who is still followed is censored there, and who has not reached the visit of an endpoint does not "
        "count for it. The true effect is that of the whole follow-up"
    )


def _looks(design: TrialDesign) -> str:
    interims, size = design.interims, design.reestimation
    if interims is None:
        return ""
    blinded = size is not None and size.method == "blinded_variance"
    of = "of the people of the size set anew" if blinded else "of the planned people"
    words = f"after {_listed(interims.information)} {of} have been followed to the end"
    if design.data_cut is not None and design.data_cut.events is not None:
        events = " and ".join(str(number) for number in look_events(design))
        words = f"after {events} of the {design.data_cut.events} events"
    if interims.efficacy == "none":
        words += "; no trial stops early for efficacy"
    elif design.arm_dropping is not None:
        words += (
            f"; an arm that is shown then, by {BOUNDARIES[interims.efficacy]} boundary on every intersection of the "
            "closed test, ends the trial for all arms"
        )
    else:
        words += f"; a result beyond {BOUNDARIES[interims.efficacy]} boundary, on either side, ends the trial"
    if interims.futility_conditional_power is not None:
        planned = " of the planned size" if size is not None and not blinded else ""
        words += (
            f"; so does, for futility, a conditional power{planned} below "
            f"{_percent(interims.futility_conditional_power)}"
        )
    return words


def _size(design: TrialDesign) -> str:
    rule, interims = design.reestimation, design.interims
    if rule is None:
        return ""
    most = f"; at most {design.most_patients} people"
    if rule.method == "blinded_variance":
        words = (
            f"after {_percent(rule.at)} of the planned people, from their variance with arms hidden, for a difference "
            f"of {rule.effect:g} with power {_percent(rule.power)}; the test stays as it is"
        )
        return words + (", and the looks move with the size" if interims is not None else "") + most
    when = (
        f"after {_percent(rule.at)} of the planned people"
        if interims is None
        else f"at the last look ({_percent(rule.at)}), in trials that do not stop there"
    )
    words = (
        f"{when}, where conditional power is from {_percent(rule.promising_from or 0.0)} to {_percent(rule.power)}, so "
        f"that it is {_percent(rule.power)} again{most}; the people before and after are joined by a combination test "
        "with the planned weights"
    )
    return words + (", at the boundary of the end" if interims is not None else "")


def _dropped(design: TrialDesign) -> str:
    rule = design.arm_dropping
    if rule is None:
        return ""
    who = (
        f"all arms with a statistic of at least {rule.lowest_z:g}, none ends the trial for futility,"
        if rule.keep_best is None
        else ("the best arm" if rule.keep_best == 1 else f"the best {rule.keep_best} arms")
    )
    before = "" if design.interims is None else "where the look does not end the trial, "
    return (
        f"after {_percent(rule.at)} of the people, {before}{who} and the control go on, and take the people of the "
        f"others; closed combination test with Dunnett's p values, one-sided at {_percent(design.alpha / 2.0)} for all "
        "arms together"
    )


def _responsive(design: TrialDesign) -> str:
    rule = design.response_adaptive
    if rule is None:
        return ""
    fixed = "" if rule.control_share is None else f", the control always {_percent(rule.control_share)}"
    return (
        f"after {_listed(rule.looks)} of the people, by the probability to be best to the power {rule.exponent:g}; at "
        f"least {_percent(rule.smallest_share)} an arm{fixed}; {TESTS[rule.test]}"
    )


def _safety(design: TrialDesign) -> str:
    rule = design.safety
    if rule is None:
        return ""
    names = ", ".join(adverse_event_label(name).lower() for name in rule.adverse_events)
    others = any((design.interims, design.reestimation, design.arm_dropping, design.response_adaptive))
    words = (
        f"the trial stops, and is not won, when a risk above {_percent(rule.acceptable_risk)} is "
        f"{_percent(rule.certainty)} certain, asked after every {rule.every_treated} treated; {names}"
    )
    if len(design.test_arms) > 1:
        words += "; the treated of all arms count together"
    return words + ("; this comes before every other rule" if others else "")


def _estimates(design: TrialDesign) -> str:
    if not any((design.interims, design.reestimation, design.arm_dropping, design.response_adaptive)):
        return ""
    without = without_adjusted(design)
    if (
        design.reestimation is not None
        and design.interims is None
        and (design.reestimation.method == "blinded_variance")
    ):
        words = "naive; a size set with arms hidden leaves them alone"
    else:
        words = f"naive, and adjusted beside them ({adjusted_method(design)})"
    return words + (f". {without}" if without else "")


def _endpoints(design: TrialDesign) -> str:
    procedure = design.multiplicity.procedure
    if procedure != "fixed_sequence":
        return procedure.replace("_", " ").capitalize()
    if len(design.endpoints) < 2 or not any((design.interims, design.arm_dropping, design.response_adaptive)):
        return ""
    return "the rules look at the first; the others follow in their order, by their plain analyses, where it is won"
