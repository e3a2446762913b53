"""A made-up validation: predictions near, or far from, the published figures, judged as real ones are.

The predictions are invented; nothing is simulated. They say nothing about SMA.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from motorpool.calibration.predictive import is_count, published_count
from motorpool.calibration.validate import judge_all
from motorpool.calibration.validation_summary import Validation
from motorpool.evidence.published import PublishedEndpoint
from motorpool.studies.predict import Prediction
from motorpool.studies.scale import backward, forward, published_estimate
from motorpool.studies.study import Study, executable_studies, load_study
from tests.support.credibility_samples import made_up_posterior

DRAWS, REPLICATES = 8, 40


def made_up_predictions(
    study: Study,
    endpoint: PublishedEndpoint,
    *,
    off_by: float = 0.0,
    people: float = 100.0,
    draws: int = DRAWS,
) -> dict[int, Prediction]:
    """Predictions by draw around the published value, ``off_by`` standard errors away from it."""
    name = f"{study.name}.{endpoint.id}"
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    estimate = published_estimate(endpoint)
    error = estimate.standard_error or 0.2
    found: dict[int, Prediction] = {}
    for number in range(draws):
        value = estimate.value + error * (off_by + 0.3 * generator.standard_normal())
        if is_count(endpoint):
            n = int(endpoint.n or 1)
            counts = generator.binomial(n, backward(endpoint, value), REPLICATES)
            replicates = forward(endpoint, counts / n, float(n))
        else:
            replicates = value + error * generator.standard_normal(REPLICATES)
        found[number] = Prediction(float(value), replicates, people)
    return found


def made_up_validation_run(
    studies: Sequence[Study] | None = None,
    *,
    missed: Sequence[str] = (),
    absent: Sequence[str] = (),
    few: Sequence[str] = (),
) -> Validation:
    """A validation of all scored endpoints of these studies, by default of all shipped ones.

    Args:
        missed, absent, few: endpoints (``STUDY.endpoint``) predicted far off, not at all, and from few people.
    """
    chosen = [load_study(name) for name in executable_studies()] if studies is None else list(studies)
    wanted = {study.name: list(study.endpoints) for study in chosen}
    found: dict[str, dict[int, Prediction]] = {}
    without: dict[str, dict[int, Prediction]] = {}
    for study in chosen:
        for endpoint in study.endpoints:
            name = f"{study.name}.{endpoint.id}"
            if name in absent:
                continue
            away = 8.0 if _middle(endpoint) else -8.0
            found[name] = made_up_predictions(
                study,
                endpoint,
                off_by=away if name in missed else 0.0,
                people=1.0 if name in few else 100.0,
            )
            if any(arm.therapies for arm in study.run.arms.values()):
                without[name] = made_up_predictions(study, endpoint, off_by=away / 2, draws=4)
    posterior = made_up_posterior()
    rows, missing = judge_all(chosen, wanted, found, without, DRAWS, posterior)
    return Validation(rows, missing, DRAWS, 100, posterior.facts.draws_sha256)


def _middle(endpoint: PublishedEndpoint) -> bool:
    """Whether there is room above the published value."""
    return not is_count(endpoint) or published_count(endpoint) < 0.5 * (endpoint.n or 1)
