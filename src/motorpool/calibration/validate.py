"""Validation: every study of a set predicted with the shipped posterior and held against its published figures."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.evaluate import worker_pool
from motorpool.calibration.predictive import (
    PER_DRAW,
    forecast,
    is_count,
    judge,
    log_score,
    normal_log_score,
    simple_forecast,
)
from motorpool.calibration.validation_summary import OWN_SET, SETS, Row, Validation, load_acceptance
from motorpool.evidence.posterior import Posterior, load_posterior
from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.records import EvidenceError
from motorpool.studies.predict import Prediction, arm_size_of
from motorpool.studies.scale import family_of, load_calibration_rules, published_estimate
from motorpool.studies.study import Study, executable_studies, load_study
from motorpool.studies.words import unit_of

Array = NDArray[np.float64]
Tell = Callable[[str, float], None]
DRAWS, PATIENTS, REPLICATES = 32, 128, 40
SEED = 1  # of the priors of parameters that no calibration study informs
NOT_PREDICTED = "under most draws there is nobody like this population, or no value (a median not reached)"


def run_validation(
    sets: Sequence[str] = SETS,
    *,
    own: Sequence[Study] = (),
    draws: int = DRAWS,
    patients: int = PATIENTS,
    baselines: bool = True,
    tell: Tell = lambda stage, share: None,
) -> Validation:
    """Predict every scored endpoint of these sets, or of a user's own studies, and judge it.

    Args:
        own: the user's studies; where given, the shipped ones are left out.
        draws: posterior draws; patients: virtual people per arm and draw.
        baselines: also score natural history alone (the same studies without therapy).

    Raises:
        EvidenceError: there is no posterior, or nothing to predict.
    """
    posterior = load_posterior()
    if posterior is None:
        raise EvidenceError("there is no posterior to validate; run `motorpool calibrate` first")
    studies = list(own) if own else [load_study(name) for name in executable_studies()]
    wanted = {study.name: [e for e in study.endpoints if own or study.set_of(e) in sets] for study in studies}
    studies = [study for study in studies if wanted[study.name]]
    if not studies:
        raise EvidenceError("there is nothing to predict: no endpoint of these studies is scored")
    treated = [study for study in studies if _has_therapy(study)]
    without: dict[str, dict[int, Prediction]] = {}
    with worker_pool() as pool:
        found = _predict(pool, studies, wanted, draws, patients, tell, without_therapy=False)
        if baselines and treated:
            few = max(4, draws // 4)
            without = _predict(pool, treated, wanted, few, patients, tell, without_therapy=True)
    rows, missing = judge_all(studies, wanted, found, without, draws, posterior)
    return Validation(rows, missing, draws, patients, posterior.facts.draws_sha256)


def _has_therapy(study: Study) -> bool:
    return any(arm.therapies for arm in study.run.arms.values())


def _predict(
    pool: Executor,
    studies: Sequence[Study],
    wanted: Mapping[str, Sequence[PublishedEndpoint]],
    draws: int,
    patients: int,
    tell: Tell,
    *,
    without_therapy: bool,
) -> dict[str, dict[int, Prediction]]:
    """Predictions of each endpoint (``STUDY.endpoint``) by the number of the draw, where it gave one."""
    names = {study.name: [e.id for e in wanted[study.name]] for study in studies}
    own = [study for study in studies if study.set_of(study.endpoints[0]) is None]
    stage = "predicting without therapy" if without_therapy else "predicting studies"
    found: dict[str, dict[int, Prediction]] = {}
    by_draw: list[dict[str, Prediction]] = [{} for _ in range(draws)]
    tell(stage, 0.0)
    futures = {
        pool.submit(predict_draw, number, names, patients, own, without_therapy): number
        for number in range(draws)
    }
    for done, future in enumerate(as_completed(futures), start=1):
        by_draw[futures[future]] = future.result()
        tell(stage, done / draws)
    for number, predictions in enumerate(by_draw):
        for name, prediction in predictions.items():
            if np.isfinite(prediction.replicates).sum() > 1:
                found.setdefault(name, {})[number] = prediction
    return found


def predict_draw(
    number: int,
    names: Mapping[str, Sequence[str]],
    patients: int,
    own: Sequence[Study],
    without_therapy: bool,
) -> dict[str, Prediction]:
    """Predictions under posterior draw ``number`` (runs in a worker)."""
    from motorpool.simulation.model import parameter_draw
    from motorpool.studies.predict import predict_all

    given = {study.name: study for study in own}
    wanted: dict[str, tuple[Study, list[PublishedEndpoint]]] = {}
    for name, endpoints in names.items():
        study = given.get(name) or load_study(name)
        if without_therapy:
            study = untreated(study)
        wanted[name] = (study, [e for e in study.endpoints if e.id in endpoints])
    return predict_all(wanted, parameter_draw(number, SEED), patients=patients, count=REPLICATES)


def untreated(study: Study) -> Study:
    """The same study with every plan of its arms taken away; background therapy stays."""
    populations = tuple(
        dataclasses.replace(
            population,
            scenario=population.scenario.model_copy(
                update={
                    "arms": {
                        name: arm.model_copy(update={"therapies": ()})
                        for name, arm in population.scenario.arms.items()
                    }
                }
            ),
        )
        for population in study.populations
    )
    return dataclasses.replace(study, populations=populations)


def judge_all(
    studies: Sequence[Study],
    wanted: Mapping[str, Sequence[PublishedEndpoint]],
    found: Mapping[str, Mapping[int, Prediction]],
    without: Mapping[str, Mapping[int, Prediction]],
    draws: int,
    posterior: Posterior,
) -> tuple[tuple[Row, ...], dict[str, str]]:
    """Every wanted endpoint held against its published figure, and those that most draws could not predict.

    The result of an endpoint does not depend on which others are asked for: luck belongs to the names of study and
    endpoint.

    Args:
        found, without: predictions with and without therapy, by ``STUDY.endpoint`` and number of the draw.
    """
    rules = load_calibration_rules()
    least = load_acceptance().effective_people.floor or 0.0
    similar = _similar_trials()
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for study in studies:
        effects = _luck(study.name).standard_normal((draws, PER_DRAW))
        for endpoint in wanted[study.name]:
            name = f"{study.name}.{endpoint.id}"
            predictions = found.get(name, {})
            numbers = sorted(predictions)
            if len(numbers) < max(1, draws // 2):
                missing[name] = NOT_PREDICTED
                continue
            family, generator = family_of(endpoint), _luck(name)
            told = forecast(
                endpoint,
                [predictions[number] for number in numbers],
                _discrepancies(posterior, family, numbers),
                effects[numbers],
                posterior.facts.shared_by_study,
                generator,
                tails=rules.tails_degrees_of_freedom,
                arm_size=arm_size_of(study, endpoint),
            )
            judged = judge(endpoint, told, generator)
            rows.append(
                Row(
                    study=study.name,
                    arm=endpoint.arm,
                    endpoint=endpoint.id,
                    set=study.set_of(endpoint) or OWN_SET,
                    family=family,
                    judged=judged,
                    counted=judged.effective_people >= least,
                    baseline_log_scores=_baseline_scores(
                        endpoint, told.sampling_sd, list(without.get(name, {}).values()), similar, generator
                    ),
                    unit=unit_of(endpoint),
                    n=endpoint.n,
                    definition=endpoint.definition,
                )
            )
    return tuple(rows), missing


def _luck(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def _discrepancies(posterior: Posterior, family: str, numbers: Sequence[int]) -> Array:
    """The model's discrepancy in a family under these draws; its prior's scale where calibration had no such family."""
    sizes = posterior.discrepancies.get(family)
    if sizes is None:
        return np.full(len(numbers), load_calibration_rules().discrepancy[family].scale)
    return sizes[np.asarray(numbers) % len(posterior)]


def _kind(endpoint: PublishedEndpoint) -> tuple[Any, ...]:
    thresholds = (endpoint.change_at_least, endpoint.value_at_least)
    return (endpoint.outcome, endpoint.metric, thresholds, endpoint.comparator_arm is None)


def _similar_trials() -> dict[tuple[Any, ...], list[float]]:
    """Published values, on their scale, of the same figure in calibration studies."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for name in executable_studies():
        study = load_study(name)
        for endpoint in study.endpoints:
            if study.set_of(endpoint) == "calibration":
                found.setdefault(_kind(endpoint), []).append(published_estimate(endpoint).value)
    return found


def _baseline_scores(
    endpoint: PublishedEndpoint,
    sampling_sd: float,
    without: Sequence[Prediction],
    similar: Mapping[tuple[Any, ...], Sequence[float]],
    generator: np.random.Generator,
) -> dict[str, float]:
    """Log scores of simpler forecasts, of counts and of other figures as the model's own are made."""
    scores: dict[str, float] = {}
    if without:
        values = np.array([p.value for p in without])
        scale = load_calibration_rules().discrepancy[family_of(endpoint)].scale
        doubt = float(np.hypot(values.std(), scale))
        scores["natural history"] = _simple_score(
            endpoint, float(values.mean()), doubt, sampling_sd, generator
        )
    past = similar.get(_kind(endpoint), ())
    if len(past) > 1:
        doubt = float(np.std(past, ddof=1))
        scores["similar trials"] = _simple_score(
            endpoint, float(np.mean(past)), doubt, sampling_sd, generator
        )
    return scores


def _simple_score(
    endpoint: PublishedEndpoint, mean: float, doubt: float, sampling_sd: float, generator: np.random.Generator
) -> float:
    if is_count(endpoint):
        return log_score(endpoint, simple_forecast(endpoint, mean, doubt, sampling_sd, generator))
    return normal_log_score(endpoint, mean, float(np.hypot(doubt, sampling_sd)))
