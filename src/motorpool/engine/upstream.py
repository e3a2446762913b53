"""The upstream part of a step: drugs and the SMN level, on which nothing downstream feeds back.

Drugs are advanced exactly (closed forms), the SMN level by exact integration of a quadratic through its target in each
of a few parts of the step.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from motorpool.biology import smn
from motorpool.biology.influence import Influence
from motorpool.biology.vocabulary import Array
from motorpool.engine.surroundings import Surroundings
from motorpool.therapies import formulary
from motorpool.therapies.formulary import ACTING_ON_SMN, TRANSGENE_AMOUNTS, Amounts
from motorpool.therapies.kinds import KIND_INDEX

# Numerical choice: equal parts of a step, an even number, in each of which the SMN level is integrated; see
# docs/explanation/numerics.md.
UPSTREAM_PARTS = 2
# Numerical choice: below this the power series with so many terms is exact to single precision.
SHORT_STEP, SERIES_TERMS = 0.5, 8
_OTHERS = tuple(name for name in Amounts.__dataclass_fields__ if name not in ACTING_ON_SMN)


def relaxation_weights(elapsed: Array) -> tuple[Array, Array, Array]:
    """Share of a target's constant, linear and quadratic part that a first-order state takes up in a step.

    With x = ``elapsed``, the step's length over the state's time constant, they are the integrals over s in (0, 1) of
    x exp(-x (1 - s)) s^n for n = 0, 1, 2. Short steps take the power series: the closed forms would lose all digits.
    """
    constant = -jnp.expm1(-elapsed)
    short = elapsed < SHORT_STEP
    safe = jnp.where(short, 1.0, elapsed)
    linear = 1.0 - constant / safe
    quadratic = 1.0 - 2.0 * linear / safe
    small = jnp.where(short, elapsed, 0.0)
    linear_series, quadratic_series = jnp.zeros_like(small), jnp.zeros_like(small)
    for power in range(SERIES_TERMS, 0, -1):
        sign = 1.0 if power % 2 else -1.0
        linear_series = (linear_series + sign / math.factorial(power + 1)) * small
        quadratic_series = (quadratic_series + 2.0 * sign / math.factorial(power + 2)) * small
    return constant, jnp.where(short, linear_series, linear), jnp.where(short, quadratic_series, quadratic)


def advance_smn(level: Array, targets: Sequence[Array], years: Array, turnover_years: Array) -> Array:
    """SMN level (T, G, P) after ``years`` (P,), from ``level``.

    Solves level' = (target - level) / turnover exactly for the quadratic through ``targets`` (T, G, P) at the start,
    the middle and the end.
    """
    first, middle, last = targets
    # Written in differences, so that a target that stands still has neither slope nor curvature to the last bit.
    to_middle, to_last = middle - first, last - first
    slope, curvature = 4.0 * to_middle - to_last, 2.0 * (to_last - 2.0 * to_middle)
    constant, linear, quadratic = relaxation_weights(years / turnover_years)
    return level + constant * (first - level) + linear * slope + quadratic * curvature


def influence_of(amounts: Amounts, tube: Array, around: Surroundings) -> Influence:
    """What therapies do to the body, given their amounts in it and whether it is fed by tube, (P,)."""
    return formulary.influence(amounts, tube, around.protocol, around.parameters.therapies)


def upstream_part(
    level: Array,
    amounts: Amounts,
    rate: Array,
    length: tuple[Array, Array],
    weight: Array,
    tube: Array,
    around: Surroundings,
) -> tuple[Amounts, list[Influence], list[Array]]:
    """The upstream part of a step of ``length`` (hours, years; (P,) each).

    Returns the amounts at its end, what drugs do, and the SMN level (T, G, P), both at start, middle and end. Where
    nobody has or gets anything, nothing is advanced but the SMN level, with the same bits.
    """
    hours, years = length
    if level.shape[0] == 1:  # nobody has or gets a transgene
        none = jnp.zeros_like(years)
        amounts = dataclasses.replace(amounts, **dict.fromkeys(TRANSGENE_AMOUNTS, none))
    here = influence_of(amounts, tube, around)

    def with_drugs(amounts: Amounts) -> tuple[Amounts, Influence, tuple[Array, Array]]:
        nodes = _drugs_within(amounts, rate, hours, weight, around)
        influences = [influence_of(node, tube, around) for node in nodes]
        middle, end = _smn_within(level, [here, *influences], years, around)
        return nodes[-1], influences[len(nodes) // 2 - 1], (middle, end)

    def without_drugs(amounts: Amounts) -> tuple[Amounts, Influence, tuple[Array, Array]]:
        middle, end = _smn_within(level, [here] * (2 * UPSTREAM_PARTS + 1), years, around)
        return amounts, here, (middle, end)

    present = _any_present([*jax.tree.leaves(amounts), rate])
    drugs, in_the_middle, levels = jax.lax.cond(present, with_drugs, without_drugs, amounts)
    return drugs, [here, in_the_middle, influence_of(drugs, tube, around)], [level, *levels]


def _any_present(arrays: Sequence[Array]) -> Array:
    """Whether anybody has or gets anything, scalar."""
    return functools.reduce(jnp.logical_or, [jnp.any(array != 0.0) for array in arrays])


def _drugs_within(
    amounts: Amounts, rate: Array, length_hours: Array, weight: Array, around: Surroundings
) -> list[Amounts]:
    """Amounts at all nodes of the upstream part of a step after its start.

    Drugs are advanced exactly, so that equal parts of a step follow one another and share their exponentials. Those
    that do not act on the SMN level are known at the start, the middle and the end only; in between they stand still.
    What nobody has or gets is not advanced, with the same bits.
    """
    nodes = 2 * UPSTREAM_PARTS

    def followed(names: Sequence[str], rates: Array, count: int) -> list[dict[str, Any]]:
        """These amounts after each of ``count`` equal parts of the step."""
        own = {name: getattr(amounts, name) for name in names}
        hours = length_hours.astype(weight.dtype) / count

        def advanced(own: dict[str, Any]) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            now = dataclasses.replace(amounts, **own)
            for _ in range(count):
                now = formulary.advance(
                    now, rate, hours, weight, around.person, around.protocol, around.parameters.therapies
                )
                found.append({name: getattr(now, name) for name in names})
            return found

        def unchanged(own: dict[str, Any]) -> list[dict[str, Any]]:
            return [own] * count

        return jax.lax.cond(_any_present([*jax.tree.leaves(own), rates]), advanced, unchanged, own)

    by_mouth = KIND_INDEX["risdiplam"]
    spinal = followed(("nusinersen",), jnp.zeros_like(rate[0]), nodes)
    oral = followed(("risdiplam",), rate[by_mouth], nodes)
    transgene = followed(TRANSGENE_AMOUNTS, jnp.zeros_like(rate[0]), nodes)
    others = followed(_OTHERS, jnp.concatenate([rate[:by_mouth], rate[by_mouth + 1 :]]), 2)
    found: list[Amounts] = []
    still: dict[str, Any] = {name: getattr(amounts, name) for name in _OTHERS}
    for node in range(nodes):
        if (node + 1) % UPSTREAM_PARTS == 0:
            still = others[(node + 1) // UPSTREAM_PARTS - 1]
        found.append(Amounts(**still, **spinal[node], **oral[node], **transgene[node]))
    return found


def _smn_within(
    level: Array, influences: Sequence[Influence], years: Array, around: Surroundings
) -> tuple[Array, Array]:
    """SMN level (T, G, P) in the middle and at the end of a step."""
    turnover = around.parameters.biology.smn.turnover_time_years
    parts = level.shape[0]
    targets = [smn.target_level(around.person, influence, parts) for influence in influences]
    levels = [level]
    for part in range(UPSTREAM_PARTS):
        nodes = targets[2 * part : 2 * part + 3]
        levels.append(advance_smn(levels[-1], nodes, years / UPSTREAM_PARTS, turnover))
    return levels[UPSTREAM_PARTS // 2], levels[-1]
