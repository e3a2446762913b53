"""The plain voice: short sentences about 100 children like this one, and what nobody knows.

Never a promise, never a date; who is not counted among those able is not said to have died unless the reader asked to
see survival.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from motorpool.report.numbers import Estimate, more_of_100, out_of_100

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.web.description import Description

# What an ability is called beside "of 100 children", singular form not needed: the counts are of 100.
ABILITIES = (
    ("head_control", "hold their head up"),
    ("sit_5s", "sit without help"),
    ("stand", "stand without help"),
    ("walk", "walk without help"),
)
TELLING = (0.04, 0.96)  # a share within these tells plans apart
MOST_ABILITIES = 3


@dataclass(frozen=True)
class IconRow:
    """One plan's hundred figures: how many of them, with the range, and words for those who cannot see them."""

    label: str
    count: int
    low: int | None
    high: int | None
    words: str
    more: str


@dataclass(frozen=True)
class IconGroup:
    """One ability, for every plan."""

    ability: str
    heading: str
    rows: tuple[IconRow, ...]


def time_words(months: float) -> str:
    """A span as people say it: `6 months`, `2 years`."""
    years = months / 12.0
    if months < 24 or not (years * 2).is_integer():
        return f"{months:g} months"
    return f"{years:g} years"


def icon_groups(context: FigureContext, description: Description) -> list[IconGroup]:
    """The abilities that tell the plans apart; the easiest one where none does."""
    last = max(context.months)
    when = time_words(last)
    found = _estimates(context, last)
    shares = {
        name: {
            arm: found[name, "able_share", arm] for arm in context.arms if (name, "able_share", arm) in found
        }
        for name, _ in ABILITIES
    }
    telling = [
        (name, verb)
        for name, verb in ABILITIES
        if any(TELLING[0] < share.mean < TELLING[1] for share in shares[name].values())
    ]
    groups: list[IconGroup] = []
    for name, verb in (telling or [ABILITIES[1]])[:MOST_ABILITIES]:
        rows: list[IconRow] = []
        for arm, share in shares[name].items():
            difference = found.get((name, "difference_able_share", arm))
            more = ""
            if difference is not None and arm in context.comparators:
                words = more_of_100(difference)
                joint = "as" if "as many" in words else "than"
                more = f"That is {words} {joint} with \u201c{context.labels[context.comparators[arm]]}\u201d."
            rows.append(
                IconRow(
                    label=context.labels[arm],
                    count=round(100 * share.mean),
                    low=None if share.low is None else round(100 * share.low),
                    high=None if share.high is None else round(100 * share.high),
                    words=f"Of 100 children like this, {out_of_100(share)} can {verb} {when} from now.",
                    more=more,
                )
            )
        groups.append(IconGroup(name, f"Who can {verb} {when} from now?", tuple(rows)))
    return groups


def _estimates(context: FigureContext, month: float) -> dict[tuple[str, str, str], Estimate]:
    """By milestone, measure and plan: shares and differences of shares at one visit."""
    found: dict[tuple[str, str, str], Estimate] = {}
    rows = [
        row
        for measure in ("able_share", "difference_able_share")
        for name, _ in ABILITIES
        for row in context.records(kind="milestone", quantity=name, measure=measure, visit_month=month)
    ]
    for row in rows:
        mean, low, high = (
            float(row.get(f"knowledge.{name}", math.nan)) for name in ("mean", "q2.5", "q97.5")
        )
        estimate = Estimate(mean) if math.isnan(low) else Estimate(mean, low, high)
        found[str(row["quantity"]), str(row["measure"]), str(row["arm"])] = estimate
    return found


@lru_cache(maxsize=1)
def standing_texts() -> dict[str, Any]:
    """Questions for the team and what nobody knows, by therapy."""
    import yaml

    text = resources.files("motorpool.web").joinpath("plain_texts.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def questions(description: Description) -> list[str]:
    """Questions for the team: those that always matter, then those of the therapies in the plans."""
    texts = standing_texts()["questions"]
    return [*texts["always"], *_of_therapies(texts, description)]


def unknowns(description: Description) -> list[str]:
    """What nobody knows: in general, then of the therapies in the plans."""
    texts = standing_texts()["unknown"]
    return [*texts["always"], *_of_therapies(texts, description)]


def _of_therapies(texts: dict[str, Any], description: Description) -> list[str]:
    given = {course.therapy for plan in description.plans for course in plan.courses}
    return [line for therapy, lines in texts.items() if therapy in given for line in lines]
