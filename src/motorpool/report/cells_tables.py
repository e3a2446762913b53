"""Tables of the page of what is known of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.cell_lab.known_words import range_words, signed

NOT_STATED = "not stated"
HAPPENED = {True: "yes", False: "no"}


def people_words(study: Mapping[str, Any]) -> str:
    """Treated and compared people of a study."""
    treated, compared = study["treated"], study["compared"]
    if treated is None:
        return "" if study["group"] == "animal" else NOT_STATED
    words = f"{treated} and {compared}" if compared else str(treated)
    return f"{words} planned" if study["planned"] else words


def known_tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Every table of the page as HTML."""
    tables = {
        "pools": _table(_pools(content["syntheses"]), "Studies put together, in standard deviations"),
        "translation": _table(
            [
                {
                    "Approach": one["name"],
                    "Helped people": HAPPENED[one["helped_people"]],
                    "Source": "; ".join(source["citation"] for source in one["sources"]),
                }
                for one in content["animals"]["translation"]["approaches"]
            ],
            "Approaches that helped animals and were then tested in people with a control group",
        ),
        "registered": _table(
            [
                {
                    "Up to": one["year"],
                    "Trials": one["count"],
                    "Of what": one["what"],
                    "Source": "; ".join(source["citation"] for source in one["sources"]),
                }
                for one in content["numbers"]["registered_trials"]
            ],
            "Counts of registered trials, each by its own rule; counts by year of start were not found",
        ),
        "designs": _table(
            [{"Design": name, "Studies": count} for name, count in content["numbers"]["by_design"].items()],
            "Studies in people by design",
        ),
    }
    for group in dict.fromkeys(study["group"] for study in content["studies"]):
        chosen = [study for study in content["studies"] if study["group"] == group]
        tables[group] = _table([_study(study) for study in chosen], chosen[0]["group_words"])
    return tables


def _pools(pools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for pool in pools:
        found, points = pool["shown"], pool["hfmse_points"]
        rows.append(
            {
                "Put together": pool["short"],
                "Studies": found["k"],
                "People": pool["people"],
                "Effect (95 %)": _with_range(found["estimate"], found["low"], found["high"], 2),
                "Hartung-Knapp alone": range_words(
                    pool["hartung_knapp"]["low"], pool["hartung_knapp"]["high"], 2
                ),
                "Normal": range_words(pool["normal"]["low"], pool["normal"]["high"], 2),
                "A further study": range_words(found["predictive_low"], found["predictive_high"], 2),
                "Leaving one out": _leaving_out(pool["leave_one_out"]),
                "tau2 (95 %)": f"{found['tau2']:.3f} ({found['tau2_low']:.3f} to {found['tau2_high']:.3f})",
                "I2": f"{found['i2_percent']:.0f} %",
                "Q (p)": f"{found['q']:.2f} ({found['q_p_value']:.2f})",
                "If SMA behaved alike, HFMSE points": _with_range(
                    points["estimate"], points["low"], points["high"], 1
                ),
                "Which": " ".join(filter(None, [f"{pool['title']}.", pool["note"]])),
            }
        )
    return rows


def _with_range(value: float, low: float, high: float, digits: int) -> str:
    return f"{signed(value, digits)} ({range_words(low, high, digits)})"


def _leaving_out(estimates: Mapping[str, float]) -> str | None:
    return range_words(min(estimates.values()), max(estimates.values()), 2) if estimates else None


def _study(study: Mapping[str, Any]) -> dict[str, Any]:
    effect, animal = study["effect"], study["group"] == "animal"
    year = (
        f", {study['year']}" if study["year"] is not None and str(study["year"]) not in study["name"] else ""
    )
    phase = f", phase {study['phase']}" if study["phase"] else ""
    given = {"dose": study["dose"], "schedule": study["schedule"]}
    row = {
        "Study": f"{study['name']}{year}",
        "Disease": study["disease"],
        "Design": f"{study['design_words']}{phase}",
        "People": people_words(study),
        "Cells, route, dose, schedule": "; ".join(
            [
                study["cells"],
                study["route"],
                *(value or f"{name} {NOT_STATED}" for name, value in given.items()),
            ]
        ),
        "Measured, against what": "; ".join(
            [
                study["outcome"] or f"outcome {NOT_STATED}",
                f"against: {study['comparator'] or NOT_STATED}",
                f"followed: {study['follow_up'] or NOT_STATED}",
            ]
        ),
        "Result": study["result"],
        "Effect, SD (95 %)": _effect_words(effect, study["not_pooled"]),
        "Risk of bias": f"{study['risk_of_bias']['level']}: {study['risk_of_bias']['reason']}",
        "Funding and interests": "; ".join(
            filter(
                None,
                [
                    f"funding {NOT_STATED}" if study["funding"] is None else study["funding"],
                    study["interests"],
                ],
            )
        ),
        "Registered as": ", ".join(study["registration"]) or None,
        "Read in the source": HAPPENED[study["read_in_source"]],
    }
    absent = ("People", "Effect, SD (95 %)", "Registered as") if animal else ()
    return {name: value for name, value in row.items() if name not in absent}


def _effect_words(effect: Mapping[str, Any] | None, not_pooled: str | None) -> str:
    if effect is None:
        return f"none: {not_pooled}"
    words = _with_range(effect["smd"], effect["low_95"], effect["high_95"], 2)
    return f"{words}; assumed: {'; '.join(effect['assumptions'])}" if effect["assumptions"] else words


def _table(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    import pandas as pd

    from motorpool.report.tables import html_table

    return html_table(pd.DataFrame(rows, dtype=object), caption) if rows else ""
