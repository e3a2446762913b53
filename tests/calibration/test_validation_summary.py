"""What a validation says as a whole, on rows made by hand whose answer can be counted."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from motorpool.calibration.predictive import Judged
from motorpool.calibration.validation_summary import (
    Row,
    Validation,
    acceptance_results,
    baseline_summary,
    coverage_interval,
    load_acceptance,
    report_data,
    summary,
)

KEYS = {
    "study", "arm", "endpoint", "set", "published", "published_low", "published_high", "predicted", "predicted_low",
    "predicted_high", "inside_90", "width_ratio",
}  # fmt: skip
INSIDE = Judged(
    published=1.0, published_low=0.0, published_high=2.0, predicted=1.2, predicted_low=-0.3, predicted_high=2.7,
    inside_90=True, width_ratio=1.5, z=-0.2, interval_score=3.0, log_score=-1.0, pit=0.4, effective_people=900.0,
)  # fmt: skip


def row(
    number: int,
    *,
    study: str = "A",
    chosen: str = "validation",
    family: str = "hfmse",
    counted: bool = True,
    baselines: Mapping[str, float] | None = None,
    **judged: Any,
) -> Row:
    return Row(
        study=study,
        arm="treated",
        endpoint=f"endpoint_{number}",
        set=chosen,
        family=family,
        judged=dataclasses.replace(INSIDE, **judged),
        counted=counted,
        baseline_log_scores=baselines or {},
        unit="points",
        n=20,
        definition="made by hand",
    )


def run(*rows: Row, absent: Mapping[str, str] | None = None) -> dict[str, Any]:
    return report_data(Validation(rows, absent or {}, 24, 128, "0" * 64))


def test_shares_and_widths_are_counted() -> None:
    rows = [
        row(1, width_ratio=1.0),
        row(2, width_ratio=None),
        row(3, width_ratio=4.0, inside_90=False, z=3.0),
        row(4, width_ratio=1.4),
    ]
    found = summary(rows)
    assert (found["n"], found["inside_90"], found["coverage_90"]) == (4, 3, 0.75)
    assert found["median_width_ratio"] == 1.4
    assert found["root_mean_square_z"] == pytest.approx(math.sqrt((3 * 0.04 + 9) / 4))
    assert found["mean_interval_score"] == 3.0
    assert found["mean_log_score"] == -1.0


def test_rows_that_too_few_people_stand_behind_count_nowhere() -> None:
    rows = [row(1), row(2, inside_90=False, counted=False, width_ratio=90.0, log_score=-99.0, z=50.0)]
    assert summary(rows) == summary(rows[:1])
    assert summary([row(1, counted=False)]) == {
        "n": 0, "inside_90": 0, "coverage_90": None, "median_width_ratio": None,
    }  # fmt: skip
    found = run(*rows)
    assert [entry["counted"] for entry in found["endpoints"]] == [True, False]


def test_what_is_nearly_certain_is_left_out_of_a_share_of_its_own() -> None:
    certain = [row(n, family="survival", published=1.0) for n in range(3)]
    certain.append(row(3, family="proportion", published=0.0))
    others = [row(4, family="survival", published=0.9, inside_90=False), row(5, published=1.0)]
    found = summary([*certain, *others])
    assert found["coverage_90"] == pytest.approx(5 / 6)
    assert found["n_without_near_certain"] == 2
    assert found["coverage_90_without_near_certain"] == 0.5
    assert summary(certain)["coverage_90_without_near_certain"] is None


def test_the_interval_of_coverage_follows_studies_and_not_figures() -> None:
    together = [
        row(n, study=f"S{n // 10}", inside_90=n >= 10) for n in range(40)
    ]  # one study missed as a whole
    apart = [row(n, study=f"S{n}", inside_90=n >= 10) for n in range(40)]
    low, high = coverage_interval(together)
    assert low <= 0.26
    assert high == 1.0
    # Ten of forty on their own: the binomial interval.
    narrow_low, narrow_high = coverage_interval(apart)
    spread = 1.96 * math.sqrt(0.75 * 0.25 / 40)
    assert (narrow_low, narrow_high) == pytest.approx((0.75 - spread, 0.75 + spread), abs=0.03)
    assert coverage_interval(together) == (low, high)
    assert coverage_interval([row(1), row(2, inside_90=False)]) == (
        0.5,
        0.5,
    )  # one study says nothing of others


@pytest.mark.parametrize(
    ("inside", "floor", "goal"), [(84, False, False), (85, True, False), (89, True, False), (90, True, True)]
)
def test_coverage_meets_floor_and_goal_at_their_edges(inside: int, floor: bool, goal: bool) -> None:
    rows = [row(n, study=f"S{n % 9}", inside_90=n < inside) for n in range(100)]
    found = acceptance_results({"validation": rows})["inside_90"]
    assert (found["value"], found["floor_met"], found["goal_met"]) == (inside / 100, floor, goal)


@pytest.mark.parametrize(
    ("ratio", "floor", "goal"),
    [(1.5, True, True), (1.51, True, False), (2.0, True, False), (2.01, False, False)],
)
def test_width_meets_floor_and_goal_at_their_edges(ratio: float, floor: bool, goal: bool) -> None:
    rows = [row(n, width_ratio=ratio) for n in range(3)]
    found = acceptance_results({"validation": rows})["median_width_ratio"]
    assert (found["floor_met"], found["goal_met"]) == (floor, goal)
    nothing = acceptance_results({"validation": [row(1, width_ratio=None)]})["median_width_ratio"]
    assert (nothing["floor_met"], nothing["goal_met"]) == (None, None)


def test_too_few_endpoints_are_said() -> None:
    least = int(load_acceptance().least_endpoints.floor or 0)
    rows = [row(n) for n in range(least)]
    assert acceptance_results({"validation": rows})["least_endpoints"]["floor_met"] is True
    assert acceptance_results({"validation": rows[1:]})["least_endpoints"]["floor_met"] is False


def test_every_negative_control_must_come_out_null() -> None:
    controls = [row(1, study="NEGATIVE-CONTROLS"), row(2, study="NEGATIVE-CONTROLS", inside_90=False)]
    good = acceptance_results({"validation": controls[:1]})["negative_controls"]
    assert good == {"value": 1, "of": 1, "floor_met": True}
    bad = acceptance_results({"validation": controls})["negative_controls"]
    assert bad == {"value": 1, "of": 2, "floor_met": False}
    # Without any, nothing is met.
    assert acceptance_results({"validation": [row(1)]})["negative_controls"]["floor_met"] is None


def test_baselines_are_compared_on_what_they_can_predict() -> None:
    rows = [
        row(1, log_score=-1.0, baselines={"natural history": -3.0, "similar trials": -0.5}),
        row(2, log_score=-2.0, family="proportion", baselines={"natural history": -2.5}),
        row(3, log_score=-9.0),
        row(4, log_score=-9.0, counted=False, baselines={"natural history": 0.0}),
    ]
    found = baseline_summary(rows)
    assert found["natural history"] == {"n": 2, "model": -1.5, "baseline": -2.75, "better": True}
    assert found["similar trials"] == {"n": 1, "model": -1.0, "baseline": -0.5, "better": False}
    assert acceptance_results({"validation": rows})["baselines"]["floor_met"] is False
    assert acceptance_results({"validation": rows[2:3]})["baselines"]["floor_met"] is None


def test_the_data_hold_what_is_promised_and_are_plain_json() -> None:
    found = run(
        row(1),
        row(2, inside_90=False, z=float("nan"), published_low=None, width_ratio=None, counted=False),
        row(3, chosen="apart", family="rulm"),
        row(4, chosen="calibration", width_ratio=np.float64(1.25)),
        absent={"B.c": "nobody"},
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))
    assert list(found["summary"]) == ["validation", "apart", "calibration"]
    for numbers in found["summary"].values():
        assert set(numbers) >= {"n", "inside_90", "coverage_90", "median_width_ratio"}
    assert all(set(entry) >= KEYS for entry in found["endpoints"])
    assert found["endpoints"][1]["z"] is None
    assert list(found["families"]) == ["hfmse"]
    assert found["not_predicted"] == {"B.c": "nobody"}
    assert (found["made_with"]["draws"], found["made_with"]["posterior_sha256"]) == (24, "0" * 64)


def test_the_criteria_are_not_about_a_users_own_studies() -> None:
    found = run(row(1, chosen="own"), row(2, chosen="own", family="rulm", inside_90=False))
    assert found["acceptance"] == {}
    assert found["summary"]["own"]["n"] == 2
    assert list(found["families"]) == ["hfmse", "rulm"]
    assert run(row(1, chosen="apart"))["families"] == {}
