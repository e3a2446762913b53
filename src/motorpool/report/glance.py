"""The arms at a glance: one row per arm, the main results with their ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motorpool.report.sentences import EVENT_FREE
from motorpool.simulation.labels import outcome_view

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext

SHARES = (
    ("Alive", "event", "death", "event_free_share"),
    ("Alive without permanent ventilation", "event", EVENT_FREE, "event_free_share"),
    ("Sit without support", "milestone", "sit_5s", "able_share"),
    ("Walk alone", "milestone", "walk", "able_share"),
)


def glance_table(context: FigureContext) -> pd.DataFrame:
    """Shares of 100 people and the mean of the main motor scale at the last visit, each with its range."""
    import pandas as pd

    last = max(context.months)
    columns: dict[str, dict[str, str]] = {}
    for title, kind, quantity, measure in SHARES:
        rows = context.rows(kind=kind, quantity=quantity, measure=measure, visit_month=last)
        if len(rows):
            columns[title] = _cells(rows, 100.0, 0)
    for scale in context.motor_scales[:1]:
        view = outcome_view(scale)
        for measure, words in (
            ("score_death_as_worst", "average, death as the lowest score"),
            ("score_among_living", "average of the living"),
        ):
            rows = context.rows(kind="outcome", quantity=scale, measure=measure, visit_month=last)
            if len(rows):
                columns[f"{view.label} ({words})"] = _cells(rows, 1.0, 1)
                break
    return pd.DataFrame(
        [
            {
                "Arm": context.labels[arm],
                **{title: cells.get(arm, "\u2013") for title, cells in columns.items()},
            }
            for arm in context.arms
        ]
    )


def _cells(rows: pd.DataFrame, factor: float, digits: int) -> dict[str, str]:
    cells: dict[str, str] = {}
    for row in rows.to_dict("records"):
        text = f"{factor * row['knowledge.mean']:.{digits}f}"
        if "knowledge.q2.5" in row:
            low, high = factor * row["knowledge.q2.5"], factor * row["knowledge.q97.5"]
            if f"{low:.{digits}f}" != text or f"{high:.{digits}f}" != text:
                text += f"\u00a0({low:.{digits}f}\u00a0to\u00a0{high:.{digits}f})"
        cells[str(row["arm"])] = text
    return cells
