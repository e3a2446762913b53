"""The benchmark on a tiny size: its JSON, peers that are missing, and a guard of the engine's lead."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import jsonschema
import pytest

from motorpool.benchmark import measure
from motorpool.benchmark.cases import CASES
from motorpool.benchmark.measure import Plan, benchmark
from motorpool.benchmark.peers.batched import diffrax_peers
from motorpool.benchmark.peers.compiled_loops import numbalsoda_peers
from motorpool.benchmark.peers.one_by_one import scipy_peers
from motorpool.cli.main import run
from tests.support.command_line import shown

SMALL = Plan(CASES[:1], people=256, repeats=1, latency=False)
# In quiet the lead is some hundred (SciPy) and some ten times (diffrax); the guard notices when an order is lost.
LEAST_LEAD = {"scipy": 20.0, "diffrax": 3.0}
POSITIVE = {"type": "number", "exclusiveMinimum": 0}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["ours", "peers", "machine", "left_out"],
    "properties": {
        "ours": {
            "type": "object",
            "required": ["patient_years_per_second", "patient_years_per_cpu_second", "relative_error"],
            "additionalProperties": POSITIVE,
        },
        "peers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "version", "patient_years_per_cpu_second", "relative_error", "ratio"],
                "properties": {
                    "name": {"type": "string"},
                    "version": {"type": "string"},
                    "patient_years_per_cpu_second": POSITIVE,
                    "relative_error": POSITIVE,
                    "ratio": POSITIVE,
                },
            },
        },
        "left_out": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "why"],
                "additionalProperties": {"type": "string", "minLength": 1},
            },
        },
        "machine": {"type": "object", "required": ["processor", "cores"]},
    },
}


def some_peers() -> list[measure.Peer]:
    lsoda, adaptive = scipy_peers()[0], diffrax_peers()[0]
    return [lsoda, dataclasses.replace(adaptive, people=32)]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return benchmark(SMALL, some_peers(), lambda stage, fraction: None)


@pytest.mark.slow
def test_the_result_is_json_of_the_promised_shape(found: dict[str, Any]) -> None:
    jsonschema.validate(json.loads(json.dumps(found, allow_nan=False)), SCHEMA)


@pytest.mark.slow
def test_every_peer_is_at_least_as_exact_as_the_engine(found: dict[str, Any]) -> None:
    error = found["ours"]["relative_error"]
    assert error < 2e-3
    assert all(peer["relative_error"] <= error for peer in found["peers"])


@pytest.mark.slow
def test_the_engine_keeps_its_lead(found: dict[str, Any]) -> None:
    """Ratios of CPU time taken by turns, so that a busy machine slows both down; seconds would be noise."""
    lead = {peer["name"]: peer["ratio"] for peer in found["peers"]}
    assert lead["SciPy solve_ivp LSODA"] > LEAST_LEAD["scipy"], lead
    assert lead["diffrax Tsit5"] > LEAST_LEAD["diffrax"], lead


@pytest.mark.slow
def test_a_peer_that_is_missing_or_broken_is_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # as if it were not installed

    def refuse(problem: Any) -> Any:
        message = "no such device"
        raise OSError(message)

    broken = dataclasses.replace(scipy_peers()[1], name="broken", prepare=refuse)
    result = benchmark(SMALL, [*numbalsoda_peers(), broken, scipy_peers()[0]], lambda stage, fraction: None)
    why = {one["name"]: one["why"] for one in result["left_out"]}
    assert "not installed" in why["numbalsoda DOP853"]
    assert "bench-source" in why["numbalsoda LSODA"]
    assert why["broken"] == "cannot be built: OSError: no such device"
    assert "not comparable" in why["libRoadRunner"]
    assert [peer["name"] for peer in result["peers"]] == ["SciPy solve_ivp LSODA"]


RESULT: dict[str, Any] = {
    "machine": {"processor": "A processor", "cores": 2, "system": "Linux x86_64", "python": "3.11.7"},
    "version": "0.1.0",
    "cases": ["nusinersen"],
    "ours": {
        "patient_years_per_second": 1_000_000.0,
        "patient_years_per_cpu_second": 500_000.0,
        "relative_error": 5e-4,
    },
    "peers": [
        {
            "name": "A peer",
            "version": "1.2",
            "patient_years_per_cpu_second": 5_000.0,
            "relative_error": 4e-4,
            "ratio": 100.0,
            "setting": "relative tolerance 0.0001",
        }
    ],
    "left_out": [{"name": "Another", "why": "not installed"}],
    "latency": {"patients": 500, "arms": 3, "years": 5, "seconds": 0.08},
}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that the command asks for; nothing is measured."""
    plans: list[Plan] = []

    def stand_in(plan: Plan, peers: Any, tell: Any) -> dict[str, Any]:
        plans.append(plan)
        return RESULT

    monkeypatch.setattr(measure, "benchmark", stand_in)
    return plans


def test_the_command_says_what_the_numbers_mean(
    measured: list[Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(["benchmark"], capsys)
    assert "A processor, 2 core(s)" in text
    assert "A peer 1.2" in text and "100 times" in text and "4.0e-04" in text
    assert "a thousand people through ten years of life take 10 ms" in text
    assert "500 patients, 3 arms and 5 years takes 80 ms" in text
    assert "left out: Another: not installed" in text


def test_the_command_prints_json_alone(measured: list[Plan], capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(["benchmark", "--json", "--quick", "--people", "64"], capsys)) == RESULT
    assert measured[0].people == 64
    assert len(measured[0].cases) == 2


def test_nobody_to_measure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["benchmark", "--people", "0"]) == 2
    assert "--people" in capsys.readouterr().err
