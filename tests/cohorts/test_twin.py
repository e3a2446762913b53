"""Onset and type that the untreated twin's program finds are those that a full record of the same lives shows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from motorpool.biology.growth import typical_maturity
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.cohorts.onset import INFANT_UNTIL_YEARS, LATE_MILESTONES
from motorpool.cohorts.twin import onset_and_type
from motorpool.outcomes.motor_scales import healthy_chop_intend, healthy_scale_score
from motorpool.outcomes.panel import MILESTONE_INDEX
from tests.support import lives, recomputed

PEOPLE, ADULT_YEARS = 96, 18.0
LATEST_YEARS = (0.8, 1.0, 1.5)  # sitting, standing with support, walking


@dataclasses.dataclass(frozen=True)
class Shown:
    """What the program finds, and what the record shows, (P,) each."""

    onset: Any
    kind: Any
    recomputed_onset: Any
    recomputed_kind: Any


def noticed(life: lives.Life, person: int, years: Any) -> float:
    """Age in hours at which examinations first show weakness, +inf if never; plain comparisons of scores."""
    draw = lives.central_draw()
    outcomes, people, growth = draw.model.outcomes, draw.people, draw.model.biology.growth
    notice = float(life.people.onset_notice[person])
    chop = (
        np.asarray(healthy_chop_intend(years, outcomes.chop_intend)) - life.outcome("chop_intend")[:, person]
    )
    healthy = np.asarray(healthy_scale_score(typical_maturity(years, growth), outcomes.hfmse))
    hfmse = healthy - life.outcome("hfmse")[:, person]
    infant = (years >= 0) & (years < INFANT_UNTIL_YEARS)
    weak = np.where(
        infant,
        chop > float(people.notice_chop_intend_deficit) * notice,
        (years >= INFANT_UNTIL_YEARS) & (hfmse > float(people.notice_hfmse_deficit) * notice),
    )
    return float(life.grid_hours[np.argmax(weak), person]) if weak.any() else np.inf


def milestone(life: lives.Life, person: int, name: str) -> recomputed.Milestone:
    rules = lives.central_draw().model.outcomes.milestones
    row = MILESTONE_INDEX[name]

    def value(field: str) -> float:
        return float(np.broadcast_to(getattr(rules, field), len(MILESTONE_INDEX))[row])

    return recomputed.milestone(
        life.path.margins[:, row, person],
        life.grid_hours[:, person],
        hold_hours=value("hold_days") * HOURS_PER_DAY,
        loss_hold_hours=value("loss_hold_days") * HOURS_PER_DAY,
        hysteresis=value("hysteresis"),
    )


@pytest.fixture(scope="module", params=[10.0, 25.0], ids=["childhood", "adulthood"])
def shown(request: pytest.FixtureRequest) -> Shown:
    years = float(request.param)
    who = lives.people(
        smn2_copies=np.resize([1.0, 2.0, 3.0, 4.0, 5.0], PEOPLE),
        smn1_copies=np.where(np.arange(PEOPLE) % 12 == 0, 1.0, 0.0),
        log_vulnerability=np.linspace(-0.8, 0.8, PEOPLE),
        onset_notice=np.resize([0.7, 1.0, 1.4], PEOPLE),
    )
    draw = lives.central_draw()
    span, setting = lives.prepared((), who, until_years=years)
    onset, kind = onset_and_type(span, setting, draw.people, LATEST_YEARS, ADULT_YEARS, chance=True)
    life = lives.live((), who, until_years=years)
    delay = float(draw.people.notice_delay_standing_years)
    onsets, kinds = np.empty(PEOPLE), np.empty(PEOPLE, int)
    for person in range(PEOPLE):
        sits, walks = (milestone(life, person, name) for name in ("sit_10s", "walk"))
        missed = []
        for name, latest in zip(LATE_MILESTONES, LATEST_YEARS, strict=True):
            late = (latest + delay * float(who.onset_notice[person])) * HOURS_PER_YEAR
            if milestone(life, person, name).gained > late and late <= life.grid_hours[-1, person]:
                missed.append(late)
        examined = noticed(life, person, life.age_years[:, person])
        onsets[person] = min(examined, sits.lost, walks.lost, *missed)
        grown_up = years >= ADULT_YEARS and onsets[person] >= ADULT_YEARS * HOURS_PER_YEAR
        reached = 1 if np.isinf(sits.gained) else 2 if np.isinf(walks.gained) else 4 if grown_up else 3
        kinds[person] = 0 if float(who.smn1_level[person]) > 0 else reached
    return Shown(onset, kind, onsets, kinds)


def test_the_type_is_what_the_record_shows(shown: Shown) -> None:
    assert np.array_equal(shown.kind, shown.recomputed_kind)
    assert {0, 1, 2, 3} <= set(shown.kind.tolist())


def test_the_onset_is_what_the_record_shows(shown: Shown) -> None:
    np.testing.assert_allclose(shown.onset, shown.recomputed_onset, atol=1.0)
    assert np.isfinite(shown.onset).any()
    assert np.isinf(shown.onset).any()


def test_a_record_of_childhood_knows_no_type_that_begins_in_adulthood() -> None:
    who = lives.people(smn2_copies=np.linspace(3.0, 8.0, PEOPLE))
    draw = lives.central_draw()

    def kinds(years: float) -> Any:
        span, setting = lives.prepared((), who, until_years=years)
        return onset_and_type(span, setting, draw.people, LATEST_YEARS, ADULT_YEARS, chance=True)[1]

    child, adult = kinds(10.0), kinds(25.0)
    assert 4 not in child
    assert 4 in adult
    assert np.array_equal(np.minimum(adult, 3), child)
