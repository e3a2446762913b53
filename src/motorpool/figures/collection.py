"""All figures of one results dataset, in the order a report shows them."""

from __future__ import annotations

from dataclasses import dataclass

from motorpool.figures.abilities import ability_figure
from motorpool.figures.additions import addition_figure
from motorpool.figures.comparisons import comparison_figure
from motorpool.figures.context import FigureContext
from motorpool.figures.courses import course_figure
from motorpool.figures.daily_life import daily_life_figure
from motorpool.figures.figure import Figure
from motorpool.figures.icons import icon_figure
from motorpool.figures.milestones import milestone_figure
from motorpool.figures.neurons import neuron_figure
from motorpool.figures.safety import safety_figure
from motorpool.figures.start_age import start_age_figure
from motorpool.figures.survival import survival_figure
from motorpool.figures.walking import walking_figure

MOTOR_SCALES = ("chop_intend", "hine2", "hfmse", "rulm", "mfm32", "six_minute_walk_m")
MOST_MAIN_SCALES = 2
MARKERS = ("cmap_mv", "mune", "pnfh_pg_per_ml", "fvc_percent", "weight_z", "utility")
SURVIVAL_EVENTS = ("death_or_permanent_ventilation_16h_21d", "death")
OTHER_EVENTS = ("niv_start", "tube_feeding", "spine_surgery", "loss_of_sitting", "loss_of_walking")


@dataclass(frozen=True)
class FigureCollection:
    """Figures by section of a report; sections without a figure are empty."""

    start_age: list[Figure]
    courses: list[Figure]
    other_courses: list[Figure]
    markers: list[Figure]
    survival: list[Figure]
    other_events: list[Figure]
    milestones: list[Figure]
    neurons: list[Figure]
    additions: list[Figure]
    daily_life: list[Figure]
    safety: list[Figure]
    icons: list[Figure]
    walking: list[Figure]
    comparisons: list[Figure]

    def all(self) -> list[Figure]:
        """Every figure in the order of the report."""
        return [figure for section in vars(self).values() for figure in section]


def collect_figures(context: FigureContext) -> FigureCollection:
    """Draw every figure the dataset has numbers for."""
    present = [str(name) for name in context.dataset.data_vars]

    def courses(names: tuple[str, ...]) -> list[Figure]:
        return _drawn([course_figure(context, name) for name in names if f"{name}__true" in present])

    main = tuple(context.motor_scales[:MOST_MAIN_SCALES])
    return FigureCollection(
        start_age=_drawn([start_age_figure(context)]),
        courses=courses(main),
        other_courses=courses(tuple(name for name in MOTOR_SCALES if name not in main)),
        markers=courses(MARKERS),
        survival=_drawn([survival_figure(context, event) for event in _survival_events(context)]),
        other_events=_drawn([survival_figure(context, event) for event in OTHER_EVENTS]),
        milestones=_drawn([milestone_figure(context), ability_figure(context)]),
        neurons=_drawn([neuron_figure(context)]),
        additions=_drawn([addition_figure(context)]),
        daily_life=_drawn([daily_life_figure(context)]),
        safety=_drawn([safety_figure(context, "adverse_event"), safety_figure(context, "procedure")]),
        icons=_drawn([icon_figure(context)]),
        walking=_drawn([walking_figure(context)]),
        comparisons=_drawn([comparison_figure(context)]),
    )


def _survival_events(context: FigureContext) -> list[str]:
    """The usual end points, and every other one that includes death and has a published result to draw."""
    published = {p.quantity for p in context.published if p.measure == "event_free_share"}
    return [*SURVIVAL_EVENTS, *sorted(published - set(SURVIVAL_EVENTS))]


def _drawn(figures: list[Figure | None]) -> list[Figure]:
    return [figure for figure in figures if figure is not None]
