"""The plain voice: short sentences about 100 children like this one, and what nobody knows.

Never a promise, never a date; who is not counted among those able is not said to have died unless the reader asked to
see survival.
"""

from __future__ import annotations

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
    shares = {name: _shares(context, name, last) for name, _ in ABILITIES}
    telling = [
        (name, verb)
        for name, verb in ABILITIES
        if any(TELLING[0] < share.mean < TELLING[1] for share in shares[name].values())
    ]
    groups: list[IconGroup] = []
    for name, verb in (telling or [ABILITIES[1]])[:MOST_ABILITIES]:
        rows: list[IconRow] = []
        for arm in context.arms:
            share = shares[name].get(arm)
            if share is None:
                continue
            count = round(100 * share.mean)
            more = ""
            other = context.comparators.get(arm)
            if other is not None:
                found = _estimate(context, "milestone", name, "difference_able_share", arm, last)
                if found is not None:
                    more = f"That is {more_of_100(found)} than with \u201c{context.labels[other]}\u201d."
                    more = more.replace("as many than", "as many as")
            rows.append(
                IconRow(
                    label=context.labels[arm],
                    count=count,
                    low=None if share.low is None else round(100 * share.low),
                    high=None if share.high is None else round(100 * share.high),
                    words=f"Of 100 children like this, {out_of_100(share)} can {verb} {when} from now.",
                    more=more,
                )
            )
        groups.append(IconGroup(name, f"Who can {verb} {when} from now?", tuple(rows)))
    return groups


def _shares(context: FigureContext, milestone: str, last: float) -> dict[str, Estimate]:
    found = {arm: _estimate(context, "milestone", milestone, "able_share", arm, last) for arm in context.arms}
    return {arm: share for arm, share in found.items() if share is not None}


def _estimate(
    context: FigureContext, kind: str, quantity: str, measure: str, arm: str, month: float
) -> Estimate | None:
    rows = context.rows(kind=kind, quantity=quantity, measure=measure, arm=arm, visit_month=month)
    if not len(rows):
        return None
    mean = float(rows["knowledge.mean"].iloc[0])
    if "knowledge.q2.5" not in rows:
        return Estimate(mean)
    return Estimate(mean, float(rows["knowledge.q2.5"].iloc[0]), float(rows["knowledge.q97.5"].iloc[0]))


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
