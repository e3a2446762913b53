"""Contradictions between parts of a design that can be seen without simulating anyone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.units import DAYS_PER_MONTH
from motorpool.therapies.fields import nearest_name
from motorpool.trials.design_rule_checks import rule_problems
from motorpool.trials.design_sections import Endpoint

if TYPE_CHECKING:
    from motorpool.trials.design import TrialDesign

# Renamed parts of the scenario that a design becomes, with the path they have in the design file.
_RENAMED = {"cohort": "population", "horizon_months": "visits", "visits_months": "visits"}


def refuse_contradictions(design: TrialDesign) -> None:
    """Raise one error that lists every contradiction (in its context, under `problems`)."""
    checks = (
        _arms,
        _visits,
        _endpoints,
        _estimand,
        _conduct,
        _strata,
        _interims,
        _external,
        _accrual,
        _published,
        rule_problems,
    )
    problems = [problem for check in checks for problem in check(design)]
    if not problems:
        problems = list(_as_scenario(design))
    if problems:
        summary = "; ".join(str(problem) for problem in problems)
        raise PydanticCustomError("contradictions", "{summary}", {"summary": summary, "problems": problems})


def _arms(design: TrialDesign) -> Iterator[Problem]:
    if design.control is not None and design.control not in design.arms:
        allowed = "must be an arm: " + ", ".join(design.arms)
        yield Problem("control", allowed, design.control, nearest_name(design.control, design.arms))
    elif design.control is None and design.external_control is None:
        message = "is missing: name the arm that the others are compared with, or give external_control"
        yield Problem("control", message)
    elif design.control is None and len(design.arms) > 1:
        message = "is missing: with several arms, one of them is the control, beside people from outside"
        yield Problem("control", message)
    elif not design.test_arms:
        yield Problem("arms", "holds only the control; nothing is compared with it")
    elif "external" in design.arms:
        yield Problem("arms.external", "is a reserved name; people from outside the trial have it")
    least = 2 * sum(arm.ratio for arm in design.arms.values())
    if design.patients < least:
        message = f"is too few for these arms and ratios; at least {least} are needed, two blocks"
        yield Problem("patients", message, design.patients)


def _visits(design: TrialDesign) -> Iterator[Problem]:
    months = design.visit_months
    if len(months) < 2:
        yield Problem("visits", "has no visit after enrolment, so nothing can be compared")
    if design.visits.window_days > 0.0:
        gap = min((later - earlier for earlier, later in zip(months, months[1:], strict=False)), default=1.0)
        if design.visits.window_days * 2.0 > gap * DAYS_PER_MONTH:
            message = f"is so wide that visits {gap:g} months apart could change places"
            yield Problem("visits.window_days", message, design.visits.window_days)


def _endpoints(design: TrialDesign) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, endpoint in enumerate(design.endpoints):
        path = f"endpoints.{place}"
        if endpoint.name in seen:
            yield Problem(f"{path}.name", "is the name of an earlier endpoint", endpoint.name)
        seen.add(endpoint.name)
        yield from _when(design, endpoint, path)
        if endpoint.outcome is not None and outcome_view(endpoint.outcome).direction is None:
            message = "has no better and worse, so that no arm could win on it"
            yield Problem(f"{path}.outcome", message, endpoint.outcome)


def _when(design: TrialDesign, endpoint: Endpoint, path: str) -> Iterator[Problem]:
    month, months = design.month_of(endpoint), design.visit_months
    if month > design.horizon_months:
        message = f"is beyond the last visit, at {design.horizon_months:g} months"
        yield Problem(f"{path}.at_month", message, endpoint.at_month)
    elif month == 0.0:
        yield Problem(f"{path}.at_month", "is enrolment itself, before any treatment", endpoint.at_month)
    elif endpoint.measure != "time_to_event" and month not in months:
        nearest = min(months, key=lambda other: abs(other - month))
        listed = ", ".join(f"{other:g}" for other in months)
        message = f"is not a visit; visits are at {listed} months"
        yield Problem(f"{path}.at_month", message, endpoint.at_month, f"{nearest:g}")


def _estimand(design: TrialDesign) -> Iterator[Problem]:
    strategies = design.estimand.intercurrent_events
    path = "estimand.intercurrent_events"
    for endpoint in design.endpoints:
        if endpoint.measure not in ("change", "ordinal") or endpoint.outcome is None:
            continue
        composite = [key for key in type(strategies).model_fields if getattr(strategies, key) == "composite"]
        if composite and outcome_view(endpoint.outcome).worst is None:
            message = f"needs a worst value, which {endpoint.outcome} of endpoint {endpoint.name} has not"
            yield Problem(f"{path}.{composite[0]}", message, "composite")
    for key, made in (
        ("discontinuation", design.conduct.discontinue_per_year > 0.0),
        ("rescue", design.conduct.rescue is not None),
    ):
        if getattr(strategies, key) != "treatment_policy" and not made:
            where = "discontinue_per_year" if key == "discontinuation" else "rescue"
            message = f"says what to do about an event that cannot happen; conduct.{where} makes it happen"
            yield Problem(f"{path}.{key}", message, getattr(strategies, key))


def _conduct(design: TrialDesign) -> Iterator[Problem]:
    conduct = design.conduct
    if conduct.discontinue_per_year > 0.0:
        stoppable = [
            name
            for name, arm in design.arms.items()
            if any(not course.one_off and course.stop is None for course in arm.therapies)
        ]
        if not stoppable:
            message = "acts on nobody: no arm has a therapy that can be stopped"
            yield Problem("conduct.discontinue_per_year", message, conduct.discontinue_per_year)
        if conduct.rescue is not None:
            message = "cannot stand beside conduct.rescue; one change of plan for each person is simulated"
            yield Problem("conduct.discontinue_per_year", message, conduct.discontinue_per_year)
    if conduct.rescue is not None:
        for place, course in enumerate(conduct.rescue.therapies):
            if course.start is not None:
                message = "has no meaning: rescue begins at the visit at which the fall is seen"
                yield Problem(f"conduct.rescue.therapies.{place}.start", message)
    if conduct.unblinded_share > 0.0 and design.blinding == "open_label":
        message = "has no meaning in an open-label trial"
        yield Problem("conduct.unblinded_share", message, conduct.unblinded_share)
    if conduct.missing.mechanism != "mcar" and design.endpoints[0].outcome is None:
        message = "needs a score; the first endpoint has none"
        yield Problem("conduct.missing.mechanism", message, conduct.missing.mechanism)
    if conduct.missing.mechanism != "mcar" and not (
        conduct.missing.leave_per_year or conduct.missing.visits_missed
    ):
        message = "acts on nobody: nobody leaves and no visit is missed"
        yield Problem("conduct.missing.mechanism", message, conduct.missing.mechanism)


def _strata(design: TrialDesign) -> Iterator[Problem]:
    strata, sites = design.strata, design.sites
    if strata.baseline and design.endpoints[0].outcome is None:
        yield Problem("strata.baseline", "needs a score; the first endpoint has none")
    if (sites.level_sd or sites.course_sd_per_year) and sites.count < 2:
        message = "is one centre, which cannot differ from others"
        yield Problem("sites.count", message, sites.count)
    if (sites.level_sd or sites.course_sd_per_year) and design.endpoints[0].outcome is None:
        yield Problem("sites", "needs a score to differ in; the first endpoint has none")


def _interims(design: TrialDesign) -> Iterator[Problem]:
    if design.interims is None:
        return
    if design.external_control is not None or (len(design.test_arms) > 1 and design.arm_dropping is None):
        message = "need two randomised arms, or arm_dropping; looks at outside controls are not simulated"
        yield Problem("interims", message)


def _external(design: TrialDesign) -> Iterator[Problem]:
    external = design.external_control
    if external is None or external.method == "pooled":
        return
    if design.control is None:
        message = (
            "borrows beside a control arm; this design has none, so that outside controls can only be pooled"
        )
        yield Problem("external_control.method", message, external.method)
    for place, endpoint in enumerate(design.endpoints):
        if endpoint.measure != "change":
            message = f"cannot be analysed with {external.method}; only a change of a score can"
            yield Problem(f"endpoints.{place}.measure", message, endpoint.measure)


def _accrual(design: TrialDesign) -> Iterator[Problem]:
    from motorpool.trials.accrual_facts import load_accrual_facts

    region = design.accrual.region
    regions = load_accrual_facts().regions
    if region is not None and region not in regions:
        message = "must be one of " + ", ".join(regions) + ", or give births_per_year instead"
        yield Problem("accrual.region", message, region, nearest_name(region, regions))


def _published(design: TrialDesign) -> Iterator[Problem]:
    from motorpool.evidence.published import list_published, load_published

    if design.published is None:
        return
    name, wanted = design.published.study, design.published.endpoint
    studies = list_published()
    if name not in studies:
        yield Problem("published.study", "is not a study of the library", name, nearest_name(name, studies))
        return
    known = [endpoint.id for endpoint in load_published(name).endpoints]
    if wanted not in known:
        message = f"is not an endpoint of {name}; known are " + ", ".join(known)
        yield Problem("published.endpoint", message, wanted, nearest_name(wanted, known))


def _as_scenario(design: TrialDesign) -> Iterator[Problem]:
    """What the scenario that the design becomes would be refused for, with the paths of the design file."""
    from motorpool.trials.scenarios import CHANGED, external_scenario, trial_scenario

    try:
        trial_scenario(design, people=1)
        if design.external_control is not None:
            external_scenario(design, people=1)
    except ScenarioError as error:
        for problem in error.problems:
            head, dot, rest = problem.path.partition(".")
            path = _RENAMED.get(head, head) + dot + rest
            if head == "arms" and CHANGED in rest.partition(".")[0]:
                path = (
                    "conduct.rescue" if design.conduct.rescue is not None else "conduct.discontinue_per_year"
                )
            yield Problem(path, problem.message, problem.value, problem.nearest)
