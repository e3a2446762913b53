"""Predicting studies under one draw of the parameters: every endpoint, and how far studies of that size scatter."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from motorpool.evidence.published import PublishedEndpoint
from motorpool.simulation.births import Births
from motorpool.simulation.model import Draw
from motorpool.studies.endpoints import replicates, whole_sample
from motorpool.studies.scale import forward
from motorpool.studies.simulate import ArmPeople, simulate_study
from motorpool.studies.study import Study, arms_of

Array = NDArray[np.float64]
LARGEST_SAMPLE = 2000  # of a replicate: larger studies scatter less than the model errs


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One endpoint under one draw, on its scale.

    value: in all simulated people. replicates (R,): in studies of the published size. effective_people: what the
    smallest arm is worth after weighting.
    """

    value: float
    replicates: Array
    effective_people: float


def arm_size_of(study: Study, endpoint: PublishedEndpoint) -> float:
    """People in an arm of a replicate study: the harmonic mean of its arms, in which variances go."""
    sizes = [min(study.patients(endpoint, arm), LARGEST_SAMPLE) for arm in arms_of(endpoint)]
    return len(sizes) / sum(1.0 / size for size in sizes)


def predict_study(
    study: Study, births: Births, *, patients: int, count: int, wanted: Sequence[PublishedEndpoint]
) -> dict[str, Prediction]:
    """Predictions of these endpoints of a study by id; endpoints that cannot be predicted are left out.

    Args:
        births: the candidates of one draw of the parameters.
        patients: virtual people per arm.
        count: replicate studies of the published size.
    """
    arms = simulate_study(study, births, patients)
    found: dict[str, Prediction] = {}
    for endpoint in wanted:
        if all(name in arms for name in arms_of(endpoint)):
            prediction = _predict(study, endpoint, arms, count)
            if np.isfinite(prediction.value):
                found[endpoint.id] = prediction
    return found


def _predict(
    study: Study, endpoint: PublishedEndpoint, arms: Mapping[str, ArmPeople], count: int
) -> Prediction:
    names = arms_of(endpoint)
    effective = min(arms[name].effective_people for name in names)
    sizes = {name: min(study.patients(endpoint, name), LARGEST_SAMPLE) for name in names}
    # The generator belongs to the endpoint, so that a prediction does not depend on what else is predicted.
    generator = np.random.default_rng(zlib.crc32(f"{study.name}.{endpoint.id}".encode()))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(forward(endpoint, whole_sample(endpoint, arms, sizes), effective))
        drawn = replicates(endpoint, arms, sizes, count, generator) if count else np.zeros(0)
        scattered = forward(endpoint, drawn, float(sum(sizes.values())))
    return Prediction(value, scattered, effective)


def predict_all(
    wanted: Mapping[str, tuple[Study, Sequence[PublishedEndpoint]]],
    draw: Draw,
    *,
    patients: int,
    count: int = 0,
) -> dict[str, Prediction]:
    """Predictions of many studies under one draw, by ``STUDY.endpoint``; studies share their candidates."""
    births = Births(draw)
    found: dict[str, Prediction] = {}
    for name, (study, endpoints) in wanted.items():
        for endpoint, prediction in predict_study(
            study, births, patients=patients, count=count, wanted=endpoints
        ).items():
            found[f"{name}.{endpoint}"] = prediction
    return found
