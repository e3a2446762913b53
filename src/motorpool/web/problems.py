"""What is wrong with a request, as one list: where, and what is allowed instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError, model_validator

from motorpool.simulation.errors import ScenarioError
from motorpool.web.description import Description, fields_of

Problem = dict[str, str]
WORDS = {
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
}


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
    data = fields_of(pairs)
    while True:
        try:
            return Entered.model_validate(data)
        except ValidationError as error:
            places = {str(detail["loc"][0]) if detail["loc"] else "" for detail in error.errors()}
            kept = {key: value for key, value in data.items() if key not in places}
            known = {key: value for key, value in kept.items() if key in Description.model_fields}
            data = known if len(known) < len(data) else {}


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
        found.append({"where": ".".join(where)[:200], "message": message[:600]})
    # A list whose entries were refused counts as empty, which says nothing new.
    return [one for one in found if not any(other["where"].startswith(f"{one['where']}.") for other in found)]


def scenario_problems(error: ScenarioError) -> list[Problem]:
    """The problems of a scenario; what the plans say is told by plan."""
    return [
        {"where": problem.path, "message": str(problem).removeprefix(f"{problem.path}: ")}
        for problem in error.problems
    ]
