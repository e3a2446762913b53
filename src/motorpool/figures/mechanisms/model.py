"""The model at its central parameter values, and lives of typical people under a few plain influences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology import growth, smn
from motorpool.biology.influence import Influence, no_influence
from motorpool.biology.person import Person
from motorpool.biology.system import (
    BiologyParameters,
    Body,
    Condition,
    Forcing,
    condition,
    fuse_spine,
    newborn_body,
    rates_of_change,
)
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array, record
from motorpool.cohorts.traits import draw_people
from motorpool.engine.grid import FIRST_HOUR
from motorpool.simulation.model import Draw, parameter_draw

STEPS_PER_YEAR = 192  # numerical choice: a hundredth of it changes no line visibly
KEPT_PER_YEAR = 24
NEVER_YEARS = 1e3


@dataclasses.dataclass(frozen=True, eq=False)
class Mechanisms:
    """Everything a figure may draw from: parameters of the model and of people."""

    draw: Draw

    @property
    def biology(self) -> BiologyParameters:
        """Parameters of biology."""
        return self.draw.model.biology

    @property
    def outcomes(self) -> Any:
        """Parameters of outcomes."""
        return self.draw.model.outcomes

    @property
    def therapies(self) -> Any:
        """Parameters of therapies."""
        return self.draw.model.therapies

    def typical(self, smn2_copies: Sequence[float], smn1_copies: float = 0.0) -> Person:
        """People with typical traits who differ in their SMN2 copies, (P,)."""
        copies = jnp.asarray(smn2_copies, jnp.float64)
        everyone = jnp.ones_like(copies)
        return draw_people(
            1,
            jnp.arange(len(smn2_copies)),
            everyone * smn1_copies,
            copies,
            0.0 * everyone,
            self.draw.people,
            self.biology.smn,
            between_people=False,
            chance=False,
        )


def central_mechanisms() -> Mechanisms:
    """The model at its calibrated central values, or at the centres of the priors where there is no calibration."""
    return Mechanisms(parameter_draw(None, 1, dtype=jnp.float64))


@record
class Plain:
    """Plain influences that begin at an age and stay; (P,) each.

    start_years: when splicing_gain, transgene, activity and brace begin; fusion_years: when the spine is fused.
    """

    start_years: Array
    splicing_gain: Array
    transgene: Array
    activity: Array
    brace: Array
    fusion_years: Array


def plain(people: int, **given: Any) -> Plain:
    """Plain influences: nothing except what is given (a number or one per person)."""
    values = {name: jnp.zeros(people) for name in Plain.__dataclass_fields__}
    values["fusion_years"] = jnp.full(people, NEVER_YEARS)
    values |= {name: jnp.broadcast_to(jnp.asarray(value, float), (people,)) for name, value in given.items()}
    return Plain(**values)


@dataclasses.dataclass(frozen=True)
class Life:
    """Ages in years (K,) and the conditions at them, (K, ..., P)."""

    age_years: NDArray[np.float64]
    condition: Condition


def live(model: Mechanisms, person: Person, influences: Plain, until_years: float) -> Life:
    """Carry people from mid-gestation to an age: classical Runge-Kutta steps of the body's own equations."""
    first = FIRST_HOUR / HOURS_PER_YEAR
    steps = round((until_years - first) * STEPS_PER_YEAR)
    ages, seen = _carry(
        model.draw.model.biology, model.draw.model.growth_reference, person, influences, steps
    )
    kept = slice(None, None, STEPS_PER_YEAR // KEPT_PER_YEAR)
    return Life(np.asarray(ages)[kept], jax.tree.map(lambda leaf: np.asarray(leaf)[kept], seen))


def _influence(age: Array, given: Plain, dtype: Any) -> Influence:
    begun = (age >= given.start_years).astype(dtype)
    nothing = no_influence(given.start_years.shape[0], dtype)
    gain = begun * given.splicing_gain
    return dataclasses.replace(
        nothing,
        splicing_gain=nothing.splicing_gain + gain,
        splicing_gain_muscle=gain,
        transgene_neurons=begun * given.transgene,
        activity=begun * given.activity,
        brace=begun * given.brace,
        fusion=(age >= given.fusion_years).astype(dtype),
    )


def _carry(
    biology: BiologyParameters, reference: Any, person: Person, given: Plain, steps: int
) -> tuple[Array, Condition]:
    dtype = person.smn2_level.dtype
    people = person.smn2_level.shape[0]
    years = 1.0 / STEPS_PER_YEAR
    first = FIRST_HOUR / HOURS_PER_YEAR

    def forcing(level: Array, age: Array) -> Forcing:
        influence = _influence(age, given, dtype)
        ages = jnp.full(people, age)
        return Forcing(
            age_years=ages,
            log_median_weight=growth.log_median_weight(ages, person.female, reference),
            stress=smn.stress(level, ages, person, biology.smn),
            smn_muscle=person.smn1_level + person.smn2_level * (1.0 + influence.splicing_gain_muscle),
            influence=influence,
        )

    def slope(state: tuple[Body, Array], age: Array) -> tuple[Body, Array]:
        body, level = state
        target = smn.target_level(person, _influence(age, given, dtype))
        change = rates_of_change(body, forcing(level, age), person, biology)
        return change, (target - level) / biology.smn.turnover_time_years

    def moved(state: Any, change: Any, by: float) -> Any:
        return jax.tree.map(lambda now, rate: now + by * rate, state, change)

    @jax.jit
    def run() -> tuple[Array, Condition]:
        def step(
            state: tuple[Body, Array], number: Array
        ) -> tuple[tuple[Body, Array], tuple[Array, Condition]]:
            age = first + number * years
            operated = (age < given.fusion_years + years) & (age >= given.fusion_years)
            body = fuse_spine(state[0], operated, biology.skeleton)
            state = (body, state[1])
            seen = condition(body, forcing(state[1], age), person, biology)
            one = slope(state, age)
            two = slope(moved(state, one, years / 2), age + years / 2)
            three = slope(moved(state, two, years / 2), age + years / 2)
            four = slope(moved(state, three, years), age + years)
            mean = jax.tree.map(lambda a, b, c, d: (a + 2 * b + 2 * c + d) / 6, one, two, three, four)
            return moved(state, mean, years), (age, seen)

        start = smn.target_level(person, _influence(jnp.asarray(first, dtype), given, dtype))
        return jax.lax.scan(step, (newborn_body(people, dtype), start), jnp.arange(steps + 1, dtype=dtype))[1]

    return run()
