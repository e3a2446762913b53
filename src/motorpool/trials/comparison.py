"""Designs compared at equal cost: how much each finds out for the same money, in the same truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.trials import store
from motorpool.trials.accrual import forecast_accrual
from motorpool.trials.analysis import endpoint_words
from motorpool.trials.blocks import Settings, cached_pool
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import characteristics
from motorpool.trials.reference import reference_truth
from motorpool.trials.run import accrual_data
from motorpool.trials.sizes import smallest_trial
from motorpool.trials.truth import NULL, Truth
from motorpool.trials.workers import BlockWorkers, part_of, simulated_trials

Progress = Callable[[str, float], None]


def at_cost(design: TrialDesign, cost: float) -> TrialDesign:
    """The design with as many patients as this cost pays for, in whole groups of the ratios.

    Raises:
        ScenarioError: the cost does not even pay for two blocks of patients.
    """
    each = design.cost.per_patient + len(design.visit_months) * design.cost.per_visit
    if each <= 0.0:
        message = "and per_visit are 0, so that patients cost nothing; nothing could be held equal"
        raise ScenarioError.single("cost.per_patient", message, source=design.name)
    step = sum(arm.ratio for arm in design.arms.values())
    patients = int((cost - design.cost.fixed) / each / step + 1e-9) * step
    if patients < 2 * step:
        message = (
            f"of {cost:g} {design.cost.unit} pays for {max(patients, 0)} patients here; at "
            f"least {2 * step} are needed"
        )
        raise ScenarioError.single("cost", message, source=design.name)
    return design.model_copy(update={"patients": min(patients, 20_000)})


def compare_designs(
    designs: Mapping[str, TrialDesign],
    *,
    replicates: int,
    people: int,
    truth: Truth | None = None,
    find_smallest: bool = False,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Operating characteristics of several designs at the cost of the first.

    Args:
        designs: by name; the first one sets the cost.
        truth: in which they are compared; by default the one in which the first design's effect is just worth having.
        find_smallest: also search the smallest trial of each design.
        workers: who simulates; this process by default.

    Raises:
        ScenarioError: a design has no patients, or cannot be paid for.
    """
    say = progress or (lambda stage, share: None)
    names = list(designs)
    first = designs[names[0]]
    cost = first.cost_of
    say("looking for the truth to compare in", 0.0)
    shared = truth or reference_truth(first, people).truth
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        design = at_cost(designs[name], cost)
        words = f"simulating {name}"
        say(words, place / len(names))
        pool = cached_pool(design, people, None, shared.cells_effect)
        settings = Settings(replicates, shared, 0, people, first_only=True)
        results = simulated_trials(design, settings, workers, part_of(say, words, 2 * place, 2 * len(names)))
        none = Settings(replicates, NULL, 0, people, first_only=True)
        null = simulated_trials(design, none, workers, part_of(say, words, 2 * place + 1, 2 * len(names)))
        key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
        under = characteristics(design, results, {key: results[f"truth/{key}"]})[0]
        error = characteristics(design, null, {key: null[f"truth/{key}"]})[0]
        row: dict[str, Any] = {
            "name": name,
            "endpoint": endpoint_words(design, design.endpoints[0]),
            "visits": len(design.visit_months),
            "patients": design.patients,
            "cost": design.cost_of,
            "effect": under.data()["truth"],
            "unit": under.unit,
            "standard_deviation_of_estimate": under.data()["standard_deviation"],
            "power": under.power.data(),
            "type_1_error": error.rejection.data(),
            "course": course_of(design, results),
            "accrual": accrual_data(design, forecast_accrual(design, pool)),
            "smallest_trial": None,
        }
        if find_smallest:
            row["smallest_trial"] = smallest_trial(
                design, settings, target=design.target_power, workers=workers
            ).data()
        rows.append(row)
    return {
        "research_use": "Simulated trials, for research; not for decisions about the treatment of a person.",
        "truth": shared.words,
        "cost": {"value": cost, "unit": first.cost.unit},
        "replicates": replicates,
        "designs": rows,
        "manifest": store.manifest_of(first),
    }
