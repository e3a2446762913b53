"""One draw of everything that is not known: the parameter values with which a cohort and its arms are simulated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from motorpool.biology.vocabulary import Array
from motorpool.cohorts.traits import PeopleParameters
from motorpool.engine.parameters import ModelParameters, model_parameters
from motorpool.evidence.outcome_catalogue import load_outcome_catalogue
from motorpool.evidence.parameters import ParameterTable, Value, load_parameter_table
from motorpool.evidence.posterior import load_posterior
from motorpool.outcomes.observation import ObservationParameters, outcome_identity
from motorpool.outcomes.panel import OUTCOMES


@dataclasses.dataclass(frozen=True)
class Draw:
    """The parameter values of one draw, in the forms that the rooms want."""

    values: Mapping[str, Value]
    model: ModelParameters
    people: PeopleParameters
    observation: ObservationParameters


@dataclasses.dataclass(frozen=True)
class _ObservationValues:
    noise_sd: Any
    proportional: Any
    blinded_gain: Any
    open_label_gain: Any
    gain_time_hours: Any


def parameter_draw(
    number: int | None, seed: int, table: ParameterTable | None = None, dtype: Any = jnp.float32
) -> Draw:
    """Draw ``number`` of everything that is not known, or the central values where it is None.

    Calibrated parameters come from the shipped posterior, all of one draw together; the others, about which the
    calibration studies say nothing, from their priors. A ``table`` of one's own is taken as it is, without posterior.
    """
    records = table or load_parameter_table()
    values = records.central_values() if number is None else records.drawn_values(seed, number)
    posterior = load_posterior() if table is None else None
    if posterior is not None:
        values = {**values, **posterior.values(number, records)}
    return draw_of_values(values, records, dtype)


def draw_of_values(values: Mapping[str, Value], records: ParameterTable, dtype: Any = jnp.float32) -> Draw:
    """The draw with these parameter values, by id."""
    people = records.fill(PeopleParameters, "people", values)
    return Draw(
        values=values,
        model=model_parameters(records, values, dtype),
        people=jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), people),
        observation=_observation(records.fill(_ObservationValues, "observation", values), dtype),
    )


def _observation(read: _ObservationValues, dtype: Any) -> ObservationParameters:
    catalogue = load_outcome_catalogue()
    entries = [catalogue[name] for name in OUTCOMES]

    def array(values: Any) -> Array:
        return jnp.asarray(np.asarray(values, np.float64), dtype)

    return ObservationParameters(
        identity=outcome_identity(OUTCOMES),
        noise_sd=array(read.noise_sd),
        proportional=jnp.asarray(np.asarray(read.proportional) > 0.5),
        rounding_step=array([1.0 if entry.whole_numbers else 0.0 for entry in entries]),
        floor=array([-np.inf if entry.minimum is None else entry.minimum for entry in entries]),
        ceiling=array([np.inf if entry.maximum is None else entry.maximum for entry in entries]),
        blinded_gain=array(read.blinded_gain),
        open_label_gain=array(read.open_label_gain),
        gain_time_hours=array(np.full(len(OUTCOMES), float(read.gain_time_hours))),
    )
