"""Reading YAML as plain data, strictly: repeated keys, aliases and odd tags are refused with their line.

Values follow YAML 1.2: only true and false are booleans, and 1e3 is a number; `yes`, `no`, 1:30 and dates
stay text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from motorpool.simulation.errors import ScenarioError, short_text

MAXIMUM_CHARACTERS = 1_000_000


class _StrictLoader(yaml.SafeLoader):
    """Loads plain data only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not used here", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise yaml.MarkedYAMLError(
                    problem=f"{short_text(key)} cannot be a key", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {short_text(key)} is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=True)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+."),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
):
    _StrictLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first.replace("\0", ""), ""]
    )


def _construct_integer(loader: _StrictLoader, node: yaml.ScalarNode) -> int | float:
    text = loader.construct_scalar(node)
    # Python refuses to read thousands of digits; such a number is out of every range anyway.
    return int(text) if len(text) < 400 else float("-inf" if text.startswith("-") else "inf")


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _construct_integer)


def parse_yaml(text: str, source: str = "scenario") -> Any:
    """Parse YAML text into plain data. Raises ScenarioError that names the line."""
    if len(text) > MAXIMUM_CHARACTERS:
        message = f"is too long: at most {MAXIMUM_CHARACTERS} characters"
        raise ScenarioError.single("", f"the file {message}", source=source)
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        what = error.problem or error.context or "not YAML"
        raise ScenarioError.single(where, f"cannot be read as YAML: {what}", source=source) from None
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())[:200]
        raise ScenarioError.single("", f"the file cannot be read as YAML: {what}", source=source) from None
    except RecursionError:
        message = "the file cannot be read: sections are nested too deeply"
        raise ScenarioError.single("", message, source=source) from None
    except (ValueError, OverflowError) as error:
        message = f"the file cannot be read as YAML: {short_text(str(error))}"
        raise ScenarioError.single("", message, source=source) from None
