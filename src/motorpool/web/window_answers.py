"""What the treatment window shows of its simulations: sentences and figures, survival only where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motorpool.web.family_pictures import family_figure
from motorpool.web.plan_terms import in_plan_words, without_survival

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure
    from motorpool.web.window import Window

BIRTH = "birth"


def window_context(context: FigureContext, described: Window) -> FigureContext:
    """Without the end points that hold survival, unless the reader asked for it; rates need the deaths themselves."""
    from motorpool.figures.context import FigureContext

    return context if described.survival else FigureContext(context.dataset.sel(event=["death"]))


def window_sentences(context: FigureContext, described: Window) -> list[str]:
    """What a simulation says in words."""
    from motorpool.report.content import sentence_maker

    maker = sentence_maker(context)
    living = maker.living() if described.survival else []
    texts = [in_plan_words(sentence.text) for sentence in (*living, *maker.abilities(), *maker.overview())]
    return texts if described.survival else [without_survival(text) for text in texts]


def window_figures(context: FigureContext, part: str, described: Window) -> list[Figure]:
    """The figures of the part `starts` or `screening`."""
    from motorpool.figures.abilities import ability_figure
    from motorpool.figures.start_age import start_age_figure
    from motorpool.figures.survival import survival_figure

    figures = [start_age_figure(context)] if part == "starts" else [ability_figure(context, plain=True)]
    if part == "screening" and described.survival:
        figures.append(survival_figure(context, "death"))
    return [
        family_figure(figure, context, survival=described.survival)
        for figure in figures
        if figure is not None
    ]
