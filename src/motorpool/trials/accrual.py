"""How long it takes to find people: from births, the prevalence of SMA and who is eligible, to entries by month."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.facts import load_facts
from motorpool.trials.accrual_facts import load_accrual_facts
from motorpool.trials.design import TrialDesign
from motorpool.trials.pool import Pool, copies_at_birth

Array = NDArray[Any]
MOST_MONTHS = 1200  # a trial that has not filled in a century never does


@dataclasses.dataclass(frozen=True)
class AccrualForecast:
    """People to be found, from births to entries.

    eligible_now: people of the region who could enter when the first centre opens, None for a plain rate.
    eligible_per_year: how many become eligible each year. cumulative (M,): expected entries by the end of each month.
    months_to_enrol: until the size is reached, +inf for never. feasible: entries within the feasible years.
    """

    eligible_now: float | None
    eligible_per_year: float | None
    eligible_share: float | None
    competing_per_year: float
    cumulative: Array
    months_to_enrol: float
    feasible_patients: int


def forecast_accrual(design: TrialDesign, pool: Pool) -> AccrualForecast:
    """Expected entries month by month."""
    accrual = design.accrual
    months = np.arange(1, MOST_MONTHS + 1)
    open_share = _open_share(design, months)
    now = yearly = share = None
    if accrual.patients_per_month is not None:
        monthly = accrual.patients_per_month * open_share
    else:
        facts = load_accrual_facts()
        births = accrual.births_per_year or facts.births_per_year[str(accrual.region)].value
        share = eligible_share(design, pool)
        newborns = births * load_facts("smn2_copies").fact("birth_prevalence").number * share
        spread = design.population.enrolment.spread
        years = (spread.upper - spread.lower) * design.population.enrolment.hours_per_unit / 8766.0
        now, yearly = newborns * max(years, 0.0), newborns
        reached = facts.reached_share.value if accrual.reached_share is None else accrual.reached_share
        consent = facts.consent_share.value if accrual.consent_share is None else accrual.consent_share
        capacity = design.sites.count * (
            accrual.patients_per_site_month or facts.patients_per_site_month.value
        )
        monthly = _from_pool(
            design, now * reached, yearly * reached / 12.0, consent, capacity * open_share, years
        )
    cumulative = np.cumsum(monthly)
    reached_size = np.flatnonzero(cumulative >= design.patients - 1e-9)
    feasible = int(cumulative[min(MOST_MONTHS, max(1, round(12 * accrual.feasible_years))) - 1])
    return AccrualForecast(
        eligible_now=now,
        eligible_per_year=yearly,
        eligible_share=share,
        competing_per_year=sum(trial.patients_per_year for trial in accrual.competing),
        cumulative=cumulative,
        months_to_enrol=float(months[reached_size[0]]) if reached_size.size else np.inf,
        feasible_patients=feasible,
    )


def eligible_share(design: TrialDesign, pool: Pool) -> float:
    """Share of everybody born with SMA who could enter at some age of the window: by copies, weighted as at birth."""
    at_birth = copies_at_birth()
    most = max(at_birth)
    by_group: dict[int, list[float]] = {}
    for copies, share in pool.eligible_by_copies.items():
        by_group.setdefault(min(copies, most), []).append(share)
    return sum(at_birth.get(copies, 0.0) * float(np.mean(shares)) for copies, shares in by_group.items())


def _open_share(design: TrialDesign, months: Array) -> Array:
    """Share of centres that are open in each month; they open one after the other."""
    ramp = design.accrual.site_start_months
    return np.ones(months.size) if ramp == 0 else np.minimum(1.0, months / ramp)


def _from_pool(
    design: TrialDesign, there: float, coming: float, consent: float, capacity: Array, years: float
) -> Array:
    """Entries by month from people who wait, come into the window, leave it, and are taken by other trials."""
    waiting, found = there * consent, np.zeros(capacity.size)
    rivals = sum(trial.patients_per_year for trial in design.accrual.competing) / 12.0
    stay = float(np.exp(-1.0 / (12.0 * years))) if years > 0.0 else 0.0  # who grows out of the window leaves
    for month, able in enumerate(capacity):
        willing = waiting + coming * consent
        # Trials share those who would take part in proportion to what each could enrol.
        mine = able / (able + rivals) if able + rivals > 0.0 else 0.0
        found[month] = min(able, willing * mine)
        waiting = max(0.0, willing - found[month] - min(rivals, willing * (1.0 - mine))) * stay
    return found


def entry_months(design: TrialDesign, pool: Pool, arrivals: Array) -> Array:
    """When each person of each replicate enters, months since the first centre opened, rising, (R, N).

    A Poisson process with the expected rate; +inf for people who are never found.
    """
    return entries_along(forecast_accrual(design, pool).cumulative, arrivals)


def entries_along(cumulative: Array, arrivals: Array) -> Array:
    """Times at which a Poisson process with this cumulative rate by month has its events, for unit exponential gaps."""
    wanted = np.cumsum(arrivals, axis=1)
    curve = np.concatenate([[0.0], cumulative])
    rising = np.concatenate([[True], np.diff(curve) > 0.0])
    months = np.arange(curve.size)[rising]
    found = np.interp(wanted, curve[rising], months)
    return np.where(wanted > curve[-1], np.inf, found)
