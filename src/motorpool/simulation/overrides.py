"""Changes to a scenario from the command line: `arms.nusinersen.therapies.0.regimen=high_dose`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, cast

from motorpool.simulation.errors import Problem, ScenarioError
from motorpool.simulation.yaml_reader import parse_yaml


def apply_overrides(data: Any, overrides: Iterable[str], source: str = "scenario") -> Any:
    """Return a copy of plain scenario data with every `path=value` applied in order.

    A path names keys and list positions (from 0) joined by dots; a value is read like a value in the file.
    Sections that the file leaves out are created. Raises ScenarioError for a path that leads nowhere.
    """
    changed = copy.deepcopy(data)
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals or not path.strip():
            message = "must be path=value, for example cohort.patients=50"
            raise ScenarioError([Problem("--set", message, override)], source)
        _set(changed, path.strip(), parse_yaml(text, f"--set {path.strip()}"), source)
    return changed


def _set(data: Any, path: str, value: Any, source: str) -> None:
    steps = path.split(".")
    here = data
    for depth, step in enumerate(steps):
        so_far = ".".join(steps[:depth])
        last = depth == len(steps) - 1
        if isinstance(here, dict):
            section = cast("dict[object, Any]", here)
            key = _key(section, step)
            if last:
                section[key] = value
                return
            if section.get(key) is None:
                section[key] = {}
            here = section[key]
        elif isinstance(here, list):
            items = cast("list[Any]", here)
            if not (step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(items)):
                last_index = len(items) - 1
                allowed = f"must be from 0 to {last_index}" if items else "the list is empty"
                message = f"is not a position in {so_far}; {allowed}"
                raise ScenarioError([Problem(f"--set {path}", message, step)], source)
            if last:
                items[int(step)] = value
                return
            here = items[int(step)]
        else:
            message = f"{so_far or 'the file'} is a plain value and has no parts"
            raise ScenarioError([Problem(f"--set {path}", message, step)], source)


def _key(section: dict[object, Any], step: str) -> object:
    """The key as the file has it (a number of copies is a number), or the new key."""
    for key in section:
        if str(key) == step:
            return key
    return step
