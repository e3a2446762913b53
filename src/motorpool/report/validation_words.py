"""The page "How sure are we?" of the documentation, made from the stored validation run.

To make it anew: ``python -m motorpool.report.validation_words > docs/explanation/how-sure-are-we.md``. A test compares
the two.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.calibration.validation_summary import load_acceptance
from motorpool.evidence.posterior import load_posterior
from motorpool.evidence.stored_results import VALIDATION_FILE, stored_text
from motorpool.evidence.validation_reasons import load_validation_reasons
from motorpool.report.tables import cell_text
from motorpool.report.validation_scope import TherapyScope, therapy_scopes
from motorpool.report.validation_sentences import (
    DASH,
    Data,
    answer,
    baseline_rows,
    criteria_rows,
    display_unit,
    family_rows,
    interval_words,
    rows_of,
    set_rows,
    signed,
)
from motorpool.studies.scale import load_calibration_rules

WRAPPED: Any = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
HEAD = """# How sure are we?

<!-- Made by `python -m motorpool.report.validation_words`; change that, not this page. -->
"""
INTRODUCTION = (
    "The model was fitted to some published studies and then asked to predict others, which it had never seen. This "
    "page says how that went. It is made from the stored result of `motorpool validate`, failures included."
)
NOT_RUN = (
    "There is no stored validation run for this version, so nothing is claimed about studies that the model never saw. "
    "`motorpool validate --set all --ship` makes one."
)
NO_REASON = "not known"


def stored_validation() -> dict[str, Any] | None:
    """The shipped validation run as plain data, or ``None``."""
    text = stored_text(VALIDATION_FILE)
    return None if text is None else json.loads(text)


def how_sure_page(data: Data | None) -> str:
    """The whole page in Markdown; without a validation run it says that there is none."""
    parts = [HEAD, _paragraph(INTRODUCTION)]
    if data is None:
        parts += [_heading("The answer"), _paragraph(NOT_RUN)]
    else:
        parts += [_heading("The answer"), _paragraph(" ".join(answer(data)))]
        parts += _criteria(data)
        parts += _coverage(data)
        parts += _outside(data)
        parts += _left_out(data)
    parts += _scopes([] if data is None else data["endpoints"], data is not None)
    parts += [_heading("How the intervals are made"), *_method(data)]
    return "\n".join(parts)


def _criteria(data: Data) -> list[str]:
    rows = criteria_rows(data)
    if not rows:
        return []
    words = (
        "What counts as good enough was written down before the first run (`evidence/data/acceptance.yaml`):"
    )
    return [_paragraph(words), _table(rows)]


def _coverage(data: Data) -> list[str]:
    parts = [
        _heading("By set"),
        _table(set_rows(data)),
        _heading("By family of figures"),
        _paragraph(
            "Figures of studies never used in fitting. The interval in brackets draws whole studies anew, because the "
            "figures of one study go together; with few studies it says little."
        ),
        _table(family_rows(data)),
    ]
    rows = baseline_rows(data)
    if rows:
        parts += [
            _heading("Against simpler forecasts"),
            _paragraph(
                "The mean log score on the figures that the simpler forecast can predict at all; larger is better. "
                "Natural history alone is this model without the therapies of the plans; similar trials is the mean of "
                "the same figure in calibration studies, as wide as they differ."
            ),
            _table(rows),
        ]
    return parts


def _outside(data: Data) -> list[str]:
    reasons = load_validation_reasons()
    rows = [
        {
            "Study": row["study"],
            "Figure": f"`{row['endpoint']}`",
            "Published (90 %)": f"{interval_words(row, 'published')} {display_unit(row)}".rstrip(),
            "Predicted (90 %)": f"{interval_words(row, 'predicted')} {display_unit(row)}".rstrip(),
            "Distance, SDs": signed(row.get("z")),
            "Likely reason": reasons.get(f"{row['study']}.{row['endpoint']}", NO_REASON),
        }
        for row in rows_of(data, "validation")
        if row["counted"] and not row["inside_90"]
    ]
    if not rows:
        return [_heading("What was missed"), _paragraph("No counted figure lies outside its interval.")]
    words = (
        "Every figure of a validation study outside its interval, the farthest first. A reason explains; it does not "
        "take a figure off the list."
    )
    return [_heading("What was missed"), _paragraph(words), _table(rows)]


def _left_out(data: Data) -> list[str]:
    uncounted = [row for row in rows_of(data, "validation") if not row["counted"]]
    parts: list[str] = []
    if uncounted:
        names = ", ".join(f"`{row['study']}.{row['endpoint']}`" for row in uncounted)
        words = (
            f"Shown and not counted, because too few simulated people are like those of the study: {names}."
        )
        parts.append(_paragraph(words))
    if data["not_predicted"]:
        lines = [f"- `{name}`: {reason}" for name, reason in data["not_predicted"].items()]
        parts += [_paragraph("Not predicted:"), "\n".join(lines) + "\n"]
    return [_heading("What could not be judged"), *parts] if parts else []


def _scopes(endpoints: Sequence[Mapping[str, Any]], judged: bool) -> list[str]:
    floor = load_acceptance().inside_90.floor or 0.0
    rows = [
        {
            "Therapy": scope.therapy,
            "Fitted to": ", ".join(scope.fitted) or DASH,
            "Tested by": ", ".join(scope.tested_by) or DASH,
            "Figures inside": f"{scope.inside} of {scope.judged}" if judged and scope.judged else DASH,
            "So": _verdict(scope, floor),
        }
        for scope in therapy_scopes(endpoints)
    ]
    words = (
        "From the locked sets (`evidence/data/study_sets.yaml`): a therapy is tested by studies that have it and were "
        "not fitted to. One that is known from the study it was fitted to alone is not validated."
    )
    return [_heading("What is validated, and what is not"), _paragraph(words), _table(rows)]


def _verdict(scope: TherapyScope, floor: float) -> str:
    below = ", **below the floor**" if scope.judged and scope.inside < floor * scope.judged else ""
    if scope.tested == "several studies":
        return f"tested{below}"
    if scope.tested == "one study":
        return f"tested by one study alone{below}"
    if scope.tested == "not studied":
        return "**not validated**: no study of it is scored; a run shows what was assumed"
    if not scope.fitted:
        return "**not validated**: its studies are counted apart or could not be predicted"
    same = "; its other figures are of the same patients" if scope.judged else ""
    return f"**not validated**: known from fitted studies alone{same}"


def _method(data: Data | None) -> list[str]:
    rules = load_calibration_rules()
    posterior = load_posterior()
    shared = 100 * (rules.shared_by_study if posterior is None else posterior.facts.shared_by_study)
    made = {} if data is None else data.get("made_with", {})
    draws = f"{made['draws']} draws" if "draws" in made else "Draws"
    people = f"{made['patients']} virtual people" if "patients" in made else "Virtual people"
    least = load_acceptance().effective_people.floor or 0.0
    steps = [
        f"**What is not known of the parameters.** {draws} of the posterior, all calibrated parameters of a draw "
        "together, the others from their priors. Under each draw every study is simulated as it was run, with its own "
        f"criteria, plan and visits. {people} in each arm are weighed to the published baseline. Scatter between draws "
        "that comes from simulating finitely many people is taken out.",
        "**How far the model itself may be wrong.** A discrepancy for each family of figures, whose size is that "
        f"with which calibration studies are predicted best when they are left out. {shared:.0f} % of its variance is "
        "common to all figures of one study; the rest has heavy tails "
        f"(Student's t, {rules.tails_degrees_of_freedom:g} degrees of freedom): a few figures are missed by far.",
        "**The chance of a study of that size.** Counts are binomial in the published number of people; other figures "
        "scatter as replicate studies of the published size do.",
    ]
    words = [
        "A predicted interval holds the middle 90 % of the sum of three things:",
        "A published figure on the edge counts as inside, and a published share as the nearest number of people. "
        "Published intervals of 90 % come from the paper's own interval, from k of n, or from SD and n. Where a paper "
        "gives none of these, there is no ratio of widths.",
        f"A prediction that rests on fewer than {least:.0f} people, after weighing and over all draws, is shown and "
        "not counted. Figures used as criteria of enrolment, and comparisons with natural history in disguise, are not "
        "scored at all.",
        "The intervals are about groups of the size of the study. They are not the range of one child.",
    ]
    listed = "".join(
        textwrap.fill(f"{place}. {step}", subsequent_indent="   ", **WRAPPED) + "\n"
        for place, step in enumerate(steps, start=1)
    )
    return [_paragraph(words[0]), listed, *(_paragraph(text) for text in words[1:])]


def _heading(text: str) -> str:
    return f"## {text}\n"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, **WRAPPED) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one form as a Markdown table."""
    if not rows:
        return ""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)]
    lines += [[cell_text(row[column]).replace("|", "\\|") for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


if __name__ == "__main__":
    print(how_sure_page(stored_validation()), end="")
