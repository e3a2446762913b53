"""The stages of a calibration on a toy problem: how sure each target is, and where simulations are made."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motorpool.calibration import evaluate as evaluate_module
from motorpool.calibration.evaluate import Evaluation, Job
from motorpool.calibration.pipeline import LEAST_PEOPLE, SAME_POINT, Calibration, Setting
from motorpool.calibration.targets import targets_of
from motorpool.evidence.parameters import load_parameter_table
from motorpool.studies.predict import arm_size_of
from motorpool.studies.study import executable_studies, load_study
from tests.calibration.toy import Pool, space_of, targets_of_kinds

TARGETS, DIMENSIONS = 4, 2


@pytest.fixture
def work(tmp_path: Path) -> Calibration:
    setting = Setting(
        targets_of_kinds(TARGETS),
        space_of(DIMENSIONS),
        load_parameter_table(),
        Job(("MADE-0",), "calibration", 128),
        "toy",
    )
    return Calibration(setting, tmp_path, lambda stage, done, of: None)


def test_the_finite_simulation_adds_the_chance_of_a_study_as_large_as_the_people_behind_it(work: Calibration):
    *_, last = work.setting.targets
    targets = (*work.setting.targets[:-1], dataclasses.replace(last, standard_error=None, people=25.0))
    work.setting = dataclasses.replace(work.setting, targets=targets)
    sampling = np.array([0.4, 0.5, 0.6, 0.7])
    found = work.errors(Evaluation(np.zeros(TARGETS), sampling, np.full(TARGETS, 100.0)))
    # A change of a scale without an error: a study of 25 scatters by 0.7, a hundred people by half of that.
    assert found.variance[3] == pytest.approx(0.7**2 + last.discrepancy**2 + 0.7**2 * 25 / 100)


def test_without_a_prediction_a_target_still_has_an_error(work: Calibration):
    nothing = Evaluation(np.full(TARGETS, np.nan), np.full(TARGETS, 0.5), np.zeros(TARGETS))
    change = work.setting.targets[1]
    wanted = (
        (change.standard_error or 0.0) ** 2 + change.discrepancy**2 + 0.5**2 * change.people / LEAST_PEOPLE
    )
    assert work.errors(nothing).variance[1] == pytest.approx(wanted)


def test_every_target_is_of_a_known_number_of_people():
    for study in map(load_study, executable_studies()):
        for target in targets_of(study, None):
            assert target.people == arm_size_of(study, target.endpoint) > 0


def test_luck_that_averages_out_adds_nothing(work: Calibration):
    at = Evaluation(np.zeros(TARGETS), np.full(TARGETS, 0.5), np.full(TARGETS, 100.0))
    finite, infinite = work.errors(at).variance, work.infinite_errors(at).variance
    assert (infinite < finite).all()
    own = np.array([t.standard_error or 0.5 for t in work.setting.targets])
    discrepancy = np.array([t.discrepancy for t in work.setting.targets])
    np.testing.assert_allclose(infinite, own**2 + discrepancy**2)


def test_every_emulated_point_meets_luck_of_its_own(work: Calibration, monkeypatch: pytest.MonkeyPatch):
    """Seeds go on from stage to stage, and the same stages meet the same seeds again."""

    def evaluate(values: Any, job: Job) -> Evaluation:
        drawn = np.random.default_rng(job.luck).normal(size=TARGETS)
        return Evaluation(drawn, np.full(TARGETS, 1.0), np.full(TARGETS, 100.0))

    monkeypatch.setattr(evaluate_module, "evaluate", evaluate)
    pool: Any = Pool()
    chance = work.chance(np.zeros(DIMENSIONS), pool)
    assert (chance > 0.2).all() and (chance < 3.0).all()
    values = work.simulate_with_own_luck([np.zeros(DIMENSIONS), np.ones(DIMENSIONS)], pool, "made")
    lucks = [job.luck for job in pool.jobs]
    assert lucks == list(range(1, SAME_POINT + 3))
    again: Any = Pool()
    other = Calibration(work.setting, work.folder, work.tell)
    np.testing.assert_array_equal(other.chance(np.zeros(DIMENSIONS), again), chance)
    np.testing.assert_array_equal(
        other.simulate_with_own_luck([np.zeros(DIMENSIONS), np.ones(DIMENSIONS)], again, "made"), values
    )
    assert again.jobs == []
