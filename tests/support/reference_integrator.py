"""An independent integrator: one person at a time, SciPy's DOP853 with tight tolerances, double precision.

It shares with the engine only the right-hand side (`system.rates_of_change`, `smn.target_level`) and the closed forms
of the drugs, which have tests of their own. Drug amounts restart at every dose; body weight, which the engine holds
during a step, is updated every day. The times of doses and events are given, so that the integrators are compared and
not the decisions.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from motorpool.biology import growth, smn
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Forcing, condition, fuse_spine, newborn_body, rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.parameters import ModelParameters
from motorpool.outcomes import panel
from motorpool.outcomes.respiratory_infections import infection_severity
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol

Numbers = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Happenings:
    """What happens to one person, by hour of age: doses (kinds,) and continuous inputs (kinds,) from that hour on."""

    start_hours: int
    end_hours: int
    doses: dict[int, Numbers]
    rates: dict[int, Numbers]
    tube_placed_hours: float = np.inf
    fusion_hours: float = np.inf


@dataclasses.dataclass(frozen=True)
class Problem:
    """Person, parameters and amounts of drugs, ready for the right-hand side; times in hours of age."""

    person: Person
    parameters: ModelParameters
    protocol: CellProtocol
    knots: Any
    amounts: Any
    rates: Any
    weights: Any


jax.tree_util.register_dataclass(Problem)


def _knots(happenings: Happenings) -> NDArray[np.int64]:
    days = np.arange(happenings.start_hours, happenings.end_hours + HOURS_PER_DAY, HOURS_PER_DAY)
    events = [*happenings.doses, *happenings.rates]
    inside = np.unique(np.clip(np.concatenate([days, events, [happenings.end_hours]]), *_ends(happenings)))
    return inside.astype(np.int64)


def _ends(happenings: Happenings) -> tuple[int, int]:
    return happenings.start_hours, happenings.end_hours


def _weight(hours: Any, person: Person, parameters: ModelParameters) -> Any:
    age = jnp.atleast_1d(hours) / HOURS_PER_YEAR
    return jnp.exp(
        growth.log_median_weight(age, person.female, parameters.growth_reference) + person.log_weight
    )


@jax.jit
def _amounts_at_knots(
    knots: Any, doses: Any, rates: Any, person: Person, parameters: ModelParameters, protocol: CellProtocol
) -> tuple[Any, Any]:
    middle = 0.5 * (knots[1:] + knots[:-1])
    weights = jax.vmap(lambda hour: _weight(hour, person, parameters))(jnp.append(middle, knots[-1]))
    lengths = jnp.append(jnp.diff(knots), 0.0)

    def step(amounts: Any, inputs: tuple[Any, Any, Any, Any]) -> tuple[Any, Any]:
        dose, rate, length, weight = inputs
        given = formulary.administer(amounts, dose[:, None])
        later = formulary.advance(
            given, rate[:, None], length[None], weight, person, protocol, parameters.therapies
        )
        return later, given

    nothing = formulary.nothing_given(1, jnp.float64)
    return jax.lax.scan(step, nothing, (doses, rates, lengths, weights))[1], weights


def prepare(
    person: Person, happenings: Happenings, protocol: CellProtocol, parameters: ModelParameters
) -> Problem:
    """Amounts of every drug at every knot (days and events), in double precision."""
    knots = _knots(happenings)
    kinds = len(formulary.KIND_INDEX)
    doses, rates = np.zeros((len(knots), kinds)), np.zeros((len(knots), kinds))
    for hour, dose in happenings.doses.items():
        doses[np.searchsorted(knots, hour)] += dose
    changes = sorted(happenings.rates)
    for row, hour in enumerate(knots):
        earlier = [change for change in changes if change <= hour]
        if earlier:
            rates[row] = happenings.rates[earlier[-1]]
    hours = jnp.asarray(knots, jnp.float64)
    double = functools.partial(jax.tree.map, lambda leaf: jnp.asarray(leaf, jnp.float64))
    who, cells = double(person), double(protocol)
    given = (jnp.asarray(doses), jnp.asarray(rates))
    amounts, weights = _amounts_at_knots(hours, *given, who, parameters, cells)
    return Problem(who, parameters, cells, hours, amounts, jnp.asarray(rates), weights)


def _influence(hour: Any, tube: Any, problem: Problem) -> Any:
    # A hair to the right at a knot: what was given there is in.
    row = jnp.clip(jnp.searchsorted(problem.knots, hour, side="right") - 1, 0, problem.knots.shape[0] - 1)
    amounts = jax.tree.map(lambda rows: rows[row], problem.amounts)
    since = (hour - problem.knots[row])[None]
    now = formulary.advance(
        amounts,
        problem.rates[row][:, None],
        since,
        problem.weights[row],
        problem.person,
        problem.protocol,
        problem.parameters.therapies,
    )
    return formulary.influence(now, tube[None], problem.protocol, problem.parameters.therapies)


def _forcing(level: Any, hour: Any, influence: Any, problem: Problem) -> Forcing:
    person = problem.person
    age = jnp.atleast_1d(hour) / HOURS_PER_YEAR
    reference = problem.parameters.growth_reference
    in_muscle = person.smn2_level * (1.0 + influence.splicing_gain_muscle)
    return Forcing(
        age_years=age,
        log_median_weight=growth.log_median_weight(age, person.female, reference),
        stress=smn.stress(level, age, person, problem.parameters.biology.smn),
        smn_muscle=person.smn1_level + in_muscle + influence.transgene_muscle,
        influence=influence,
    )


def _empty() -> tuple[Body, Any]:
    return newborn_body(1, jnp.float64), jnp.zeros((2, 4, 1))


def _unravel(state: Any) -> tuple[Body, Any]:
    return ravel_pytree(_empty())[1](state)


@jax.jit
def _derivative(hour: Any, state: Any, tube: Any, problem: Problem) -> Any:
    body, level = _unravel(state)
    influence = _influence(hour, tube, problem)
    forcing = _forcing(level, hour, influence, problem)
    target = smn.target_level(problem.person, influence)
    biology = problem.parameters.biology
    rate = rates_of_change(body, forcing, problem.person, biology)
    change = (target - level) / biology.smn.turnover_time_years
    return ravel_pytree((rate, change))[0] / HOURS_PER_YEAR


@dataclasses.dataclass(frozen=True)
class Solution:
    """Pieces of dense output between events; `at` gives body and SMN level (as one vector) at an hour of age."""

    pieces: tuple[tuple[float, float, Any], ...]
    problem: Problem
    happenings: Happenings
    evaluations: int

    def at(self, hour: float) -> Numbers:
        """State right before whatever happens at this hour."""
        for begin, end, dense in self.pieces:
            if begin < hour <= end or hour == begin == self.pieces[0][0]:
                return dense(hour)
        message = f"hour {hour} lies outside the solution"
        raise ValueError(message)


def solve(
    person: Person,
    happenings: Happenings,
    protocol: CellProtocol,
    parameters: ModelParameters,
    *,
    method: str = "DOP853",
    rtol: float = 1e-10,
    atol: float = 1e-12,
) -> Solution:
    """Solve one person's life; arrays of `person` have shape (1,), parameters double precision."""
    problem = prepare(person, happenings, protocol, parameters)
    nothing = _influence(jnp.asarray(float(happenings.start_hours)), jnp.asarray(0.0), problem)
    state = np.asarray(ravel_pytree((_empty()[0], smn.target_level(problem.person, nothing)))[0])
    stops = {*happenings.doses, *happenings.rates, happenings.tube_placed_hours, happenings.fusion_hours}
    inside = sorted(
        {*(h for h in stops if happenings.start_hours < h < happenings.end_hours), happenings.end_hours}
    )
    pieces: list[tuple[float, float, Any]] = []
    begin, evaluations = float(happenings.start_hours), 0
    for end in inside:
        if begin == happenings.fusion_hours:
            body, level = _unravel(jnp.asarray(state))
            fused = fuse_spine(body, jnp.asarray([True]), parameters.biology.skeleton)
            state = np.asarray(ravel_pytree((fused, level))[0])
        tube = jnp.asarray(1.0 if begin >= happenings.tube_placed_hours else 0.0)

        def derivative(hour: float, now: Numbers, tube: Any = tube, end: float = end) -> Numbers:
            # What is given at the end of a piece belongs to the next piece.
            return np.asarray(_derivative(min(hour, np.nextafter(end, -np.inf)), now, tube, problem))

        found = solve_ivp(
            derivative, (begin, end), state, method=method, rtol=rtol, atol=atol, dense_output=True
        )
        assert found.success, found.message
        pieces.append((begin, float(end), found.sol))
        state, begin = found.y[:, -1], float(end)
        evaluations += found.nfev
    return Solution(tuple(pieces), problem, happenings, evaluations)


@jax.jit
def _hazards(hours: Any, states: Any, tube: Any, infection: Any, care: Any, problem: Problem) -> Any:
    def one(hour: Any, state: Any, placed: Any, severity: Any) -> Any:
        body, level = _unravel(state)
        forcing = _forcing(level, hour, _influence(hour, placed, problem), problem)
        seen = condition(body, forcing, problem.person, problem.parameters.biology)
        outcomes = problem.parameters.outcomes
        risk = panel.risk(seen, problem.person, outcomes)
        rates = panel.hazards_per_year(risk, severity[None], problem.person, care, outcomes)
        return jnp.stack(rates)[:, 0]

    return jax.vmap(one)(hours, states, tube, infection)


def integrated_hazards(
    solution: Solution, hours: Sequence[float] | Numbers, infection_seed: Any, care: float
) -> Numbers:
    """Integral of the hazards of death and tube feeding from birth up to each hour, (hours, 2), by the midpoint rule.

    Infections are looked up at every midpoint, so their changes within a step of the engine are resolved.
    """
    edges = np.asarray(hours, float)
    middles = 0.5 * (edges[1:] + edges[:-1])
    states = np.stack([solution.at(hour) for hour in middles])
    tube = (middles >= solution.happenings.tube_placed_hours).astype(float)
    seed = jnp.full(middles.shape, infection_seed, jnp.uint32)
    infections = solution.problem.parameters.outcomes.infections
    severity = infection_severity(seed, jnp.asarray(middles), infections)
    rates = np.asarray(
        _hazards(
            jnp.asarray(middles), jnp.asarray(states), jnp.asarray(tube), severity, care, solution.problem
        )
    )
    rates = np.where(middles[:, None] >= 0.0, rates, 0.0)
    grown = np.cumsum(rates * np.diff(edges)[:, None] / HOURS_PER_YEAR, axis=0)
    return np.concatenate([np.zeros((1, 2)), grown])


STATE_NAMES = (*Body.__dataclass_fields__, "smn")


def named(state: Numbers) -> dict[str, Numbers]:
    """A state vector as arrays by name, without the patients' axis."""
    body, level = _unravel(jnp.asarray(state))
    values = {name: np.asarray(getattr(body, name))[..., 0] for name in Body.__dataclass_fields__}
    return {**values, "smn": np.asarray(level)[..., 0]}
