"""Everything asked of a design before it is run: power, errors, assurance, size, and the value of the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from motorpool.trials import store
from motorpool.trials.accrual import AccrualForecast, forecast_accrual
from motorpool.trials.analysis import endpoint_words
from motorpool.trials.blocks import Settings, cached_pool
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import Arrays, Figure, characteristics
from motorpool.trials.recognition import recognised
from motorpool.trials.reference import Reference, first_effect, reference_truth
from motorpool.trials.run import accrual_data
from motorpool.trials.sizes import power_at, power_of, smallest_trial
from motorpool.trials.truth import MODEL, NULL, Truth
from motorpool.trials.value import benefit_of, people_affected, value_at
from motorpool.trials.workers import BlockWorkers, part_of, simulated_trials

Progress = Callable[[str, float], None]
CELLS_EFFECTS = (0.1, 0.2, 0.4, 0.6, 0.8)
SHARES_WHO_RESPOND = (0.25, 0.5, 0.75, 1.0)
SIZE_FACTORS = (0.5, 1.0, 2.0, 4.0)
PEOPLE_PER_DRAW = 256


@dataclass(frozen=True)
class PowerSettings:
    """How thoroughly a design is examined.

    Attributes:
        replicates: trials under each truth.
        draws: draws of what is not known, for assurance and the value of the answer; at least 2.
        people: size of the pool under the central values.
        effects: true effects at which the power is asked: standardised effects of cells, or shares who respond.
        sizes: numbers of patients at which it is asked.
    """

    replicates: int = 2000
    draws: int = 64
    people: int = 1024
    effects: tuple[float, ...] = ()
    sizes: tuple[int, ...] = ()


def power_report(
    design: TrialDesign,
    asked: PowerSettings,
    *,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Operating characteristics of a design as plain data.

    Args:
        design: the trial.
        asked: how thoroughly it is examined.
        workers: who simulates the trials; this process by default. The bits are the same.
        progress: called with a stage in words and the share done, 0 to 1.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
    """
    say = progress or (lambda stage, share: None)
    say("simulating patients", 0.0)
    pool = cached_pool(design, asked.people, None, None)
    forecast = forecast_accrual(design, pool)
    truths = [MODEL, NULL]
    if design.conduct.drift_points_per_year:
        truths.append(Truth("drift", design.conduct.drift_points_per_year))
    under: dict[str, dict[str, Any]] = {}
    results: dict[str, Arrays] = {}
    for place, truth in enumerate(truths):
        settings = Settings(asked.replicates, truth, 0, asked.people)
        told = part_of(say, f"simulating trials, {truth.words}", place, len(truths))
        results[truth.kind] = simulated_trials(design, settings, workers, told)
        under[truth.kind] = _under(design, truth, results[truth.kind])
    say("looking for the effect that is worth having", 0.0)
    reference = reference_truth(design, asked.people)
    by_effect = _by_effect(design, asked, results["null"], workers, say)
    assurance, effects, over_draws = _assurance(design, asked, workers, say)
    at_reference = Settings(asked.replicates, reference.truth, 0, asked.people, first_only=True)
    smallest = smallest_trial(design, at_reference, target=design.target_power, workers=workers, progress=say)
    by_size = _by_size(design, asked, at_reference, workers, say)
    found: dict[str, Any] = {
        "research_use": "Simulated trials, for research; not for decisions about the treatment of a person.",
        "design": design.name,
        "title": design.title,
        "question": design.question,
        "patients": design.patients,
        "alpha": design.alpha,
        "replicates": asked.replicates,
        "knowledge_draws": asked.draws,
        "endpoints": [
            {"name": one.name, "words": endpoint_words(design, one), "analysis": one.method}
            for one in design.endpoints
        ],
        "under": under,
        "reference": {
            "words": reference.words,
            "truth": reference.truth.words,
            "effect": _short(reference.effect),
        },
        "power_by_effect": by_effect,
        "assurance": assurance,
        "smallest_trial": smallest.data(),
        "power_by_size": by_size,
        "accrual": accrual_data(design, forecast),
        "cost": {"value": design.cost_of, "unit": design.cost.unit},
        "published": recognised(design, results["model"], MODEL),
        "published_over_draws": over_draws,
        "value": _value(design, effects, results["null"], reference, forecast),
        "manifest": store.manifest_of(design),
    }
    found["verdict"] = verdict(design, found)
    return found


def _under(design: TrialDesign, truth: Truth, results: Arrays) -> dict[str, Any]:
    keys = [f"{endpoint.name}/{arm}" for endpoint in design.endpoints for arm in design.test_arms]
    effects: Any = {key: results[f"truth/{key}"] for key in keys}
    rows = characteristics(design, results, effects)
    return {
        "words": truth.words,
        "characteristics": [row.data() for row in rows],
        "course": course_of(design, results),
    }


def _by_effect(
    design: TrialDesign, asked: PowerSettings, null: Arrays, workers: BlockWorkers | None, say: Progress
) -> list[dict[str, Any]]:
    """Power by true effect, from none upwards; `null` has been simulated already."""
    if design.cells_decide:
        truths = [Truth("cells", value) for value in asked.effects or CELLS_EFFECTS]
    else:
        truths = [Truth("share", value) for value in asked.effects or SHARES_WHO_RESPOND]
    found: list[dict[str, Any]] = []
    for place, truth in enumerate([NULL, *truths]):
        told = part_of(say, "power by true effect", place, len(truths) + 1)
        settings = Settings(asked.replicates, truth, 0, asked.people, first_only=True)
        results = null if truth == NULL else simulated_trials(design, settings, workers, told)
        effect = first_effect(design, asked.people, None, truth)
        found.append({"truth": truth.words, "effect": _short(effect), **power_of(design, results).data()})
    return found


def _assurance(
    design: TrialDesign, asked: PowerSettings, workers: BlockWorkers | None, say: Progress
) -> tuple[dict[str, Any], np.ndarray[Any, Any], dict[str, Any] | None]:
    """Power averaged over what is not known, with a Monte-Carlo error that counts draws; the effects by draw; and how
    a published effect compares with these replicates."""
    draws = max(2, asked.draws)
    replicates = max(draws, asked.replicates)
    settings = Settings(replicates, MODEL, draws, PEOPLE_PER_DRAW, first_only=True)
    results = simulated_trials(
        design, settings, workers, lambda share: say("assurance over what is not known", share)
    )
    key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
    won = (results[f"{key}/significant"] & results[f"{key}/favours"]).astype(float)
    by_draw = np.asarray([won[results["draw"] == draw].mean() for draw in range(draws)])
    effects = np.asarray([results[f"truth/{key}"][results["draw"] == draw][0] for draw in range(draws)])
    figure = Figure(float(by_draw.mean()), float(by_draw.std(ddof=1) / math.sqrt(draws)))
    low, middle, high = np.quantile(effects, [0.025, 0.5, 0.975])
    data = {
        **figure.data(),
        "draws": draws,
        "effect_mean": _short(float(effects.mean())),
        "effect_median": _short(float(middle)),
        "effect_95": [_short(float(low)), _short(float(high))],
        "effects": [_short(float(effect)) for effect in effects],
    }
    return data, effects, recognised(design, results, MODEL)


def _by_size(
    design: TrialDesign,
    asked: PowerSettings,
    settings: Settings,
    workers: BlockWorkers | None,
    say: Progress,
) -> list[dict[str, Any]]:
    sizes: Sequence[int] = asked.sizes or [max(4, round(factor * design.patients)) for factor in SIZE_FACTORS]
    found: list[dict[str, Any]] = []
    for place, size in enumerate(sizes):
        told = part_of(say, "power by size", place, len(sizes))
        found.append(power_at(design, settings, min(size, 20_000), workers, told).data())
    return found


def _value(
    design: TrialDesign,
    effects: np.ndarray[Any, Any],
    null: Arrays,
    reference: Reference,
    forecast: AccrualForecast,
) -> dict[str, Any] | None:
    """Value of the answer at the design's size and at the size that is feasible; None without a decision."""
    decision = design.decision
    if decision is None:
        return None
    gains, worthwhile = benefit_of(design, effects)
    key = f"{design.endpoints[0].name}/{design.test_arms[0]}"
    spread = np.asarray(null[f"{key}/estimate"], float)
    error = float(np.nanstd(spread, ddof=1))
    people = people_affected(design, forecast.eligible_now, forecast.eligible_per_year)
    rows: list[dict[str, Any]] = []
    sizes = {"design": design.patients, "feasible": forecast.feasible_patients}
    sizes |= {
        f"{factor:g} times the design": round(factor * design.patients)
        for factor in SIZE_FACTORS
        if factor > 1
    }
    for name, size in sizes.items():
        if size < 4:
            continue
        own = error * math.sqrt(design.patients / size)
        row = value_at(gains, worthwhile, own, size, design.seed).data()
        critical = float(norm.isf(design.alpha / 2.0))
        row["size"] = name
        row["power_at_reference"] = _short(float(norm.sf(critical - abs(reference.effect) / own)))
        row["sample_information"] = (
            None if people is None else _short(people * row["sample_information_per_person"])
        )
        rows.append(row)
    return {
        "worthwhile": decision.worthwhile,
        "unit": decision.unit,
        "people_affected": None if people is None else _short(people),
        "years": decision.years,
        "adopt_now": bool(np.mean(gains) > worthwhile),
        "probability_worthwhile": _short(float(np.mean(gains > worthwhile))),
        "at": rows,
    }


def verdict(design: TrialDesign, found: dict[str, Any]) -> dict[str, Any]:
    """Whether a trial that can be done would tell, in words, from the numbers of the report."""
    smallest, feasible = found["smallest_trial"]["patients"], found["accrual"]["feasible_patients"]
    years = design.accrual.feasible_years
    reference = found["reference"]
    effect = f"{reference['effect']:.3g} ({reference['words']})"
    target = f"{100 * design.target_power:g} %"
    if smallest is None:
        words = (
            "No trial of feasible size can tell: no size up to the largest tried finds an "
            f"effect of {effect} in {target} of trials."
        )
        return {"can_tell": False, "words": words}
    if feasible < smallest:
        words = (
            f"No trial of feasible size can tell: {smallest} people are needed to find an effect of "
            f"{effect} in {target} "
            f"of trials, and about {feasible} can be enrolled in {years:g} years."
        )
        return {"can_tell": False, "words": words}
    words = (
        f"A trial of {smallest} people finds an effect of {effect} in {target} of trials; about {feasible} can be "
        f"enrolled in {years:g} years."
    )
    return {"can_tell": True, "words": words}


def _short(value: float) -> float:
    return float(f"{value:.5g}") if math.isfinite(value) else 0.0
