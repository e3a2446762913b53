"""Global sensitivity of any function of normalised parameters: Sobol's indices, by SALib.

Normalised parameters are prior standard deviations from the centre (:mod:`motorpool.calibration.space`); an
:class:`~motorpool.calibration.emulate.Emulator` is such a function. The indices share an output's variance out among
independent inputs, so they are asked either over the priors or over the posterior without its correlations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
"""Outputs (M, T) at points (M, D)."""
BATCH = 4096
EDGE = 1e-9  # keeps the quantile function finite


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Independent inputs: names (D,), and normal distributions cut off at ``low`` and ``high``, all (D,)."""

    names: tuple[str, ...]
    mean: Array
    sd: Array
    low: Array
    high: Array

    def at(self, shares: Array) -> Array:
        """Points (M, D) at quantiles (M, D) in (0, 1)."""
        below, above = ndtr((self.low - self.mean) / self.sd), ndtr((self.high - self.mean) / self.sd)
        inside = np.clip(below + shares * (above - below), EDGE, 1.0 - EDGE)
        return np.clip(self.mean + self.sd * ndtri(inside), self.low, self.high)


def prior_inputs(names: Sequence[str], low: Array, high: Array) -> Inputs:
    """Inputs spread as their priors: standard normal within the bounds."""
    size = len(names)
    return Inputs(tuple(names), np.zeros(size), np.ones(size), np.asarray(low), np.asarray(high))


def drawn_inputs(names: Sequence[str], draws: Array, low: Array, high: Array) -> Inputs:
    """Inputs with the means and SDs of draws (S, D) of a posterior, without the correlations between them."""
    return Inputs(tuple(names), draws.mean(axis=0), draws.std(axis=0), np.asarray(low), np.asarray(high))


@dataclasses.dataclass(frozen=True)
class Indices:
    """Indices of T outputs on D inputs: ``total`` and ``first`` (T, D), each with the half-width of a 95 % interval."""

    names: tuple[str, ...]
    outputs: tuple[str, ...]
    total: Array
    first: Array
    total_error: Array
    first_error: Array


def sobol_indices(
    function: Function, inputs: Inputs, outputs: Sequence[str], *, samples: int = 512, seed: int = 1
) -> Indices:
    """First-order and total indices by Saltelli's scheme; ``samples`` x (D + 2) evaluations, a power of two.

    Args:
        function: outputs (M, T) at points (M, D) of normalised parameters, for example ``emulator.predict``.
        inputs: how the parameters spread.
        outputs: names of the T outputs.
    """
    from SALib.analyze import sobol
    from SALib.sample import sobol as sampling

    problem = _problem(inputs.names)
    shares = np.asarray(sampling.sample(problem, samples, calc_second_order=False, seed=seed), float)
    values = _evaluate(function, inputs.at(np.clip(shares, EDGE, 1.0 - EDGE)), len(outputs))
    found = [
        _varying(values[:, place], len(inputs.names))
        or sobol.analyze(problem, values[:, place], calc_second_order=False, seed=seed)
        for place in range(len(outputs))
    ]
    return _gathered(inputs.names, outputs, found)


def sensitivity_data(indices: Indices, *, shown: int = 8) -> dict[str, Any]:
    """Indices in the form of ``data/sensitivity.json``: the largest of every output, and means over outputs."""
    mean = np.nan_to_num(indices.total).mean(axis=0)
    endpoints = {
        name: [
            {
                "parameter": indices.names[i],
                "total": round(float(indices.total[place, i]), 3),
                "first": round(float(indices.first[place, i]), 3),
            }
            for i in np.argsort(-indices.total[place])[:shown]
        ]
        for place, name in enumerate(indices.outputs)
    }
    ranked = {indices.names[i]: round(float(mean[i]), 4) for i in np.argsort(-mean)}
    return {"mean_total_index": ranked, "endpoints": endpoints}


def _problem(names: Sequence[str]) -> dict[str, Any]:
    """SALib's own form; inputs are numbered, because it refuses names with certain endings."""
    numbered = [f"x{place}" for place in range(len(names))]
    return {"num_vars": len(names), "names": numbered, "bounds": [[0.0, 1.0]] * len(names)}


def _evaluate(function: Function, points: Array, outputs: int) -> Array:
    values = np.empty((len(points), outputs))
    for begin in range(0, len(points), BATCH):
        values[begin : begin + BATCH] = function(points[begin : begin + BATCH])
    return values


def _varying(values: Array, inputs: int) -> Mapping[str, Array] | None:
    """Zero indices for an output that never changes, of which no method can say anything."""
    if float(np.std(values)) > 0.0:
        return None
    none = np.zeros(inputs)
    return {name: none for name in ("ST", "S1", "ST_conf", "S1_conf")}


def _gathered(names: Sequence[str], outputs: Sequence[str], found: Sequence[Mapping[str, Any]]) -> Indices:
    def rows(key: str) -> Array:
        return np.nan_to_num(np.array([np.asarray(one[key], float) for one in found]))

    return Indices(tuple(names), tuple(outputs), rows("ST"), rows("S1"), rows("ST_conf"), rows("S1_conf"))
