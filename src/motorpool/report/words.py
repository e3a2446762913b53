"""The report's standing texts: who is counted, what ranges mean, limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.report.sentences import Sentence

if TYPE_CHECKING:
    from motorpool.figures.context import FigureContext

HEADINGS = {
    "living": "Who is alive, and breathing without a machine most of the day?",
    "ability": "Who can sit, who can walk?",
    "adding": "What does each plan add?",
    "cells": "What about cell therapy?",
}
FEW_DRAWS = 20


def answer_groups(sentences: list[Sentence]) -> list[dict[str, Any]]:
    """Sentences under one question each, questions without a sentence left out."""
    groups: list[dict[str, Any]] = []
    for topic, heading in HEADINGS.items():
        found = [sentence for sentence in sentences if sentence.topic == topic]
        if found:
            groups.append({"heading": heading, "sentences": found})
    return groups


def people_word(context: FigureContext) -> str:
    """What to call the people, from their ages at enrolment."""
    low, middle, high = np.quantile(context.enrolment_age_months, [0.05, 0.5, 0.95])
    if high < 24:
        return "infants"
    if low >= 216:
        return "adults"
    return "children" if high < 216 and middle >= 12 else "people"


def range_note(context: FigureContext) -> str:
    """What the ranges in the sentences are."""
    if context.draws == 1:
        return (
            "This run used one set of parameters, so the sentences carry no range. The truth may lie far "
            "from these numbers; run it again with knowledge draws to see how far."
        )
    text = (
        f"The range in brackets reflects what we do not know: it spans 95 % of {context.draws} sets of "
        f"parameters "
        "drawn from what is believed about them. It is not the spread between people, which the curves show "
        "separately."
    )
    if context.draws < FEW_DRAWS:
        text += f" With only {context.draws} sets the true range is probably wider."
    return text


def short_range_note(context: FigureContext) -> str:
    """What the ranges are, in one sentence for the first page."""
    if context.draws == 1:
        return "One set of parameters: no ranges, so the truth may lie far from these numbers."
    return (
        f"Ranges: 95 % of {context.draws} sets of parameters drawn from what is believed about them; not the "
        f"spread between people. {_doubt_left()}"
    )


def _doubt_left() -> str:
    """What the ranges leave out, in one sentence."""
    from motorpool.simulation.calibration_state import calibration_state

    if calibration_state() == "calibrated":
        return (
            "They come from calibration on published studies; how the model does on studies it never saw is in "
            "its credibility report (`motorpool credibility`)."
        )
    return (
        "The parameters are not calibrated for this version of the model, so that the ranges do not show the "
        "true doubt: see “Beside published results”."
    )


def cohort_words(context: FigureContext) -> str:
    """How many people were simulated and how many were tried to find them."""
    data = context.dataset
    text = f"{context.people} virtual people in each of {len(context.arms)} arms"
    text += f", for each of {context.draws} parameter sets." if context.draws > 1 else "."
    if "tried" in data:
        tried = float(np.sum(data["tried"].values))
        accepted = context.people * context.draws
        text += f" {tried:,.0f} candidates were tried to find the {accepted:,} who meet the criteria"
        text += f" ({100 * accepted / tried:.0f} %)." if tried else "."
        text += _refusals(context)
    if "effective_sample_size" in data:
        worth = float(np.mean(data["effective_sample_size"].values))
        text += f" After reweighting they are worth {worth:.0f} independent people per parameter set."
    return text


def _refusals(context: FigureContext) -> str:
    refused: dict[str, int] = json.loads(context.dataset.attrs.get("refused", "{}"))
    reasons = sorted(((count, name) for name, count in refused.items() if count > 0), reverse=True)
    if not reasons:
        return ""
    listed = ", ".join(f"{_criterion(name)} {count:,}" for count, name in reasons)
    which = " under the first parameter set" if context.draws > 1 else ""
    return f" Reasons for refusing candidates{which} (one candidate can have several): {listed}."


def _criterion(name: str) -> str:
    words = name.replace("_", " ")
    return words.replace("sma ", "SMA ").replace("smn", "SMN")


def limits(context: FigureContext) -> list[str]:
    """What this report cannot say, fitted to the run."""
    made = [
        "The model is a simplification. Where it disagrees with what is seen in a clinic, believe the "
        "clinic.",
        "Care, infections and luck differ between countries, hospitals and years; the care setting of this "
        f"run is \u201c{context.dataset.attrs.get('care', 'standard')}\u201d.",
        "Scores among the living leave out those who died. Where death is counted as the lowest score, "
        "this is said.",
        "Comparisons are within the same virtual people; comparisons with published studies are not, "
        "because the people in those studies were others.",
    ]
    if context.draws > 1:
        made.append(
            "The ranges of what we do not know also contain the chance error of a finite virtual cohort; "
            "the table summary.csv gives that error as monte_carlo_standard_error."
        )
    layers = context.scenario.get("uncertainty") or {}
    if layers.get("between_people") is False:
        made.append(
            "Differences between people were switched off in this run: everyone is the average person."
        )
    if layers.get("chance") is False:
        made.append("Chance was switched off in this run: no measurement error.")
    return made
