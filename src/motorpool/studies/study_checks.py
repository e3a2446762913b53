"""What can be wrong in a study file, each thing with its path, what is allowed and the nearest valid name."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from motorpool.evidence.outcome_catalogue import (
    load_event_catalogue,
    load_milestone_catalogue,
    load_outcome_catalogue,
)
from motorpool.evidence.published import COHORT_OUTCOMES, PublishedEndpoint, PublishedStudy
from motorpool.evidence.records import EvidenceRecord
from motorpool.simulation.errors import NO_VALUE, Problem
from motorpool.studies.words import SHARES
from motorpool.therapies.fields import MAXIMUM_AGE_MONTHS, nearest_name

EVENT_METRICS = (
    "proportion", "survival_proportion", "median_time_months", "median_age_months", "hazard_ratio",
)  # fmt: skip
MILESTONE_METRICS = ("proportion", "median_age_months")
TYPE_METRICS = ("proportion",)
ONSET_METRICS = ("mean", "median", "sd", "proportion")
SCALE_METRICS = (
    "mean", "sd", "median", "mean_change", "sd_change", "median_change", "percent_change", "change_per_year",
    "difference", "proportion",
)  # fmt: skip
# Giving up an endurance test is the one thing on a scale that has a hazard.
ENDURANCE = "endurance_percent"
_WORDING = {
    "missing": "is missing; it has no default",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number; write it plainly, the unit is part of the key",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number; write it plainly",
    "int_from_float": "must be a whole number",
    "tuple_type": "must be a list",
    "dict_type": "must be a section",
    "mapping_type": "must be a section",
    "model_type": "must be a section",
    "too_short": "must not be empty",
}


def problems_of(
    error: ValidationError, kind: type[EvidenceRecord], data: Any, before: str = ""
) -> list[Problem]:
    """Pydantic's errors as problems with the path in the file.

    Args:
        kind: the record that was built from ``data``.
        before: path of ``data`` in the file, with a full stop at its end.
    """
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        steps, value = detail["loc"], detail.get("input", NO_VALUE)
        path = before + _path(steps, data)
        context: dict[str, Any] = detail.get("ctx", {})
        if detail["type"] == "extra_forbidden":
            known = _known_keys(kind, steps)
            message = f"unknown key; allowed here are {', '.join(known)}"
            found.append(Problem(path, message, nearest=nearest_name(str(steps[-1]), known)))
        elif detail["type"] == "literal_error":
            names = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            nearest = nearest_name(value, names) if isinstance(value, str) else None
            found.append(Problem(path, f"must be one of {', '.join(names)}", value, nearest))
        elif detail["type"] in ("greater_than", "greater_than_equal"):
            limit = context.get("gt", context.get("ge"))
            words = "above" if "gt" in context else "at least"
            found.append(Problem(path, f"must be {words} {limit:g}", value))
        elif detail["type"] == "missing":
            found.append(Problem(path, _WORDING["missing"]))
        else:
            message = _WORDING.get(detail["type"], detail["msg"].removeprefix("Value error, "))
            plain = value if isinstance(value, str | int | float | bool | None) else NO_VALUE
            found.append(Problem(path, message, plain))
    return each_once(found)


def each_once(problems: Iterable[Problem]) -> list[Problem]:
    """The problems in their order, without repeats (their values need not be hashable)."""
    found: list[Problem] = []
    for problem in problems:
        if problem not in found:
            found.append(problem)
    return found


def arm_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Arms that are named and do not exist, and endpoints given twice, in a file whose fields are of the right kind."""
    found: list[Problem] = []
    arms = [str(arm) for arm in data["arms"]]
    allowed = f"must be an arm: {', '.join(arms)}"
    therapies = [str(arm) for arm in data["arm_therapies"]]
    for arm in therapies:
        if arm not in arms:
            found.append(Problem(f"arm_therapies.{arm}", allowed, nearest=nearest_name(arm, arms)))
    missing = [arm for arm in arms if arm not in therapies]
    if missing:
        found.append(Problem("arm_therapies", f"leaves out {', '.join(missing)}; give [] for no SMN therapy"))
    seen: set[object] = set()
    for place, endpoint in enumerate(data["endpoints"]):
        where = endpoint_path(place, endpoint["id"])
        if endpoint["id"] in seen:
            found.append(Problem(f"{where}.id", "is the id of an earlier endpoint; give each its own"))
        seen.add(endpoint["id"])
        for key in ("arm", "comparator_arm"):
            arm = endpoint.get(key)
            if arm is not None and arm not in arms:
                found.append(Problem(f"{where}.{key}", allowed, arm, nearest_name(str(arm), arms)))
    return found


def endpoint_problems(study: PublishedStudy) -> list[Problem]:
    """Endpoints that cannot be read from simulated people: what is measured, how, and when."""
    found: list[Problem] = []
    for place, endpoint in enumerate(study.endpoints):
        where = endpoint_path(place, endpoint.id)
        found += _not_finite(where, endpoint.model_dump())
        outcomes = known_outcomes()
        if endpoint.outcome not in outcomes:
            nearest = nearest_name(endpoint.outcome, outcomes)
            message = "is not an outcome, milestone or event of the model (see docs/reference/study-file.md)"
            found.append(Problem(f"{where}.outcome", message, endpoint.outcome, nearest))
        elif endpoint.not_scored is None:
            found += [
                Problem(f"{where}.{key}", message, value, nearest)
                for key, message, value, nearest in _how(endpoint)
            ]
    return found


def known_outcomes() -> list[str]:
    """Everything an endpoint can measure: scales, milestones, events, and what is read from who was enrolled."""
    return [
        *load_outcome_catalogue(), *load_milestone_catalogue(), *load_event_catalogue(), *COHORT_OUTCOMES,
    ]  # fmt: skip


def metrics_for(outcome: str) -> tuple[str, ...]:
    """The metrics that make sense for an outcome of the model."""
    if outcome in load_event_catalogue():
        return EVENT_METRICS
    if outcome in load_milestone_catalogue():
        return MILESTONE_METRICS
    if outcome in COHORT_OUTCOMES:
        return ONSET_METRICS if outcome == "onset_age_months" else TYPE_METRICS
    return (*SCALE_METRICS, "hazard_ratio") if outcome == ENDURANCE else SCALE_METRICS


def endpoint_path(place: int, endpoint_id: object) -> str:
    """The path of an endpoint in the file, with its id, so that people find it."""
    return f"endpoints.{place} ({endpoint_id})"


def _how(endpoint: PublishedEndpoint) -> Iterator[tuple[str, str, object, str | None]]:
    """What is wrong with how an endpoint is measured: key, message, value, nearest."""
    outcome, metric = endpoint.outcome, endpoint.metric
    allowed = metrics_for(outcome)
    if metric not in allowed:
        message = f"has no meaning for {outcome}; must be one of {', '.join(allowed)}"
        yield "metric", message, metric, nearest_name(metric, allowed)
        return
    thresholds = [key for key in ("change_at_least", "value_at_least") if getattr(endpoint, key) is not None]
    graded = outcome in load_outcome_catalogue()
    if metric == "proportion" and (graded or outcome == "onset_age_months"):
        wanted = "change_at_least or value_at_least" if graded else "value_at_least"
        if len(thresholds) != 1 or (not graded and thresholds != ["value_at_least"]):
            yield "metric", f"of {outcome} needs {wanted}: who counts", metric, None
    elif thresholds:
        yield thresholds[0], "has a meaning only for a proportion of a scale", NO_VALUE, None
    by_band_alone = endpoint.time_months is None and endpoint.age_months is None
    if not graded and by_band_alone and metric in SHARES:
        yield "time_months", f"is missing; a {metric} of {outcome} needs it or age_months", NO_VALUE, None
    if metric in SHARES and endpoint.n is None:
        yield "n", f"is missing; a {metric} needs the number of people it is of", NO_VALUE, None
    for key in ("time_months", "age_months"):
        value = getattr(endpoint, key)
        if value is not None and value > MAXIMUM_AGE_MONTHS:
            yield key, f"must be a number of months up to {MAXIMUM_AGE_MONTHS}", value, None


def _not_finite(where: str, fields: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in fields.items():
        items: Sequence[Any] = value if isinstance(value, tuple) else (value,)
        if any(isinstance(item, float) and not math.isfinite(item) for item in items):
            yield Problem(f"{where}.{key}", "must be a finite number", value)


def _path(steps: tuple[int | str, ...], data: Any) -> str:
    parts: list[str] = []
    for step in steps:
        here = _item(data, step)
        if isinstance(step, int) and parts == ["endpoints"] and isinstance(here, Mapping):
            name = cast("Mapping[str, Any]", here).get("id")
            parts = [endpoint_path(step, name) if name is not None else f"endpoints.{step}"]
        else:
            parts.append(str(step)[:60])
        data = here
    return ".".join(parts)


def _item(data: Any, step: int | str) -> Any:
    if isinstance(data, Mapping):
        return cast("Mapping[object, Any]", data).get(step)
    if isinstance(data, list) and isinstance(step, int):
        items = cast("list[Any]", data)
        return items[step] if step < len(items) else None
    return None


def _known_keys(kind: type[EvidenceRecord], steps: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in the section that holds the last of these steps."""
    here: type[EvidenceRecord] = kind
    names = False  # whether the next step is a name that the writer chose
    for step in steps[:-1]:
        if isinstance(step, int) or names:
            names = False
            continue
        annotation = here.model_fields[step].annotation if step in here.model_fields else None
        here = _record_in(annotation) or here
        names = isinstance(annotation, object) and _is_mapping(annotation)
    return list(here.model_fields)


def _is_mapping(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _record_in(annotation: Any) -> type[EvidenceRecord] | None:
    """The record that an annotation such as ``tuple[Record, ...]`` or ``Record | None`` is about."""
    if isinstance(annotation, type) and issubclass(annotation, EvidenceRecord):
        return annotation
    for part in typing.get_args(annotation):
        found = _record_in(part)
        if found is not None:
            return found
    return None
