"""Builds a results dataset with the published layout and realistic-looking shapes, without running the
engine.

The numbers are invented for testing summaries, figures and the report. They say nothing about SMA.
"""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

ARMS = ("untreated", "nusinersen", "nusinersen_and_cells", "risdiplam")
MILESTONES = (
    "head_control",
    "sit_5s",
    "sit_10s",
    "sit_30s",
    "crawl",
    "stand_with_support",
    "stand",
    "walk_with_support",
    "walk",
)
EVENTS = (
    "death",
    "niv_start",
    "permanent_ventilation_16h_21d",
    "permanent_ventilation_16h_14d",
    "respiratory_support_6h_7d",
    "death_or_permanent_ventilation_16h_21d",
    "death_or_permanent_ventilation_16h_14d",
    "death_or_respiratory_support_6h_7d",
    "tube_feeding",
    "spine_surgery",
    "loss_of_sitting",
    "loss_of_walking",
)
ADVERSE_EVENTS = ("headache", "fever", "puncture_pain", "vomiting", "respiratory_infection")
PROCEDURES = ("lumbar_puncture", "cell_infusion", "spine_surgery", "sedation")
THERAPIES = ("nusinersen", "risdiplam", "cell_therapy")
MUSCLE_GROUPS = ("legs_and_trunk", "arms", "bulbar", "breathing")
SCALES = {
    # outcome: (worst, best, value at ability 0, value at ability 1, measurement noise, integer)
    "chop_intend": (0, 64, 0, 64, 2.0, True),
    "hine2": (0, 26, 0, 26, 0.8, True),
    "hfmse": (0, 66, -12, 66, 2.0, True),
    "rulm": (0, 37, -4, 37, 1.2, True),
    "mfm32": (0, 100, 5, 100, 2.5, False),
    "six_minute_walk_m": (0, 700, -600, 450, 20.0, True),
    "walk_fatigue_percent": (0, 100, 40, 0, 4.0, False),
    "endurance_percent": (0, 100, 10, 100, 6.0, False),
    "cmap_mv": (0, 25, 0.2, 8, 0.3, False),
    "mune": (0, 400, 3, 180, 8.0, False),
    "pnfh_pg_per_ml": (0, 100000, 18000, 300, 300.0, False),
    "fvc_percent": (0, 130, 10, 100, 4.0, False),
    "ventilation_hours_per_day": (0, 24, 26, -12, 0.0, False),
    "swallowing_percent": (0, 100, 0, 110, 3.0, False),
    "weight_kg": (1, 120, 5, 10, 0.1, False),
    "weight_z": (-6, 6, -3.5, 0.5, 0.1, False),
    "cobb_degrees": (0, 140, 60, -15, 3.0, False),
    "utility": (-0.6, 1, -0.3, 0.95, 0.05, False),
}


def synthetic_scenario(patients: int, draws: int, visit_months: list[float]) -> dict[str, object]:
    """The scenario the synthetic dataset pretends to have been run from."""
    return {
        "motorpool": 1,
        "name": "endear_like",
        "title": "Nusinersen in infants with type 1 SMA",
        "question": "Does nusinersen help infants with type 1 SMA to live without permanent ventilation?",
        "cohort": {
            "patients": patients,
            "smn2_copies": 2,
            "sma_type": [1],
            "enrolment": {"age_months": {"median": 5.4, "min": 1, "max": 8}},
        },
        "arms": {
            "untreated": {"label": "No SMN therapy", "therapies": []},
            "nusinersen": {"label": "Nusinersen 12 mg", "therapies": [{"therapy": "nusinersen"}]},
            "nusinersen_and_cells": {
                "label": "Nusinersen and cells",
                "therapies": [{"therapy": "nusinersen"}, {"therapy": "cell_therapy"}],
            },
            "risdiplam": {"label": "Risdiplam", "therapies": [{"therapy": "risdiplam"}]},
        },
        "comparator": "untreated",
        "horizon_months": max(visit_months),
        "visits_months": visit_months,
        "outcomes": "all",
        "care": "standard",
        "uncertainty": {"between_people": True, "knowledge_draws": draws, "chance": True},
        "published": ["ENDEAR"],
        "seed": 1,
    }


def synthetic_dataset(
    patients: int = 120, draws: int = 4, visits: int = 9, months_between_visits: float = 3.0, seed: int = 1
) -> xr.Dataset:
    """A dataset with every variable of the results layout.

    Args:
        patients: people per knowledge draw.
        draws: knowledge draws.
        visits: number of visits, the first at enrolment.
        months_between_visits: months from one visit to the next.
        seed: seed of the invented numbers.
    """
    random = np.random.default_rng(seed)
    month = np.arange(visits) * months_between_visits
    shape = (len(ARMS), draws, patients)
    enrolment_age = np.clip(random.gamma(8, 0.055, (draws, patients)), 0.1, 0.66)
    severity = random.normal(0, 1, (draws, patients))
    knowledge = random.normal(0, 1, draws)[:, None]
    cells = random.normal(0.01, 0.03, draws)[:, None]
    start = np.clip(0.42 - 0.09 * severity, 0.05, 0.8)
    plateau = {
        "untreated": 0.06 + 0.02 * knowledge - 0.03 * severity,
        "nusinersen": 0.55 + 0.05 * knowledge - 0.2 * severity,
        "nusinersen_and_cells": 0.55 + 0.05 * knowledge - 0.2 * severity + cells,
        "risdiplam": 0.60 + 0.06 * knowledge - 0.18 * severity,
    }
    years = month / 12
    ability = np.stack(
        [start[..., None] + (plateau[arm] - start)[..., None] * (1 - np.exp(-years / 0.7)) for arm in ARMS]
    )
    ability = np.clip(ability, 0.0, 1.0)
    luck_death = random.exponential(1, (draws, patients))
    luck_ventilation = random.exponential(1, (draws, patients))
    hazard = 2.2 * np.exp(-8.0 * ability)
    cumulative = np.concatenate(
        [np.zeros((*shape, 1)), np.cumsum(0.5 * (hazard[..., 1:] + hazard[..., :-1]) * np.diff(years), -1)],
        -1,
    )
    death = _first_crossing(cumulative, luck_death, years)
    ventilation = _first_crossing(1.6 * cumulative, luck_ventilation, years)
    ventilation = np.where(ventilation < death, ventilation, np.inf)
    alive = death[..., None] > years
    age = enrolment_age[..., None] + years

    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    full = ("arm", "draw", "patient", "visit_month")
    for outcome, (low, high, at_zero, at_one, noise, whole) in SCALES.items():
        level = at_zero + (at_one - at_zero) * ability
        if outcome == "hfmse":
            level = np.where(age[None] < 0.9, np.nan, level)
        if outcome in ("six_minute_walk_m", "walk_fatigue_percent"):
            level = np.where(ability > 0.85, level, np.nan)
        true = np.where(alive, np.clip(level, low, high), np.nan)
        seen = np.clip(true + noise * random.normal(size=true.shape), low, high)
        variables[f"{outcome}__true"] = (full, true.astype("float32"))
        variables[outcome] = (full, (np.round(seen) if whole else seen).astype("float32"))
    variables["alive"] = (full, alive)
    variables["age_years"] = (("draw", "patient", "visit_month"), age.astype("float32"))

    thresholds = np.array([0.3, 0.45, 0.47, 0.5, 0.65, 0.6, 0.72, 0.75, 0.85])
    earliest_age = np.array([0.2, 0.5, 0.5, 0.55, 0.75, 0.7, 0.95, 0.85, 1.05])
    held = (ability[..., None] >= thresholds) & (age[None, ..., None] >= earliest_age) & alive[..., None]
    ever = held.any(3)
    first = np.take_along_axis(
        np.broadcast_to(age[None, ..., None], held.shape), held.argmax(3)[:, :, :, None], 3
    )
    first = first[:, :, :, 0]
    last_index = held.shape[3] - 1 - held[:, :, :, ::-1].argmax(3)
    lost = ever & (last_index < held.shape[3] - 1)
    lost_index = np.minimum(last_index + 1, held.shape[3] - 1)
    lost_age = np.take_along_axis(
        np.broadcast_to(age[None, ..., None], held.shape), lost_index[:, :, :, None], 3
    )[:, :, :, 0]
    milestone = ("arm", "draw", "patient", "milestone")
    variables["milestone_gained_age_years"] = (milestone, np.where(ever, first, np.nan).astype("float32"))
    variables["milestone_lost_age_years"] = (milestone, np.where(lost, lost_age, np.nan).astype("float32"))
    variables["milestone_status"] = ((*full, "milestone"), held)

    def earlier(event: np.ndarray) -> np.ndarray:
        return np.minimum(event, death)

    niv = np.where(0.5 * ventilation < death, 0.5 * ventilation, np.inf)
    tube = _first_crossing(1.2 * cumulative, random.exponential(1, (draws, patients)), years)
    tube = np.where(tube < death, tube, np.inf)
    never = np.full(shape, np.inf)
    times = [
        death,
        niv,
        ventilation,
        0.99 * ventilation,
        0.8 * ventilation,
        earlier(ventilation),
        earlier(0.99 * ventilation),
        earlier(0.8 * ventilation),
        tube,
        never,
        np.where(lost[..., 1], lost_age[..., 1] - enrolment_age, np.inf),
        never,
    ]
    variables["event_time_years"] = (
        ("arm", "draw", "patient", "event"),
        np.stack(times, -1).astype("float32"),
    )
    has = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)  # rows arms, columns therapies
    exposure = np.minimum(death, years[-1])
    rates = np.zeros((len(ARMS), len(ADVERSE_EVENTS)))
    rates[:] = [0.1, 0.6, 0.0, 0.4, 1.8]
    rates[1:3] += [0.5, 0.1, 0.4, 0.1, -0.6]
    rates[2] += [0.5, 0.3, 0.2, 0.0, 0.0]
    rates[3, 4] = 1.1
    variables["adverse_event_count"] = (
        ("arm", "draw", "patient", "adverse_event"),
        random.poisson(rates[:, None, None, :] * exposure[..., None]).astype("int32"),
    )
    punctures = np.array([0, 4, 8, 0])[:, None, None] + np.floor(3 * exposure) * has[:, 0][:, None, None]
    infusions = np.floor(4 * exposure) * has[:, 2][:, None, None]
    variables["procedure_count"] = (
        ("arm", "draw", "patient", "procedure"),
        np.stack([punctures, infusions, 0 * infusions, 0.3 * punctures], -1).astype("int32"),
    )
    variables["therapy_started"] = (
        ("arm", "draw", "patient", "therapy"),
        np.broadcast_to(has[:, None, None, :], (*shape, len(THERAPIES))).copy(),
    )
    walking = variables["six_minute_walk_m__true"][1][..., None] / 6
    variables["walk_minute_m"] = (
        (*full, "minute"),
        (walking * np.linspace(1.08, 0.92, 6)).astype("float32"),
    )
    working = np.where(alive, 0.9 * ability, np.nan)[..., None] * np.array([0.8, 1.0, 1.0, 1.1])
    working = np.clip(working, 0, 1)
    sick = 0.3 * (1 - working)
    for name, values in (("working", working), ("sick", sick), ("dead", 1 - working - sick)):
        variables[f"motor_neurons_{name}"] = ((*full, "muscle_group"), values.astype("float32"))
    person = ("draw", "patient")
    onset = np.clip(random.gamma(4, 0.5, (draws, patients)), 0.1, 6)
    variables["smn2_copies"] = (person, np.full((draws, patients), 2, dtype="int32"))
    variables["sma_type"] = (person, np.ones((draws, patients), dtype="int32"))
    variables["onset_age_months"] = (person, onset.astype("float32"))
    variables["diagnosis_age_months"] = (person, (onset + 1.5).astype("float32"))
    variables["enrolment_age_years"] = (person, enrolment_age.astype("float32"))
    variables["sex"] = (person, random.integers(0, 2, (draws, patients)).astype("int32"))
    variables["tried"] = (("draw",), random.integers(400, 900, draws).astype("int32"))
    variables["effective_sample_size"] = (("draw",), np.full(draws, float(patients)))

    scenario = synthetic_scenario(patients, draws, [float(value) for value in month])
    return xr.Dataset(
        variables,
        coords={
            "arm": list(ARMS),
            "draw": np.arange(draws),
            "patient": np.arange(patients),
            "visit_month": month.astype(float),
            "milestone": list(MILESTONES),
            "event": list(EVENTS),
            "adverse_event": list(ADVERSE_EVENTS),
            "procedure": list(PROCEDURES),
            "therapy": list(THERAPIES),
            "minute": np.arange(1, 7),
            "muscle_group": list(MUSCLE_GROUPS),
        },
        attrs={
            "scenario": json.dumps(scenario, sort_keys=True),
            "title": str(scenario["title"]),
            "question": str(scenario["question"]),
            "comparator": "untreated",
            "horizon_months": float(month[-1]),
            "care": "standard",
        },
    )


def _first_crossing(cumulative: np.ndarray, luck: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Time at which a cumulative hazard crosses a person's exponential draw; +inf when it does not."""
    result = np.full(cumulative.shape[:-1], np.inf)
    for step in range(1, len(years)):
        low, high = cumulative[..., step - 1], cumulative[..., step]
        crosses = np.isinf(result) & (high > luck)
        with np.errstate(divide="ignore", invalid="ignore"):
            time = years[step - 1] + (luck - low) / (high - low) * (years[step] - years[step - 1])
        result = np.where(crosses, time, result)
    return result


def start_age_dataset(patients: int = 12, draws: int = 3) -> xr.Dataset:
    """Ten arms that differ only in the age at which gene therapy starts; one is never treated."""
    ages = (None, 0, 1, 2, 3, 6, 9, 12, 18, 24)
    data = synthetic_dataset(patients=patients, draws=draws, visits=3, months_between_visits=12.0)
    chosen = data.isel(arm=[0] + [1, 1, 3, 3, 1, 1, 0, 0, 0])
    chosen = chosen.assign_coords(arm=["untreated", *(f"age_{age}" for age in ages[1:])])
    scenario = json.loads(data.attrs["scenario"])
    scenario["arms"] = {
        "untreated": {"label": "Never treated", "therapies": []},
        **{
            f"age_{age}": {
                "label": f"At {age} months",
                "therapies": [{"therapy": "onasemnogene", "start": {"age_months": float(age)}}],
            }
            for age in ages[1:]
        },
    }
    scenario["published"] = []
    chosen.attrs["scenario"] = json.dumps(scenario)
    return chosen


def small_dataset() -> xr.Dataset:
    """Two arms, two draws, two people, two visits: every summary of it can be worked out by hand.

    HFMSE true values, arm `plain`: draw 0 people 10->8, 20->20; draw 1 people 12->10, 22->died at 6 months.
    Arm `added`: draw 0 10->14, 20->20; draw 1 12->10, 22->22. Observed values are the true ones plus 1.
    """
    plain = np.array([[[10.0, 8.0], [20.0, 20.0]], [[12.0, 10.0], [22.0, np.nan]]])
    added = np.array([[[10.0, 14.0], [20.0, 20.0]], [[12.0, 10.0], [22.0, 22.0]]])
    true = np.stack([plain, added])
    death = np.full((2, 2, 2), np.inf)
    death[0, 1, 1] = 0.5
    full = ("arm", "draw", "patient", "visit_month")
    scenario = {
        "name": "small",
        "title": "Small",
        "question": "Does it add up?",
        "cohort": {"patients": 2},
        "arms": {"plain": {"label": "Plain", "therapies": []}, "added": {"label": "Added", "therapies": []}},
        "comparator": "plain",
        "horizon_months": 12,
        "uncertainty": {"between_people": True, "knowledge_draws": 2, "chance": True},
        "seed": 1,
    }
    walks = np.zeros((2, 2, 2, 2, 1), dtype=bool)
    walks[1, 0, 0, 1, 0] = True
    gained = np.full((2, 2, 2, 1), np.nan)
    gained[1, 0, 0, 0] = 3.0
    return xr.Dataset(
        {
            "hfmse": (full, true + 1),
            "hfmse__true": (full, true),
            "alive": (full, ~np.isnan(true)),
            "age_years": (("draw", "patient", "visit_month"), np.broadcast_to([2.0, 3.0], (2, 2, 2)).copy()),
            "milestone_status": ((*full, "milestone"), walks),
            "milestone_gained_age_years": (("arm", "draw", "patient", "milestone"), gained),
            "milestone_lost_age_years": (
                ("arm", "draw", "patient", "milestone"),
                np.full((2, 2, 2, 1), np.nan),
            ),
            "event_time_years": (("arm", "draw", "patient", "event"), death[..., None]),
            "adverse_event_count": (
                ("arm", "draw", "patient", "adverse_event"),
                np.array([[[0, 0], [0, 0]], [[2, 0], [1, 1]]])[..., None],
            ),
            "enrolment_age_years": (("draw", "patient"), np.full((2, 2), 2.0)),
            "sma_type": (("draw", "patient"), np.full((2, 2), 2)),
            "smn2_copies": (("draw", "patient"), np.full((2, 2), 3)),
            "sex": (("draw", "patient"), np.array([[0, 1], [0, 1]])),
            "tried": (("draw",), np.array([4, 6])),
            "effective_sample_size": (("draw",), np.array([2.0, 2.0])),
        },
        coords={
            "arm": ["plain", "added"],
            "draw": [0, 1],
            "patient": [0, 1],
            "visit_month": [0.0, 12.0],
            "milestone": ["walk"],
            "event": ["death"],
            "adverse_event": ["headache"],
        },
        attrs={
            "scenario": json.dumps(scenario),
            "title": "Small",
            "question": "Does it add up?",
            "comparator": "plain",
            "horizon_months": 12.0,
            "care": "standard",
        },
    )
