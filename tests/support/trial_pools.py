"""Pools of patients made up by hand: courses and events that are known exactly, for tests of trials."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from motorpool.outcomes.milestones import MILESTONES
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.safety import adverse_event_names
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.pool import Lives, Pool
from motorpool.trials.scenarios import change_months, changed_name

CHANGE = "{name: change, outcome: hfmse, measure: change, at_month: 12}"
DEATH = "{name: death, event: death, measure: time_to_event}"


@functools.cache
def central() -> Draw:
    return parameter_draw(None, 1)


def design(*changes: str, endpoints: str = f"[{CHANGE}, {DEATH}]") -> TrialDesign:
    """Two arms, visits at 0, 6 and 12 months, complete data, one centre."""
    plain = [
        f"endpoints={endpoints}",
        "visits={months: [0, 6, 12]}",
        "conduct={}",
        "sites={}",
        "strata={}",
        "patients=100",
        "accrual={patients_per_month: 10}",
    ]
    return load_design("cells_addon_sitters", [*plain, *changes])


def made_up_pool(
    trial: TrialDesign,
    *,
    people: int = 400,
    effect: float = 0.0,
    deaths: dict[str, float] | None = None,
    spread: float = 2.0,
    seed: int = 0,
    effects: dict[str, float] | None = None,
    harm: dict[str, float] | None = None,
    rescued: float = 6.0,
) -> Pool:
    """People whose HFMSE changes by a normal amount in a year, more by ``effect`` in every test arm.

    deaths: share who die half-way to each visit, by arm; those who die lived equally long in both arms.
    effects: by test arm, in place of ``effect``. harm: share with every adverse event, by arm. Who stops loses the
    arm's effect from then on; who is rescued gains ``rescued`` points a year from then on.
    """
    generator = np.random.default_rng(seed)
    months = np.asarray(trial.visit_months)
    outcomes = len(trial.outcomes)
    baseline = generator.uniform(15.0, 45.0, people).round()
    course = generator.normal(0.0, spread, people)
    luck = generator.random(people)
    hurt = np.random.default_rng([seed, 1]).random(people)

    def lives(name: str, changed: float | None = None) -> Lives:
        own = (effects or {}).get(name, effect) if name in trial.test_arms else 0.0
        years = (months / 12.0)[:, None]
        after = 0.0 if changed is None else np.maximum(years - changed / 12.0, 0.0)
        rescue = trial.conduct.rescue is not None
        true = baseline + years * (course + own) + after * (rescued if rescue else -own)
        dead = luck < (deaths or {}).get(name, 0.0)
        death = np.where(dead, 9.0, np.inf)
        true = np.where(months[:, None] < death, true, np.nan)
        events = np.full((len(EVENTS), people), np.inf)
        events[EVENTS.index("death")] = death
        return Lives(
            true=np.repeat(true[:, None], outcomes, axis=1).astype(np.float32),
            event_months=events,
            milestones=np.zeros((months.size, len(MILESTONES), people), bool),
            adverse_events=np.tile(hurt < (harm or {}).get(name, 0.0), (len(adverse_event_names()), 1)) * 1.0,
        )

    def outside() -> dict[str, Any]:
        if trial.external_control is None:
            nobody: dict[str, Any] = dict.fromkeys(
                ("external", "external_baseline", "external_strata", "external_weights")
            )
            return nobody
        return {
            "external": lives("external"),
            "external_baseline": np.repeat(baseline[None], outcomes, axis=0),
            "external_strata": (np.full(people, 72.0), np.full(people, 3)),
            "external_weights": np.full(people, 1.0 / people),
        }

    conduct = trial.conduct
    times = change_months(trial) if conduct.rescue is not None or conduct.discontinue_per_year else ()
    changed = {
        changed_name(arm, place): lives(arm, month) for arm in trial.arms for place, month in enumerate(times)
    }
    names = [*trial.arms, *(["external"] if trial.control is None else [])]
    return Pool(
        draw_number=None,
        draw=central(),
        visit_months=months,
        baseline=np.repeat(baseline[None], outcomes, axis=0).astype(np.float32),
        enrolment_months=generator.uniform(24.0, 120.0, people),
        smn2_copies=np.full(people, 3),
        sma_type=np.full(people, 2),
        lives={name: lives(name) for name in names} | changed,
        weights=np.full(people, 1.0 / people),
        tried=10 * people,
        eligible_by_copies={3: 0.1},
        **outside(),
    )
