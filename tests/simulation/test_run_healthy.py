"""Healthy children and carriers: WHO windows, the published band of CHOP INTEND, and none of the events of SMA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from motorpool.evidence.facts import load_facts
from motorpool.evidence.outcome_catalogue import load_milestone_catalogue
from tests.simulation.run_samples import simulate
from tests.support import lives

EVENTS_OF_SMA = ("death", "niv_start", "tube_feeding", "loss_of_sitting", "loss_of_walking")
WHO = ("sit_10s", "stand_with_support", "crawl", "walk_with_support", "stand", "walk")


def people_with(smn1_copies: int) -> Any:
    return simulate(
        name="unaffected",
        title="Without SMA",
        cohort={
            "patients": 60,
            "smn1_copies": smn1_copies,
            "smn2_copies": {1: 0.2, 2: 0.6, 3: 0.2},
            "enrolment": {"age_months": 0},
        },
        arms={"nobody_treated": {"therapies": []}},
        comparator="nobody_treated",
        horizon_months=240,
        visits_months=[0, 1, 3.3, 6, 12, 24, 120, 240],
    ).isel(arm=0, draw=0)


@pytest.mark.parametrize("smn1_copies", [1, 2])
def test_milestones_come_within_the_who_windows(smn1_copies: int) -> None:
    """Nearly everybody within the 1st to 99th percentile, medians within one SD of the mean."""
    gained = people_with(smn1_copies)["milestone_gained_age_years"]
    catalogue = load_milestone_catalogue()
    windows = load_facts("milestones").table("windows")
    order = [int(number) for number in windows.column("milestone_order")]
    means = dict(zip(order, windows.column("mean_months"), strict=True))
    deviations = dict(zip(order, windows.column("sd_months"), strict=True))
    names = list(catalogue)
    for name in WHO:
        months = gained.sel(milestone=name).values * 12.0
        entry = catalogue[name]
        assert np.isfinite(months).all(), name
        number = names.index(name) + 1
        assert abs(np.median(months) - means[number]) < deviations[number], (name, np.median(months))
        inside = (months >= entry.who_p1_months) & (months <= entry.who_p99_months)
        assert inside.mean() > 0.9, (name, months.min(), months.max())


@pytest.mark.parametrize("smn1_copies", [1, 2])
def test_chop_intend_runs_in_the_published_band(smn1_copies: int) -> None:
    data = people_with(smn1_copies)
    band = load_facts("healthy_chop_intend").table("band_by_age")
    for month, mean, sd in zip(
        band.column("age_months"), band.column("mean_points"), band.column("sd_points"), strict=True
    ):
        scores = data["chop_intend__true"].sel(visit_month=month).values
        assert abs(scores.mean() - mean) < max(sd, 1.0), (month, scores.mean())


@pytest.mark.parametrize("smn1_copies", [1, 2])
def test_nothing_happens_that_belongs_to_sma(smn1_copies: int) -> None:
    data = people_with(smn1_copies)
    assert set(data["sma_type"].values) == {0}
    for event in EVENTS_OF_SMA:
        # A tube is not impossible in health (see below): one of sixty may be unlucky.
        most = 1 if event == "tube_feeding" else 0
        assert np.isfinite(data["event_time_years"].sel(event=event).values).sum() <= most, event
    assert data["alive"].all()
    last = data.sel(visit_month=240)
    # Motor unit counts of one person differ by 10 % from day to day: no carrier of 60 may lose half as much.
    assert float(last["motor_neurons_dead"].max()) < 0.05
    assert float(last["hfmse__true"].min()) > 60
    assert float(last["fvc_percent__true"].min()) > 85
    assert float(last["cobb_degrees__true"].max()) < 10
    assert float(last["ventilation_hours_per_day__true"].max()) < 0.1
    assert float(last["six_minute_walk_m__true"].min()) > 300


def test_the_risks_of_sma_are_negligible_in_health() -> None:
    """Integrated hazards over 20 years, in a healthy person and a carrier: death in less than one of a thousand, a tube
    in less than five (the model's curve of swallowing does not fall to nothing; see the limits)."""
    who = lives.people(smn1_copies=[2.0, 1.0], smn2_copies=2.0)
    hazard = lives.live((), who, until_years=20).path.cumulative_hazard[-1]
    assert hazard[0].max() < 1e-3, f"death {hazard[0]}"
    assert hazard[1].max() < 5e-3, f"tube feeding {hazard[1]}"


def test_sma_is_told_apart_from_health() -> None:
    healthy = people_with(2)["hfmse__true"].sel(visit_month=24)
    affected = simulate(visits_months=[12], arms={"untreated": {"therapies": []}})["hfmse__true"].isel(
        arm=0, draw=0
    )
    assert float(healthy.min()) > 1.5 * float(affected.sel(visit_month=12).max())
