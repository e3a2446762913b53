"""What the pages and the API ask of the engine: questions by name, with plain data, answered as bytes of a response.

A question is answered in a process of its own (`motorpool.web.worker`), or in a thread of the server where it has none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from motorpool.web.description import Description, pairs_of
from motorpool.web.explore import (
    TOPICS,
    Explorer,
    Shown,
    figure_data,
    find_figure,
    topic_figures,
    topics_of,
)
from motorpool.web.plan_terms import plan_spec
from motorpool.web.timing import layer
from motorpool.web.turns import checkpoint

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext

Asked = Mapping[str, Any]
Left = Callable[[], bytes]  # what is left to do without the engine


def answered(
    explorer: Explorer, name: str, asked: Asked, stop: threading.Event | None = None
) -> bytes | None:
    """The answer to a question, or None where there is no such thing.

    Args:
        name: one of `QUESTIONS`.
        asked: its plain data; `doubt` says whether it lets quick ones by.
        stop: set by others when nobody waits any more.

    Raises:
        ScenarioError: what is described cannot be simulated.
        Superseded: `stop` was set.
        Busy: too many wait already.
    """
    with explorer.turns.turn(doubt=bool(asked.get("doubt")), stop=stop):
        found = QUESTIONS[name](explorer, asked)
    return found() if callable(found) else found


def as_json(content: Any) -> bytes:
    """Plain data as compact JSON."""
    with layer("json"):
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def topic_pictures(shown: Shown, topic: str, *, narrow: bool) -> list[dict[str, Any]]:
    """The pictures of one topic for the page, without their tables, which a reader asks for one by one."""
    with layer("pictures"):
        checkpoint()
        found: list[dict[str, Any]] = []
        for figure in topic_figures(shown, topic):
            checkpoint()
            found.append(figure_data(figure, shown.context.labels, narrow=narrow, table=False))
    return found


def _shown(explorer: Explorer, asked: Asked) -> Shown:
    description = Description.model_validate(asked["description"])
    return explorer.show(description, doubt=bool(asked.get("doubt")))


def _answer(explorer: Explorer, asked: Asked) -> bytes:
    """The answer in words, which pictures there are, and with it the pictures of the topics that the reader sees."""
    from motorpool.web.answer import answer_words
    from motorpool.web.render import fragment

    shown = _shown(explorer, asked)
    topics = topics_of(shown.description)
    with layer("words"):
        html = fragment("answer.html.j2", **answer_words(shown))
    return as_json(
        {
            "html": html,
            "topics": topics,
            "query": pairs_of(shown.description),
            "doubt": bool(asked["doubt"]),
            "pictures": {
                topic: topic_pictures(shown, topic, narrow=asked["narrow"])
                for topic in asked["draw"]
                if topic in topics
            },
        }
    )


def _pictures(explorer: Explorer, asked: Asked) -> bytes:
    return as_json(topic_pictures(_shown(explorer, asked), asked["topic"], narrow=asked["narrow"]))


def _table(explorer: Explorer, asked: Asked) -> bytes | None:
    """The numbers of one figure as a table of the page."""
    shown = _shown(explorer, asked)
    found = find_figure(shown, asked["figure"])
    return None if found is None else figure_data(found, shown.context.labels, narrow=False)["table"].encode()


def _file(explorer: Explorer, asked: Asked) -> Left | None:
    from motorpool.web.pictures import picture_file

    found = find_figure(_shown(explorer, asked), asked["figure"])
    return None if found is None else lambda: picture_file(found, asked["kind"])


def _sheet(explorer: Explorer, asked: Asked) -> bytes:
    from motorpool.web.answer import answer_words
    from motorpool.web.labels import milestone_labels, scale_labels
    from motorpool.web.render import page_text

    shown = _shown(explorer, asked)
    plain = Shown(
        shown.description.model_copy(update={"voice": "plain"}),
        shown.scenario, shown.context, shown.effective_people,
    )  # fmt: skip
    return page_text(
        "sheet.html.j2", **asked["page"], title="To talk about with your team", query=pairs_of(shown.description),
        scales=scale_labels(), milestones=milestone_labels(), **answer_words(plain),
    ).encode()  # fmt: skip


def _numbers(explorer: Explorer, asked: Asked) -> bytes:
    from motorpool.web.answer import answer_numbers
    from motorpool.web.api import Answer

    return Answer.model_validate(answer_numbers(_shown(explorer, asked))).model_dump_json().encode()


def _figures(explorer: Explorer, asked: Asked) -> bytes:
    shown = _shown(explorer, asked)
    return as_json({topic: [figure.identifier for figure in topic_figures(shown, topic)] for topic in TOPICS})


def _figure(explorer: Explorer, asked: Asked) -> bytes | None:
    found = find_figure(_shown(explorer, asked), asked["figure"])
    return None if found is None else as_json(plan_spec(found.spec))


def _window(explorer: Explorer, asked: Asked) -> bytes:
    from motorpool.web.window import Window, window_scenarios
    from motorpool.web.window_answers import BIRTH, window_figures, window_sentences

    described = Window.model_validate(asked["window"])
    found: dict[str, Any] = {}
    for name, scenario in window_scenarios(described, asked["doubt"]).items():
        context = _window_context(explorer, scenario, described, asked["doubt"])
        found[name] = {
            "sentences": window_sentences(context, described),
            "figures": [
                figure_data(figure, context.labels, narrow=asked["narrow"], beginning=BIRTH)
                for figure in window_figures(context, name, described)
            ],
        }
    return as_json(found)


def _window_file(explorer: Explorer, asked: Asked) -> Left | None:
    from motorpool.web.pictures import picture_file
    from motorpool.web.window import Window, window_scenarios
    from motorpool.web.window_answers import BIRTH, window_figures

    described = Window.model_validate(asked["window"])
    scenario = window_scenarios(described, asked["doubt"])[asked["part"]]
    context = _window_context(explorer, scenario, described, asked["doubt"])
    found = [
        one for one in window_figures(context, asked["part"], described) if one.identifier == asked["figure"]
    ]
    return (lambda: picture_file(found[0], asked["kind"], BIRTH)) if found else None


def _window_context(explorer: Explorer, scenario: Any, described: Any, doubt: bool) -> FigureContext:
    from motorpool.web.window_answers import window_context

    context, _ = explorer.simulate(scenario, doubt=doubt)
    return window_context(context, described)


QUESTIONS: dict[str, Callable[[Explorer, Asked], bytes | Left | None]] = {
    "answer": _answer,
    "pictures": _pictures,
    "table": _table,
    "file": _file,
    "sheet": _sheet,
    "numbers": _numbers,
    "figures": _figures,
    "figure": _figure,
    "window": _window,
    "window file": _window_file,
}
