"""The answer in words for one redraw, in either voice, and as numbers for the API."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from motorpool.report.tables import html_table
from motorpool.web.added import added_groups, added_table, added_words
from motorpool.web.course_words import present_words
from motorpool.web.explore import Shown, topics_of
from motorpool.web.layer_words import begun_words, daily_table, layer_sentences
from motorpool.web.plain_words import icon_groups, questions, time_words, unknowns
from motorpool.web.plan_terms import in_plan_words

if TYPE_CHECKING:
    import pandas as pd

SURVIVAL_COLUMNS = ("Alive", "Alive without permanent ventilation")
MOST_ROWS = 20_000


def answer_words(shown: Shown) -> dict[str, Any]:
    """What the templates of the answer and of the sheet show."""
    from motorpool.report.content import sentence_maker
    from motorpool.report.glance import glance_table
    from motorpool.report.words import answer_groups, cohort_words, limits, short_range_note
    from motorpool.simulation.calibration_state import parameter_words
    from motorpool.web.ability_ages import ability_ages

    context, description = shown.context, shown.description
    plain, doubt = description.voice == "plain", context.draws > 1
    made: dict[str, Any] = {
        "description": description,
        "labels": list(context.labels.values()),
        "when": time_words(max(context.months)),
        "people": context.people,
        "effective_people": shown.effective_people,
        "reweighted": bool(description.scores),
        "draws": context.draws,
        "doubt": doubt,
        "outside": outside(shown, plain=plain),
        "parameter_words": parameter_words(),
        "topics": topics_of(description),
        "published": list(shown.scenario.published),
        "icons": icon_groups(context, description),
        "unknowns": unknowns(description),
        "questions": questions(description),
        "present": present_words(description.present) if description.present else "",
        "begun": begun_words(context, description),
        "layer_texts": layer_sentences(context) if plain else [],
        "added": added_groups(context),
        "added_texts": added_words(context, plain=plain),
        # Tables of everything take longer than the words; they come with what is not known.
        "added_table": _table(
            added_table(context, plain=plain),
            f"Average difference to the first plan, {time_words(max(context.months))} from now; in brackets the range "
            "of what we do not know",
        )
        if doubt
        else "",
        "daily_table": _table(
            daily_table(context, plain=plain),
            f"{time_words(max(context.months))} from now: the average, and in brackets between what half of the "
            "children lie",
        )
        if doubt
        else "",
    }
    ages = ability_ages(context)
    ages = ages[(ages["Able at the end"] > 0.5) | (ages["Able today"] > 0.5) | (ages["Gain it"] > 0.5)]
    ages = ages.rename(columns={"Arm": "Plan"})
    made["ability_table"] = (
        html_table(ages, "Of 100 children like this: abilities gained and lost, by age") if len(ages) else ""
    )
    if description.voice == "expert":
        maker = sentence_maker(context)
        told = ("adding",) if description.survival else ("adding", "living")  # what plans add is told above
        sentences = [s for s in maker.all() if s.topic not in told]
        groups = answer_groups(sentences)
        glance = glance_table(context).rename(columns={"Arm": "Plan"})
        if not description.survival:
            glance = glance.drop(columns=[name for name in SURVIVAL_COLUMNS if name in glance])
        made |= {
            "groups": [
                {"heading": group["heading"], "texts": [in_plan_words(s.text) for s in group["sentences"]]}
                for group in groups
            ],
            "glance": html_table(
                glance, f"Of 100 people like this, {made['when']} from now; ranges in brackets"
            ),
            "range_note": in_plan_words(short_range_note(context)),
            "cohort_words": in_plan_words(cohort_words(context)),
            "limits": [in_plan_words(text) for text in limits(context)],
        }
    return made


def _table(frame: pd.DataFrame, caption: str) -> str:
    return html_table(frame, caption) if len(frame) else ""


def outside(shown: Shown, *, plain: bool) -> str:
    """For which plans these children lie outside what was validated, and why; families are told without the reasons."""
    from motorpool.report.outside import validated_map, why_outside

    months, copies = shown.description.age_months, float(shown.description.copies)
    plans_by_reason: dict[str, list[str]] = {}
    for arm, label in shown.context.labels.items():
        reason = why_outside(shown.scenario, arm, (months, copies), validated_map())
        if reason:
            plans_by_reason.setdefault(reason, []).append(label)
    if not plans_by_reason:
        return ""
    if plain:
        names = " and ".join(f"“{label}”" for labels in plans_by_reason.values() for label in labels)
        return (
            f"Be careful with {names}: for children like this, the model has not been shown to be right. Read these "
            "numbers as a question, not as an answer."
        )
    parts = [f"{', '.join(labels)} ({reason})" for reason, labels in plans_by_reason.items()]
    return (
        f"Outside what the model was validated for: {'; '.join(parts)}. Read those numbers as a question, not as an "
        "answer."
    )


def answer_numbers(shown: Shown) -> dict[str, Any]:
    """The summary as JSON: the same rows and numbers as `results.json` of a run of this scenario."""
    from motorpool.simulation.layers import STATISTICS

    table = shown.context.summary
    rows: list[dict[str, Any]] = []
    for record in table.head(MOST_ROWS).to_dict("records"):
        row: dict[str, Any] = {
            str(key): _plain(value) for key, value in record.items() if key not in STATISTICS
        }
        row["values"] = {
            name: float(record[name]) for name in STATISTICS if math.isfinite(float(record[name]))
        }
        rows.append({key: value for key, value in row.items() if value is not None})
    return {
        "people": shown.context.people,
        "draws": shown.context.draws,
        "effective_people": shown.effective_people,
        "plans": dict(shown.context.labels),
        "published": list(shown.scenario.published),
        "scenario": shown.scenario.model_dump(mode="json", exclude_none=True),
        "summary": rows,
        "note": "Research and education, not for treatment decisions.",
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value == "":
        return None
    return value.item() if hasattr(value, "item") else value
