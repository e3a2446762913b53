"""Numbers as people read them: of 100, with a range, and no more digits than are known."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean and the range that reflects what we do not know; the range may be absent."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def has_range(self) -> bool:
        """Whether there is a range."""
        return self.low is not None and self.high is not None

    @property
    def includes_zero(self) -> bool:
        """Whether the range includes no difference; without a range nothing is known, so yes only for
        zero."""
        if self.low is None or self.high is None:
            return self.mean == 0
        return self.low <= 0 <= self.high


def out_of_100(share: Estimate) -> str:
    """A share as `about 38 (range 25 to 52)`; the ends of the scale stay words, not false certainty."""
    if (share.mean if share.high is None else share.high) < 0.005:
        return "almost none"
    if (share.mean if share.low is None else share.low) > 0.995:
        return "almost all"
    words = _count(100 * share.mean)
    if share.low is None or share.high is None:
        return words
    return f"{words} (range {round(100 * share.low)} to {round(100 * share.high)})"


def _count(value: float) -> str:
    if value < 0.5:
        return "fewer than 1"
    if value > 99.5:
        return "more than 99"
    return f"about {round(value)}"


def is_singular(share: Estimate) -> bool:
    """Whether the words for a share speak of one person or less, which takes another form of the verb."""
    words = out_of_100(share).split(" (")[0]
    return words in ("about 1", "fewer than 1")


def more_of_100(difference: Estimate) -> str:
    """A difference between shares in people of 100: `about 18 more (range 5 to 28)`.

    A range that includes no difference reads as perhaps no difference, with both its ends.
    """
    middle = round(100 * difference.mean)
    side = "more" if difference.mean > 0 else "fewer"
    if difference.low is None or difference.high is None:
        return "about as many" if middle == 0 else f"about {abs(middle)} {side}"
    low, high = round(100 * difference.low), round(100 * difference.high)
    if low == 0 and high == 0:
        return "as many"
    if difference.includes_zero:
        ends = f"(range {_fewer_or_more(low)} to {_fewer_or_more(high)})"
        return f"about as many {ends}" if middle == 0 else f"perhaps {abs(middle)} {side} {ends}"
    near, far = sorted((abs(low), abs(high)))
    if middle == 0:
        return f"hardly any {side} (range {near} to {far})"
    return f"about {abs(middle)} {side} (range {near} to {far})"


def _fewer_or_more(count: int) -> str:
    if count == 0:
        return "0"
    return f"{abs(count)} {'more' if count > 0 else 'fewer'}"


def difference_words(value: Estimate, unit: str, *, size_only: bool = False) -> str:
    """A mean difference with its signed range and unit, to a sensible number of digits.

    `size_only` leaves the sign of the mean out, for sentences whose verb already says the direction.
    """
    digits = _digits(value)
    middle = f"{abs(value.mean):.{digits}f}" if size_only else _signed(value.mean, digits)
    words = f"about {middle} {unit}".rstrip()
    if value.low is None or value.high is None:
        return words
    return f"{words} (range {_signed(value.low, digits)} to {_signed(value.high, digits)})"


def months_words(month: float) -> str:
    """A span of months in words: `14 months`, `5 years`."""
    if month >= 36 and float(month / 12).is_integer():
        return f"{int(month / 12)} years"
    return f"{month:g} months"


def _digits(value: Estimate) -> int:
    size = max(abs(part) for part in (value.mean, value.low, value.high) if part is not None)
    if size >= 20:
        return 0
    return 1 if size >= 1 or size == 0 else min(3, 1 - math.floor(math.log10(size)))


def _signed(number: float, digits: int) -> str:
    text = f"{number:+.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", "\u2212")
