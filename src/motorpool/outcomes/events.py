"""When events happen: an event fires when its integrated hazard crosses one exponential draw per person and
event.

The draw belongs to the person and the event (never to arm or step), so more hazard on the same luck is never
later.
"""

import math

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from motorpool.outcomes.randomness import hashed_exponential, name_id

MEDIAN_EXPONENTIAL_DRAW = math.log(2.0)
"""The draw of everybody when the chance layer is off: the event then happens at the median time of its
hazard.
"""


def event_draw(
    person_seed: jax.Array, event_name: str, *, chance: bool = True, dtype: DTypeLike | None = None
) -> jax.Array:
    """Exponential draw (mean 1) of each person for one event; ln 2 for everybody when chance is off.

    `person_seed`: uint32 (P,), from `stream_seed(keys, "events")`. Returns (P,).
    """
    if chance:
        return hashed_exponential(person_seed, name_id(event_name), dtype=dtype)
    floating = jnp.result_type(float) if dtype is None else dtype
    return jnp.full(person_seed.shape, MEDIAN_EXPONENTIAL_DRAW, floating)
