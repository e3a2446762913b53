"""One study predicted and compared with what was published, endpoint by endpoint.

The range of a prediction is that of studies of the published size: who happens to be enrolled, chance in their
courses and, with several draws, what is not known of the parameters. The model's own discrepancy is not in it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.study_sets import StudySet
from motorpool.simulation.births import Births
from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.model import parameter_draw
from motorpool.simulation.recruit import gather
from motorpool.simulation.screening import screen
from motorpool.studies.predict import LARGEST_SAMPLE, Prediction, predict_study
from motorpool.studies.scale import backward, published_estimate
from motorpool.studies.simulate import MOST_TRIED, asking_for
from motorpool.studies.study import Population, Study, arms_of, with_seed
from motorpool.studies.words import SHARES

Array = NDArray[np.float64]
Tell = Callable[[int, int], None]
"""Called with how many draws are done, and of how many."""
REPLICATES, LEAST_REPLICATES = 400, 40  # numerical choices: replicate studies in all, and per draw
LOW, HIGH = 0.05, 0.95
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Compared:
    """One endpoint, published and predicted, both with 90 % intervals in the endpoint's own unit.

    ``published_low`` and ``published_high`` are ``None`` where the paper gives no error. ``effective_people``: what the
    people behind the prediction are worth after weighting, over all draws. ``draws``: how many could predict it.
    """

    endpoint: PublishedEndpoint
    set: StudySet | None
    published: float
    published_low: float | None
    published_high: float | None
    predicted: float
    predicted_low: float
    predicted_high: float
    effective_people: float
    draws: int

    @property
    def inside_90(self) -> bool:
        """Whether the published value lies in the 90 % range of the prediction."""
        return self.predicted_low - ROUNDING <= self.published <= self.predicted_high + ROUNDING

    @property
    def width_ratio(self) -> float | None:
        """Width of the predicted over that of the published 90 % interval; ``None`` without a published one."""
        if self.published_low is None or self.published_high is None:
            return None
        width = self.published_high - self.published_low
        return (self.predicted_high - self.predicted_low) / width if width > 0 else None


@dataclasses.dataclass(frozen=True)
class NotPredicted:
    """One endpoint without a prediction, and why."""

    endpoint: PublishedEndpoint
    reason: str


@dataclasses.dataclass(frozen=True)
class StudyComparison:
    """All endpoints of a study: those compared and those that could not be predicted."""

    study: Study
    draws: int
    compared: tuple[Compared, ...]
    not_predicted: tuple[NotPredicted, ...]


def compare_study(study: Study, *, patients: int, draws: int, seed: int, tell: Tell) -> StudyComparison:
    """Simulate a study under the shipped parameters and compare every endpoint.

    Args:
        patients: virtual people per arm, or more where weighting leaves too few
            (:func:`~motorpool.studies.simulate.enrol`).
        draws: draws of what is not known, or 0 for the central values alone.
        seed: of the draws and of the people.
        tell: progress.
    """
    study = with_seed(study, seed)
    numbers: Sequence[int | None] = range(draws) if draws else (None,)
    count = max(LEAST_REPLICATES, REPLICATES // len(numbers))
    found: dict[str, list[Prediction]] = {}
    births = None
    tell(0, len(numbers))
    for place, number in enumerate(numbers):
        births = Births(parameter_draw(number, seed))
        predictions = predict_study(study, births, patients=patients, count=count, wanted=study.endpoints)
        for name, prediction in predictions.items():
            if np.isfinite(prediction.replicates).any():
                found.setdefault(name, []).append(prediction)
        tell(place + 1, len(numbers))
    assert births is not None
    compared = tuple(
        _compared(study, endpoint, found[endpoint.id]) for endpoint in study.endpoints if endpoint.id in found
    )
    missing = [endpoint for endpoint in study.endpoints if endpoint.id not in found]
    unscored = [endpoint for endpoint in study.published.endpoints if endpoint.not_scored is not None]
    empty = {
        arm: why for population in study.populations for arm, why in _nobody(population, births, missing)
    }
    left = [NotPredicted(endpoint, _reason(endpoint, empty)) for endpoint in missing]
    left += [NotPredicted(endpoint, f"no target: {endpoint.not_scored}") for endpoint in unscored]
    return StudyComparison(study, len(numbers), compared, tuple(left))


def _compared(study: Study, endpoint: PublishedEndpoint, predictions: Sequence[Prediction]) -> Compared:
    names = arms_of(endpoint)
    size = float(sum(min(study.patients(endpoint, name), LARGEST_SAMPLE) for name in names))
    values = [
        float(_in_own_unit(endpoint, np.asarray(prediction.value), prediction.effective_people))
        for prediction in predictions
    ]
    replicates = _in_own_unit(
        endpoint, np.concatenate([prediction.replicates for prediction in predictions]), size
    )
    finite = replicates[np.isfinite(replicates)]
    low, high = np.quantile(finite, [LOW, HIGH])
    estimate = published_estimate(endpoint)
    return Compared(
        endpoint=endpoint,
        set=study.set_of(endpoint),
        published=endpoint.value,
        published_low=estimate.low_90,
        published_high=estimate.high_90,
        predicted=float(np.mean(values)),
        predicted_low=float(low),
        predicted_high=float(high),
        effective_people=float(sum(prediction.effective_people for prediction in predictions)),
        draws=len(predictions),
    )


def _in_own_unit(endpoint: PublishedEndpoint, value: Array, size: float) -> Array:
    """From the scale of an endpoint to its unit; shares lose the half person by which they were moved inwards."""
    plain = backward(endpoint, value)
    if endpoint.metric not in SHARES:
        return plain
    return np.clip((plain * (size + 1.0) - 0.5) / size, 0.0, 1.0)


def _nobody(
    population: Population, births: Births, missing: Sequence[PublishedEndpoint]
) -> list[tuple[str, str]]:
    """The arms of a population that endpoints miss and that nobody could enter, with the reason."""
    arms = [arm for arm in population.arms if any(arm in arms_of(endpoint) for endpoint in missing)]
    if not arms:
        return []
    scenario = asking_for(population.scenario, 1)
    try:
        gather(scenario, births, MOST_TRIED)
    except ScenarioError:
        refused: Counter[str] = Counter()
        for number in range(MOST_TRIED // BLOCK_PATIENTS):
            refused.update(screen(scenario, births, [number])[1])
        why = ", ".join(f"{name} ({count})" for name, count in refused.most_common(3) if count)
        return [(arm, f"nobody of {MOST_TRIED} candidates could enter; refused by {why}") for arm in arms]
    return []


def _reason(endpoint: PublishedEndpoint, empty: dict[str, str]) -> str:
    for arm in arms_of(endpoint):
        if arm in empty:
            return f"arm {arm}: {empty[arm]}"
    if endpoint.age_band_months is not None:
        low, high = endpoint.age_band_months
        return f"nobody who counts at that visit was enrolled from {low:g} to {high:g} months of age"
    return "nobody who counts is left at that visit"
