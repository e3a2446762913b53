"""Values of fields of a form, which are text."""

from __future__ import annotations

from typing import Any

TRUE = ("1", "on", "true", "yes")


def number_of(text: str) -> Any:
    """A number where the text of a field is one, else the text, which validation then refuses or takes."""
    if len(text) < 20:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    return text
