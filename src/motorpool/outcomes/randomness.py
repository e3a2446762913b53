"""Luck that belongs to a person and a purpose, never to an arm, a step, a grid or the order of draws.

Two layers, both counter-based (a value is a function of its name; nothing is consumed):

- JAX keys: `person_key` folds the person's number into the base key, `stream_key` folds in the purpose. Use
  them for draws made once per person (random effects, traits).
- A 32-bit integer hash: `hashed_uniform(seed, counter, ...)` is cheap enough to be called at every time step
  inside a scan. `stream_seed` makes the hash's seed from a person's key and a purpose.

The same person, purpose and counters give the same value in every arm, on every grid, in every batch and in
float32 as well as float64 (to rounding). A seed has 32 bits, so among a million people about a hundred pairs
share the luck of one purpose.

Source of the mixing function: Chris Wellons, "Prospecting for Hash Functions" (2018), `lowbias32` (public
domain).
"""

import zlib

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jax.typing import ArrayLike, DTypeLike

STREAM_NAMES: tuple[str, ...] = (
    "traits",
    "enrolment",
    "diagnosis",
    "therapy_calendar",
    "therapy_response",
    "cell_therapy",
    "respiratory_infections",
    "events",
    "adverse_events",
    "observation",
    "milestones",
    "care",
)
"""Every purpose for which luck is drawn. The order has no meaning: the number of a stream is the CRC-32 of
its name.
"""

STREAM_IDS: dict[str, int] = {name: zlib.crc32(name.encode()) for name in STREAM_NAMES}

_SEED_OFFSET = 0x9E3779B9  # seeds and counters are offset differently: (1, 2) and (2, 1) must not agree
_COUNTER_OFFSET = 0x85EBCA6B
_MIX_FIRST = 0x7FEB352D
_MIX_SECOND = 0x846CA68B
_RANDOM_BITS = 23  # with one half added still exact in float32, so that 0 and 1 are never returned


def name_id(name: str) -> int:
    """Stable 32-bit number of any name (an event, an adverse event, an outcome), for use as a counter."""
    return zlib.crc32(name.encode())


def stream_id(stream_name: str) -> int:
    """Stable number of a registered purpose; `ValueError` names the registered ones when it is unknown."""
    if stream_name not in STREAM_IDS:
        message = f"unknown stream {stream_name!r}; registered streams: {', '.join(STREAM_NAMES)}"
        raise ValueError(message)
    return STREAM_IDS[stream_name]


def _typed_keys(key: jax.Array) -> jax.Array:
    """Accept both styles of JAX key: typed keys pass through, raw `uint32 (..., 2)` keys are wrapped."""
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return key
    return jax.random.wrap_key_data(key)


def person_key(base_key: jax.Array, patient_id: ArrayLike) -> jax.Array:
    """Key of each person: `base_key` scalar, `patient_id` any shape of integers; returns typed keys of that
    shape.
    """
    identifiers = jnp.asarray(patient_id).astype(jnp.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(_typed_keys(base_key), identifiers.reshape(-1))
    return keys.reshape(identifiers.shape)


def stream_key(person_keys: jax.Array, stream_name: str) -> jax.Array:
    """Key of one purpose for each person: shape of `person_keys` in, the same shape out."""
    keys, identifier = _typed_keys(person_keys), jnp.uint32(stream_id(stream_name))
    folded = jax.vmap(jax.random.fold_in, (0, None))(keys.reshape(-1), identifier)
    return folded.reshape(keys.shape)


def stream_seed(person_keys: jax.Array, stream_name: str) -> jax.Array:
    """Seed of the integer hash, uint32, for each person and one purpose: shape of `person_keys` in and
    out.
    """

    def one_seed(key: jax.Array) -> jax.Array:
        return jax.random.bits(key, (), jnp.uint32)

    keys = stream_key(person_keys, stream_name)
    seeds = jax.vmap(one_seed)(keys.reshape(-1))
    return seeds.reshape(keys.shape)


def _as_uint32(value: ArrayLike) -> jax.Array:
    if isinstance(value, int):
        return jnp.uint32(value & 0xFFFFFFFF)
    return jnp.asarray(value).astype(jnp.uint32)


def _mix(value: jax.Array) -> jax.Array:
    """Well-mixed bijection of 32 bits (lowbias32): flipping one input bit flips each output bit half of the
    time.
    """
    value = (value ^ (value >> 16)) * jnp.uint32(_MIX_FIRST)
    value = (value ^ (value >> 15)) * jnp.uint32(_MIX_SECOND)
    return value ^ (value >> 16)


def hashed_bits(seed: ArrayLike, *counters: ArrayLike) -> jax.Array:
    """32 random bits named by `seed` and `counters` (integers of shapes that broadcast); uint32 of the
    broadcast shape.

    Each counter is mixed before it is combined, so that the sequences of two seeds are never shifted copies
    of each other.
    """
    state = _mix(_as_uint32(seed) + jnp.uint32(_SEED_OFFSET))
    for counter in counters:
        state = _mix(state ^ _mix(_as_uint32(counter) + jnp.uint32(_COUNTER_OFFSET)))
    return state


def hashed_uniform(seed: ArrayLike, *counters: ArrayLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Uniform value strictly between 0 and 1 named by `seed` and `counters`; 23 random bits, equal in every
    float type.
    """
    floating = jnp.result_type(float) if dtype is None else dtype
    bits = hashed_bits(seed, *counters) >> (32 - _RANDOM_BITS)
    return (bits.astype(floating) + 0.5) * 2.0**-_RANDOM_BITS


def hashed_normal(seed: ArrayLike, *counters: ArrayLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Standard normal value named by `seed` and `counters` (inverse distribution function; at most 5.3 in
    size).
    """
    return ndtri(hashed_uniform(seed, *counters, dtype=dtype))


def hashed_exponential(seed: ArrayLike, *counters: ArrayLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Exponential value with mean 1 named by `seed` and `counters` (inverse distribution function)."""
    return -jnp.log(hashed_uniform(seed, *counters, dtype=dtype))
