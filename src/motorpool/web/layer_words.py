"""The layers of uncertainty in plain words, daily life as a table, and how many get what begins by a rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from motorpool.figures.courses import MEASURE, MEASUREMENT, MONTE_CARLO, NORMAL_95
from motorpool.therapies.courses import THERAPIES
from motorpool.web.course_words import course_words
from motorpool.web.plain_words import time_words

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext
    from motorpool.web.description import Description

DAILY = (
    "fvc_percent", "ventilation_hours_per_day", "swallowing_percent", "weight_z", "cobb_degrees", "endurance_percent",
    "six_minute_walk_m", "utility",
)  # fmt: skip


def layer_sentences(context: FigureContext) -> list[str]:
    """How children differ, how exact a measurement is, what is not known, and what the number simulated leaves open."""
    from motorpool.simulation.labels import outcome_view

    outcome = next(iter(context.motor_scales), None)
    if outcome is None:
        return []
    view, last = outcome_view(outcome), max(context.months)
    rows = context.records(kind="outcome", quantity=outcome, measure=MEASURE, visit_month=last)
    name = view.plain_label[:1].lower() + view.plain_label[1:]
    found: list[str] = []
    for row in rows:
        low, high, least, most = (
            float(row.get(f"between_people.{q}", math.nan)) for q in ("q25", "q75", "q2.5", "q97.5")
        )
        if not math.isnan(low):
            found.append(
                f"Children differ. With “{context.labels[str(row['arm'])]}”, {time_words(last)} from now, half of "
                f"them score between {low:.0f} and {high:.0f} {view.unit} ({name}), and 95 of 100 between {least:.0f} "
                f"and {most:.0f}."
            )
    if context.draws > 1:
        ranges = [
            f"{float(row['knowledge.q2.5']):.0f} and {float(row['knowledge.q97.5']):.0f} with "
            f"“{context.labels[str(row['arm'])]}”"
            for row in rows
            if "knowledge.q2.5" in row
        ]
        found.append(f"We do not know the average exactly. It may lie between {'; between '.join(ranges)}.")
    errors = [float(row[MEASUREMENT]) for row in rows if not math.isnan(row.get(MEASUREMENT, math.nan))]
    if errors:
        found.append(
            "A score is never exact. The same child, measured on another day, can get up to "
            f"{NORMAL_95 * max(errors):.0f} {view.unit} more or fewer by chance alone."
        )
    if rows and MONTE_CARLO in rows[0]:
        most = NORMAL_95 * max(float(row[MONTE_CARLO]) for row in rows)
        found.append(
            f"We simulated {context.people} children. Another {context.people} would move the average by up to "
            f"{most:.1f} {view.unit}."
        )
    return found


def daily_table(context: FigureContext, *, plain: bool) -> pd.DataFrame:
    """One row per side of daily life, one column per plan: the average, and between what half of the people lie."""
    import pandas as pd

    from motorpool.simulation.labels import outcome_view

    rows: list[dict[str, Any]] = []
    for outcome in (*context.motor_scales[:1], *DAILY):
        frame = context.rows(
            kind="outcome", quantity=outcome, measure=MEASURE, visit_month=max(context.months)
        )
        frame = context.enough_people(frame) if len(frame) else frame
        if frame.empty:
            continue
        view = outcome_view(outcome)
        found = {str(row["arm"]): row for row in frame.to_dict("records")}
        better = f"; {view.better}" if view.better else ""
        rows.append(
            {
                "What": view.plain_label if plain else view.label,
                "Counted in": f"{view.unit or 'from 0 to 1'}{better}",
                **{context.labels[arm]: _cell(found.get(arm)) for arm in context.arms},
            }
        )
    return pd.DataFrame(rows)


def _cell(row: Any) -> str:
    if row is None:
        return "–"
    mean, low, high = (
        float(row[name]) for name in ("knowledge.mean", "between_people.q25", "between_people.q75")
    )
    digits = 2 if max(abs(low), abs(high), abs(mean)) < 2 else 1 if abs(mean) < 10 else 0
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})".replace("-", "−")


def begun_words(context: FigureContext, description: Description) -> list[str]:
    """How many get a therapy that begins by a rule, by the end; nothing where the plan gives that therapy twice."""
    found: list[str] = []
    started = context.dataset["therapy_started"]
    for arm, plan in zip(context.arms, description.plans, strict=False):
        given = [course.therapy for course in plan.courses]
        given += [description.present.therapy] if description.present else []
        for place, course in enumerate(plan.courses):
            if plan.start_month(place) is not None or given.count(course.therapy) > 1:
                continue
            if course.therapy not in THERAPIES or course.therapy not in started["therapy"].values:
                continue
            share = float(started.sel(arm=arm, therapy=course.therapy).values.mean())
            found.append(
                f"{course_words(course)} begins in {round(100 * share)} of 100 children within "
                f"{time_words(max(context.months))}, with “{context.labels[arm]}”."
            )
    return found
