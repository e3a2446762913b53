"""A validation in sentences and rows of text: the plain answer, the criteria, and every figure with its intervals.

The HTML page and the page of the documentation are both made from these. ``data`` is what
:func:`motorpool.calibration.validation_summary.report_data` gives, or the stored ``validation.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.report.tables import cell_text

Data = Mapping[str, Any]
SETS = {
    "validation": "Validation: never used in fitting",
    "own": "Your own studies",
    "apart": "Counted apart: shaped the design, or share patients with calibration studies",
    "calibration": "Fitted to",
}
SHARES = ("proportion", "survival")
MET = {True: "yes", False: "no", None: "not decided"}
MINUS, DASH = "\u2212", "\u2013"
CRITERIA = {
    "inside_90": "Share inside the 90 % interval",
    "median_width_ratio": "Predictive over published interval, median width",
    "least_endpoints": "Number of figures",
    "negative_controls": "Negative controls inside",
    "baselines": "Better than simpler forecasts",
}
_FAMILIES = {
    "proportion": "Shares of people",
    "survival": "Survival, with or without ventilation",
    "time": "Times and ages",
    "hazard_ratio": "Hazard ratios",
    "spread": "Spread between people (SD)",
    "electrophysiology": "CMAP and motor units",
    "biomarker": "Neurofilament",
    "mune": "Motor units, change",
    "cmap_mv": "CMAP, change",
    "other": "Others",
}


def main_set(data: Data) -> str | None:
    """The set that the answer is about: validation, else the user's own studies; ``None`` where there is neither."""
    return next((name for name in ("validation", "own") if data["summary"].get(name, {}).get("n")), None)


def rows_of(data: Data, chosen: str | None) -> list[Data]:
    """Endpoints of a set: those outside first, the farthest first, then by study."""
    mine = [row for row in data["endpoints"] if row["set"] == chosen]
    return sorted(mine, key=lambda r: (r["inside_90"], _worst_first(r), r["study"], r["endpoint"]))


def _worst_first(row: Data) -> float:
    return 0.0 if row["inside_90"] or row.get("z") is None else -abs(row["z"])


def family_words(family: str) -> str:
    """A family of endpoints in words."""
    from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
    from motorpool.studies.scale import LEVELS

    if family in _FAMILIES:
        return _FAMILIES[family]
    catalogue, outcome = load_outcome_catalogue(), family.removesuffix("_level")
    label = catalogue[outcome].label if outcome in catalogue else family.replace("_", " ")
    if outcome not in LEVELS:
        return label
    return f"{label}, {'level' if family.endswith('_level') else 'change'}"


def display_unit(row: Data) -> str:
    """The unit in which an endpoint is shown: shares in per cent."""
    if row["family"] in SHARES:
        return "%"
    return "ratio" if row["family"] == "hazard_ratio" else str(row.get("unit") or "")


def display(row: Data, field: str) -> float | None:
    """A value of an endpoint in the unit in which it is shown."""
    value = row.get(field)
    return None if value is None else (100.0 if row["family"] in SHARES else 1.0) * float(value)


def interval_words(row: Data, what: str) -> str:
    """Published or predicted value with its 90 % interval, without the unit."""
    middle, low, high = (display(row, f"{what}{end}") for end in ("", "_low", "_high"))
    text = _short(middle)
    return text if low is None or high is None else f"{text} ({_short(low)} to {_short(high)})"


def _short(value: float | None) -> str:
    return cell_text(None if value is None else float(f"{value:.3g}"))


def signed(value: float | None) -> str:
    """A distance with its sign, to one decimal."""
    return DASH if value is None else f"{value:+.1f}".replace("-", MINUS)


def per_cent(share: float | None) -> str:
    """A share as whole per cent."""
    return DASH if share is None else f"{100 * share:.0f} %"


def ratio_words(ratio: float | None) -> str:
    """A ratio of widths."""
    return DASH if ratio is None else f"{ratio:.2f}"


def coverage_words(numbers: Data) -> str:
    """Share inside with its interval over studies; one study, or no miss, gives none."""
    if numbers.get("coverage_90") is None:
        return DASH
    low, high = numbers.get("coverage_90_low"), numbers.get("coverage_90_high")
    between = (
        "" if low is None or high is None or low == high else f" ({100 * low:.0f} to {100 * high:.0f} %)"
    )
    return per_cent(numbers["coverage_90"]) + between


def answer(data: Data) -> list[str]:
    """The plain answer, in a few sentences."""
    chosen = main_set(data)
    if chosen is None:
        return [
            "This run holds no study that the model never saw, so that it says nothing of unseen studies."
        ]
    numbers = data["summary"][chosen]
    studies = len({row["study"] for row in data["endpoints"] if row["set"] == chosen and row["counted"]})
    whose = "that were never used in fitting" if chosen == "validation" else "of your own"
    figures, counted = _count(numbers["n"], "published figure"), _count(studies, "study")
    sentences = [
        f"Of {figures} from {counted} {whose}, {numbers['inside_90']} ({per_cent(numbers['coverage_90'])}) lie inside "
        "the 90 % interval that the model predicts for a study of that size."
    ]
    low, high = numbers.get("coverage_90_low"), numbers.get("coverage_90_high")
    if low is not None and high is not None and low < high:
        sentences.append(
            f"With other studies of the same kind that share might have been between {100 * low:.0f} and "
            f"{100 * high:.0f} % (95 % interval, whole studies resampled)."
        )
    if numbers["median_width_ratio"] is not None:
        ratio = ratio_words(numbers["median_width_ratio"])
        sentences.append(
            f"The predicted intervals are a median of {ratio} times as wide as the studies' own."
        )
    certain = numbers["n"] - numbers.get("n_without_near_certain", numbers["n"])
    if certain:
        without = _count(certain, "figure")
        share = per_cent(numbers["coverage_90_without_near_certain"])
        sentences.append(
            f"Without {without} published as nobody or everybody, which are easy to predict, {share} are inside."
        )
    return sentences + _verdict(data)


def _count(number: int, word: str) -> str:
    plural = {"study": "studies"}.get(word, f"{word}s")
    return f"{number} {word if number == 1 else plural}"


def _verdict(data: Data) -> list[str]:
    """Whether the criteria were met; nothing for a user's own studies, which they are not about."""
    results = criteria_of(data)
    if not results:
        return []
    missed = [CRITERIA[name].lower() for name, one in results.items() if one["floor_met"] is False]
    open_ = [CRITERIA[name].lower() for name, one in results.items() if one["floor_met"] is None]
    goals = [CRITERIA[name].lower() for name, one in results.items() if one.get("goal_met") is False]
    when = f"By the criteria written on {data['acceptance']['decided']}, before the first run"
    if missed:
        return [f"{when}, the model is not validated: it misses the floor of {_listed(missed)}."]
    if open_:
        return [f"{when}, no floor is missed, but nothing can be said of {_listed(open_)}."]
    aim = f", and misses the goal of {_listed(goals)}" if goals else ", and every goal is reached"
    return [f"{when}, the model is validated: it reaches every floor{aim}."]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def criteria_of(data: Data) -> dict[str, Data]:
    """The acceptance criteria with what was found, by name; empty where they do not apply."""
    acceptance = data.get("acceptance") or {}
    return {name: acceptance[name] for name in CRITERIA if name in acceptance}


def criteria_rows(data: Data) -> list[dict[str, str]]:
    """The criteria as rows of text."""
    from motorpool.calibration.validation_summary import load_acceptance

    accepted = load_acceptance()
    return [
        {
            "Criterion": CRITERIA[name],
            "Found": _found(name, one),
            "Floor": _limit(name, one.get("floor")),
            "Goal": _limit(name, one.get("goal")),
            "Floor met": MET[one["floor_met"]],
            "Goal met": MET[one["goal_met"]] if one.get("goal") is not None else DASH,
            "Meaning": getattr(accepted, name).meaning,
        }
        for name, one in criteria_of(data).items()
    ]


def _found(name: str, one: Data) -> str:
    if name == "baselines":
        return (
            "; ".join(f"{'yes' if e['better'] else 'no'}: {other}" for other, e in one["value"].items())
            or DASH
        )
    if name == "negative_controls":
        return f"{one['value']} of {one['of']}" if one["of"] else DASH
    return _limit(name, one["value"])


def _limit(name: str, value: float | None) -> str:
    if value is None:
        return DASH
    return (
        per_cent(value)
        if name == "inside_90"
        else f"{value:.0f}"
        if name == "least_endpoints"
        else f"{value:.2f}"
    )


def set_rows(data: Data) -> list[dict[str, Any]]:
    """Coverage by set."""
    return [
        {"Set": words, **_coverage_row(data["summary"][name])}
        for name, words in SETS.items()
        if name in data["summary"]
    ]


def family_rows(data: Data) -> list[dict[str, Any]]:
    """Coverage by family of endpoints."""
    return [
        {"Family": family_words(name), **_coverage_row(numbers)}
        for name, numbers in data.get("families", {}).items()
        if numbers["n"]
    ]


def _coverage_row(numbers: Data) -> dict[str, Any]:
    return {
        "Figures": numbers["n"],
        "Inside": numbers["inside_90"],
        "Coverage (95 % over studies)": coverage_words(numbers),
        "Median width ratio": ratio_words(numbers["median_width_ratio"]),
    }


def baseline_rows(data: Data) -> list[dict[str, Any]]:
    """Mean log scores of the model and of simpler forecasts."""
    return [
        {
            "Simpler forecast": name,
            "Figures": one["n"],
            "Model's mean log score": one["model"],
            "Simpler forecast's": one["baseline"],
            "Model better": "yes" if one["better"] else "no",
        }
        for name, one in data.get("baselines", {}).items()
    ]
