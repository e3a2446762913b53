"""The right-hand side as general integrators are given it: one vector of states, drugs in closed form as forcing.

It is :func:`motorpool.biology.system.rates_of_change` with the relaxation of the SMN level, the equations that the
engine solves. Drugs are known exactly: their amounts are tabulated at every dose and every day after it, because body
weight is updated daily, and their closed forms go on from there. Life is cut into segments at doses and starts, where
the forcing jumps. Times are hours of age; double precision.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.benchmark.cases import SEED, Population
from motorpool.biology import growth, smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Forcing, newborn_body, rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR, MUSCLE_GROUPS, POOL_PARTS
from motorpool.engine.compile_plan import cell_protocol
from motorpool.engine.grid import FIRST_HOUR
from motorpool.engine.parameters import ModelParameters
from motorpool.simulation.model import parameter_draw
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts
from motorpool.therapies.kinds import KINDS

Numbers = NDArray[np.float64]
TRAITS = tuple(name for name in Person.__dataclass_fields__ if name not in ("identity", "seed"))
# A segment as numbers: its first hour, its first and last row in the table of amounts, then the continuous inputs.
SEGMENT_NUMBERS = 3 + len(KINDS)


@dataclasses.dataclass(frozen=True)
class Problem:
    """The people of a case, ready for any integrator.

    Attributes:
        edges: (S + 1,) hours at which segments meet.
        segments: (S, SEGMENT_NUMBERS).
        traits: (N, TRAITS) of each person.
        table: (N, K, A + 1) amounts of drugs right after what is given at a knot, and the body weight in kg from it on.
        initial: (N, states) at the first edge.
    """

    edges: Numbers
    segments: Numbers
    traits: Numbers
    table: Numbers
    initial: Numbers

    @property
    def people(self) -> int:
        """Number of people."""
        return self.initial.shape[0]

    @property
    def looks(self) -> NDArray[np.int64]:
        """Hours at which states are compared: the ends of the segments."""
        return self.edges[1:].astype(np.int64)

    def first(self, people: int) -> Problem:
        """The same for the first so many people."""
        parts = {name: getattr(self, name)[:people] for name in ("traits", "table", "initial")}
        return dataclasses.replace(self, **parts)


@functools.cache
def double_parameters() -> tuple[ModelParameters, CellProtocol]:
    """Central parameters in double precision, and a plan without cells."""
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        none = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), cell_protocol(()))
        return parameter_draw(None, SEED, dtype=jnp.float64).model, none


def derivative(hour: Any, state: Any, segment: Any, traits: Any, table: Any) -> Any:
    """Rates of change per hour (states,) of one person; arguments as the rows of :class:`Problem`."""
    parameters, protocol = double_parameters()
    person = _person(traits)
    start, first, last = segment[0], segment[1], segment[2]
    row = jnp.clip(first + jnp.floor((hour - start) / HOURS_PER_DAY), first, last)
    here = jax.lax.dynamic_index_in_dim(table, row.astype(jnp.int32), keepdims=False)
    since = hour - (start + (row - first) * HOURS_PER_DAY)
    amounts = _amounts(here[:-1, None])
    now = formulary.advance(
        amounts, segment[3:, None], since[None], here[-1:], person, protocol, parameters.therapies
    )
    influence = formulary.influence(now, jnp.zeros_like(since)[None], protocol, parameters.therapies)
    body, level = _unravelled(state)
    age_years = hour[None] / HOURS_PER_YEAR
    forcing = _forcing(level, age_years, influence, person, parameters)
    rates = rates_of_change(body, forcing, person, parameters.biology)
    target = smn.target_level(person, influence)
    change = (target - level) / parameters.biology.smn.turnover_time_years
    return _ravelled(rates, change) / HOURS_PER_YEAR


def problem_of(population: Population, looks: Sequence[int] = ()) -> Problem:
    """The people of a population as a problem; ``looks`` are further hours at which segments meet."""
    treatment = population.treatment()
    end = int(population.hours[-1])
    events = sorted({*treatment.doses, *treatment.rates})
    inside = sorted({hour for hour in (*events, *looks) if FIRST_HOUR < hour < end})
    edges = np.asarray([FIRST_HOUR, *inside, end], np.float64)
    kinds = len(KINDS)
    segments, knots, doses, rates = [], [], [], []
    rate = np.zeros(kinds)
    for begin, finish in zip(edges[:-1], edges[1:], strict=True):
        rate = treatment.rates.get(int(begin), rate)
        # Before the first dose nothing is in the body, whatever its weight.
        treated = bool(events) and begin >= events[0]
        hours = np.arange(begin, finish, HOURS_PER_DAY) if treated else np.asarray([begin])
        segments.append([begin, len(knots), len(knots) + len(hours) - 1, *rate])
        knots.extend(hours)
        doses.extend(
            [treatment.doses.get(int(begin), np.zeros(kinds)), *[np.zeros(kinds)] * (len(hours) - 1)]
        )
        rates.extend([rate] * len(hours))
    with jax.enable_x64(True):
        whole = {name: np.asarray(getattr(population.span.person, name), np.float64) for name in TRAITS}
        traits = np.stack([whole[name] for name in TRAITS], axis=1)
        table = _amounts_at_knots(*(np.asarray(part) for part in (knots, doses, rates)), end, traits.T)
        initial = _at_mid_gestation(jnp.asarray(traits.T))
    return Problem(edges, np.asarray(segments), traits, np.asarray(table), np.asarray(initial).T.copy())


def _person(traits: Any) -> Person:
    """A person whose traits are the rows (TRAITS,) or (TRAITS, P); who they are does not matter here."""
    rows = {name: jnp.atleast_1d(traits[place]) for place, name in enumerate(TRAITS)}
    none = jnp.zeros_like(rows[TRAITS[0]])
    return Person(identity=none, seed=none, **rows)


def _amounts(rows: Any) -> Amounts:
    """Amounts from rows (A, P)."""
    structure = jax.tree.structure(formulary.nothing_given(1, jnp.float64))
    return jax.tree.unflatten(structure, list(rows))


def _forcing(
    level: Any, age_years: Any, influence: Influence, person: Person, parameters: ModelParameters
) -> Forcing:
    in_muscle = person.smn2_level * (1.0 + influence.splicing_gain_muscle)
    return Forcing(
        age_years=age_years,
        log_median_weight=jnp.zeros_like(age_years),  # outcomes look at it, rates of change do not
        stress=smn.stress(level, age_years, person, parameters.biology.smn),
        smn_muscle=person.smn1_level + in_muscle + influence.transgene_muscle,
        influence=influence,
    )


def _unravelled(state: Any) -> tuple[Body, Any]:
    empty = newborn_body(1, jnp.float64)
    shapes = [leaf.shape for leaf in jax.tree.leaves(empty)] + [(POOL_PARTS, len(MUSCLE_GROUPS), 1)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    *leaves, level = [
        state[end - int(np.prod(shape)) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)
    ]
    return jax.tree.unflatten(jax.tree.structure(empty), leaves), level


def _ravelled(body: Body, level: Any) -> Any:
    return jnp.concatenate([leaf.reshape(-1) for leaf in (*jax.tree.leaves(body), level)])


@jax.jit
def _at_mid_gestation(traits: Any) -> Any:
    """States (states, P) at the start of life."""
    parameters, protocol = double_parameters()
    person = _person(traits)
    people = traits.shape[1]
    nothing = formulary.nothing_given(people, jnp.float64)
    influence = formulary.influence(nothing, jnp.zeros(people), protocol, parameters.therapies)
    leaves = (*jax.tree.leaves(newborn_body(people, jnp.float64)), smn.target_level(person, influence))
    return jnp.concatenate([leaf.reshape(-1, people) for leaf in leaves])


@functools.partial(jax.jit, static_argnames="end")
def _amounts_at_knots(knots: Any, doses: Any, rates: Any, end: int, traits: Any) -> Any:
    """Table (P, K, A + 1) of :class:`Problem`; the weight of a knot is that half-way to the next."""
    parameters, protocol = double_parameters()
    person = _person(traits)
    later = jnp.append(knots[1:], float(end))
    age = 0.5 * (knots + later)[:, None] / HOURS_PER_YEAR
    weight = jnp.exp(
        growth.log_median_weight(age, person.female, parameters.growth_reference) + person.log_weight
    )

    def step(amounts: Amounts, inputs: tuple[Any, Any, Any, Any]) -> tuple[Amounts, Any]:
        dose, rate, hours, kilograms = inputs
        given = formulary.administer(amounts, dose[:, None])
        then = formulary.advance(
            given, rate[:, None], hours[None], kilograms, person, protocol, parameters.therapies
        )
        return then, jnp.stack([*jax.tree.leaves(given), kilograms])

    nothing = formulary.nothing_given(traits.shape[1], jnp.float64)
    rows = jax.lax.scan(step, nothing, (doses, rates, later - knots, weight))[1]
    return jnp.transpose(rows, (2, 0, 1))


def state_count() -> int:
    """Number of states of one person."""
    with jax.enable_x64(True):
        return jax.eval_shape(_at_mid_gestation, jax.ShapeDtypeStruct((len(TRAITS), 1), "float64")).shape[0]


def table_columns() -> int:
    """Numbers in a row of the table of amounts."""
    return len(jax.tree.leaves(formulary.nothing_given(1, np.dtype(np.float64)))) + 1
