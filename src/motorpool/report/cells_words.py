"""The page "What is known about cells" of the documentation, made from the evidence.

To make it anew: ``python -m motorpool.report.cells_words > docs/explanation/what-is-known-about-cells.md``, and its
pictures by ``python -m motorpool.figures.cells_known docs/images/cells``. A test compares both.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.cell_lab.known import known_content
from motorpool.cell_lab.known_words import answer, range_words, signed
from motorpool.figures.cells_known import documentation_figures
from motorpool.report.cells_tables import NOT_STATED, people_words

WRAPPED: Any = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
PAGE = "docs/explanation/what-is-known-about-cells.md"
HEAD = """# What is known about cells

<!-- Made by `python -m motorpool.report.cells_words`; change that, not this page. -->
"""
INTRODUCTION = (
    "Families ask whether stem cells could help a child with SMA. This page says what has been published, puts "
    "together what can be put together, and says how sure that is. It is made from the evidence files; `motorpool "
    "cells evidence` prints the same with every study, its funding and its sources. Nothing here is medical advice."
)
METHODS = (
    "Differences are turned into standard deviations, so that scales of different diseases can stand "
    "together, from what "
    "each paper says: a difference and its interval, a mean and an SD, shares, or a p value. A paper that only calls "
    "two groups alike counts as no difference with the uncertainty of its size. What was assumed is listed "
    "with the study.",
    "Studies are put together by random effects: restricted maximum likelihood for the variance between studies, the "
    "interval of Hartung and Knapp, and the interval in which the true effect of a further study would fall. "
    "Where few studies "
    "happen to agree better than chance would have them, as the blinded ones do here, the plain "
    "Hartung-Knapp interval would be "
    "too narrow; the one shown is then the wider. The method was checked "
    "against metafor, an independent program.",
    "Trials in which everybody knew are also shown with their result lowered by a bias of 0.5 standard deviations, "
    "uncertain by 0.3. That is a judgement, from open-label results that were not seen again when the same "
    "cells were "
    "tested blinded. It belongs to what observers report, and never enters the biology of the model.",
    "Animal results carry over as a reason to test, and with no size. The chance that a protective approach "
    "which helped "
    "animals helps people is taken from those that were tried.",
)
GAPS = (
    "No controlled result of cells in SMA, and none of any kind in a child on an SMN drug.",
    "No dose, route, cell type or schedule that was compared with another one in SMA.",
    "Follow-up is short: growths from cells were found after four and eight years.",
    "Funding is not stated in much of what was read; it is left empty and not guessed.",
    "Counts of trials by year of start were not found; published totals follow different rules.",
    "Studies that were never published cannot be here. Of registered trials few are published, so what is "
    "here may look better "
    "than the truth.",
)
MORE = (
    "An offer of a clinic can be checked with `motorpool offer check` ([how "
    "to](../how-to/check-an-offer.md)). What cells would add "
    "in the model is another question, with its own doubts ([how to](../how-to/add-cell-therapy.md)). New "
    "studies are looked for "
    "with `motorpool evidence refresh` ([how to](../how-to/look-for-new-studies.md))."
)


def known_words_page(content: Mapping[str, Any]) -> str:
    """The whole page in Markdown."""
    forest, animals = documentation_figures(content)
    parts = [HEAD, _paragraph(INTRODUCTION), _heading("In short"), _list(answer(content))]
    parts += [_heading("Put together"), _picture(forest.identifier, forest.alt), _paragraph(forest.caption)]
    parts += [_table([_pool(pool) for pool in content["syntheses"]])]
    notes = [f"{pool['title']}: {pool['note']}" for pool in content["syntheses"] if pool["note"]]
    parts += [_list(notes), _heading("How it was put together"), *(_paragraph(text) for text in METHODS)]
    parts += [_heading("Every study in SMA")]
    parts += [_table([_study(study) for study in content["studies"] if study["group"] == "sma"])]
    parts += [_heading("Animals"), _picture(animals.identifier, animals.alt), _paragraph(animals.caption)]
    tried = content["animals"]["translation"]["approaches"]
    parts += [
        _table(
            [
                {
                    "Approach that helped animals": one["name"],
                    "Helped people": "yes" if one["helped_people"] else "no",
                }
                for one in tried
            ]
        )
    ]
    parts += [_heading("What is not known"), _list(GAPS), _heading("From here"), _paragraph(MORE)]
    return "\n".join(parts)


def _pool(pool: Mapping[str, Any]) -> dict[str, str]:
    found, points = pool["shown"], pool["hfmse_points"]
    return {
        "Put together": pool["title"],
        "Studies, people": f"{found['k']}, {pool['people']}",
        "Effect in SD (95 %)": f"{signed(found['estimate'], 2)} ({range_words(found['low'], found['high'], 2)})",
        "A further study": range_words(found["predictive_low"], found["predictive_high"], 2),
        "tau2, I2": f"{found['tau2']:.3f}, {found['i2_percent']:.0f} %",
        "If SMA behaved alike, HFMSE points": (
            f"{signed(points['estimate'])} ({range_words(points['low'], points['high'])})"
        ),
    }


def _study(study: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Study": study["name"],
        "Design": study["design_words"],
        "People": people_words(study),
        "Cells and route": f"{study['cells']}; {study['route']}",
        "Schedule": study["schedule"] or NOT_STATED,
        "Result": study["result"],
        "Risk of bias": study["risk_of_bias"]["level"],
    }


def _picture(name: str, words: str) -> str:
    return f"![{words}](../images/cells/{name}.svg)\n"


def _heading(text: str) -> str:
    return f"## {text}\n"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, **WRAPPED) + "\n"


def _list(entries: Sequence[str]) -> str:
    return "".join(
        textwrap.fill(entry, initial_indent="- ", subsequent_indent="  ", **WRAPPED) + "\n"
        for entry in entries
    )


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    columns = list(rows[0])
    lines = [
        columns,
        ["---"] * len(columns),
        *([row[column].replace("|", "\\|") for column in columns] for row in rows),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


if __name__ == "__main__":
    print(known_words_page(known_content()), end="")
