"""Bias, coverage and type I error of trials whose arms or shares change, before and after the rule is accounted for.

People are made up (changes with a standard deviation of 3, true effects known), so that this is about the statistics
alone. From the root of the checkout, some minutes; prints the table of the page on the analyses:

    python -m benchmarks.trial_adaptive_study       # --replicates 4000
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from motorpool.trials.blocks import run_replicates
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import Arrays, characteristics
from motorpool.trials.truth import MODEL, NULL, Truth
from tests.support.trial_pools import CHANGE, design, made_up_pool

SPREAD, PEOPLE = 3.0, 2000
THREE = (
    "arms={one: {therapies: [{therapy: cell_therapy, doses: 1}]}, "
    "two: {therapies: [{therapy: cell_therapy, doses: 2}]}, "
    "three: {therapies: [{therapy: cell_therapy, doses: 3}]}, sham: {stand_in: sham_procedure}}"
)
DROP = [THREE, "patients=160", "arm_dropping={at: 0.5, keep_best: 1}"]
ABOVE = [THREE, "patients=160", "arm_dropping={at: 0.5, lowest_z: 0.5}"]
LOOK = [*DROP, "interims={information: [0.5], efficacy: pocock}"]
SHARES = [
    "patients=120",
    "accrual={patients_per_month: 5}",
    "response_adaptive={looks: [0.25, 0.5, 0.75], smallest_share: 0.2}",
]
SIZE = [
    "patients=80",
    "interims={information: [0.3, 0.6], efficacy: pocock}",
    "reestimation={method: promising_zone, at: 0.6, largest_factor: 2, promising_from: 0.3, power: 0.9}",
]
UNEQUAL = {"one": 0.5, "two": 0.8, "three": 1.0}
CASES: Sequence[tuple[str, list[str], Truth, Mapping[str, float]]] = (
    ("best of three arms kept, no effect", DROP, NULL, {}),
    ("best of three arms kept, 0.5, 0.8 and 1 point", DROP, MODEL, UNEQUAL),
    ("arms with z of 0.5 kept, no effect", ABOVE, NULL, {}),
    ("arms with z of 0.5 kept, 0.5, 0.8 and 1 point", ABOVE, MODEL, UNEQUAL),
    ("best kept, and a look for efficacy, 0.5, 0.8 and 1 point", LOOK, MODEL, UNEQUAL),
    ("shares by response, no effect", SHARES, NULL, {}),
    ("shares by response, times that change by 5 points a year", SHARES, Truth("drift", 5.0), {}),
    ("shares by response, 1.5 points", SHARES, MODEL, {"cells": 1.5}),
    ("two looks and the promising zone, no effect", SIZE, NULL, {}),
    ("two looks and the promising zone, 1.5 points", SIZE, MODEL, {"cells": 1.5}),
)


def errors(trial: TrialDesign, results: Arrays) -> tuple[float, float]:
    """Share of trials in which any arm is shown: by plain intervals, and as the design tests.

    Plain: a 95 % interval of everybody together, of an arm that went on, lies above 0 (several arms) or beside it.
    """
    several = len(trial.test_arms) > 1
    plain = np.zeros(len(results["look"]), bool)
    shown = plain.copy()
    for arm in trial.test_arms:
        on = results.get(f"kept/{arm}", np.ones(plain.size)) > 0
        low, high = results[f"change/{arm}/low"], results[f"change/{arm}/high"]
        plain |= on & ((low > 0.0) | (np.logical_not(several) & (high < 0.0)))
        shown |= results[f"change/{arm}/significant"]
    return 100.0 * float(plain.mean()), 100.0 * float(shown.mean())


def row(words: str, changes: list[str], truth: Truth, effects: Mapping[str, float], replicates: int) -> str:
    """One row of the table: all arms of a design that have an adjusted estimate together."""
    trial = design(*changes, endpoints=f"[{CHANGE}]")
    pool = made_up_pool(trial, people=PEOPLE, spread=SPREAD, effects=dict(effects))
    results = run_replicates(trial, pool, truth, range(replicates))
    truths = {f"change/{arm}": effects.get(arm, 0.0) for arm in trial.test_arms}
    found = [one.estimation for one in characteristics(trial, results, truths) if one.estimation is not None]
    weights = np.array([one.replicates for one in found], float)
    cells: list[str] = []
    for name, times in (("bias", 1.0), ("above_truth", 100.0), ("coverage", 100.0)):
        for which in ("naive", "adjusted"):
            values = [getattr(getattr(one, which), name).value for one in found]
            cells.append(f"{times * float(np.average(values, weights=weights)):.{2 if times == 1.0 else 1}f}")
    plain, shown = errors(trial, results)
    return f"| {words} | {' | '.join(cells)} | {plain:.1f} | {shown:.1f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=4000)
    replicates = parser.parse_args().replicates
    print("| trial | bias, naive | adjusted | above the truth, naive | adjusted ", end="")
    print("| coverage, naive | adjusted | shown, plain | as tested |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in CASES:
        print(row(*case, replicates), flush=True)


if __name__ == "__main__":
    main()
