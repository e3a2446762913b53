"""Which layers the curves of the page show, and the curves of what each plan adds over the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motorpool.figures.courses import REPORT, CourseLayers
from motorpool.figures.difference_courses import difference_course_figure
from motorpool.web.description import BANDS

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure
    from motorpool.web.description import Description

DIFFERENCE_OUTCOMES = ("fvc_percent", "utility")  # beside the motor scale that fits


def course_layers(description: Description) -> CourseLayers:
    """The layers that a reader wants to see; families see the curves of a report, and the rest in words."""
    if description.voice == "plain":
        return REPORT
    out = description.leave_out
    return CourseLayers(
        bands=() if "people" in out else tuple(band for band in BANDS if band not in description.hide_bands),
        knowledge="knowledge" not in out,
        chance="chance" not in out,
        measurement="measurement" not in out,
    )


def difference_figures(context: FigureContext, *, plain: bool) -> list[Figure | None]:
    """What each plan adds over time: movement, breathing, quality of life; for families movement alone."""
    names = context.motor_scales[:1] if plain else (*context.motor_scales[:1], *DIFFERENCE_OUTCOMES)
    return [difference_course_figure(context, name) for name in names]
