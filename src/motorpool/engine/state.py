"""The state of a block of patients, what is recorded of it, and where life begins."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from motorpool.biology import smn
from motorpool.biology.person import Person
from motorpool.biology.system import Body, newborn_body
from motorpool.biology.vocabulary import Array, record
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts

HAZARDS = ("death", "tube_feeding")


@record
class State:
    """Everything about a block of patients at one instant; (P,) unless said.

    smn (T, G, P); cumulative_hazard (2, P); start_hours, stop_hours (C, P) of the courses; given_until_hours: time up
    to which due doses have been given; administrations, exposure_hours (C, P) while alive.
    """

    body: Body
    amounts: Amounts
    smn: Array
    cumulative_hazard: Array
    tube_placed: Array
    start_hours: Array
    stop_hours: Array
    given_until_hours: Array
    administrations: Array
    exposure_hours: Array
    first_dose_weight_kg: Array


@record
class Trajectory:
    """What is recorded at every step boundary, (K, ..., P): see :class:`motorpool.outcomes.panel.Panel`.

    pools (K, 3, G, P): working, sick and dead share of each pool. cumulative_hazard (K, 2, P).
    breathing (K, P): breathing ability between infections, log-odds; ventilation, cough_assist (K, P).
    doses (K, C, P): amounts given at the boundary.
    """

    age_hours: Array
    outcomes: Array
    margins: Array
    walk_minute_m: Array
    pools: Array
    cumulative_hazard: Array
    breathing: Array
    ventilation: Array
    cough_assist: Array
    doses: Array


def initial_state(
    person: Person, plan: dosing.Plan, start_hours: Array, parameters: ModelParameters
) -> State:
    """State at the start of life (mid-gestation): no neuron lost, nothing given, SMN at its untreated target."""
    patients = person.smn2_level.shape[0]
    dtype = person.smn2_level.dtype
    amounts = formulary.nothing_given(patients, dtype)
    zero = jnp.zeros(patients, dtype)
    nothing = no_protocol(dtype)
    influence = formulary.influence(amounts, zero, nothing, parameters.therapies)
    never = jnp.full(plan.start_hours.shape, dosing.NEVER_HOURS, jnp.int32)
    none_given = jnp.zeros(plan.start_hours.shape, dtype)
    return State(
        body=newborn_body(patients, dtype),
        amounts=amounts,
        smn=smn.target_level(person, influence),
        cumulative_hazard=jnp.zeros((len(HAZARDS), patients), dtype),
        tube_placed=zero,
        start_hours=plan.start_hours,
        stop_hours=never,
        given_until_hours=start_hours - 1,
        administrations=jnp.zeros(plan.start_hours.shape, jnp.int32),
        exposure_hours=none_given,
        first_dose_weight_kg=none_given,
    )


def no_protocol(dtype: Any) -> CellProtocol:
    """A plan without cells."""
    zero: Any = np.zeros((), dtype)
    mechanisms: Any = np.ones(5, dtype)
    return CellProtocol(
        mechanisms=mechanisms, prior_effect=zero, effect_smd=zero, immunosuppressed=zero, neural=zero
    )
