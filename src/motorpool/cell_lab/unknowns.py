"""What is not known of cells: their parameters with the priors on record, drawn so that few draws cover them well."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from motorpool.evidence.parameters import load_parameter_table
from motorpool.simulation.model import Draw
from motorpool.therapies.cells import CellParameters, CellProtocol
from motorpool.therapies.kinds import CELL_MECHANISMS

Array = NDArray[np.float64]
TOTAL = "total_effect_smd"
WEIGHTS = tuple(f"weight_{name}" for name in CELL_MECHANISMS)
MODULE = "cells"
MOST_LOGIT = 12.0  # of the probabilities at which quantile functions are tabulated
KNOTS = 769


def unknown_names() -> tuple[str, ...]:
    """Names, without the module, of all parameters of cells that have a prior wider than a point."""
    records = load_parameter_table()
    names = [field.name for field in dataclasses.fields(CellParameters)]
    return tuple(n for n in names if records[f"{MODULE}.{n}"].prior.distribution != "fixed")


def at_quantiles(shares: Array) -> dict[str, Array]:
    """Values (N,) of every unknown at quantiles (N, D) of its prior, D in the order of :func:`unknown_names`."""
    places = logit(np.clip(shares, *expit([-MOST_LOGIT, MOST_LOGIT])))
    return {
        name: np.interp(places[:, column], *_quantile_curve(name))
        for column, name in enumerate(unknown_names())
    }


@functools.cache
def _quantile_curve(name: str) -> tuple[Array, Array]:
    """The quantile function of a prior at many places, by the logit of the probability: dense in both tails."""
    record = load_parameter_table()[f"{MODULE}.{name}"]
    places = np.linspace(-MOST_LOGIT, MOST_LOGIT, KNOTS)
    centre = record.values[0]
    return places, np.asarray([record.prior.quantile(float(u), centre, record.bounds) for u in expit(places)])


def drawn(draws: int, seed: int) -> dict[str, Array]:
    """Values (N,) of every unknown in a Latin hypercube over the priors; tails are met as often as they should be."""
    from scipy.stats import qmc

    sampler = qmc.LatinHypercube(d=len(unknown_names()), rng=np.random.default_rng([seed, 1]))
    return at_quantiles(sampler.random(draws))


def central() -> dict[str, Array]:
    """The recorded central value (1,) of every unknown."""
    records = load_parameter_table()
    return {name: np.asarray([records[f"{MODULE}.{name}"].values[0]]) for name in unknown_names()}


def mechanism_effects(values: Mapping[str, Array]) -> Array:
    """The total effect split over the mechanisms in proportion to their weights, (N, 5), in SD; rows add
    to the total.
    """
    weights = np.stack([np.asarray(values[name], float) for name in WEIGHTS], axis=-1)
    whole = np.maximum(weights.sum(axis=-1, keepdims=True), 1e-9)
    return weights / whole * np.asarray(values[TOTAL], float)[..., None]


def with_cells(draw: Draw, values: Mapping[str, float]) -> Draw:
    """The draw with these parameters of cells; the weights are made equal, so that effects can be stated one by one."""
    model, therapies = draw.model, draw.model.therapies
    kept = {name: value for name, value in values.items() if name not in (TOTAL, *WEIGHTS)}
    equal = dict.fromkeys(WEIGHTS, 1.0 / len(WEIGHTS))
    fields: dict[str, Any] = {name: np.float32(value) for name, value in {**kept, **equal}.items()}
    cells = dataclasses.replace(therapies.cells, **fields)
    return dataclasses.replace(
        draw, model=dataclasses.replace(model, therapies=dataclasses.replace(therapies, cells=cells))
    )


def stated(effects: NDArray[Any], *, immunosuppressed: bool, neural: bool) -> CellProtocol:
    """The protocol in which each mechanism has its own effect (5,) in SD, under the equal weights of `with_cells`."""
    return CellProtocol(
        mechanisms=np.asarray(np.asarray(effects, float) * len(WEIGHTS), np.float32),  # type: ignore[arg-type]
        prior_effect=np.float32(0.0),  # type: ignore[arg-type]
        effect_smd=np.float32(1.0),  # type: ignore[arg-type]
        immunosuppressed=np.float32(immunosuppressed),  # type: ignore[arg-type]
        neural=np.float32(neural),  # type: ignore[arg-type]
    )
