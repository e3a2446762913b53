"""SMN protein: how much a motor neuron makes, how much it needs at each age, and the stress of the gap."""

from __future__ import annotations

import statistics

import jax.numpy as jnp
import numpy as np

from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.vocabulary import POOL_PARTS, VULNERABILITY_CLASSES, Array, record

# Every vulnerability class holds the same share of the neurons; its factor is the quantile in the class's middle.
CLASS_QUANTILES = np.array(
    [statistics.NormalDist().inv_cdf((i + 0.5) / VULNERABILITY_CLASSES) for i in range(VULNERABILITY_CLASSES)]
)


@record
class SmnParameters:
    """SMN supply and need. All levels are relative to a healthy person's motor neuron (1.0)."""

    level_per_smn2_copy: Array
    level_per_smn1_copy: Array
    turnover_time_years: Array
    need_before_birth: Array
    need_later: Array
    need_decline_years: Array
    need_decline_start_age_years: Array
    stress_steepness: Array
    group_need_factor: Array
    vulnerability_class_log_sd: Array


def target_level(person: Person, influence: Influence, parts: int = POOL_PARTS) -> Array:
    """SMN level that each part of each pool tends to, shape (T, G, P).

    A splicing modifier multiplies what the SMN2 copies make; a transgene adds to it in the transduced part. Where no
    transgene is ever given, the first of the ``parts`` is enough.
    """
    from_smn2 = person.smn2_level * (1.0 + influence.splicing_gain)
    without_transgene = person.smn1_level + from_smn2
    reached = jnp.arange(parts, dtype=without_transgene.dtype)[
        :, None, None
    ]  # not transduced 0, transduced 1
    return without_transgene + reached * influence.transgene_neurons


def need(age_years: Array, parameters: SmnParameters) -> Array:
    """SMN level a neuron of median vulnerability needs at this age: high before birth, falling to a floor."""
    since = jnp.maximum(age_years - parameters.need_decline_start_age_years, 0.0)
    excess = parameters.need_before_birth - parameters.need_later
    return parameters.need_later + excess * jnp.exp(-since / parameters.need_decline_years)


def stress(level: Array, age_years: Array, person: Person, parameters: SmnParameters) -> Array:
    """Stress in [0, 1] of every class, part and group, shape (V, T, G, P): a falling function of supply over need.

    Args:
        level: SMN level, shape (T, G, P).
        age_years: shape (P,).
    """
    log_need = (
        jnp.log(need(age_years, parameters))
        + jnp.log(parameters.group_need_factor)[:, None]
        + person.log_vulnerability
    )
    log_ratio = jnp.log(jnp.maximum(level, 1e-6)) - log_need
    # 1 / (1 + (supply / need)^steepness): one power for all classes of a part, which differ by a factor.
    met = jnp.exp(parameters.stress_steepness * log_ratio)
    class_shift = parameters.vulnerability_class_log_sd * jnp.asarray(CLASS_QUANTILES, log_ratio.dtype)
    met_by_class = jnp.exp(-parameters.stress_steepness * class_shift)
    return 1.0 / (1.0 + met[None] * met_by_class[:, None, None, None])
