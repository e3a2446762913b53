"""A trial design of one's own, as the text of a design file; what is wrong is told with the line it stands in."""

from __future__ import annotations

import re
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.web.problems import UnusableInput, scenario_problems

MOST_CHARACTERS = 20_000
_STEP = re.compile(r"[^.\[\]]+")
_LINE = re.compile(r"\bline (\d+)\b")


def design_data(text: str) -> Any:
    """The plain data of a design file.

    Raises:
        UnusableInput: it is too long, no YAML, or no valid design; every problem has its line.
    """
    from motorpool.simulation.yaml_reader import parse_yaml
    from motorpool.trials.design_file import design_from_data

    if len(text) > MOST_CHARACTERS:
        message = f"has {len(text)} characters; allowed: at most {MOST_CHARACTERS}"
        raise UnusableInput([{"where": "design", "message": message}])
    try:
        data = parse_yaml(text, "design")
        design_from_data(data)
    except ScenarioError as error:
        found = [{**problem, "line": str(_line(text, problem))} for problem in scenario_problems(error)]
        raise UnusableInput(found) from None
    return data


def _line(text: str, problem: dict[str, str]) -> int:
    """The line of a problem, from 1: the one it names, or where the deepest known part of its path stands."""
    named = _LINE.search(problem["where"] or problem["message"])
    return int(named[1]) if named else line_of(text, problem["where"])


def line_of(text: str, path: str) -> int:
    """The line, from 1, in which the entry with this path stands, or else the section it belongs in."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return 1
    line = 0
    for step in _STEP.findall(path):
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
            node = node.value[int(step)]
            line = node.start_mark.line
        else:
            break
    return line + 1
