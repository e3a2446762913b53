"""Parameters that made synthetic studies are found again through the real simulator."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from motorpool.calibration.emulate import fit_emulator
from motorpool.calibration.mode import (
    Mode,
    difference_points,
    errors_of,
    jacobian,
    misfit,
    posterior_precision,
    walk_to_mode,
)
from motorpool.calibration.space import ParameterSpace, parameter_space
from motorpool.calibration.targets import Target
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.published import PublishedEndpoint
from motorpool.simulation.model import draw_of_values
from motorpool.studies.predict import Prediction, predict_all
from motorpool.studies.scale import family_of, load_calibration_rules
from motorpool.studies.study import Study, load_study, study_from_published
from tests.studies.hand_made import endpoint

# In prior standard deviations from the records' values.
TRUE_DEVIATIONS = {
    "smn.level_per_smn2_copy": 0.9,
    "hine2.middle_log_odds": -0.5,
    "chop_intend.middle_log_odds": 0.45,
}
PATIENTS, POINTS = 160, 32
MADE_WITH = 5  # added to the seed of the people who make the data
EVENT = "death_or_permanent_ventilation_16h_14d"


def made(arm: str, outcome: str, metric: str, n: int, **clock: float) -> PublishedEndpoint:
    """A figure to be made; its value is a placeholder."""
    name = "_".join([outcome, metric, *(f"{value:g}" for value in clock.values())])
    return endpoint(outcome, metric, id=name, arm=arm, n=n, **clock)


def with_endpoints(name: str, endpoints: Sequence[PublishedEndpoint], seed: int) -> Study:
    """A shipped study that reports these figures, with virtual people of its own."""
    published = load_study(name).published.model_copy(update={"endpoints": tuple(endpoints)})
    study = study_from_published(published, name)
    populations = tuple(
        dataclasses.replace(
            population,
            scenario=population.scenario.model_copy(update={"seed": population.scenario.seed + seed}),
        )
        for population in study.populations
    )
    return dataclasses.replace(study, populations=populations)


# Few of each study: all are of the same people, and so are not as independent as their errors say.
ENDPOINTS = {
    "PNCR": [
        made("two_copies", "onset_age_months", "mean", 46, time_months=0),
        made("two_copies", "chop_intend", "mean", 46, time_months=0),
        made("two_copies", EVENT, "survival_proportion", 46, age_months=10.5),
        made("two_copies", "death", "survival_proportion", 46, time_months=18),
    ],
    "ENDEAR": [
        made("sham", "chop_intend", "mean_change", 41, time_months=6),
        made("sham", "hine2", "mean", 41, time_months=0),
        made("sham", "death", "proportion", 41, time_months=9),
    ],
}


def predictions(z: np.ndarray, space: ParameterSpace, *, seed: int = 0, count: int = 0) -> list[Prediction]:
    table = load_parameter_table()
    draw = draw_of_values({**table.central_values(), **space.values(z, table)}, table)
    wanted: Any = {
        name: (with_endpoints(name, endpoints, seed), endpoints) for name, endpoints in ENDPOINTS.items()
    }
    found = predict_all(wanted, draw, patients=PATIENTS, count=count)
    return [found[f"{name}.{one.id}"] for name, endpoints in ENDPOINTS.items() for one in endpoints]


@pytest.mark.slow
def test_parameters_behind_synthetic_studies_are_found_again():
    """Simulate at points over the prior, emulate, step to the mode: as a calibration does, in this process."""
    whole = parameter_space(load_parameter_table(), load_calibration_rules())
    space = ParameterSpace(tuple(axis for axis in whole.axes if axis.name in TRUE_DEVIATIONS))
    truth = np.array([TRUE_DEVIATIONS[name] for name in space.names])
    assert truth.size == 3

    # One study each of the published size, of other people than those with whom they are fitted.
    found_there = predictions(truth, space, seed=MADE_WITH, count=1)
    reported = [(name, one) for name, endpoints in ENDPOINTS.items() for one in endpoints]
    targets = [
        Target(name, one, float(there.replicates[0]), None, family_of(one), 0.02, float(one.n or 1))
        for (name, one), there in zip(reported, found_there, strict=True)
    ]

    start = np.zeros(3)
    scattered = predictions(start, space, count=64)
    centre = np.array([there.value for there in scattered])
    sampling = np.array([np.std(there.replicates) for there in scattered])
    finite = sampling * np.sqrt(
        [(one.n or 1) / t.effective_people for (_, one), t in zip(reported, scattered, strict=True)]
    )

    def simulate(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.array([there.value for there in predictions(z, space)]) for z in points]

    moved, steps = difference_points(start, space)
    slopes = jacobian(centre, simulate(moved), steps)
    points = 0.9 * np.random.default_rng(0).standard_normal((POINTS, 3))
    emulator = fit_emulator(points, np.stack(simulate(list(points))), start, slopes, sampling**2 + finite**2)
    # Those who made the data are finitely many, and so are those with whom they are fitted.
    errors = errors_of(targets, sampling, 2.0 * finite**2 + emulator.error_sd**2)

    def emulate(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(emulator.predict(np.stack(points)))

    def with_slopes(z: np.ndarray, course: tuple[float, ...]) -> Mode:
        (here,) = emulate([z])
        moved, steps = difference_points(z, space)
        return Mode(z, here, jacobian(here, emulate(moved), steps), course)

    found = with_slopes(start, (misfit(start, emulate([start])[0], errors),))
    for _ in range(3):
        found = walk_to_mode(found, errors, space, emulate, 5)
        found = with_slopes(found.z, found.course)
    posterior_sd = np.sqrt(np.diag(np.linalg.inv(posterior_precision(found.slopes, errors))))
    assert (np.abs(found.z - truth) < 2 * posterior_sd).all()
    # That says something: the studies inform every axis, and the records' own values would not have passed.
    assert (posterior_sd < 0.7).all()
    assert (np.abs(truth) > 2 * posterior_sd).any()
    assert found.course[-1] < found.course[0] - 2
