"""The figures speak of arms of a study; here they are plans for a child. Their texts in the words of the page."""

from __future__ import annotations

import json
import re
from typing import Any

TODAY = "today"
OTHER_WORDS = (
    (re.compile(r"\bsince enrolment\b"), "from today"),
    (re.compile(r"\bafter enrolment\b"), "from today"),
    (re.compile(r"\bat enrolment\b"), "today"),
    (re.compile(r"\b([Ee])veryone enrolled\b"), r"\1veryone"),
    (re.compile(r"\b(each|per|an|the|every|any) arm\b"), r"\1 plan"),
    (re.compile(r"\ban plan\b"), "a plan"),
    (re.compile(r"\bAn arm\b"), "A plan"),
    (re.compile(r"\bArms\b"), "Plans"),
    (re.compile(r"\b(all|both|between|many|\d+) arms\b"), r"\1 plans"),
    (re.compile(r"\barm they belong to\b"), "plan they belong to"),
    (re.compile(r"\bits comparator\b"), "the first plan"),
    (re.compile(r"(^|\")Arm(\"|$)"), r"\1Plan\2"),
)
OTHER_PARTS = ("enrol", "rm", "comparator")  # without one of them there is nothing to say in other words
OF_SURVIVAL = re.compile(r"\b(died|dead|deaths?|alive)\b", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_BRACKETS = re.compile(r" ?\([^()]*\)")
_CLAUSES = re.compile(r";\s*(?![^()]*\))")


def in_plan_words(text: str, beginning: str = TODAY) -> str:
    """A text of the figures in the words of this page; months count from the `beginning`."""
    if any(part in text for part in OTHER_PARTS):
        for pattern, words in OTHER_WORDS:
            text = pattern.sub(words, text)
    return text if beginning == TODAY else text.replace(f"from {TODAY}", f"from {beginning}")


def plan_spec(spec: dict[str, Any], beginning: str = TODAY) -> dict[str, Any]:
    """A specification in the words of this page, its data as they are."""
    text, datasets = parted(spec)
    return {**json.loads(in_plan_words(text, beginning)), "datasets": datasets}


def parted(spec: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A specification without its data, as JSON, and the data under names that do not depend on them."""
    rows = spec.get("datasets", {})
    text = json.dumps({key: value for key, value in spec.items() if key != "datasets"})
    names = {name: f"rows-{place}" for place, name in enumerate(rows, 1)}
    for name, short in names.items():
        text = text.replace(json.dumps(name), json.dumps(short))
    return text, {short: rows[name] for name, short in names.items()}


def without_survival(sentence: str) -> str:
    """A sentence without what it says of survival in brackets."""
    return _BRACKETS.sub(lambda found: "" if OF_SURVIVAL.search(found[0]) else found[0], sentence)


def gently(caption: str) -> str:
    """A caption for families who did not ask about survival: whole sentences, without what speaks of it."""
    kept = [_gentle_sentence(sentence) for sentence in _SENTENCES.split(caption)]
    return " ".join(sentence for sentence in kept if sentence)


def _gentle_sentence(sentence: str) -> str:
    if not OF_SURVIVAL.search(sentence):
        return sentence
    kept = [clause for clause in _CLAUSES.split(sentence) if not OF_SURVIVAL.search(clause)]
    text = "; ".join(kept).rstrip(".;, ")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
