"""What a finished task of the laboratories found, for families: short sentences, pictures, and what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.web.plain_words import standing_texts
from motorpool.web.run_results import Part

SIMULATED = "No real child took part. A computer made up these trials from what studies have found so far."
Found = Mapping[str, Any]


def plain_parts(task: str, parts: Sequence[Part], found: Found, asked: Found) -> list[Part]:
    """The parts of a task in plain words.

    Args:
        parts: as professionals see them.
        found: the results.
        asked: the task.
    """
    pictured = [Part(part.id, part.heading, (), part.figures) for part in parts if part.figures]
    if task.startswith("cells "):
        short = next(part for part in parts if part.id == "in_short")
        texts = standing_texts()
        unknown = [*texts["unknown"]["cell_therapy"], *texts["unknown"]["always"]]
        ask = [*texts["questions"]["cell_therapy"], *texts["questions"]["always"]]
        return [
            short,
            *pictured,
            Part("unknown", "What we do not know", unknown),
            Part("questions", "Questions for your team", ask),
        ]
    words = {"trial run": _trial_run, "trial power": _trial_power, "trial compare": _compared}[task]
    return [
        Part("in_short", "In short", [*words(found, asked), SIMULATED]),
        *pictured,
        Part("unknown", "What we do not know", standing_texts()["unknown"]["trials"]),
    ]


def _trial_run(found: Found, asked: Found) -> list[str]:
    from motorpool.web.tasks import designs_in

    design = designs_in(asked)[0]
    return [
        f"The computer ran {asked['inputs']['replicates']} trials, each with {design.patients} people.",
        f"What it took to be true in them: {found['truth']['words']}.",
        *(
            f"In about {_of_100(row['success'])} of 100 such trials, “{row['endpoint']}” would count as a success "
            f"for {design.label_of(row['arm'])}."
            for row in found["characteristics"]
            if _known(row["success"])
        ),
    ]


def _trial_power(found: Found, asked: Found) -> list[str]:
    smallest = found["smallest_trial"]
    tries = f"would find the effect in {100 * smallest['target_power']:.0f} of 100 tries"
    if smallest["patients"] is None:
        size = f"No trial of up to {smallest['largest_possible']} people {tries}."
    else:
        size = f"The smallest trial that {tries} has {smallest['patients']} people."
    return [found["verdict"]["words"], size]


def _compared(found: Found, asked: Found) -> list[str]:
    return [
        f"In about {_of_100(row['power'])} of 100 trials, “{row['name']}” would find the effect. It needs "
        f"{row['patients']} people."
        for row in found["designs"]
        if _known(row["power"])
    ]


def _known(figure: Any) -> bool:
    return figure is not None and figure["value"] is not None


def _of_100(figure: Any) -> int:
    return round(100 * float(figure["value"]))
