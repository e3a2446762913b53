"""From a file, a shipped name or plain data to a validated Scenario; every failure is one ScenarioError."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from motorpool.simulation.errors import NO_VALUE, Problem, ScenarioError
from motorpool.simulation.overrides import apply_overrides
from motorpool.simulation.yaml_reader import parse_yaml
from motorpool.therapies.fields import nearest_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from motorpool.simulation.scenario import Scenario

MAXIMUM_BYTES = 4_000_000
SHIPPED_FOLDER = Path(__file__).parent / "scenarios"


def shipped_scenarios() -> tuple[str, ...]:
    """Names of the scenarios that come with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in SHIPPED_FOLDER.glob("*.yaml")))


def load_scenario(
    source: Scenario | Mapping[str, Any] | str | Path, overrides: Iterable[str] = ()
) -> Scenario:
    """Validate a scenario from a file path, the name of a shipped scenario, plain data, or a Scenario.

    overrides: changes such as "cohort.patients=50", applied before validation.
    Raises ScenarioError with every problem found: path, value, what is allowed, nearest valid name.
    """
    from motorpool.simulation.scenario import Scenario

    changes = list(overrides)
    if isinstance(source, Scenario):
        if not changes:
            return source
        return scenario_from_data(apply_overrides(source.model_dump(mode="json", exclude_none=True), changes))
    if isinstance(source, Mapping):
        return scenario_from_data(apply_overrides(dict(source), changes))
    path = find_scenario_file(source)
    label = str(source)
    return scenario_from_data(
        apply_overrides(parse_yaml(read_text(path, label), label), changes, label), label
    )


def scenario_from_text(text: str, source: str = "scenario") -> Scenario:
    """Validate the text of a scenario file. Raises ScenarioError."""
    return scenario_from_data(parse_yaml(text, source), source)


def find_scenario_file(source: str | Path) -> Path:
    """The file that is meant: a path, or the name of a shipped scenario. Raises ScenarioError."""
    return find_file(source, SHIPPED_FOLDER, shipped_scenarios(), "scenario")


def find_file(source: str | Path, folder: Path, shipped: Sequence[str], kind: str) -> Path:
    """The file that is meant: a path, or one of the ``shipped`` names in ``folder``. Raises ScenarioError.

    ``kind`` says what such a file is, in a word.
    """
    path = Path(source)
    try:
        if path.is_file():
            return path
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if str(source) in shipped:
        return folder / f"{source}.yaml"
    message = f"is a folder, not a {kind} file" if is_folder else "is not a file"
    nearest = nearest_name(path.stem, shipped)
    hint = f" Did you mean {nearest}?" if nearest else ""
    raise ScenarioError.single(
        "",
        f"{message}, nor the name of a shipped {kind} ({', '.join(shipped)}).{hint}",
        source=str(source)[:200],
    )


def read_text(path: Path, label: str) -> str:
    """The text of a file. Raises ScenarioError when it cannot be read, is too large or is not UTF-8."""
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ScenarioError.single("", f"the file cannot be read: {reason}", source=label) from None
    if len(content) > MAXIMUM_BYTES:
        raise ScenarioError.single("", f"the file is larger than {MAXIMUM_BYTES} bytes", source=label)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError.single("", "the file is not YAML: it is not UTF-8 text", source=label) from None


def scenario_from_data(data: Any, source: str = "scenario") -> Scenario:
    """Validate plain data. Raises ScenarioError that lists every problem."""
    from motorpool.simulation.scenario import Scenario

    if not isinstance(data, Mapping):
        message = "the file has no sections; it must start like `motorpool: 1` (see `motorpool init`)"
        raise ScenarioError.single("", message, source=source)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(problems_of(error, data), source) from None
    except RecursionError:
        raise ScenarioError.single("", "sections are nested too deeply", source=source) from None


def problems_of(error: ValidationError, data: Any) -> list[Problem]:
    """Everything that pydantic refused in plain data, each thing once, with its path as the user wrote it."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        found += [problem for problem in _problems(detail, data) if problem not in found]
    return found


def _problems(detail: ErrorDetails, data: Any) -> list[Problem]:
    """One pydantic error as problems with the path as the user wrote it."""
    context: dict[str, Any] = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "contradictions":
        return cast("list[Problem]", context["problems"])
    steps = _steps(detail["loc"], data, kind)
    value = detail.get("input", NO_VALUE)
    if kind == "unknown_keys":
        allowed = cast("list[str]", context["allowed"])
        return [
            Problem(
                _path([*steps, name]),
                f"unknown key; allowed here are {', '.join(allowed)}",
                nearest=nearest_name(name, allowed),
            )
            for name in cast("list[str]", context["unknown"])
        ]
    if kind == "missing":
        return [Problem(_path(steps), "is missing; it has no default")]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        names = re.findall(r"'([a-z_]+)'", str(context.get("expected_tags", ""))) or _therapies()
        tag = context.get("tag", NO_VALUE)
        nearest = nearest_name(str(tag)[:60], names) if tag is not NO_VALUE else None
        return [Problem(_path([*steps, "therapy"]), f"must be one of {', '.join(names)}", tag, nearest)]
    if kind == "literal_error":
        names = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        allowed = ", ".join(names) or str(context.get("expected", ""))
        nearest = nearest_name(str(value)[:60], names) if isinstance(value, str) else None
        return [Problem(_path(steps), f"must be one of {allowed}", value, nearest)]
    at = str(context.get("at") or "")
    if at:
        steps = [*steps, *at.split(".")]
        value = _value_at(data, steps)
    return [Problem(_path(steps), _wording(kind, detail["msg"], context), value)]


_WORDING = {
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a section",
    "string_pattern_mismatch": "must be a name of small letters, digits and _, starting with a letter",
}


def _wording(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind in _WORDING:
        return _WORDING[kind]
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "too_long":
        return f"has too many items; at most {context['max_length']}"
    return message


def _therapies() -> list[str]:
    from motorpool.therapies.courses import THERAPIES

    return list(THERAPIES)


def _steps(location: tuple[int | str, ...], data: Any, kind: str) -> list[int | str]:
    """The location without the tags that pydantic adds for unions and dictionary keys."""
    steps: list[int | str] = []
    here: Any = data
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if isinstance(here, Mapping) and _has(cast("Mapping[object, Any]", here), step):
            here = _get(cast("Mapping[object, Any]", here), step)
        elif isinstance(here, list | tuple) and isinstance(step, int) and step < len(cast("list[Any]", here)):
            here = cast("list[Any]", here)[step]
        elif not (last and kind == "missing"):
            continue
        steps.append(step)
    return steps


def _has(section: Mapping[object, Any], step: int | str) -> bool:
    return step in section or any(str(key) == str(step) for key in section)


def _get(section: Mapping[object, Any], step: int | str) -> Any:
    if step in section:
        return section[step]
    return next(value for key, value in section.items() if str(key) == str(step))


def _value_at(data: Any, steps: list[int | str]) -> object:
    here: Any = data
    for step in steps:
        if isinstance(here, Mapping) and _has(cast("Mapping[object, Any]", here), step):
            here = _get(cast("Mapping[object, Any]", here), step)
        elif (
            isinstance(here, list | tuple)
            and str(step).isdigit()
            and int(step) < len(cast("list[Any]", here))
        ):
            here = cast("list[Any]", here)[int(step)]
        else:
            return NO_VALUE
    return here


def _path(steps: list[int | str]) -> str:
    return ".".join(str(step)[:60] for step in steps)
