"""The standard normal distribution, written in operations that every compiler of the equations knows.

Source: the rational approximation of J. F. Hart, "Computer Approximations" (1968), as given by G. West, "Better
approximations to cumulative normal functions" (2005): exact to 1e-15 where it is used.
"""

from functools import reduce

import jax
import jax.numpy as jnp

_FARTHEST = 7.0  # standard deviations; what lies beyond has a probability of 1e-12
_NUMERATOR = (
    3.52624965998911e-2,
    0.700383064443688,
    6.37396220353165,
    33.912866078383,
    112.079291497871,
    221.213596169931,
    220.206867912376,
)
_DENOMINATOR = (
    8.83883476483184e-2,
    1.75566716318264,
    16.064177579207,
    86.7807322029461,
    296.564248779674,
    637.333633378831,
    793.826512519948,
    440.413735824752,
)


def normal_probability(deviation: jax.Array) -> jax.Array:
    """Probability of a standard normal number below ``deviation``, any shape; at least 1e-12 and at most 1 - 1e-12."""
    distance = jnp.minimum(jnp.abs(deviation), _FARTHEST)
    above, below = (
        reduce(lambda total, next_one: total * distance + next_one, coefficients, jnp.zeros_like(distance))
        for coefficients in (_NUMERATOR, _DENOMINATOR)
    )
    tail = jnp.exp(-0.5 * distance**2) * above / below
    return jnp.where(deviation > 0.0, 1.0 - tail, tail)
