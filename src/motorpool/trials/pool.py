"""The pool of simulated patients of a trial: every person under every arm, with the same luck.

A person's life under the control is the counterfactual of the same person's life under treatment. Replicate trials
are drawn from the pool, so that thousands of them cost little.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.evidence.facts import load_facts
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation.arm import simulate_arm
from motorpool.simulation.births import Births
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.readout import EVENTS
from motorpool.simulation.recruit import Recruited, recruit
from motorpool.simulation.scenario import Scenario
from motorpool.studies.simulate import enrol
from motorpool.studies.study import Population
from motorpool.trials.design import TrialDesign
from motorpool.trials.scenarios import WITHOUT, external_scenario, trial_scenario

MONTHS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_MONTH
DEFAULT_PEOPLE = 1024
ENOUGH_PEOPLE = 256.0  # after weighting; numerical choice
MOST_AT_FLOOR = 0.95  # an endpoint at the end of its scale in more people than this cannot tell arms apart
# Under one draw of what is not known an endpoint may say nearly nothing; that is an answer too.
NOBODY_LEAVES = 0.999
VENTILATION = "permanent_ventilation_16h_14d"

Array = NDArray[Any]
Tell = Callable[[str, float], None]


@dataclasses.dataclass(frozen=True)
class Lives:
    """The same people under one plan; V visits, O outcomes of the design, M milestones, E events, P people.

    true (V, O, P): true scores, NaN after death. event_months (E, P): months since enrolment, +inf for never within
    the record. milestones (V, M, P): held at the visit. serious (P,): adverse events related to the procedure or cells.
    """

    true: Array
    event_months: Array
    milestones: Array
    adverse_events: Array

    @property
    def death_months(self) -> Array:
        """Months to death, (P,)."""
        return self.event_months[EVENTS.index("death")]

    @property
    def ventilation_months(self) -> Array:
        """Months to permanent ventilation, (P,)."""
        return self.event_months[EVENTS.index(VENTILATION)]


@dataclasses.dataclass(frozen=True)
class Pool:
    """Everybody of one draw of what is not known, under every plan.

    baseline (O, P): scores as taken at enrolment. lives: by name of the arm, or of the arm with a changed plan.
    external, external_baseline, external_strata (age in months and copies): people outside the trial, or None.
    weights, external_weights (P,): how often people are drawn, adding to 1; they bring baselines near the means and SDs
    that the design asks for. tried, eligible_by_copies: for accrual.
    """

    draw_number: int | None
    draw: Draw
    visit_months: Array
    baseline: Array
    enrolment_months: Array
    smn2_copies: Array
    sma_type: Array
    lives: dict[str, Lives]
    external: Lives | None
    external_baseline: Array | None
    external_strata: tuple[Array, Array] | None
    weights: Array
    external_weights: Array | None
    tried: int
    eligible_by_copies: dict[int, float]

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.baseline.shape[-1])


def simulate_pool(
    design: TrialDesign,
    *,
    people: int = DEFAULT_PEOPLE,
    draw: int | None = None,
    cells_effect: float | None = None,
    tell: Tell | None = None,
) -> Pool:
    """Simulate the people of a trial under every arm.

    Args:
        design: the trial.
        people: how many.
        draw: number of the draw of what is not known, or None for the central values.
        cells_effect: total effect of cell therapy instead of the file's.
        tell: progress.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell arms apart in these people.
    """
    say = tell or (lambda stage, share: None)
    scenario = trial_scenario(design, people, cells_effect)
    values = parameter_draw(draw, design.seed)
    say("finding people", 0.0)
    births = Births(values)
    scenario, recruited, weights = _enrolled(scenario, births, people, "population")
    lives: dict[str, Lives] = {}
    for place, arm in enumerate(scenario.arms):
        say("simulating arms", place / len(scenario.arms))
        lives[arm] = _lives(design, scenario, arm, recruited, values)
    external = external_baseline = external_strata = external_weights = None
    if design.external_control is not None:
        say("finding controls", 0.0)
        outside, others, external_weights = _enrolled(
            external_scenario(design, people), births, people, "external_control.cohort"
        )
        external = _lives(design, outside, WITHOUT, others, values)
        external_baseline = _baseline(design, others)
        months = np.asarray(others.people.enrolment_hours) / HOURS_PER_MONTH
        external_strata = (months, np.asarray(others.people.smn2_copies))
    copies = np.asarray(recruited.people.smn2_copies)
    pool = Pool(
        draw_number=draw,
        draw=values,
        visit_months=np.asarray(scenario.visit_months()),
        baseline=_baseline(design, recruited),
        enrolment_months=np.asarray(recruited.people.enrolment_hours) / HOURS_PER_MONTH,
        smn2_copies=copies,
        sma_type=np.asarray(recruited.people.sma_type),
        lives=lives,
        external=external,
        external_baseline=external_baseline,
        external_strata=external_strata,
        weights=weights,
        external_weights=external_weights,
        tried=recruited.tried,
        eligible_by_copies=_eligible(design, recruited),
    )
    _refuse_floor(design, pool)
    return pool


def _enrolled(
    scenario: Scenario, births: Births, people: int, where: str
) -> tuple[Scenario, Recruited, Array]:
    """People who may enter and how often each is drawn; weighed as published studies are, where a mean is asked for."""
    targets = {
        name: (criterion.mean, criterion.sd)
        for name, criterion in scenario.cohort.baseline.items()
        if criterion.mean is not None and criterion.sd is not None
    }
    try:
        if targets:
            enough = min(float(people), ENOUGH_PEOPLE)
            return enrol(Population(scenario, tuple(scenario.arms), targets), births, people, enough)
        recruited = recruit(scenario, births.draw, lambda share: None)
        found = recruited.patient_numbers.size
        return scenario, recruited, np.full(found, 1.0 / found)
    except ScenarioError as error:
        renamed = [
            dataclasses.replace(problem, path=where + problem.path.removeprefix("cohort"))
            for problem in error.problems
        ]
        raise ScenarioError(renamed, scenario.name) from None


def _baseline(design: TrialDesign, recruited: Recruited) -> Array:
    rows = [OUTCOME_INDEX[name] for name in design.outcomes]
    return np.asarray(recruited.people.baseline)[rows].astype(np.float32)


def _lives(design: TrialDesign, scenario: Scenario, arm: str, recruited: Recruited, draw: Draw) -> Lives:
    found = simulate_arm(scenario, arm, recruited, draw)
    rows = [OUTCOME_INDEX[name] for name in design.outcomes]
    # A life is known up to the last visit; every event after it is beyond the record.
    return Lives(
        true=np.asarray(found.readout.true)[:, rows].astype(np.float32),
        event_months=np.asarray(found.readout.event_time_years) * MONTHS_PER_YEAR,
        milestones=np.asarray(found.readout.milestone_status).astype(bool),
        adverse_events=np.asarray(found.adverse_events),
    )


def _eligible(design: TrialDesign, recruited: Recruited) -> dict[int, float]:
    """Share of people with these copies who could enter, by copies."""
    copies = np.asarray(recruited.people.smn2_copies)
    distinct = np.asarray(recruited.people.person.identity)
    found: dict[int, float] = {}
    for number, share in design.population.smn2_shares.items():
        if share > 0.0:
            mine = np.unique(distinct[copies == number]).size
            found[number] = min(1.0, mine / max(1.0, share * recruited.tried))
    return found


@functools.cache
def copies_at_birth() -> dict[int, float]:
    """Share of newborns with SMA by SMN2 copies; the last entry holds four and more."""
    table = load_facts("smn2_copies").table("copies_at_birth")
    return {int(row[0]): float(row[1]) for row in table.rows}


def _refuse_floor(design: TrialDesign, pool: Pool) -> None:
    """An endpoint at the end of its scale in nearly everybody, all the time, cannot tell arms apart."""
    most = MOST_AT_FLOOR if pool.draw_number is None else NOBODY_LEAVES
    for place, endpoint in enumerate(design.endpoints):
        if endpoint.outcome is None:
            continue
        view, row = outcome_view(endpoint.outcome), design.outcomes.index(endpoint.outcome)
        for end, word in ((view.low, "lowest"), (view.high, "highest")):
            if end is None:
                continue
            at_end = [_share_at(lives.true[:, row], end) for lives in pool.lives.values()]
            if min(at_end) > most:
                message = (
                    f"stands at its {word} value, {end:g}, in {100 * min(at_end):.0f} % of these people at every "
                    "visit of every arm; it cannot tell the arms apart. Choose another score or other people"
                )
                raise ScenarioError.single(
                    f"endpoints.{place}.outcome", message, value=endpoint.outcome, source=design.name
                )


def _share_at(values: Array, end: float) -> float:
    alive = np.isfinite(values)
    return float(np.mean(np.abs(values[alive] - end) < 0.5)) if alive.any() else 1.0
