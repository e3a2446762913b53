"""The page of `motorpool cells addon`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motorpool.figures.ranges import ranges_figure
from motorpool.report.cells_doubt import prior, unknowns
from motorpool.report.cells_page import Data, Page, Section, made_words, percent, signed

SOURCE = "Simulated by motorpool."
RANGES = (
    "Dot: middle of what we believe of the mean; thick line: 95 % of what we do not know; thin "
    "line: where 95 % of people fall. "
    "The same virtual people with the same luck on both sides. Right of zero is better."
)
PROBLEMS = {
    "arm_and_leg_weakness": "Movement and strength",
    "breathing": "Breathing",
    "eating": "Eating and weight",
    "spinal_curvature": "Spine",
    "fatigue": "Endurance",
    "rate_of_deterioration": "How fast things get worse",
    None: "Other outcomes",
}


def page(data: Data) -> Page:
    """What cells would add, beside what else would, and how sure that is."""
    return Page(
        title=f"What would cells add? {data['title']}",
        question=f"In these people, on this plan ({data['base_plan']}), what would cells change, and how sure is that?",
        answer=answer(data),
        sections=[
            _gains(data),
            _beside(data),
            _harms(data),
            _by(data),
            unknowns(data),
            prior(data),
        ],
        made=made_words(data, f"{data['draws']} draws of what is not known of cells"),
        notes=data["notes"],
    )


def answer(data: Data) -> list[str]:
    """The answer in plain words."""
    main, month = data["main_outcome"], f"{data['main_month']:g}"
    words, found = data["outcomes"][main], data["gain"][main][month]
    unit = words["unit"]
    sentences = [data["assumption"]]
    if found["median"] is not None:
        sentences.append(
            f"{words['plain_language_label']} ({words['label']}), {month} months after the start: "
            f"on average, cells would change it "
            f"by about {signed(found['median'])} {unit}. What we know allows anything from "
            f"{signed(found['low_95'])} to "
            f"{signed(found['high_95'])}."
        )
        sentences += [_chances(words, found, data["draws"]), _over_time(data, main)]
    for other in data["comparisons"].values():
        own = other["gain"][main][month]
        if own["median"] is not None:
            sentences.append(
                f"{other['label']}, in the same people: {signed(own['median'])} {unit}. {other['note']}"
            )
    procedures = sum(item["per_person"] for item in data["procedures"].values())
    sentences.append(
        f"The cells mean about {procedures:.0f} procedures for each person. How often people have these at least once: "
        + "; ".join(
            f"{event['plain_language_label'][0].lower()}{event['plain_language_label'][1:]}, "
            f"{percent(event['p_at_least_one'])}"
            for event in _most(data["adverse_events"], 3)
        )
        + "."
    )
    sentences.append(
        "No cell product has been shown to help in SMA. A chance on this page is doubt about the "
        "average of a whole group. It never says "
        "how many children gain."
    )
    return sentences


def _over_time(data: Data, main: str) -> str:
    """How the middle of the gain goes over the months."""
    parts = [
        f"{signed(found['median'])} at month {month}"
        for month, found in data["gain"][main].items()
        if found["median"] is not None
    ]
    return f"Over time: {', '.join(parts)}. What cells release fades within weeks or months of the last dose."


def _chances(words: Data, found: Data, draws: int) -> str:
    if found["p_harm"] is None:
        return "For this outcome neither more nor less is better."
    parts = [
        f"The chance that the group is worse off with cells, by however little, is "
        f"{_of_draws(found['p_harm'], draws)}"
    ]
    if found["p_above_mcid"] is not None:
        parts.append(
            f"the chance that its average gain is large enough to be noticed ({words['mcid']:g} {words['unit']}) is "
            f"{_of_draws(found['p_above_mcid'], draws)}"
        )
    return "; ".join(parts) + "."


def _of_draws(probability: float, draws: int) -> str:
    """A share of the draws; none of a few draws is not the same as never."""
    none = f" (none of {draws} draws)" if probability == 0 else ""
    return f"{percent(probability)}{none}"


def _most(events: Mapping[str, Any], number: int) -> list[Any]:
    return sorted(events.values(), key=lambda event: -event["p_at_least_one"])[:number]


def _gains(data: Data) -> Section:
    month = f"{data['main_month']:g}"
    rows: list[dict[str, Any]] = []
    for name, words in data["outcomes"].items():
        found = data["gain"][name][month]
        if words["mcid"] is None or found["median"] is None:
            continue
        rows.append(_row(words["label"], found, 1.0 / words["mcid"]))
    picture = ranges_figure(
        rows,
        identifier="gains",
        title=f"What cells would add after {month} months",
        caption=f"In units of the smallest difference that matters (grey strip: less than one). {RANGES}",
        source=SOURCE,
        x_title="minimal important differences; right is better",
        strip=1.0,
    )
    tables = [
        (_gain_rows(data, problem), heading)
        for problem, heading in PROBLEMS.items()
        if any(words["problem"] == problem for words in data["outcomes"].values())
    ]
    return Section(
        "gains",
        "What cells would add",
        (
            "Means of the group with cells less the same people without. A plus is better. The "
            "range is what we do not know; the "
            "spread of people is beside it, and is not doubt.",
        ),
        [picture],
        tables,
    )


def _row(name: str, found: Data, scale: float = 1.0, panel: str = "") -> dict[str, Any]:
    def scaled(key: str) -> float | None:
        return None if found[key] is None else found[key] * scale

    return {
        "panel": panel,
        "name": name,
        "mean": scaled("median"),
        "low": scaled("low_95"),
        "high": scaled("high_95"),
        "people_low": scaled("between_people_low_95"),
        "people_high": scaled("between_people_high_95"),
    }


def _gain_rows(data: Data, problem: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, words in data["outcomes"].items():
        if words["problem"] != problem:
            continue
        for month, found in data["gain"][name].items():
            rows.append(
                {
                    "Outcome": f"{words['label']} ({words['unit']})",
                    "Month": float(month),
                    "Median gain": signed(found["median"], 3),
                    "What we do not know (95 %)": f"{signed(found['low_95'], 3)} to {signed(found['high_95'], 3)}",
                    "How people differ (95 %)": f"{signed(found['between_people_low_95'], 3)} to "
                    f"{signed(found['between_people_high_95'], 3)}",
                    "Matters from": words["mcid"],
                    "P (mean gain matters)": percent(found["p_above_mcid"]),
                    "P (worse on average)": percent(found["p_harm"]),
                }
            )
    return rows


def _beside(data: Data) -> Section:
    main = data["main_outcome"]
    words = data["outcomes"][main]
    rows: list[dict[str, Any]] = []
    for month, found in data["gain"][main].items():
        panel = f"After {month} months"
        rows.append(_row("Cells", found, panel=panel))
        rows += [
            _row(other["label"], other["gain"][main][month], panel=panel)
            for other in data["comparisons"].values()
        ]
    return Section(
        "beside",
        "Beside what else would add",
        [
            *(f"{other['label']}: {other['note']}" for other in data["comparisons"].values()),
            *data["comparisons_absent"].values(),
        ],
        [
            ranges_figure(
                rows,
                identifier="beside",
                title=f"{words['label']}: cells beside what else would add, in the same people",
                caption=RANGES,
                source=SOURCE,
                x_title=f"gain ({words['unit']})",
                strip=words["mcid"],
            )
        ],
    )


def _harms(data: Data) -> Section:
    events = [
        {
            "What can happen": event["label"],
            "In plain words": event["plain_language_label"],
            "P (at least once)": percent(event["p_at_least_one"]),
            "Range on record": f"{percent(event['low_95'])} to {percent(event['high_95'])}",
            "Expected number": event["expected_per_person"],
            "Share that is serious": percent(event["serious_fraction"]),
            "Rests on": event["origin"],
        }
        for event in data["adverse_events"].values()
    ]
    procedures = [
        {"Procedure": item["label"], "More for each person": item["per_person"]}
        for item in data["procedures"].values()
        if abs(item["per_person"]) > 1e-6
    ]
    return Section(
        "harms",
        "Procedures and adverse events",
        (
            "These come whether or not the cells do anything. Figures are of trials under strict "
            "control; unregulated clinics are worse.",
        ),
        [],
        [(procedures, "Procedures that the cells add"), (events, "Adverse events of the cells, by the end")],
    )


def _by(data: Data) -> Section:
    main = data["main_outcome"]
    rows = [
        _row(_part(part), part["gain"][main], panel=group["label"])
        for group in data["by"].values()
        for part in group["parts"]
    ]
    words = data["outcomes"][main]
    return Section(
        "by",
        "For whom",
        ("The group in parts of equal size, and by SMN2 copies.",),
        [
            ranges_figure(
                rows,
                identifier="by",
                title=f"{words['label']} after {data['main_month']:g} months, by who the people are",
                caption=RANGES,
                source=SOURCE,
                x_title=f"gain from cells ({words['unit']})",
            )
        ],
    )


def _part(part: Data) -> str:
    low, high = part["from"], part["to"]
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
