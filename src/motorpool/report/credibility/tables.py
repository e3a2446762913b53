"""The tables of the credibility page, from its plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motorpool.report.tables import html_table

Rows = Sequence[Mapping[str, Any]]


def table(rows: Rows, columns: Mapping[str, str], caption: str) -> str:
    """Rows as an HTML table with these columns (field to heading); empty without rows."""
    import pandas as pd

    if not rows:
        return ""
    return html_table(
        pd.DataFrame([{heading: row.get(field) for field, heading in columns.items()} for row in rows]),
        caption,
    )


def page_tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Every table of the page by name."""
    validation, calibration = content["validation"], content["calibration"]
    return {
        "contexts": _contexts(content["contexts"]),
        "criteria": _criteria(content["adequacy"]["criteria"]),
        "assumptions": table(
            content["assumptions"],
            {"text": "Assumption", "why": "Why it is made", "if_wrong": "What follows if it is wrong"},
            "Assumptions of the model",
        ),
        "claims": table(
            [{**one, "tests": ", ".join(one["tests"])} for one in content["verification"]["claims"]],
            {"claim": "Claim", "tests": "Tests that would notice its failure"},
            "What is verified, and where",
        ),
        "engine": _engine(content["verification"]["engine_error"]),
        "checks": table(
            [
                {**one, "value": f"{one['value']:.4g}", "met": "yes" if one["met"] else "no"}
                for one in calibration.get("checks", [])
            ],
            {"diagnostic": "Diagnostic", "value": "Found", "wanted": "Wanted", "met": "Reached"},
            "Diagnostics of the sampler",
        ),
        "correlations": table(
            calibration.get("correlations", []),
            {"first": "Parameter", "second": "Trades off against", "correlation": "Correlation"},
            "The strongest correlations of the posterior",
        ),
        "discrepancies": table(
            calibration.get("discrepancies", []),
            {
                "family": "Family of endpoints",
                "unit": "Unit",
                "prior_scale": "Scale of the prior",
                "posterior_median": "Posterior median",
                "posterior_high_90": "95 % quantile",
            },
            "How far the model itself may be wrong",
        ),
        **_validation(validation),
        "v_and_v_40": table(
            content["standards"]["v_and_v_40"],
            {
                "factor": "Factor",
                "group": "Part",
                "goal": "Goal",
                "status": "Status",
                "reached": "What was done",
            },
            "Credibility factors of ASME V&V 40-2018",
        ),
        "fda_2023": table(
            content["standards"]["fda_2023"],
            {"category": "Category of evidence", "status": "Status", "evidence": "Where"},
            "Evidence by the categories of FDA's guidance of 2023",
        ),
        "reproduce": table(
            [
                {
                    "entry": name.replace("_", " "),
                    "value": ", ".join(value) if isinstance(value, list) else value,
                }
                for name, value in content["reproduce"].items()
            ],
            {"entry": "Entry", "value": "Value"},
            "Versions, hashes and commands",
        ),
    }


def _contexts(rows: Rows) -> str:
    shown = [
        {
            **row,
            "influence": f"{row['influence']}: {row['influence_why']}",
            "consequence": f"{row['consequence']}: {row['consequence_why']}",
            "verdict": f"{row['verdict']}: {row['reason']}",
        }
        for row in rows
    ]
    columns = {
        "title": "Context of use",
        "verdict": "Verdict",
        "risk": "Model risk",
        "decision": "Decision that is informed",
        "influence": "Influence of the model",
        "consequence": "Consequence of a wrong answer",
        "note": "Note",
    }
    return table(shown, columns, "Contexts of use, after ICH M15: influence x consequence = risk")


def _criteria(rows: Rows) -> str:
    columns = {
        "criterion": "Criterion",
        "found": "Found",
        "floor": "Floor",
        "goal": "Goal",
        "reached": "Reached",
        "meaning": "Meaning",
    }
    return table(rows, columns, "Acceptance criteria, written before the first validation run")


def _engine(error: Mapping[str, Any] | None) -> str:
    if error is None:
        return ""
    rows = [
        {"name": name.replace("_", " "), "most": 100.0 * one["most"], "largest": 100.0 * one["largest"]}
        for name, one in error["by_quantity"].items()
    ]
    most = f"{100 * error['quantile']:g} % of differences below, % of range"
    return table(
        rows,
        {"name": "Quantity", "most": most, "largest": "Largest, % of range"},
        "Error of the engine's steps against steps of half the length",
    )


def _validation(section: Mapping[str, Any]) -> dict[str, str]:
    names = ("summary", "by_family", "by_study", "missed", "not_counted", "baselines")
    if not section["available"]:
        return dict.fromkeys(names, "")
    counts = {
        "n": "Endpoints",
        "inside_90": "Inside the 90 % interval",
        "median_width_ratio": "Median width ratio",
    }
    endpoint = {
        "study": "Study",
        "endpoint": "Endpoint",
        "arm": "Arm",
        "family": "Family",
        "published": "Published",
        "predicted": "Predicted",
        "predicted_low": "Low",
        "predicted_high": "High",
        "z": "Distance, SDs",
        "effective_people": "People behind it",
    }
    return {
        "summary": table(
            list(section["summary"].values()),
            {
                "words": "Set",
                "n": "Endpoints",
                "inside_90": "Inside",
                "coverage_90": "Coverage",
                "coverage_90_low": "95 % low",
                "coverage_90_high": "95 % high",
                "median_width_ratio": "Median width ratio",
            },
            "Coverage by set; the interval draws whole studies",
        ),
        "by_family": table(
            section["by_family"], {"name": "Family", **counts}, "Validation by family of endpoints"
        ),
        "by_study": table(section["by_study"], {"name": "Study", **counts}, "Validation by study"),
        "missed": table(section["missed"], endpoint, "Endpoints outside their interval, the farthest first"),
        "not_counted": table(
            section["not_counted"], endpoint, "Shown and not counted: too few simulated people"
        ),
        "baselines": table(
            [{"name": name, **entry} for name, entry in section["baselines"].items()],
            {"name": "Baseline", "n": "Endpoints", "model": "Model", "baseline": "Baseline's"},
            "Mean log score against simpler forecasts; larger is better",
        ),
    }
