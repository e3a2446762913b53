"""Pictures for families: titles and captions that say in short sentences what is seen and how to read it.

Who is not counted is said without naming a death, unless the reader asked to see survival; what is not known is always
said.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from motorpool.web.plan_terms import gently

if TYPE_CHECKING:
    from collections.abc import Callable

    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure
    from motorpool.figures.published_points import PublishedPoint

BY_MODEL = "Simulated by motorpool, a computer model."


def family_figure(figure: Figure, context: FigureContext, *, survival: bool) -> Figure:
    """The same picture with a title and a caption for families."""
    name = figure.identifier
    kind = next((one for one in _WORDS if name == one or name.startswith(f"{one}-")), None)
    if kind is None:
        return figure if survival else dataclasses.replace(figure, caption=gently(figure.caption))
    title, sentences = _WORDS[kind](context, name.removeprefix(kind).lstrip("-").replace("-", "_"), survival)
    caption = " ".join(sentence for sentence in sentences if sentence)
    return dataclasses.replace(figure, title=title or figure.title, caption=caption, source=BY_MODEL)


def plain_name(outcome: str) -> str:
    """What an outcome is called, with the name that professionals use: `Breathing capacity (FVC)`."""
    from motorpool.simulation.labels import outcome_view

    view = outcome_view(outcome)
    return view.plain_label if view.plain_label == view.label else f"{view.plain_label} ({view.label})"


def _range(context: FigureContext, mark: str = "The shaded part") -> str:
    if context.draws == 1:
        return "What we do not know is not drawn yet."
    return f"{mark} is what we do not know: the true value may lie anywhere in it."


def _studies(points: list[PublishedPoint]) -> str:
    if not points:
        return ""
    names = ", ".join(sorted({point.study for point in points}))
    text = f"Diamonds are results of real studies ({names}); the children in them were not the same as these."
    if not all(point.checked for point in points):
        text += " Hollow diamonds have not been checked yet."
    return text


def _counted(survival: bool) -> str:
    if survival:
        return (
            "Only children who live and can be tested are counted, so that a plan can look better than it is when the "
            "weakest children have died."
        )
    return "Only children who can be tested then are counted, so that a plan can look better than it is."


def _better(outcome: str) -> str:
    from motorpool.simulation.labels import outcome_view

    better = outcome_view(outcome).better
    return f"{better[:1].upper()}{better[1:]}." if better else ""


def _abilities(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
    points = [point for point in context.published if point.measure == "able_share"]
    died = " Children who died count as not able." if survival else ""
    return "Of 100 children, how many can do it", [
        "Each line is one plan: of 100 children, so many can do it at that time.",
        f"Higher is better. Every child is counted.{died}",
        _range(context),
        _studies(points),
    ]


def _course(context: FigureContext, outcome: str, survival: bool) -> tuple[str, list[str]]:
    points = [point for point in context.published if point.quantity == outcome and point.measure == "score"]
    return f"{plain_name(outcome)}, month by month", [
        "Above: each line is the average of one plan.",
        _better(outcome),
        _range(context),
        "Below, one picture for each plan: how much children differ. Half of them lie in the darkest part, and 95 of "
        "100 in the whole coloured part.",
        _counted(survival),
        _studies(points),
    ]


def _difference(context: FigureContext, outcome: str, survival: bool) -> tuple[str, list[str]]:
    from motorpool.simulation.labels import outcome_view

    view = outcome_view(outcome)
    small = "In the grey strip the difference is so small that people would hardly notice it."
    return f"What each plan adds over the first: {plain_name(outcome)}", [
        "The line shows how far the average with a plan lies above or below the average with the first plan. At zero "
        "there is no difference.",
        _better(outcome),
        _range(context),
        small if view.minimal_important_difference else "",
        "Death counts as the lowest score." if survival and view.worst is not None else "",
    ]


def _daily_life(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
    return "Six parts of daily life, side by side", [
        "Each line is the average of one plan. The arrow says which way is better.",
        _range(context),
        _counted(survival),
    ]


def _events(what: str, how: str) -> Callable[[FigureContext, str, bool], tuple[str, list[str]]]:
    def words(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
        return f"{what} with each plan", [
            f"Each mark shows how often {how} to one child in one year, on average. A plan without a mark has none.",
            _range(context, "The line through a mark"),
        ]

    return words


def _survival(context: FigureContext, event: str, survival: bool) -> tuple[str, list[str]]:
    from motorpool.simulation.survival_summary import includes_death

    if event == "death":
        what = "Each line is one plan: of 100 children, so many are alive at that time."
    elif includes_death(event):
        what = (
            "Each line is one plan: of 100 children, so many are alive at that time and have not needed a machine to "
            "breathe for most of the day."
        )
    else:
        what = "Each line is one plan: of 100 children, so many have had it by that time."
    return "", [
        what,
        _range(context),
        "The numbers below say how many of the simulated children are alive"
        f"{'' if event == 'death' else ' without it'} at that time.",
        _studies([point for point in context.published if point.quantity == event]),
    ]


def _milestones(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
    return "The best that 100 children can do, by age", [
        "Each child is counted once, with the best it can do at that age. More blue is better. Children who died stay "
        "in the picture.",
        "These are averages; the picture above shows what we do not know.",
    ]


def _icons(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
    return f"Of 100 children like this, {max(context.months):g} months from now", [
        "Each small person stands for one of 100 children. Nobody can say which of them your child would be.",
        "The table below has the range of what we do not know." if context.draws > 1 else "",
    ]


def _start_age(context: FigureContext, rest: str, survival: bool) -> tuple[str, list[str]]:
    died = " Children who died count as not able, and with the lowest score." if survival else ""
    return "What is reached, by the age at the first dose", [
        "The same simulated children begin at each age; the dashed line shows them without the treatment.",
        f"Higher is better. Every child is counted; who cannot do it, for any reason, counts as not able.{died}",
        _range(context),
    ]


_WORDS: dict[str, Callable[[FigureContext, str, bool], tuple[str, list[str]]]] = {
    "abilities": _abilities,
    "course": _course,
    "difference": _difference,
    "daily-life": _daily_life,
    "adverse-events": _events("Side effects", "this happens"),
    "procedures": _events("Procedures", "this is done"),
    "survival": _survival,
    "milestones": _milestones,
    "icons": _icons,
    "start-age": _start_age,
}
