"""How much a design's answer rests on each assumption: one assumption changed at a time, in the same truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.trials.blocks import Settings
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.operating import characteristics
from motorpool.trials.reference import reference_truth
from motorpool.trials.truth import NULL
from motorpool.trials.workers import BlockWorkers, simulated_trials

Progress = Callable[[str, float], None]


def variations(design: TrialDesign) -> Iterator[tuple[str, list[str]]]:
    """Changes of one assumption each: what it is in words, and the entries of the design."""
    missing, sites = design.conduct.missing, design.sites
    yield "as designed", []
    yield "nobody leaves and no visit is missed", ["conduct.missing={}"]
    more = min(1.0, 2.0 * max(missing.leave_per_year, 0.02))
    skipped = min(1.0, 2.0 * max(missing.visits_missed, 0.02))
    yield (
        "twice as many leave and miss visits",
        [f"conduct.missing.leave_per_year={more}", f"conduct.missing.visits_missed={skipped}"],
    )
    if design.endpoints[0].outcome is not None:
        for mechanism in ("mar", "mnar"):
            words = "seen" if mechanism == "mar" else "unseen"
            log_odds = max(missing.log_odds_per_point, 0.2)
            entries = [
                f"conduct.missing.mechanism={mechanism}",
                f"conduct.missing.log_odds_per_point={log_odds}",
                f"conduct.missing.leave_per_year={max(missing.leave_per_year, 0.05)}",
            ]
            yield (
                f"those whose score falls leave more often ({words})",
                entries,
            )
        yield (
            "half of the noise of a rating belongs to the rater",
            ["sites.rater_share=0.5", f"sites.raters_per_site={max(2, sites.raters_per_site)}"],
        )
        if sites.count > 1:
            yield "centres differ by one point a year in course", ["sites.course_sd_per_year=1.0"]
    if design.blinding == "double_blind":
        yield "three in ten of the treated guess their arm", ["conduct.unblinded_share=0.3"]
        yield "open label", ["blinding=open_label", "conduct.unblinded_share=0"]
    for care in ("palliative", "standard", "proactive"):
        if care != design.care:
            yield f"{care} care", [f"care={care}"]
    for strategy in ("composite", "while_before"):
        if strategy != design.estimand.intercurrent_events.death:
            yield (
                f"death handled by {strategy.replace('_', ' ')}",
                [f"estimand.intercurrent_events.death={strategy}"],
            )
    if design.endpoints[0].measure == "change":
        other = "mmrm" if design.endpoints[0].method == "ancova" else "ancova"
        yield f"analysed by {other.upper()}", [f"endpoints.0.analysis={other}"]
        yield "not adjusted for the baseline", ["endpoints.0.adjust_for_baseline=false"]
    if not design.visits.window_days:
        yield "visits a week early or late", ["visits.window_days=7"]


def sensitivity_of(
    design: TrialDesign,
    *,
    replicates: int,
    people: int,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Effect, power and type I error of the first endpoint under each variation; what cannot be varied is left out."""
    say = progress or (lambda stage, share: None)
    truth = reference_truth(design, people).truth
    wanted = list(variations(design))
    found: list[dict[str, Any]] = []
    first = design.model_copy(update={"endpoints": design.endpoints[:1]})
    for place, (words, entries) in enumerate(wanted):
        say("varying the assumptions", place / len(wanted))
        try:
            varied = load_design(first, entries)
            rows = [
                characteristics(varied, results, {key: results[f"truth/{key}"]})[0]
                for key in [f"{design.endpoints[0].name}/{design.test_arms[0]}"]
                for results in (
                    simulated_trials(varied, Settings(replicates, truth, 0, people), workers),
                    simulated_trials(varied, Settings(replicates, NULL, 0, people), workers),
                )
            ]
        except ScenarioError:
            continue  # this design cannot be varied so: for example an estimand that has no meaning for its endpoint
        under, null = rows
        found.append(
            {
                "assumption": words,
                "entries": entries,
                "effect": under.data()["truth"],
                "bias": under.bias.data(),
                "coverage": under.coverage.data(),
                "power": under.power.data(),
                "type_1_error": null.rejection.data(),
            }
        )
    return found
