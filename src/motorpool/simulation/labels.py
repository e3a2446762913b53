"""Names of outcomes, milestones, events and procedures as people read them, from the outcome catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

_DIRECTION: dict[str, Literal[-1, 1] | None] = {"higher": 1, "lower": -1, "neither": None}


@dataclass(frozen=True)
class OutcomeView:
    """What summaries and figures need to know about an outcome.

    Attributes:
        label: professional name.
        plain_label: name for families.
        unit: unit of the value, or empty.
        low, high: ends of the scale, or None.
        direction: +1 higher is better, -1 lower is better, None neither.
        minimal_important_difference: in units of the scale, or None.
        description: what it measures.
        dead_is_zero: utility, on which being dead is 0 and some living states are below it.
    """

    outcome: str
    label: str
    plain_label: str
    unit: str
    low: float | None
    high: float | None
    direction: Literal[-1, 1] | None
    minimal_important_difference: float | None
    description: str = ""
    dead_is_zero: bool = False

    @property
    def worst(self) -> float | None:
        """The value death is given when it counts as the worst score.

        Only scales on which more is better and the lowest value means none have one; utility is 0 by
        definition.
        """
        if self.dead_is_zero:
            return 0.0
        return self.low if self.direction == 1 else None

    @property
    def better(self) -> str:
        """Which way is better, in words, for an axis."""
        return {1: "higher is better", -1: "lower is better", None: ""}[self.direction]


def sentence_case(identifier: str) -> str:
    """A readable name for an id that the catalogue does not describe."""
    words = identifier.replace("_", " ")
    return words[:1].upper() + words[1:]


def outcome_view(outcome: str) -> OutcomeView:
    """The catalogue's description of an outcome; a bare one, without direction, for ids it does not know."""
    from motorpool.evidence.outcome_catalogue import load_outcome_catalogue

    entry = load_outcome_catalogue().get(outcome)
    if entry is None:
        name = sentence_case(outcome)
        return OutcomeView(outcome, name, name, "", None, None, None, None)
    important = entry.minimal_important_difference
    return OutcomeView(
        outcome=outcome,
        label=entry.label,
        plain_label=entry.plain_language_label,
        unit="" if entry.unit == "utility" else entry.unit,
        low=entry.minimum,
        high=entry.maximum,
        direction=_DIRECTION[entry.better],
        minimal_important_difference=important.value if important else None,
        description=entry.description,
        dead_is_zero=entry.unit == "utility",
    )


def event_label(event: str) -> str:
    """The name of an event."""
    from motorpool.evidence.outcome_catalogue import load_event_catalogue

    entry = load_event_catalogue().get(event)
    return entry.label if entry else sentence_case(event)


def milestone_label(milestone: str, *, plain: bool = False) -> str:
    """The name of a milestone; `plain` for families."""
    from motorpool.evidence.outcome_catalogue import load_milestone_catalogue

    entry = load_milestone_catalogue().get(milestone)
    return _name(entry, milestone, plain)


def adverse_event_label(name: str, *, plain: bool = False) -> str:
    """The name of an adverse event; `plain` for families."""
    from motorpool.evidence.adverse_events import load_adverse_event_catalogue

    entry = load_adverse_event_catalogue().get(name)
    return _name(entry, name, plain)


def procedure_label(name: str, *, plain: bool = False) -> str:
    """The name of a procedure; `plain` for families."""
    from motorpool.evidence.adverse_events import load_procedure_catalogue

    entry = load_procedure_catalogue().get(name)
    return _name(entry, name, plain)


class _Named(Protocol):
    @property
    def label(self) -> str: ...

    @property
    def plain_language_label(self) -> str: ...


def _name(entry: _Named | None, identifier: str, plain: bool) -> str:
    if entry is None:
        return sentence_case(identifier)
    return entry.plain_language_label if plain else entry.label
