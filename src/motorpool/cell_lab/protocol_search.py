"""A search for protocols beside the grid: a genetic algorithm for several objectives and mixed variables, by pymoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from motorpool.cell_lab.protocol_values import SIGNS, Valuation
from motorpool.cell_lab.protocols import Protocol
from motorpool.evidence.cell_protocols import Level

GENERATION = 16
STEPS = {
    "interval_weeks": 1.0,
    "start_months": 1.0,
    "start_age_months": 1.0,
    "million_cells_per_kg": 0.25,
    "viability": 0.05,
}


def searched(
    axes: Mapping[str, Sequence[Level]],
    value: Valuation,
    objectives: Sequence[str],
    tries: int,
    seed: int,
    tell: Callable[[float], None],
) -> None:
    """Try protocols between the levels of the axes; what is tried is kept by the valuation.

    Numbers lie anywhere between the lowest and the highest level, in steps that a clinic could follow.
    """
    from pymoo.algorithms.moo.nsga2 import RankAndCrowding
    from pymoo.core.mixed import MixedVariableGA
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.core.variable import Choice, Integer, Real
    from pymoo.optimize import minimize

    variables: dict[str, Any] = {}
    fixed: dict[str, Level] = {}
    for name, levels in axes.items():
        if len(levels) == 1:
            fixed[name] = levels[0]
        elif any(isinstance(level, bool | str) for level in levels):
            variables[name] = Choice(options=list(levels))
        else:
            low, high = min(map(float, levels)), max(map(float, levels))
            variables[name] = (
                Integer(bounds=(int(low), int(high))) if name == "doses" else Real(bounds=(low, high))
            )
    if not variables:
        return
    done = 0

    class Search(ElementwiseProblem):
        def __init__(self) -> None:
            super().__init__(vars=variables, n_obj=len(objectives))

        def _evaluate(self, X: dict[str, Any], out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            nonlocal done
            found = value(_protocol(axes, fixed, X))
            out["F"] = np.asarray([SIGNS[name] * found.objective(name) for name in objectives])
            done += 1
            tell(min(done / tries, 1.0))

    survival: Any = RankAndCrowding()
    algorithm = MixedVariableGA(pop_size=min(GENERATION, tries), survival=survival)
    minimize(Search(), algorithm, ("n_eval", tries), seed=seed, verbose=False)


def _protocol(
    axes: Mapping[str, Sequence[Level]], fixed: Mapping[str, Level], found: Mapping[str, Any]
) -> Protocol:
    chosen: dict[str, Level] = {}
    for name in axes:
        level: Any = fixed[name] if name in fixed else found[name]
        if name == "doses":
            level = int(level)
        elif isinstance(level, float | np.floating) and name in STEPS:
            level = round(round(float(level) / STEPS[name]) * STEPS[name], 6)
        elif isinstance(level, np.generic):
            level = level.item()
        chosen[name] = level
    if chosen["doses"] == 1:
        chosen["interval_weeks"] = axes["interval_weeks"][0]
    return Protocol(tuple(chosen.items()))
