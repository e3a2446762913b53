"""Studies through the simulator: repeatable, independent of what else is simulated, and treated only by therapies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from motorpool.evidence.published import PublishedStudy
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation.births import Births
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.simulation.readout import EVENTS
from motorpool.studies import simulate
from motorpool.studies.predict import predict_all, predict_study
from motorpool.studies.simulate import ArmPeople, simulate_study
from motorpool.studies.study import Study, load_study, study_from_published

pytestmark = pytest.mark.slow

PATIENTS = 32
EVENT = "death_or_permanent_ventilation_16h_21d"
Arms = dict[str, ArmPeople]


@pytest.fixture(scope="module")
def draw() -> Draw:
    return parameter_draw(None, 0)


def endear(therapies: list[dict[str, Any]], cohort: dict[str, Any] | None = None) -> Study:
    """ENDEAR with both arms drawn from the population of its sham arm, and this plan in the nusinersen arm."""
    published = load_study("ENDEAR").published
    run: Any = dict(published.run or {})
    sham = {**run["arms"]["sham"], "cohort": {**run["arms"]["sham"]["cohort"], **(cohort or {})}}
    run["arms"] = {"nusinersen": {**sham, "therapies": therapies}, "sham": sham}
    changed = PublishedStudy.model_validate({**published.model_dump(), "run": run})
    return study_from_published(changed, "ENDEAR")


@pytest.fixture(scope="module")
def treated(draw: Draw) -> Arms:
    return simulate_study(endear([{"therapy": "nusinersen"}]), Births(draw), PATIENTS)


def months_to(event: str) -> Callable[[ArmPeople], Any]:
    """Each person's time to an event, not seen counting as the end of the record."""
    return lambda arm: np.minimum(arm.event_months[EVENTS.index(event)], arm.horizon_months)


def assert_same_bits(one: ArmPeople, other: ArmPeople) -> None:
    for field in dataclasses.fields(ArmPeople):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(other, field.name), err_msg=field.name, strict=True
        )


def test_a_study_simulated_again_gives_the_same_bits_whatever_was_simulated_before(draw: Draw):
    first, second = Births(draw), Births(draw)
    alone = simulate_study(load_study("PNCR"), first, PATIENTS)
    endear_later = simulate_study(load_study("ENDEAR"), first, PATIENTS)
    endear_first = simulate_study(load_study("ENDEAR"), second, PATIENTS)
    again = simulate_study(load_study("PNCR"), second, PATIENTS)
    assert set(alone) == {"two_copies"} and set(endear_first) == {"nusinersen", "sham"}
    for before, after in ((alone, again), (endear_later, endear_first)):
        assert set(before) == set(after)
        for name in before:
            assert_same_bits(before[name], after[name])
    assert len(alone["two_copies"]) == PATIENTS


def test_without_its_therapy_an_arm_is_the_sham_arm(draw: Draw):
    arms = simulate_study(endear([]), Births(draw), PATIENTS)
    assert_same_bits(arms["nusinersen"], arms["sham"])


def test_with_its_therapy_the_same_people_fare_better(treated: Arms):
    nusinersen, sham = treated["nusinersen"], treated["sham"]
    for name in ("weights", "enrolment_months", "onset_months", "sma_type"):
        np.testing.assert_array_equal(getattr(nusinersen, name), getattr(sham, name))
    # Nobody dies earlier, but for hours: hazards are integrated over the steps of each plan. Days of ventilation are
    # counted, so that one event may come a day sooner.
    death, event = (row(nusinersen) - row(sham) for row in (months_to("death"), months_to(EVENT)))
    assert (death > -0.01).all() and (death > 1).sum() > 3
    assert (event > -0.1).all() and (event > 1).sum() > 3
    with_it, without = (
        arm.observed[-1, OUTCOME_INDEX["chop_intend"]] - arm.observed[0, OUTCOME_INDEX["chop_intend"]]
        for arm in (nusinersen, sham)
    )
    assert np.nanmean(with_it) > np.nanmean(without) + 4.0


def test_people_are_weighed_to_the_published_baseline(treated: Arms):
    sham = treated["sham"]
    baseline = sham.observed[0, OUTCOME_INDEX["chop_intend"]]
    assert sham.weights.sum() == pytest.approx(1.0)
    assert float(sham.weights @ baseline) == pytest.approx(28.43, abs=0.2 * 7.56)
    assert sham.effective_people < len(sham)


def test_the_dead_are_not_scored_and_hold_nothing(treated: Arms):
    sham = treated["sham"]
    dead = ~sham.alive
    assert dead[-1].any() and not dead[0].any()
    assert np.isnan(sham.observed[:, OUTCOME_INDEX["chop_intend"]][dead]).all()
    assert np.isfinite(sham.observed[:, OUTCOME_INDEX["chop_intend"]][~dead]).all()
    assert not sham.milestone_status.transpose(0, 2, 1)[dead].any()
    died = sham.event_months[EVENTS.index("death")]
    np.testing.assert_array_equal(sham.alive, died > sham.visit_months[:, None])


def test_an_arm_that_nobody_fits_is_left_out_and_its_endpoints_are_not_predicted(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(simulate, "FIRST_TRIED", 128)
    monkeypatch.setattr(simulate, "MOST_TRIED", 128)
    study = endear([], {"baseline": {"chop_intend": {"min": 63, "mean": 63.5, "sd": 0.5}}})
    births = Births(draw)
    assert simulate_study(study, births, PATIENTS) == {}
    assert predict_study(study, births, patients=PATIENTS, count=4, wanted=study.endpoints) == {}


def test_a_prediction_does_not_depend_on_what_else_is_predicted(draw: Draw):
    study = load_study("PNCR")
    one, others = study.endpoints[-1], study.endpoints
    alone = predict_all({"PNCR": (study, [one])}, draw, patients=PATIENTS, count=16)
    together = predict_all({"PNCR": (study, others)}, draw, patients=PATIENTS, count=16)
    assert set(together) == {f"PNCR.{endpoint.id}" for endpoint in others}
    key = f"PNCR.{one.id}"
    assert alone[key].value == together[key].value
    np.testing.assert_array_equal(alone[key].replicates, together[key].replicates)
    assert alone[key].replicates.shape == (16,)
    # The scatter of studies of 23 infants about the whole simulated sample.
    assert 0.2 < np.std(alone[key].replicates) < 1.2
    assert abs(np.mean(alone[key].replicates) - alone[key].value) < 0.5
