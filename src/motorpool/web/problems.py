"""What is wrong with a request, as one list: where, and what is allowed instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError, model_validator

from motorpool.simulation.errors import ScenarioError
from motorpool.web.description import Description, fields_of

Problem = dict[str, str]
RANGE = re.compile(r"\b(from|above) (-?[\d.]+) (?:up )?to (-?[\d.]+)")
WORDS = {
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
}
LIMIT = re.compile(r"\bat (?:most|least) (-?[\d.]+)")


class UnusableInput(ValueError):
    """A description that cannot be used; `problems` lists why."""

    def __init__(self, problems: list[Problem]) -> None:
        """Remember what is wrong."""
        super().__init__("; ".join(f"{problem['where']}: {problem['message']}" for problem in problems))
        self.problems = problems


def description_of(pairs: Iterable[tuple[str, str]]) -> Description:
    """The description in the fields of a form.

    Raises:
        UnusableInput: something in it cannot be.
    """
    return checked(fields_of(pairs))


class Entered(Description):
    """What was entered, where each entry can be but together they cannot."""

    @model_validator(mode="after")
    def _consistent(self) -> Entered:
        return self


def entered(pairs: Iterable[tuple[str, str]]) -> Description:
    """As much of the fields of a form as can stand in it again, so that a mistake costs only itself."""
    data = cast("dict[str, Any]", _lists(fields_of(pairs)))
    while True:
        try:
            return Entered.model_validate(data)
        except ValidationError as error:
            before = repr(data)
            details = error.errors(include_url=False)
            for detail in details:
                place = detail["loc"]
                if any(place == other["loc"][: len(place)] != other["loc"] for other in details):
                    continue  # a list whose entries were refused counts as empty
                context = detail.get("ctx") or {}
                steps = [str(step) for step in detail["loc"]] + str(context.get("at") or "").split(".")
                for name in context.get("unknown", ()):
                    _leave_out(data, [*steps, name])
                if "unknown" not in context:
                    _leave_out(data, steps)
            if repr(data) == before:
                data = {}


def _lists(data: Any) -> Any:
    """Plain data with lists for tuples, so that parts of it can be taken out."""
    if isinstance(data, Mapping):
        return {key: _lists(value) for key, value in cast("Mapping[str, Any]", data).items()}
    if isinstance(data, list | tuple):
        return [_lists(value) for value in cast("Sequence[Any]", data)]
    return data


def _leave_out(data: Any, steps: Sequence[str]) -> None:
    """Take out what lies at the end of the steps, as far as they lead."""
    place, holder, last = data, None, ""
    for step in filter(None, steps):
        if isinstance(place, dict) and step in place:
            holder, last, place = cast("Any", place), step, cast("Any", place)[step]
        elif isinstance(place, list) and step.isdigit() and int(step) < len(cast("list[Any]", place)):
            holder, last, place = cast("Any", place), step, cast("list[Any]", place)[int(step)]
        else:
            break
    if holder is not None:
        del holder[int(last) if isinstance(holder, list) else last]


def checked(data: Any) -> Description:
    """The description in plain data.

    Raises:
        UnusableInput: something in it cannot be.
    """
    try:
        return Description.model_validate(data)
    except ValidationError as error:
        raise UnusableInput(validation_problems(error.errors(include_url=False))) from None


def validation_problems(errors: Iterable[Any]) -> list[Problem]:
    """Errors of pydantic as problems."""
    found: list[Problem] = []
    for detail in errors:
        context = detail.get("ctx") or {}
        where = [str(step) for step in detail["loc"] if step != "body"]
        if detail["type"] == "unknown_keys":
            message = f"unknown: {', '.join(context['unknown'])}; allowed are {', '.join(context['allowed'])}"
            found.append({"where": ".".join(where), "message": message})
            continue
        if context.get("at"):
            where.append(str(context["at"]))
        message = WORDS.get(detail["type"], str(detail["msg"]))
        allowed = str(context.get("allowed") or "")
        if allowed and allowed not in message:
            message += f"; allowed: {allowed}"
        message += _what_was_entered(message, detail["input"], str(context.get("at") or ""))
        found.append({"where": ".".join(where)[:200], "message": message[:600]})
    # A list whose entries were refused counts as empty, which says nothing new.
    return [one for one in found if not any(other["where"].startswith(f"{one['where']}.") for other in found)]


def _what_was_entered(message: str, given: Any, at: str) -> str:
    """The value that was refused, and the nearest number that is allowed where the message names a range."""
    for step in filter(None, at.split(".")):
        if isinstance(given, Mapping):
            given = cast("Mapping[str, Any]", given).get(step)
        elif isinstance(given, Sequence) and not isinstance(given, str) and step.isdigit():
            items = cast("Sequence[Any]", given)
            given = items[int(step)] if int(step) < len(items) else None
        else:
            return ""
    if isinstance(given, bool) or not isinstance(given, str | int | float) or given == "":
        return ""
    if isinstance(given, str):
        shown = given[:60].encode("utf-8", "replace").decode("utf-8")  # JSON may hold what is no text
    else:
        shown = f"{given:g}" if abs(given) < 1e15 else "a huge number"
    words = "" if shown in message else f"; entered: {shown}"
    found, limit = RANGE.search(message), LIMIT.search(message)
    if isinstance(given, str):
        return words
    if found is None:
        return words if limit is None else f"{words}; the nearest allowed is {limit[1].rstrip('.')}"
    low, high = float(found[2]), float(found[3].rstrip("."))
    if given > high:
        return f"{words}; the nearest allowed is {high:g}"
    if given < low or (given == low and found[1] == "above"):
        return f"{words}; the nearest allowed is {'just above ' if found[1] == 'above' else ''}{low:g}"
    return words


def scenario_problems(error: ScenarioError) -> list[Problem]:
    """The problems of a scenario; what the plans say is told by plan."""
    return [
        {"where": problem.path, "message": str(problem).removeprefix(f"{problem.path}: ")}
        for problem in error.problems
    ]
