"""Parts of sentences: what a difference means, who is counted, lists."""

from __future__ import annotations

from motorpool.report.numbers import Estimate, difference_words, is_singular, out_of_100
from motorpool.simulation.labels import OutcomeView

FIRST_WARNING = "No controlled study of cell therapy in SMA has been published."
NO_CONTROLLED_STUDY = (
    "No controlled study of cell therapy in SMA has been published; what is assumed here rests on judgement "
    "and on studies in other diseases. A range is doubt about the average; it does not mean that some "
    "people benefit."
)
NO_RANGE = (
    "this run used one parameter set and cannot say how uncertain the effect of cells is; it is very "
    "uncertain, so run it again with knowledge draws before reading anything into it."
)


PRACTICALLY_NONE = 0.1  # of the smallest important difference


def addition_words(difference: Estimate, view: OutcomeView, *, short: bool = False) -> str:
    """What a difference means, in words that never promise.

    A range that includes no difference always reads "may add nothing", whatever the average is. `short`
    leaves out the comparison with the smallest important difference.
    """
    if difference.has_range and difference.includes_zero:
        words = difference_words(difference, view.unit)
        return f"may add nothing, {words}" if short else f"may add nothing: {words}"
    if difference.mean == 0:
        return "shows no difference"
    important = view.minimal_important_difference
    if difference.has_range and important is not None:
        ends = (abs(difference.low or 0.0), abs(difference.high or 0.0))
        if max(ends) < PRACTICALLY_NONE * important:
            return f"makes practically no difference, {difference_words(difference, view.unit)}"
    if view.direction is None:
        return f"differs by {difference_words(difference, view.unit)}"
    words = difference_words(difference, view.unit, size_only=True)
    if difference.mean * view.direction < 0:
        return f"does worse by {words}"
    if not short and important is not None and abs(difference.mean) < important:
        words += f", less than the smallest difference usually called important ({important:g}),"
    return f"adds {words}" if view.direction == 1 else f"improves the average by {words}"


def counted_words(share: Estimate, verb: tuple[str, str]) -> str:
    """A share with its verb in the right number: `about 1 (range 0 to 3) sits`, `about 54 (...) sit`."""
    return f"{out_of_100(share)} {verb[0] if is_singular(share) else verb[1]}"


def quoted(label: str) -> str:
    """A label in quotation marks, so that it reads as the name of a plan."""
    return f"\u201c{label}\u201d"


def joined(parts: list[str]) -> str:
    """Parts as an English list; parts that hold commas themselves are told apart by one before the last."""
    if len(parts) <= 1:
        return "".join(parts)
    last = ", and " if any("," in part for part in parts) else " and "
    return ", ".join(parts[:-1]) + last + parts[-1]


def spread_out(items: list[str], most: int) -> list[str]:
    """At most `most` items, evenly over the list, with the first and the last."""
    if len(items) <= most:
        return items
    places = sorted({round(index * (len(items) - 1) / (most - 1)) for index in range(most)})
    return [items[place] for place in places]
