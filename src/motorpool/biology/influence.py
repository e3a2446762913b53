"""The influence record: the only way in which a therapy can act on the body.

Biology knows no therapy. It defines what can be influenced; therapies fill the record in at every instant.
Every entry is zero where nothing acts, and a zero leaves the equations bit-identical to an untreated body.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import MUSCLE_GROUPS, Array, record


@record
class Influence:
    """What therapies do to the body at one instant; shape (P,) unless said.

    splicing_gain (G, P): relative gain of SMN made by SMN2 in motor neurons.
    splicing_gain_muscle: the same in muscle.
    transgene_neurons, transgene_muscle: SMN added by a transgene, relative to healthy.
    neuroprotection: log reduction of the death rate of sick neurons (negative = harm).
    transmission: share of the deficit of neuromuscular transmission that is bridged.
    anti_inflammation: share of the drive of inflammation that is removed.
    muscle_support: relative gain of the muscle mass that innervation sustains (cells).
    myostatin_inhibition: the same through myostatin, in innervated muscle.
    new_neurons_per_year: rate at which grafted neurons reach muscle, share of a healthy pool per year.
    activity: 0 none to 1 full rehabilitation.
    ventilation: 0 none to 1 full non-invasive ventilation offered early.
    cough_assist: 0 to 1.
    nutrition: 0 to 1 dietary support.
    tube_feeding: 0 or 1, feeding by tube.
    brace: 0 to 1 share of the day.
    fusion: 0 or 1, spine fused.
    """

    splicing_gain: Array
    splicing_gain_muscle: Array
    transgene_neurons: Array
    transgene_muscle: Array
    neuroprotection: Array
    transmission: Array
    anti_inflammation: Array
    muscle_support: Array
    myostatin_inhibition: Array
    new_neurons_per_year: Array
    activity: Array
    ventilation: Array
    cough_assist: Array
    nutrition: Array
    tube_feeding: Array
    brace: Array
    fusion: Array


def no_influence(patients: int, dtype: jnp.dtype) -> Influence:
    """An untreated body."""
    zero = jnp.zeros(patients, dtype)
    names = [name for name in Influence.__dataclass_fields__ if name != "splicing_gain"]
    return Influence(
        splicing_gain=jnp.zeros((len(MUSCLE_GROUPS), patients), dtype), **{n: zero for n in names}
    )
