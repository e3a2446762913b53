"""Endpoints of studies in words: which are shares, times and spreads, and the unit of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motorpool.evidence.published import PublishedEndpoint

SHARES = ("proportion", "survival_proportion")
TIMES = ("median_time_months", "median_age_months")
SPREADS = ("sd", "sd_change")


def unit_of(endpoint: PublishedEndpoint) -> str:
    """The unit of an endpoint's value as it is stored; empty for ratios and fractions."""
    from motorpool.evidence.outcome_catalogue import load_outcome_catalogue

    if endpoint.metric in SHARES or endpoint.metric == "hazard_ratio":
        return ""
    if endpoint.metric in TIMES or endpoint.outcome == "onset_age_months":
        return "months"
    if endpoint.metric == "percent_change":
        return "%"
    catalogue = load_outcome_catalogue()
    unit = catalogue[endpoint.outcome].unit if endpoint.outcome in catalogue else ""
    return f"{unit} a year" if endpoint.metric == "change_per_year" else unit
