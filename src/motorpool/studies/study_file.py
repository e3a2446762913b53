"""A user's study file as plain data: reading its text, and filling in what only the shipped studies must say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from motorpool.evidence.adverse_events import Therapy
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.loading import MAXIMUM_BYTES

OWN_EVIDENCE = "own"
"""What stands for the figure of the ledger in an endpoint of a user's own file."""


def text_of(path: Path, source: str) -> str:
    """The text of a study file.

    Raises:
        ScenarioError: it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ScenarioError.single("", f"the file cannot be read: {error.strerror}", source=source) from None
    if len(content) > MAXIMUM_BYTES:
        raise ScenarioError.single("", f"the file is larger than {MAXIMUM_BYTES} bytes", source=source)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError.single("", "the file is not YAML: it is not UTF-8 text", source=source) from None


def with_defaults(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a user may leave out, filled in; parts that are not as they should be stay as they are."""
    filled = dict(data)
    arms, run = data.get("arms"), data.get("run")
    if isinstance(arms, Mapping) and "arm_therapies" not in data:
        sections = cast("Mapping[str, Any]", run).get("arms") if isinstance(run, Mapping) else None
        filled["arm_therapies"] = {
            arm: _therapies_of(sections, arm) for arm in cast("Mapping[str, Any]", arms)
        }
    endpoints = data.get("endpoints")
    if isinstance(endpoints, list):
        filled["endpoints"] = [
            {"evidence_id": OWN_EVIDENCE, "checked": True, **cast("Mapping[str, Any]", endpoint)}
            if isinstance(endpoint, Mapping)
            else endpoint
            for endpoint in cast("list[Any]", endpoints)
        ]
    return filled


def _therapies_of(sections: Any, arm: str) -> list[str] | None:
    section = cast("Mapping[str, Any]", sections).get(arm) if isinstance(sections, Mapping) else None
    if not isinstance(section, Mapping):
        return None
    courses = cast("Mapping[str, Any]", section).get("therapies") or []
    if not isinstance(courses, list):
        return []
    given = [
        str(cast("Mapping[str, Any]", course).get("therapy"))
        for course in cast("list[Any]", courses)
        if isinstance(course, Mapping)
    ]
    # A misspelt therapy is reported where it stands, under run.arms.
    return list(dict.fromkeys(therapy for therapy in given if therapy in get_args(Therapy)))
