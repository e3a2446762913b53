"""A validation as one HTML page without a network: the answer, every figure with both intervals, and the misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool.report.html_page import filled_page, write_at_once
from motorpool.report.validation_sentences import (
    SETS,
    SHARES,
    Data,
    answer,
    baseline_rows,
    criteria_rows,
    display,
    display_unit,
    family_rows,
    family_words,
    interval_words,
    main_set,
    ratio_words,
    rows_of,
    set_rows,
    signed,
)

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

MARK = '<meta name="generator" content="motorpool validate">'
SYMBOLS = {"inside": "\u25cf inside", "outside": "\u2716 OUTSIDE", "not counted": "\u25c6 not counted"}


def write_validation_page(data: Data, path: Path) -> Path:
    """Write the page of a validation (``report_data``) and return its path; it appears only when it is complete."""
    return write_at_once(path, page_html(data))


def page_html(data: Data) -> str:
    """The whole page as text."""
    from motorpool._version import __version__

    groups, pictures = _pictures(data)
    return filled_page(
        "validation.html.j2",
        {
            "title": f"Predicted and published: motorpool {__version__}",
            "question": "Fitted to some studies only, does the model predict what others found?",
            "state_words": _state_words(),
            "answer": answer(data),
            "decided": data.get("acceptance", {}).get("decided"),
            "tables": _tables(data),
            "groups": groups,
            "pictures": pictures,
            "not_predicted": data["not_predicted"],
            "made": _made(data),
            "mark": MARK,
        },
        "validation.css",
    )


def _state_words() -> str:
    from motorpool.simulation.calibration_state import parameter_words

    words = parameter_words()
    return f"{words[0].upper()}{words[1:]}."


def _made(data: Data) -> str:
    made = data.get("made_with")
    if not made:
        return ""
    return (
        f"motorpool {made['motorpool']}, {made['draws']} draws of the posterior "
        f"(hash {made['posterior_sha256'][:16]}), {made['patients']} virtual people in each arm under each draw."
    )


def _shown_sets(data: Data) -> list[str]:
    """The sets of the run; the first is shown in full."""
    present = [name for name in SETS if any(row["set"] == name for row in data["endpoints"])]
    first = main_set(data)
    return sorted(present, key=lambda name: name != first)


def _pictures(data: Data) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The pictures of every set, and those of the first set as a whole, ready for the page."""
    from motorpool.figures.credibility.validation import distance_figure
    from motorpool.figures.rendering import Renderer
    from motorpool.figures.validation import pit_figure
    from motorpool.report.pictures import order, picture

    sets = _shown_sets(data)
    judged = [row for row in rows_of(data, sets[0])] if sets else []
    whole: dict[str, Figure | None] = {
        "coverage": family_figure(data),
        "pit": pit_figure([row["pit"] for row in judged if row["counted"] and row.get("pit") is not None]),
        "distances": distance_figure(judged),
    }
    with Renderer() as renderer:
        of_set = {
            name: [order(renderer, one, narrow=place == 0) for one in set_figures(data, name)]
            for place, name in enumerate(sets)
        }
        of_all = {name: order(renderer, one) for name, one in whole.items() if one is not None}
        groups = [
            {
                "name": name,
                "heading": f"Published and predicted: {SETS[name][0].lower()}{SETS[name][1:]}",
                "open": place == 0,
                "count": len(rows_of(data, name)),
                "pictures": [picture(renderer, made) for made in of_set[name]],
                "table": _every(rows_of(data, name)),
            }
            for place, name in enumerate(sets)
        ]
        return groups, {name: picture(renderer, made) for name, made in of_all.items()}


def family_figure(data: Data) -> Figure | None:
    """How many figures of each family lie inside their interval, beside the acceptance criteria."""
    from motorpool.calibration.validation_summary import load_acceptance
    from motorpool.figures.validation import coverage_figure

    inside = load_acceptance().inside_90
    return coverage_figure(_coverage_rows(data), inside.goal or 1.0, inside.floor or 1.0)


def set_figures(data: Data, chosen: str) -> list[Figure]:
    """Pictures of every figure of a set, one or several for each family and unit."""
    from motorpool.figures.validation import interval_figures

    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(rows_of(data, chosen), key=lambda r: (r["study"], r["endpoint"])):
        drawn = {
            "name": f"{row['study']} {str(row['endpoint']).replace('_', ' ')}",
            "how": how(row),
            "z": row.get("z"),
            **{
                f"{what}{end}": display(row, f"{what}{end}")
                for what in ("published", "predicted")
                for end in _ENDS
            },
        }
        grouped.setdefault((row["family"], display_unit(row)), []).append(drawn)
    several = {family: sum(other == family for other, _ in grouped) > 1 for family, _ in grouped}
    found: list[Figure] = []
    for family, unit in sorted(grouped, key=lambda key: (key[0] not in SHARES, key)):
        words = f"{family_words(family)}, {unit}" if several[family] else family_words(family)
        found += interval_figures(grouped[family, unit], family, words, unit, chosen)
    return found


_ENDS = ("", "_low", "_high")


def how(row: Data) -> str:
    """Whether a figure is inside, outside, or not counted."""
    return "not counted" if not row["counted"] else "inside" if row["inside_90"] else "outside"


def _coverage_rows(data: Data) -> list[dict[str, Any]]:
    return [
        {
            "family": family_words(name),
            "n": numbers["n"],
            "share": numbers["coverage_90"],
            "low": numbers.get("coverage_90_low"),
            "high": numbers.get("coverage_90_high"),
        }
        for name, numbers in data.get("families", {}).items()
        if numbers["n"]
    ]


def _tables(data: Data) -> dict[str, str]:
    chosen = main_set(data)
    missed = [row for row in rows_of(data, chosen) if how(row) == "outside"]
    return {
        "criteria": _table(criteria_rows(data), "Acceptance criteria, and what was found"),
        "sets": _table(set_rows(data), "Coverage by set; the interval draws whole studies anew"),
        "families": _table(family_rows(data), "Coverage by family; the interval draws whole studies anew"),
        "baselines": _table(baseline_rows(data), "Against simpler forecasts"),
        "missed": _table(_missed(missed), "Figures outside their interval, the farthest first"),
    }


def _missed(rows: Sequence[Data]) -> list[dict[str, Any]]:
    from motorpool.evidence.validation_reasons import load_validation_reasons

    reasons = load_validation_reasons()
    return [
        {
            "Study": row["study"],
            "Figure": row["endpoint"],
            **_values(row),
            "Likely reason": reasons.get(f"{row['study']}.{row['endpoint']}", "not known"),
        }
        for row in rows
    ]


def _values(row: Data) -> dict[str, Any]:
    unit = display_unit(row)
    return {
        "Published (90 %)": f"{interval_words(row, 'published')} {unit}".rstrip(),
        "Predicted (90 %)": f"{interval_words(row, 'predicted')} {unit}".rstrip(),
        "z": signed(row.get("z")),
    }


def _every(rows: Sequence[Data]) -> str:
    return _table(
        [
            {
                "Study": row["study"],
                "Figure": row["endpoint"],
                "n": row.get("n"),
                **_values(row),
                "90 % interval": SYMBOLS[how(row)],
                "Width ratio": ratio_words(row.get("width_ratio")),
                "People behind it": None
                if row.get("effective_people") is None
                else round(row["effective_people"]),
                "What was measured": row.get("definition") or None,
            }
            for row in rows
        ],
        "Every figure: z is the distance in predictive standard deviations on the scale of comparison",
    )


def _table(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    """Rows of one form as an HTML table; empty without rows."""
    import pandas as pd

    from motorpool.report.tables import html_table

    return html_table(pd.DataFrame(rows, dtype=object), caption) if rows else ""
