"""Explore: a description in, what the page shows out. Every redraw runs the engine; nothing is looked up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.scenario import Scenario
from motorpool.web.description import Description
from motorpool.web.family_pictures import family_figure
from motorpool.web.page_specs import page_spec
from motorpool.web.plan_terms import TODAY, in_plan_words
from motorpool.web.population import Kept, Population
from motorpool.web.scenario_of import DOUBT_DRAWS, scenario_of
from motorpool.web.timing import layer
from motorpool.web.turns import Turns, checkpoint

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext
    from motorpool.figures.figure import Figure

LEAST_EFFECTIVE_PEOPLE = 100
SOURCE = "your description"
CONTEXTS_KEPT = 8
TOPICS = {
    "motor": "Movement",
    "abilities": "Abilities gained and lost",
    "daily_life": "Daily life: the six problems side by side",
    "additions": "What each plan adds over the first",
    "layers": "Layers of uncertainty",
    "breathing": "Breathing",
    "eating": "Eating and growing",
    "spine": "Spine",
    "fatigue": "Tiring",
    "quality_of_life": "Quality of life",
    "safety": "Side effects and procedures",
    "survival": "Living, and living without permanent ventilation",
}
PLAIN_TOPICS = ("abilities", "motor", "additions", "daily_life", "safety", "survival")


@dataclass(frozen=True)
class Shown:
    """What one redraw rests on: the scenario, its figures' context, and what the people are worth.

    Attributes:
        effective_people: after reweighting, in the worst draw.
    """

    description: Description
    scenario: Scenario
    context: FigureContext
    effective_people: float


class Explorer:
    """Answers descriptions, one simulation at a time; quick answers go before the full ones with their doubt."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self.population, self.turns = Population(), Turns()
        self._results: Kept[str, tuple[FigureContext, float]] = Kept(CONTEXTS_KEPT)

    def show(self, description: Description, *, doubt: bool, stop: threading.Event | None = None) -> Shown:
        """Simulate a description.

        Args:
            doubt: with what we do not know (many sets of parameters); else one set, at once.
            stop: set by others when nobody waits any more.

        Raises:
            ScenarioError: the child or a plan cannot be simulated, or too few people are like this child.
            Superseded: `stop` was set.
            Busy: too many wait already.
        """
        with layer("scenario"):
            scenario = scenario_of(description, DOUBT_DRAWS if doubt else 0)
        try:
            context, effective = self.simulate(scenario, doubt=doubt, stop=stop)
        except ScenarioError as error:
            raise _about_child(error) from error
        if effective < LEAST_EFFECTIVE_PEOPLE:
            raise _too_few(f"they are worth {effective:.0f} independent people")
        return Shown(description, scenario, context, effective)

    def simulate(
        self, scenario: Scenario, *, doubt: bool, stop: threading.Event | None = None
    ) -> tuple[FigureContext, float]:
        """The context of a scenario's figures, and what its people are worth after reweighting, in the worst draw.

        Raises:
            ScenarioError: the cohort's criteria cannot be met.
            Superseded: `stop` was set.
            Busy: too many wait already.
        """
        with self.turns.turn(doubt=doubt, stop=stop):
            return self._results.get(scenario.model_dump_json(), lambda: self._simulate(scenario))

    def warm_up(self) -> None:
        """Load every program that a redraw needs, so that the first one is quick."""
        from motorpool.web.description import DescribedPlan, PlannedCourse

        for therapies in (("nusinersen",), ("onasemnogene",)):
            plans = (
                DescribedPlan(),
                *(DescribedPlan(courses=(PlannedCourse(therapy=name),)) for name in therapies),
            )
            shown = self.show(Description(plans=plans), doubt=False)
            for topic in ("motor", "abilities", "daily_life", "additions"):
                for figure in topic_figures(shown, topic):
                    figure_data(figure, shown.context.labels, narrow=False)

    def _simulate(self, scenario: Scenario) -> tuple[FigureContext, float]:
        from motorpool.web.quick_context import QuickContext

        dataset = self.population.dataset(scenario, lambda stage, share: checkpoint())
        effective = float(np.min(dataset["effective_sample_size"].values))
        return QuickContext(dataset), effective


def _too_few(found: str) -> ScenarioError:
    message = (
        f"too few of the stored people are like this child: {found}, and at least {LEAST_EFFECTIVE_PEOPLE} are needed. "
        "Leave out a score, or check the scores, the age and the number of copies"
    )
    return ScenarioError.single("scores", message, source=SOURCE)


def _about_child(error: ScenarioError) -> ScenarioError:
    """What could not be found, in the words of the form."""
    paths = {problem.path for problem in error.problems}
    if "cohort.baseline" in paths:
        return _too_few("none, or far fewer, have such scores together")
    if paths == {"cohort"}:
        message = f"no child can be simulated like this: {error.problems[0].message}"
        return ScenarioError.single("child", message, source=SOURCE)
    return error


def topics_of(description: Description) -> dict[str, str]:
    """Topics the page offers, with their headings; survival only where the reader asked for it."""
    names = PLAIN_TOPICS if description.voice == "plain" else tuple(TOPICS)
    return {name: TOPICS[name] for name in names if name != "survival" or description.survival}


def topic_figures(shown: Shown, topic: str) -> list[Figure]:
    """The figures of one topic that there are numbers for; those that show who is alive only where asked for."""
    from motorpool.figures.abilities import ability_figure
    from motorpool.figures.additions import addition_figure
    from motorpool.figures.collection import SURVIVAL_EVENTS
    from motorpool.figures.courses import course_figure
    from motorpool.figures.daily_life import daily_life_figure
    from motorpool.figures.icons import icon_figure
    from motorpool.figures.milestones import milestone_figure
    from motorpool.figures.safety import safety_figure
    from motorpool.figures.survival import survival_figure
    from motorpool.figures.uncertainty_layers import layers_figure
    from motorpool.figures.walking import walking_figure
    from motorpool.web.course_figures import course_layers, difference_figures

    context, alive = shown.context, shown.description.survival
    plain = shown.description.voice == "plain"
    layers = course_layers(shown.description)

    def courses(*names: str) -> list[Figure | None]:
        return [course_figure(context, name, layers) for name in names]

    def event(name: str) -> list[Figure | None]:
        return [survival_figure(context, name)] if alive else []

    if topic == "motor":
        found = courses(*context.motor_scales[:1])
    elif topic == "abilities":
        found = [
            ability_figure(context, plain=plain),
            *([milestone_figure(context), icon_figure(context)] if alive else []),
        ]
    elif topic == "daily_life":
        found = [daily_life_figure(context)]
    elif topic == "additions":
        found = [None if plain else addition_figure(context), *difference_figures(context, plain=plain)]
    elif topic == "layers":
        found = [layers_figure(context, shown.description.leave_out)]
    elif topic == "breathing":
        found = [*courses("fvc_percent", "ventilation_hours_per_day"), *event("niv_start")]
    elif topic == "eating":
        found = [*courses("swallowing_percent", "weight_z"), *event("tube_feeding")]
    elif topic == "spine":
        found = [*courses("cobb_degrees"), *event("spine_surgery")]
    elif topic == "fatigue":
        found = [*courses("endurance_percent"), walking_figure(context)]
    elif topic == "quality_of_life":
        found = courses("utility")
    elif topic == "safety":
        found = [safety_figure(context, kind, plain=plain) for kind in ("adverse_event", "procedure")]
    elif topic == "survival" and alive:
        found = [survival_figure(context, name) for name in SURVIVAL_EVENTS]
    else:
        found = []
    drawn = [figure for figure in found if figure is not None]
    return [family_figure(figure, context, survival=alive) for figure in drawn] if plain else drawn


def find_figure(shown: Shown, identifier: str) -> Figure | None:
    """The figure with this identifier among all topics that may be shown."""
    for topic in TOPICS:
        for figure in topic_figures(shown, topic):
            if figure.identifier == identifier:
                return figure
    return None


def figure_data(
    figure: Figure, labels: Mapping[str, str], *, narrow: bool, beginning: str = TODAY, table: bool = True
) -> dict[str, Any]:
    """A figure as JSON: words, the table as HTML where it is wanted, and the specification for one layout.

    Args:
        labels: names of the plans by key.
    """
    from motorpool.report.tables import html_table

    def words(text: object) -> str:
        return in_plan_words(str(text), beginning)

    made: dict[str, Any] = {
        "id": figure.identifier,
        "title": words(figure.title),
        "alt": words(figure.alt),
        "caption": words(figure.caption),
        "source": figure.source,
        "spec": page_spec(figure.narrow_spec if narrow else figure.spec, labels, beginning),
    }
    if table:
        made["table"] = html_table(figure.table.rename(columns=words), words(figure.title))
    return made
