"""How much a design's answer rests on each assumption: one assumption changed at a time, in the same truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.trials.accrual import forecast_accrual
from motorpool.trials.blocks import Settings, cached_pool
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.design_rules import Multiplicity
from motorpool.trials.operating import characteristics
from motorpool.trials.reference import reference_truth
from motorpool.trials.run import accrual_data
from motorpool.trials.truth import NULL, Truth
from motorpool.trials.variations import accrual_variations, variations
from motorpool.trials.workers import BlockWorkers, part_of, simulated_trials

Progress = Callable[[str, float], None]
NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "replicates",
        "effect",
        "bias",
        "coverage",
        "power",
        "type_1_error",
        "months_to_enrol",
        "feasible_patients",
        "not_possible",
    )
)


def sensitivity_of(
    design: TrialDesign,
    *,
    replicates: int,
    people: int,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Effect, power, type I error and time to enrol of the first endpoint's trial under each variation.

    A figure that a variation leaves as it is, or cannot have, is None; `not_possible` says why there is none at all.
    """
    say = progress or (lambda stage, share: None)
    truth = reference_truth(design, people).truth
    wanted = list(variations(design))
    found: list[dict[str, Any]] = []
    first = design.model_copy(update={"endpoints": design.endpoints[:1], "multiplicity": Multiplicity()})
    key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
    for place, (words, entries) in enumerate(wanted):
        told = [part_of(say, "varying the assumptions", 2 * place + half, 2 * len(wanted)) for half in (0, 1)]
        try:
            varied = load_design(first, entries)
            under, null = (
                characteristics(varied, results, {key: results[f"truth/{key}"]})[0]
                for results in (
                    simulated_trials(varied, Settings(replicates, truth, 0, people), workers, told[0]),
                    simulated_trials(varied, Settings(replicates, NULL, 0, people), workers, told[1]),
                )
            )
        except ScenarioError as error:
            # For example an estimand that has no meaning for its endpoint.
            found.append({"assumption": words, "entries": entries, **NOTHING, "not_possible": str(error)})
            continue
        row = {
            "replicates": replicates,
            "effect": under.data()["truth"],
            "bias": under.bias.data(),
            "coverage": under.coverage.data(),
            "power": under.power.data(),
            "type_1_error": null.rejection.data(),
        }
        found.append(
            {"assumption": words, "entries": entries, **NOTHING, **row, **_time(varied, truth, people)}
        )
    for words, entries in accrual_variations(design):
        times = _time(load_design(first, entries), truth, people)
        found.append({"assumption": words, "entries": entries, **NOTHING, **times})
    return found


def _time(design: TrialDesign, truth: Truth, people: int) -> dict[str, Any]:
    """How long enrolment takes, and how many can be enrolled in the feasible years."""
    forecast = forecast_accrual(design, cached_pool(design, people, None, truth.cells_effect))
    data = accrual_data(design, forecast)
    return {name: data[name] for name in ("months_to_enrol", "feasible_patients")}
