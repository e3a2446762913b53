"""What is watched step by step is what a full record of the same lives shows."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.blocks import begin_life, live
from motorpool.engine.grid import last_rows
from motorpool.engine.span import Row
from motorpool.engine.watch import Watched
from motorpool.outcomes.panel import MILESTONE_INDEX, OUTCOME_INDEX
from motorpool.outcomes.respiratory_infections import infection_severity
from motorpool.outcomes.ventilation_record import VentilationDefinition
from tests.support import lives, recomputed

PEOPLE, YEARS, ENROLMENT_YEARS = 64, 4.0, 0.25
STANDARD_CARE = 1.0
DEFINITIONS = (
    VentilationDefinition(16.0, 14, False),
    VentilationDefinition(6.0, 7, False),
    VentilationDefinition(6.0, 7, True),
)
PLAN: tuple[dict[str, Any], ...] = (
    {"therapy": "nusinersen", "start": {"at": "enrolment", "delay_days": 400}},
    {"therapy": "spine_surgery", "start": {"at": "enrolment", "delay_days": 500}},
)


@dataclasses.dataclass(frozen=True)
class Record:
    """Ages (K, P), what was recorded at every boundary, and what was watched."""

    ages: Any
    row: Row
    watched: Watched
    who: Any
    parameters: Any
    last: Any


@pytest.fixture(scope="module")
def record() -> Record:
    who = lives.people(
        smn2_copies=np.resize([1.0, 2.0, 2.0, 3.0], PEOPLE),
        log_vulnerability=np.linspace(-0.6, 0.6, PEOPLE),
        death_draw=np.geomspace(0.001, 3.0, PEOPLE)[::-1],
        tube_feeding_draw=np.geomspace(0.01, 3.0, PEOPLE),
    )
    # Plans begin at different ages, so that some operations would come after the record.
    begin = np.linspace(ENROLMENT_YEARS, YEARS - 0.5, PEOPLE)
    courses = lives.courses_from(*PLAN)
    span, setting = lives.prepared(courses, who, until_years=YEARS, enrolment_years=begin, care=STANDARD_CARE)
    enrolled = np.full(PEOPLE, round(ENROLMENT_YEARS * HOURS_PER_YEAR), np.int32)
    span = dataclasses.replace(span, enrolment_hours=enrolled)
    last = last_rows(span.grid_hours)
    every = np.minimum(np.arange(len(span.grid_hours))[:, None], last).astype(np.int32)
    life, row = live(begin_life(span, setting, DEFINITIONS), every, span, setting, DEFINITIONS)
    return Record(span.grid_hours, row, life.watched, who, setting.parameters.outcomes, last)


def of(person: int, values: Any, record: Record) -> Any:
    """One person's rows (K, ...) up to the last boundary."""
    return np.asarray(values)[: record.last[person] + 1, ..., person].astype(float)


def test_milestones(record: Record) -> None:
    rules = record.parameters.milestones
    seen = record.watched.milestones
    days = {name: np.broadcast_to(getattr(rules, name), len(MILESTONE_INDEX)) for name in vars(rules)}
    for person in range(PEOPLE):
        margins = of(person, record.row.margins, record)
        for row in range(len(MILESTONE_INDEX)):
            whole = recomputed.milestone(
                margins[:, row],
                of(person, record.ages, record),
                hold_hours=float(days["hold_days"][row]) * HOURS_PER_DAY,
                loss_hold_hours=float(days["loss_hold_days"][row]) * HOURS_PER_DAY,
                hysteresis=float(days["hysteresis"][row]),
            )
            assert float(seen.gained[row, person]) == pytest.approx(whole.gained, abs=0.5)
            assert float(seen.lost[row, person]) == pytest.approx(whole.lost, abs=0.5)
            held = of(person, record.row.held, record)[:, row].astype(bool)
            assert np.array_equal(held, whole.held)
    assert np.isfinite(seen.gained).any()
    assert np.isfinite(seen.lost).any()


@pytest.mark.parametrize(("row", "event"), [(0, "death"), (1, "tube")])
def test_events_of_a_hazard(row: int, event: str, record: Record) -> None:
    draws = {"death": record.who.death_draw, "tube": record.who.tube_feeding_draw}[event]
    seen = np.asarray(getattr(record.watched, f"{event}_age_hours"))
    for person in range(PEOPLE):
        hazard = of(person, record.row.cumulative_hazard, record)[:, row]
        wanted = recomputed.crossing(hazard, of(person, record.ages, record), float(draws[person]))
        assert float(seen[person]) == pytest.approx(wanted, rel=1e-5, abs=0.5)
    assert 0 < np.isfinite(seen).sum() < PEOPLE


def test_ventilation(record: Record) -> None:
    outcomes = record.parameters
    usual = float(outcomes.breathing.given_standard)
    odds = np.asarray(record.who.ventilation_odds, float) * usual / (1.0 - usual)
    given = odds / (1.0 + odds)  # each family's own choice
    seen = np.asarray(record.watched.ventilation.met_on_day)
    wanted = np.empty_like(seen)
    for person in range(PEOPLE):
        breathing, worn = (
            of(person, values, record) for values in (record.row.breathing, record.row.ventilation)
        )
        wanted[:, person] = recomputed.ventilation_days(
            of(person, record.ages, record),
            of(person, record.row.outcomes, record)[:, OUTCOME_INDEX["ventilation_hours_per_day"]],
            np.maximum(given[person], worn) / (1.0 + np.exp(breathing)),
            round(ENROLMENT_YEARS * HOURS_PER_YEAR),
            lambda days, person=person: np.asarray(
                infection_severity(jnp.uint32(person), jnp.asarray(days * HOURS_PER_DAY), outcomes.infections)
            ),
            hours_added=float(outcomes.ventilation.hours_added_by_full_infection),
            shortest_hours=float(outcomes.ventilation.shortest_session_hours),
            niv_hours=float(outcomes.breathing.start_of_niv_hours),
            definitions=DEFINITIONS,
        )
    # A day may tip over by rounding where hours lie on the very edge of a definition.
    assert (seen == wanted).mean() > 0.98
    assert np.isfinite(seen).any(axis=1).all()
    assert np.isinf(seen).any(axis=1).all()


def test_operations(record: Record) -> None:
    seen = np.asarray(record.watched.surgery_age_hours)
    surgery = [one["therapy"] for one in PLAN].index("spine_surgery")
    for person in range(PEOPLE):
        # What a boundary gives is told with the row after it.
        given = np.flatnonzero(of(person, record.row.doses, record)[1:, surgery] > 0)
        wanted = of(person, record.ages, record)[given[0]] if given.size else np.inf
        assert seen[person] == wanted
    assert 0 < np.isfinite(seen).sum() < PEOPLE


def test_doses_are_told_once_whatever_rows_are_looked_at(record: Record) -> None:
    every = np.asarray(record.row.doses)
    assert (every[:, 0] > 0).any()
    assert not np.asarray(record.watched.doses).any()
