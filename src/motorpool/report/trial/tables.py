"""The tables of a trial's report, from its plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.report.tables import html_table
from motorpool.report.trial.design_rows import design_rows
from motorpool.trials.accrual_facts import load_accrual_facts
from motorpool.trials.design import TrialDesign

DASH = "\u2013"


def figure_text(figure: Mapping[str, Any] | None, *, percent: bool = False) -> str:
    """A number with its Monte-Carlo error."""
    if figure is None or figure["value"] is None:
        return DASH
    value, error = figure["value"], figure["monte_carlo_error"] or 0.0
    return f"{100 * value:.1f} % \u00b1 {100 * error:.1f}" if percent else f"{value:.3g} \u00b1 {error:.1g}"


def trial_tables(
    design: TrialDesign, found: Mapping[str, Any], sensitivity: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Every table of the page by name."""
    return {
        "design": _table(
            [{"What": what, "Design": words} for what, words in design_rows(design)], "The design"
        ),
        "characteristics": "".join(_under(design, under) for under in found["under"].values()),
        "published": _published(found),
        "sizes": _table(
            [
                {"People": row["patients"], "Power": figure_text(row, percent=True)}
                for row in found["power_by_size"]
            ],
            "Power by size, with Monte-Carlo error",
        ),
        "effects": _table(
            [
                {"True effect": row["effect"], "Truth": row["truth"], "Power": figure_text(row, percent=True)}
                for row in found["power_by_effect"]
            ],
            "Power by true effect, with Monte-Carlo error",
        ),
        "course": _course(design, found),
        "value": _value(found),
        "accrual": _accrual(design, found),
        "sensitivity": sensitivity_table(sensitivity),
        "reproduce": _table(
            [
                {"What": name.replace("_", " "), "Value": str(value)}
                for name, value in found["manifest"].items()
                if name != "packages"
            ]
            + [{"What": name, "Value": value} for name, value in found["manifest"]["packages"].items()],
            "What is needed to repeat these numbers",
        ),
    }


def sensitivity_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each assumption; what it leaves as it is, or has none of, is a dash."""
    found = [
        {
            "Assumption": row["assumption"]
            + ("" if row["not_possible"] is None else f" (not possible: {row['not_possible']})"),
            "Effect": DASH if row["effect"] is None else f"{row['effect']:.3g}",
            "Bias": figure_text(row["bias"]),
            "Coverage": figure_text(row["coverage"], percent=True),
            "Power": figure_text(row["power"], percent=True),
            "Type I error": figure_text(row["type_1_error"], percent=True),
            "Years to enrol": _years(row),
        }
        for row in rows
    ]
    return _table(found, "One assumption changed at a time")


def _years(row: Mapping[str, Any]) -> str:
    if row["feasible_patients"] is None:
        return DASH
    return "never full" if row["months_to_enrol"] is None else f"{row['months_to_enrol'] / 12:.1f}"


def _table(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    import pandas as pd

    return html_table(pd.DataFrame(list(rows)), caption) if rows else ""


def _under(design: TrialDesign, under: Mapping[str, Any]) -> str:
    won = "Won in order" if design.multiplicity.procedure == "fixed_sequence" else "Won"
    rows = [
        {
            "Endpoint": row["endpoint"],
            "Arm": design.label_of(row["arm"]),
            "Effect": row["summary"],
            "True": row["truth"],
            "Estimate": figure_text(row["mean_estimate"]),
            "Bias": figure_text(row["bias"]),
            "Coverage": figure_text(row["coverage"], percent=True),
            "Power": figure_text(row["power"], percent=True),
            won: figure_text(row["success"], percent=True),
            "Significant": figure_text(row["rejection"], percent=True),
        }
        for row in under["characteristics"]
    ]
    return _table(rows, f"True: {under['words']}") + _estimation(design, under)


def _estimation(design: TrialDesign, under: Mapping[str, Any]) -> str:
    """Naive and adjusted estimates side by side, where the rules of the design have estimates of their own."""
    rows = [
        {
            "Endpoint": row["endpoint"],
            "Arm": design.label_of(row["arm"]),
            "How": one["method"],
            "Estimate": figure_text(one["mean_estimate"]),
            "Bias": figure_text(one["bias"]),
            "Above the truth": figure_text(one["above_truth"], percent=True),
            "Coverage": figure_text(one["coverage"], percent=True),
        }
        for row in under["characteristics"]
        if row.get("estimation")
        for one in (row["estimation"]["naive"], row["estimation"]["adjusted"])
    ]
    return _table(rows, f"Naive and adjusted estimates; true: {under['words']}")


def _published(found: Mapping[str, Any]) -> str:
    """A real trial beside its replicates: with central values, and over what is not known."""
    rows: list[dict[str, Any]] = []
    for words, one in (
        ("central values", found["published"]),
        (f"{found['assurance']['draws']} draws of what is not known", found["published_over_draws"]),
    ):
        if one is None:
            continue
        low, high = one["replicates_middle_95"]
        interval, most = one["published_interval"], one["ceiling"]
        rows.append(
            {
                "Replicates under": words,
                "Published": f"{one['published']:g}"
                + ("" if interval is None else f" ({interval[0]:g} to {interval[1]:g})"),
                "Middle 95 % of the replicates": f"{low:.3g} to {high:.3g}",
                "Power": figure_text(one["power"], percent=True),
                "Inside the published interval": figure_text(one["inside_published_interval"], percent=True),
                "A perfect model would reach": DASH
                if most is None
                else f"{100 * most['perfect_model']:.0f} %",
                "Recognised": DASH
                if one["recognised"] is None
                else ("yes" if one["recognised"] else f"no: {one['why_not']}"),
            }
        )
    return _table(rows, "The real trial beside its replicates")


def _course(design: TrialDesign, found: Mapping[str, Any]) -> str:
    rows: list[dict[str, Any]] = []
    for under in found["under"].values():
        course = under["course"]
        row: dict[str, Any] = {
            "Truth": under["words"],
            "People enrolled": figure_text(course["patients"]),
            "Months to the last visit (median)": course["months_median"],
            "Missing at the last visit": figure_text(course["missing_at_last_visit"], percent=True),
        }
        for look in course.get("stopped", []):
            row[f"Look {look['look']}: efficacy"] = figure_text(look["efficacy"], percent=True)
            row[f"Look {look['look']}: futility"] = figure_text(look["futility"], percent=True)
        row |= _rules(design, course)
        rows.append(row)
    return _table(rows, "Size, duration and missing data")


def _rules(design: TrialDesign, course: Mapping[str, Any]) -> dict[str, str]:
    """What the adaptive rules and the safety rule did."""
    named = {
        "Size raised": course.get("size_raised"),
        "Size at its limit": course.get("size_at_its_limit"),
        "Stopped for harm": course.get("stopped_for_harm"),
        "Treated people harmed": course.get("harmed_share"),
    }
    named |= {f"At the look: {name}": one for name, one in course.get("zones", {}).items()}
    named |= {f"{design.label_of(arm)}: went on": one for arm, one in course.get("arms_kept", {}).items()}
    named |= {f"{design.label_of(arm)}: share": one for arm, one in course.get("allocated", {}).items()}
    return {name: figure_text(one, percent=True) for name, one in named.items() if one is not None}


def _value(found: Mapping[str, Any]) -> str:
    value = found["value"]
    if value is None:
        return ""
    rows = [
        {
            "Trial": f"{row['patients']} people ({row['size']})",
            "Power for the reference effect": f"{100 * row['power_at_reference']:.0f} %",
            "Changes the decision": f"{100 * row['change_probability']:.1f} %",
            f"Expected gain per person, {value['unit']}": row["sample_information_per_person"],
            "For everybody concerned": row["sample_information"],
            "Share of knowing everything": f"{100 * row['share_of_perfect']:.0f} %",
        }
        for row in value["at"]
    ]
    return _table(rows, "The value of the answer, before costs")


def _accrual(design: TrialDesign, found: Mapping[str, Any]) -> str:
    accrual, facts = found["accrual"], load_accrual_facts()
    if accrual["eligible_now"] is None:
        return _table(
            [
                {
                    "What": "People a month, as stated",
                    "Value": design.accrual.patients_per_month,
                    "Source": "design file",
                }
            ],
            "Accrual",
        )
    region = design.accrual.region
    births = facts.births_per_year[region] if region is not None else None
    rows: list[dict[str, Any]] = [
        {
            "What": "Births a year",
            "Value": births.value if births else design.accrual.births_per_year,
            "Source": births.source if births else "design file",
        },
        {
            "What": "Could enter now",
            "Value": accrual["eligible_now"],
            "Source": "prevalence at birth and the model",
        },
        {
            "What": "Become able to enter each year",
            "Value": accrual["eligible_per_year"],
            "Source": "the same",
        },
        {
            "What": "Taken by other trials a year",
            "Value": accrual["competing_patients_per_year"],
            "Source": "design file",
        },
    ]
    for key, words in (
        ("reached_share", "Share who are reached"),
        ("consent_share", "Share who agree"),
        ("patients_per_site_month", "People a centre and month"),
    ):
        own, fact = getattr(design.accrual, key), getattr(facts, key)
        rows.append(
            {
                "What": words,
                "Value": fact.value if own is None else own,
                "Source": fact.source if own is None else "design file",
            }
        )
    return _table(rows, "Where people come from")
