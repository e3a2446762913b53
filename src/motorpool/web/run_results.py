"""What a finished task of the laboratories found, in parts for the page of its run: words, pictures and tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from motorpool.web.job_store import Job
from motorpool.web.page_specs import page_spec

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

RESULTS_FILE = "results.json"
Voice = Literal["plain", "expert"]


@dataclass(frozen=True)
class Part:
    """One part of a result."""

    id: str
    heading: str
    words: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[str] = ()


def parts_of(job: Job, results: Path, voice: Voice = "expert") -> list[Part]:
    """The parts of a finished task; none for a simulation, whose report shows everything.

    Args:
        voice: `plain` for families: the answer in short sentences and the pictures; `expert` with all numbers.
    """
    if job.task == "simulate":
        return []
    found = json.loads(results.read_text(encoding="utf-8"))
    asked = json.loads(job.scenario)
    if job.task.startswith("cells "):
        parts = _cells(found)
    else:
        made = {"trial run": _trial_run, "trial power": _trial_power, "trial compare": _compared}
        parts = made[job.task](found, asked)
    if voice == "expert":
        return parts
    from motorpool.web.run_plainly import plain_parts

    return plain_parts(job.task, parts, found, asked)


def usual_voice(task: str) -> Voice:
    """Whom a run speaks to unless the reader says otherwise: families ask about cells, professionals about trials."""
    return "plain" if task.startswith("cells ") else "expert"


def plain_figure(figure: Figure, *, narrow: bool) -> dict[str, Any]:
    """A figure as JSON, in its own words."""
    from motorpool.report.tables import html_table

    return {
        "id": figure.identifier,
        "title": figure.title,
        "alt": figure.alt,
        "caption": figure.caption,
        "source": figure.source,
        "table": html_table(figure.table, figure.title),
        "spec": page_spec(figure.narrow_spec if narrow else figure.spec),
    }


def _cells(found: dict[str, Any]) -> list[Part]:
    from motorpool.report.cells_page import page_of, table

    made = page_of(found)
    parts = [Part("in_short", "In short", made.answer)]
    parts += [
        Part(
            one.id,
            one.heading,
            one.words,
            [figure for figure in one.figures if figure is not None],
            [text for text in (table(rows, caption) for rows, caption in one.tables) if text],
        )
        for one in made.sections
    ]
    return [*parts, Part("made", "How it was made", [made.made, *made.notes])]


def _trial_run(found: dict[str, Any], asked: dict[str, Any]) -> list[Part]:
    from motorpool.report.trial.text import course_lines, result_rows
    from motorpool.web.tasks import designs_in

    design, inputs = designs_in(asked)[0], asked["inputs"]
    true = f"{inputs['replicates']} trials of {design.patients} people; true: {found['truth']['words']}."
    table = _table(
        result_rows(design, found["characteristics"]), "Each endpoint and arm; MC: Monte-Carlo error"
    )
    return [
        Part(
            "in_short", "What the trials found", [true, *_sentences(course_lines(design, found))], (), [table]
        )
    ]


def _trial_power(found: dict[str, Any], asked: dict[str, Any]) -> list[Part]:
    from motorpool.figures.trial.curves import accrual_figure, power_by_effect_figure, power_by_size_figure
    from motorpool.report.trial.text import result_rows, value_lines
    from motorpool.web.tasks import designs_in

    design = designs_in(asked)[0]
    figures = (power_by_effect_figure(found), power_by_size_figure(found), accrual_figure(found))
    tables = [
        _table(
            result_rows(design, under["characteristics"]), f"True: {under['words']}; MC: Monte-Carlo error"
        )
        for under in found["under"].values()
    ]
    return [
        Part("in_short", "In short", [found["verdict"]["words"]]),
        Part("power", "Power, size and time", (), [figure for figure in figures if figure is not None]),
        Part("numbers", "The numbers", _sentences(value_lines(design, found)), (), tables),
    ]


def _compared(found: dict[str, Any], asked: dict[str, Any]) -> list[Part]:
    from motorpool.report.trial.text import comparison_rows

    cost = found["cost"]
    words = f"True: {found['truth']}. Each design costs at most {cost['value']:g} {cost['unit']}."
    table = _table(comparison_rows(found), "The designs at equal cost; MC: Monte-Carlo error")
    return [Part("in_short", "The designs side by side", [words], (), [table])]


def _sentences(lines: Sequence[str]) -> list[str]:
    return [f"{line.strip().rstrip('.')}." for line in lines]


def _table(rows: Sequence[Sequence[str]], caption: str) -> str:
    import pandas as pd

    from motorpool.report.tables import html_table

    names = [name[:1].upper() + name[1:] for name in rows[0]]
    return html_table(pd.DataFrame([list(row) for row in rows[1:]], columns=names, dtype=object), caption)
