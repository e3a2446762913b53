"""How hard a text is to read: the grade of Kincaid and others (1975); grade 7 is an age of about 12."""

from __future__ import annotations

import re


def reading_grade(text: str) -> float:
    """School grade that a text needs, from words a sentence and syllables a word (counted by groups of vowels)."""
    sentences = [part for part in re.split(r"(?<=[.!?:;])\s+", text) if part.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = word.lower().endswith("e") and not word.lower().endswith("le") and groups > 1
    return max(1, groups - silent)
