"""Specifications for the pictures of a page, parted so that a new result brings new data and words alone.

The structure of a picture is compiled in the browser, which takes longer than all else; it must not change with a name
of a plan such as "Nusinersen from month 3". Plans have fixed keys in the structure and the data, and their names are
signals (`words`) that the page sets. Where a picture uses names in another way than this, they stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from motorpool.web.plan_terms import in_plan_words, parted

NAMES = "plan_names"  # the signal of the names by key
FIELD = "label"
_CHANNELS = ("color", "stroke", "fill", "strokeDash", "shape")


class _NamesStay(Exception):
    """A picture that uses names of plans in a way which cannot be told by signals."""


def page_spec(
    spec: dict[str, Any], labels: Mapping[str, str] | None = None, beginning: str | None = None
) -> dict[str, Any]:
    """The parts of a specification that the page draws: `structure` as JSON text, `datasets` and `words`.

    Args:
        labels: names of plans by key, if the picture shows plans.
        beginning: from which month plans count, in the words of the page; None leaves the words of the figure.
    """
    words: dict[str, Any] = {}
    keyed = spec
    if labels and len(set(labels.values())) == len(labels):
        try:
            keyed, words = _by_key(spec, {label: key for key, label in labels.items()})
        except _NamesStay:
            keyed, words = spec, {}
    text, datasets = parted(keyed)
    return {"structure": _worded(text, beginning), "datasets": datasets, "words": words}


@lru_cache(maxsize=64)
def _worded(text: str, beginning: str | None) -> str:
    return text if beginning is None else in_plan_words(text, beginning)


def _by_key(spec: dict[str, Any], keys: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    words: dict[str, Any] = {}
    made: dict[str, Any] = _replaced(
        {name: value for name, value in spec.items() if name != "datasets"}, "", keys, words
    )
    datasets = {name: [_row(row, keys) for row in rows] for name, rows in spec.get("datasets", {}).items()}
    if not words and datasets == spec.get("datasets", {}):
        return spec, {}
    words[NAMES] = {key: label for label, key in keys.items()}
    params = [{"name": name, "value": {} if name == NAMES else ""} for name in words]
    return {**made, "params": [*made.get("params", []), *params], "datasets": datasets}, words


def _row(row: dict[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    if FIELD not in row:
        return row
    if row[FIELD] not in keys:
        raise _NamesStay
    return {**row, FIELD: keys[row[FIELD]]}


def _replaced(node: Any, name: str, keys: Mapping[str, str], words: dict[str, Any]) -> Any:
    """The same piece of a specification with keys for names; what `name` says is the place it stands in."""
    if isinstance(node, dict):
        piece: dict[str, Any] = node
        if piece.get("field") == FIELD:
            return _of_plans(piece, name, keys)
        if name == "title" and isinstance(piece.get("text"), list) and " ".join(piece["text"]) in keys:
            signal = f"plan_title_{len(words) + 1}"
            words[signal] = piece["text"]
            return {**piece, "text": {"expr": signal}}
        return {key: _replaced(value, key, keys, words) for key, value in piece.items()}
    if isinstance(node, list):
        return [_replaced(value, name, keys, words) for value in node]
    if isinstance(node, str) and (node in keys or "datum.label" in node):
        raise _NamesStay
    return node


def _of_plans(piece: dict[str, Any], name: str, keys: Mapping[str, str]) -> dict[str, Any]:
    if name == "filter" and piece.get("equal") in keys:
        return {**piece, "equal": keys[piece["equal"]]}
    domain = (piece.get("scale") or {}).get("domain")
    if name not in _CHANNELS or not isinstance(domain, list) or any(label not in keys for label in domain):
        raise _NamesStay
    made = {**piece, "scale": {**piece["scale"], "domain": [keys[label] for label in domain]}}
    if piece.get("legend", {}) is not None:
        made["legend"] = {**piece.get("legend", {}), "labelExpr": f"{NAMES}[datum.value]"}
    return made
