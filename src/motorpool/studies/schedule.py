"""When a study looks at its people: the month of an endpoint, and the horizon and visits that all of them need."""

from __future__ import annotations

from collections.abc import Iterable

from motorpool.evidence.published import COHORT_OUTCOMES, PublishedEndpoint
from motorpool.studies.words import TIMES

CHANGE_MONTHS = 12.0  # a slope without a time is the change over a year
LEAST_HORIZON_MONTHS = 0.25
REGULAR_VISIT_MONTHS = (
    1.5  # for figures given by age, which each person reaches at another time since enrolment
)
LONG_STUDY_MONTHS = 48.0


def change_months(endpoint: PublishedEndpoint) -> float:
    """Months since enrolment at which an endpoint on the study's clock is measured."""
    if endpoint.time_months is not None:
        return endpoint.time_months
    if endpoint.metric in ("change_per_year", "mean_change", "sd_change", "median_change", "percent_change"):
        return CHANGE_MONTHS
    return 0.0


def needed_months(endpoint: PublishedEndpoint, youngest: float) -> float:
    """How long people must be followed for one endpoint, in months; 0 where enrolment itself is enough.

    Args:
        youngest: earliest age at enrolment, months.
    """
    if endpoint.outcome in COHORT_OUTCOMES:
        return 0.0
    if endpoint.age_months is not None:
        return endpoint.age_months - youngest + 0.25
    if endpoint.metric in TIMES:
        # Half of the people must have had the event for a median to be seen; twice the published one is ample.
        upper = endpoint.value if endpoint.interval is None else max(endpoint.value, endpoint.interval[1])
        return 2.0 * upper - (youngest if endpoint.metric == "median_age_months" else 0.0)
    if endpoint.metric == "hazard_ratio" and endpoint.time_months is None:
        return CHANGE_MONTHS
    return change_months(endpoint)


def schedule(endpoints: Iterable[PublishedEndpoint], youngest: float) -> tuple[float, list[float]]:
    """Horizon and visits, in months since enrolment, that these endpoints need.

    Args:
        youngest: earliest age at enrolment, months.
    """
    horizon = LEAST_HORIZON_MONTHS
    visits = {0.0}
    regular = False
    for endpoint in endpoints:
        if endpoint.outcome in COHORT_OUTCOMES:
            continue
        months = needed_months(endpoint, youngest)
        horizon = max(horizon, months)
        if endpoint.age_months is not None:
            regular = True
        elif endpoint.metric not in TIMES:
            visits.add(months)
    if regular:
        step = REGULAR_VISIT_MONTHS if horizon <= LONG_STUDY_MONTHS else 4.0 * REGULAR_VISIT_MONTHS
        visits |= {round(step * count, 6) for count in range(1, int(horizon / step) + 1)}
    # Visits are read at the boundary of the base grid nearest to them; two on one boundary would be one.
    return horizon, sorted(visit for visit in visits if visit <= horizon)
