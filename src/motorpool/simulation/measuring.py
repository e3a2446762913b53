"""What visits measure: true outcomes seen with the noise, rounding and bias of their instruments."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import Array
from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.outcomes.observation import ObservationParameters, observe

VISITS_TOGETHER = 8


def measured(
    true: NDArray[Any],
    visit_hours: NDArray[np.int32],
    baseline_seed: NDArray[np.uint32],
    later_seed: NDArray[np.uint32],
    parameters: ObservationParameters,
    open_label: float,
    *,
    noise: bool,
) -> NDArray[Any]:
    """Measured outcomes (V, outcome, P) of true ones at visits (V,) in hours since enrolment.

    The first visit is the baseline, whose luck is named by ``baseline_seed`` (P,); the others have ``later_seed``.
    """
    visits, patients = true.shape[0], true.shape[-1]
    # Padded to a few shapes, so that few programs measure every study.
    rows = _with_last(visits, VISITS_TOGETHER)
    padded, hours, label = true[rows], visit_hours[rows], true.dtype.type(open_label)
    found: list[Array] = []
    for block in _with_last(patients, BLOCK_PATIENTS).reshape(-1, BLOCK_PATIENTS):
        luck = [seed[block] for seed in (baseline_seed, later_seed)]
        found.append(_seen(padded.take(block, axis=-1), hours, *luck, parameters, label, noise=noise))
    return np.concatenate([np.asarray(part)[:visits] for part in found], axis=-1)[..., :patients]


def _with_last(count: int, together: int) -> NDArray[np.int_]:
    """Places of ``count`` things, the last one repeated up to whole groups."""
    return np.minimum(np.arange(-(-count // together) * together), count - 1)


@functools.partial(jax.jit, static_argnames="noise")
def _seen(
    true: Array,
    hours: Array,
    baseline_seed: Array,
    later_seed: Array,
    parameters: ObservationParameters,
    open_label: Array,
    *,
    noise: bool,
) -> Array:
    see = functools.partial(observe, parameters=parameters, open_label=open_label, noise=noise)
    return jnp.concatenate([see(true[:1], hours[:1], baseline_seed), see(true[1:], hours[1:], later_seed)])
