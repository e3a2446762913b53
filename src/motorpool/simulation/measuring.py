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
    more_people, more_visits = -patients % BLOCK_PATIENTS, -visits % VISITS_TOGETHER
    padded = np.pad(true, ((0, more_visits), (0, 0), (0, more_people)), mode="edge")
    hours = np.pad(visit_hours, (0, more_visits), mode="edge")
    seeds = [np.pad(seed, (0, more_people), mode="edge") for seed in (baseline_seed, later_seed)]
    label = jnp.asarray(open_label, padded.dtype)
    found: list[Array] = []
    for first in range(0, padded.shape[-1], BLOCK_PATIENTS):
        block = slice(first, first + BLOCK_PATIENTS)
        luck = [seed[block] for seed in seeds]
        found.append(_seen(padded[..., block], hours, *luck, parameters, label, noise=noise))
    return np.concatenate([np.asarray(part) for part in found], axis=-1)[:visits, :, :patients]


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
