"""Comparing a study: the range of many draws, shares in their own unit, and the reasons for what is missing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from motorpool.studies import compare
from motorpool.studies.compare import Compared, compare_study
from motorpool.studies.predict import Prediction
from motorpool.studies.scale import forward
from motorpool.studies.study import Study, load_study

EFFECTIVE = 50.0


def pretend(monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    """Let the predictions of every draw be what ``made(endpoint, number)`` gives, and nobody be refused."""
    numbers: list[int | None] = []

    def parameter_draw(number: int | None, seed: int) -> int | None:
        numbers.append(number)
        return number

    def predict_study(
        study: Study, births: object, *, patients: int, count: int, wanted: Sequence[Any]
    ) -> dict[str, Prediction]:
        found = {endpoint.id: made(endpoint, numbers[-1]) for endpoint in wanted}
        return {name: prediction for name, prediction in found.items() if prediction is not None}

    monkeypatch.setattr(compare, "parameter_draw", parameter_draw)
    monkeypatch.setattr(compare, "Births", lambda draw: object())
    monkeypatch.setattr(compare, "predict_study", predict_study)
    monkeypatch.setattr(compare, "gather", lambda scenario, births, most: None)


def shares(endpoint: Any, value: float, replicates: Sequence[float], size: float) -> Prediction:
    """A prediction of a share, as the predictions of a study make it."""
    return Prediction(
        float(forward(endpoint, value, EFFECTIVE)), forward(endpoint, np.array(replicates), size), EFFECTIVE
    )


def found_in(comparison: Any) -> dict[str, Compared]:
    return {found.endpoint.id: found for found in comparison.compared}


def test_shares_come_back_in_their_own_unit_even_none_and_all(monkeypatch: pytest.MonkeyPatch):
    study = load_study("CHERISH")
    endpoint = next(e for e in study.endpoints if e.id == "hfmse_response_sham")
    size = float(study.patients(endpoint, "sham"))

    def made(e: Any, number: int | None) -> Prediction | None:
        return shares(e, 0.25, [0.0] * 50 + [0.5] * 50, size) if e.id == endpoint.id else None

    pretend(monkeypatch, made)
    found = found_in(compare_study(study, patients=8, draws=0, seed=1, tell=lambda done, of: None))
    only = found[endpoint.id]
    assert only.predicted == pytest.approx(0.25)
    assert (only.predicted_low, only.predicted_high) == pytest.approx((0.0, 0.5))
    assert only.inside_90
    assert only.set == "calibration"
    assert only.effective_people == EFFECTIVE


def test_draws_are_pooled_and_missing_ones_counted(monkeypatch: pytest.MonkeyPatch):
    study = load_study("CHERISH")
    endpoint = next(e for e in study.endpoints if e.id == "hfmse_change_sham")

    def made(e: Any, number: int | None) -> Prediction | None:
        if e.id != endpoint.id or number == 2:
            return None
        assert number is not None
        return Prediction(float(number), np.array([number - 0.1, number + 0.1, np.nan]), EFFECTIVE)

    pretend(monkeypatch, made)
    told: list[tuple[int, int]] = []
    comparison = compare_study(
        study, patients=8, draws=4, seed=1, tell=lambda done, of: told.append((done, of))
    )
    only = found_in(comparison)[endpoint.id]
    assert comparison.draws == 4
    assert only.draws == 3
    assert only.predicted == pytest.approx(4 / 3)
    assert only.predicted_low < 0
    assert only.predicted_high > 3
    assert only.effective_people == 3 * EFFECTIVE
    assert told == [(done, 4) for done in range(5)]
    assert only.width_ratio is not None
    width = only.predicted_high - only.predicted_low
    assert only.published_low is not None and only.published_high is not None
    assert only.width_ratio == pytest.approx(width / (only.published_high - only.published_low))


def test_every_endpoint_is_compared_or_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch):
    study = load_study("CHERISH")

    def made(e: Any, number: int | None) -> Prediction | None:
        no_number = Prediction(1.0, np.array([np.nan]), EFFECTIVE)
        return no_number if e.arm == "sham" else Prediction(1.0, np.array([0.0, 2.0]), EFFECTIVE)

    pretend(monkeypatch, made)
    comparison = compare_study(study, patients=8, draws=0, seed=1, tell=lambda done, of: None)
    left = {missing.endpoint.id: missing.reason for missing in comparison.not_predicted}
    assert set(found_in(comparison)) | set(left) == {e.id for e in study.published.endpoints}
    assert not set(found_in(comparison)) & set(left)
    assert left["hfmse_change_sham"] == "nobody who counts is left at that visit"
    assert left["hfmse_baseline_sham"] == "no target: baseline score used as an entry criterion of the run"


def test_the_seed_reaches_the_people(monkeypatch: pytest.MonkeyPatch):
    seen: set[int] = set()

    def predict_study(study: Study, births: object, **more: Any) -> dict[str, Prediction]:
        seen.update(population.scenario.seed for population in study.populations)
        return {}

    pretend(monkeypatch, lambda endpoint, number: None)
    monkeypatch.setattr(compare, "predict_study", predict_study)
    compare_study(load_study("CHERISH"), patients=8, draws=0, seed=77, tell=lambda done, of: None)
    assert seen == {77}
    assert {population.scenario.seed for population in load_study("CHERISH").populations} == {1}
