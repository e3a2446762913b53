"""Results of the cell laboratory as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motorpool.cli.console import aligned

Data = Mapping[str, Any]
SHOWN = 12


def addon_text(data: Data) -> str:
    """Gains of every outcome, what else would add, and what the injections bring."""
    from motorpool.report.cells_addon import answer

    rows: list[tuple[str, ...]] = [
        (
            "outcome",
            "month",
            "median gain",
            "what we do not know (95 %)",
            "how people differ (95 %)",
            "P matters",
            "P worse",
        )
    ]
    for name, words in data["outcomes"].items():
        for month, found in data["gain"][name].items():
            rows.append(
                (
                    f"{words['label']} ({words['unit']})",
                    month,
                    _number(found["median"]),
                    f"{_number(found['low_95'])} to {_number(found['high_95'])}",
                    f"{_number(found['between_people_low_95'])} to {_number(found['between_people_high_95'])}",
                    _percent(found["p_above_mcid"]),
                    _percent(found["p_harm"]),
                )
            )
    events: list[tuple[str, ...]] = [("adverse event", "at least once", "range on record")]
    events += [
        (e["label"], _percent(e["p_at_least_one"]), f"{_percent(e['low_95'])} to {_percent(e['high_95'])}")
        for e in data["adverse_events"].values()
    ]
    lines = [data["title"], *data["notes"], "", aligned(rows), "", aligned(events), "", *answer(data)]
    return "\n".join([*lines, data["research_use"]])


def needed_text(data: Data) -> str:
    """The effects that are needed."""
    from motorpool.report.cells_needed import NAMES, answer

    lines = [data["title"], *data["notes"]]
    for key, heading in (
        ("needed", "Under this protocol"),
        ("needed_under_reference_protocol", "A dose a month for a year"),
    ):
        if not data.get(key):
            continue
        rows: list[tuple[str, ...]] = [("effect", "needed (SD)", "most that came out", "in the prior")]
        rows += [
            (NAMES[name], _number(of["needed_smd"]), _number(of["largest_gain"]), of["verdict"])
            for name, of in data[key].items()
        ]
        lines += ["", heading, aligned(rows)]
    return "\n".join([*lines, "", *answer(data), data["research_use"]])


def protocol_text(data: Data) -> str:
    """The best protocols, the front, and how much the choice matters."""
    rows: list[tuple[str, ...]] = [
        ("protocol", "benefit", "95 %", "P worse", "procedures", "adverse events", "regret", "front")
    ]
    shown = [row for row in data["protocols"] if row["on_pareto_front"]][:SHOWN]
    shown += [row for row in data["protocols"][:SHOWN] if row not in shown]
    rows += [
        (
            row["protocol"],
            _number(row["benefit_mean"]),
            f"{_number(row['benefit_low_95'])} to {_number(row['benefit_high_95'])}",
            _percent(row["p_harm"]),
            f"{row['procedures']:.1f}",
            f"{row['adverse_events']:.2f}",
            f"{row['mean_regret']:.2f}",
            "yes" if row["on_pareto_front"] else "",
        )
        for row in shown
    ]
    missing = sorted({name for row in data["protocols"] for name in row["cost"]["without_a_price"]})
    cost = (
        f"Cost: no price is on record for {', '.join(missing)}."
        if missing
        else "Cost: every part has a price."
    )
    lines = [
        data["title"],
        *data["notes"],
        "",
        aligned(rows),
        "",
        data["assumption"],
        data["statement"],
        cost,
    ]
    return "\n".join([*lines, data["research_use"]])


def uncontrolled_text(data: Data) -> str:
    """How surprising each report is, and what the reports move."""
    from motorpool.report.cells_uncontrolled import answer

    rows: list[tuple[str, ...]] = [
        ("report", "read", "P if cells do nothing", "P with the effect we believe in")
    ]
    for of in data["series"].values():
        for reading, words in data["readings"].items():
            found = of["p_at_least_as_striking"]
            rows.append(
                (
                    of["label"],
                    words,
                    _percent(found["without_effect"][reading]),
                    _percent(found["with_prior_effect"][reading]),
                )
            )
    absent = [f"not simulated: {name}: {why}" for name, why in data["absent"].items()]
    return "\n".join([aligned(rows), *absent, "", *answer(data), data["research_use"]])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2g} %"
