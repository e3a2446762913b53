"""Validation: every study of a set predicted with the shipped posterior and held against its published figures."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.calibration.evaluate import worker_pool
from motorpool.calibration.predictive import Judged, forecast, judge, normal_log_score
from motorpool.calibration.validation_summary import OWN_SET, SETS, Row, Validation, load_acceptance
from motorpool.evidence.posterior import load_posterior
from motorpool.evidence.published import PublishedEndpoint
from motorpool.evidence.records import EvidenceError
from motorpool.studies.predict import Prediction
from motorpool.studies.scale import family_of, load_calibration_rules, published_estimate
from motorpool.studies.study import Study, executable_studies, load_study

Array = NDArray[np.float64]
Tell = Callable[[str, float], None]
DRAWS, PATIENTS, REPLICATES = 24, 128, 40
SEED = 1  # of the priors of parameters that no calibration study informs


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
        EvidenceError: there is no posterior.
    """
    if load_posterior() is None:
        raise EvidenceError("there is no posterior to validate; run `motorpool calibrate` first")
    studies = list(own) if own else [load_study(name) for name in executable_studies()]
    wanted = {study.name: [e for e in study.endpoints if own or study.set_of(e) in sets] for study in studies}
    studies = [study for study in studies if wanted[study.name]]
    found = _predict(studies, wanted, draws, patients, tell, without_therapy=False)
    untreated: dict[str, list[Prediction]] = {}
    if baselines:
        treated = [study for study in studies if _has_therapy(study)]
        untreated = _predict(treated, wanted, max(4, draws // 4), patients, tell, without_therapy=True)
    return _judge_all(studies, wanted, found, untreated, draws)


def _has_therapy(study: Study) -> bool:
    return any(arm.therapies for arm in study.run.arms.values())


def _predict(
    studies: Sequence[Study],
    wanted: Mapping[str, Sequence[PublishedEndpoint]],
    draws: int,
    patients: int,
    tell: Tell,
    *,
    without_therapy: bool,
) -> dict[str, list[Prediction]]:
    """Predictions of each endpoint (``STUDY.endpoint``) under every draw that gave one."""
    names = {study.name: [e.id for e in wanted[study.name]] for study in studies}
    own = [study for study in studies if study.set_of(study.endpoints[0]) is None]
    stage = "predicting without therapy" if without_therapy else "predicting studies"
    found: dict[str, list[Prediction]] = {}
    by_draw: list[dict[str, Prediction]] = [{} for _ in range(draws)]
    with worker_pool() as pool:
        futures = {
            pool.submit(predict_draw, number, names, patients, own, without_therapy): number
            for number in range(draws)
        }
        for done, future in enumerate(as_completed(futures), start=1):
            by_draw[futures[future]] = future.result()
            tell(stage, done / draws)
    for predictions in by_draw:
        for name, prediction in predictions.items():
            found.setdefault(name, []).append(prediction)
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


def _judge_all(
    studies: Sequence[Study],
    wanted: Mapping[str, Sequence[PublishedEndpoint]],
    found: Mapping[str, Sequence[Prediction]],
    without: Mapping[str, Sequence[Prediction]],
    draws: int,
) -> Validation:
    rules, acceptance, posterior = load_calibration_rules(), load_acceptance(), load_posterior()
    assert posterior is not None
    least = acceptance.effective_people.floor or 0.0
    similar = _similar_trials()
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for study in studies:
        # The luck of a study belongs to its name, so that no other study changes its prediction.
        generator = np.random.default_rng(zlib.crc32(study.name.encode()))
        effects = generator.standard_normal(draws)
        for endpoint in wanted[study.name]:
            name = f"{study.name}.{endpoint.id}"
            predictions = found.get(name, [])
            if len(predictions) < max(1, draws // 2):
                missing[name] = "the model has nobody, or too few people, like this population"
                continue
            family = family_of(endpoint)
            sizes = posterior.discrepancies.get(family)
            scale = rules.discrepancy[family].scale
            discrepancies = (
                np.full(len(predictions), scale) if sizes is None else np.resize(sizes, len(predictions))
            )
            told = forecast(
                endpoint,
                predictions,
                list(discrepancies),
                list(effects[: len(predictions)]),
                rules.shared_by_study,
                generator,
            )
            judged = judge(endpoint, told, generator)
            scores = _baseline_scores(endpoint, judged, told.sampling_sd, without.get(name, []), similar)
            rows.append(
                Row(
                    study=study.name,
                    arm=endpoint.arm,
                    endpoint=endpoint.id,
                    set=study.set_of(endpoint) or OWN_SET,
                    family=family,
                    judged=judged,
                    counted=judged.effective_people >= least,
                    baseline_log_scores=scores,
                )
            )
    return Validation(tuple(rows), missing)


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
    judged: Judged,
    sampling_sd: float,
    without: Sequence[Prediction],
    similar: Mapping[tuple[Any, ...], Sequence[float]],
) -> dict[str, float]:
    """Log scores of simpler forecasts on the same scale, and of the model as a normal forecast to compare with them."""
    scores: dict[str, float] = {}
    scale = load_calibration_rules().discrepancy[family_of(endpoint)].scale
    if without:
        values = np.array([p.value for p in without])
        sd = float(np.sqrt(values.var() + sampling_sd**2 + scale**2))
        scores["natural history"] = normal_log_score(endpoint, float(values.mean()), sd)
    past = similar.get(_kind(endpoint), ())
    if len(past) > 1:
        spread = float(np.std(past, ddof=1))
        scores["similar trials"] = normal_log_score(
            endpoint, float(np.mean(past)), float(np.hypot(spread, sampling_sd))
        )
    return scores
