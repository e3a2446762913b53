"""The integrator: one compiled program that carries a block of patients through time under a plan.

The drugs and the SMN level form the upstream part of the cascade and are advanced exactly (closed forms; the SMN
level by exact integration of a quadratic through its target at the start, the middle and the end of a step). The body
downstream is advanced by the classical fourth-order Runge-Kutta scheme, whose stages need the upstream part only at
those three instants. Hazards are integrated by Simpson's rule. Every person has an own grid of whole hours; repeated
hours are steps of length zero and change nothing.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from motorpool.biology import growth, smn
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Forcing, condition, fuse_spine, newborn_body, rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array, record
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.outcomes import panel
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES

HAZARDS = ("death", "tube_feeding")


@record
class State:
    """Everything about a block of patients at one instant; (P,) unless said.

    smn (T, G, P); cumulative_hazard (2, P); start_hours, stop_hours (C, P) of the courses; given_until_hours: time up
    to which due doses have been given; administrations, exposure_hours (C, P) while alive.
    """

    body: Body
    amounts: Amounts
    smn: Array
    cumulative_hazard: Array
    tube_placed: Array
    start_hours: Array
    stop_hours: Array
    given_until_hours: Array
    administrations: Array
    exposure_hours: Array
    first_dose_weight_kg: Array


@record
class Trajectory:
    """What is recorded at every step boundary, (K, ..., P): see :class:`motorpool.outcomes.panel.Panel`.

    pools (K, 3, G, P): working, sick and dead share of each pool. cumulative_hazard (K, 2, P).
    breathing (K, P): breathing ability between infections, log-odds; ventilation, cough_assist (K, P).
    doses (K, C, P): amounts given at the boundary.
    """

    age_hours: Array
    outcomes: Array
    margins: Array
    walk_minute_m: Array
    pools: Array
    cumulative_hazard: Array
    breathing: Array
    ventilation: Array
    cough_assist: Array
    doses: Array


def initial_state(person: Person, plan: dosing.Plan, start_hours: Array, parameters: ModelParameters) -> State:
    """State at the start of life (mid-gestation): no neuron lost, nothing given, SMN at its untreated target."""
    patients = person.smn2_level.shape[0]
    dtype = person.smn2_level.dtype
    amounts = formulary.nothing_given(patients, dtype)
    zero = jnp.zeros(patients, dtype)
    nothing = no_protocol(dtype)
    influence = formulary.influence(amounts, zero, nothing, parameters.therapies)
    never = jnp.full(plan.start_hours.shape, dosing.NEVER_HOURS, jnp.int32)
    none_given = jnp.zeros(plan.start_hours.shape, dtype)
    return State(
        body=newborn_body(patients, dtype),
        amounts=amounts,
        smn=smn.target_level(person, influence),
        cumulative_hazard=jnp.zeros((len(HAZARDS), patients), dtype),
        tube_placed=zero,
        start_hours=plan.start_hours,
        stop_hours=never,
        given_until_hours=start_hours - 1,
        administrations=jnp.zeros(plan.start_hours.shape, jnp.int32),
        exposure_hours=none_given,
        first_dose_weight_kg=none_given,
    )


def no_protocol(dtype: Any) -> CellProtocol:
    """A plan without cells."""
    return CellProtocol(
        mechanisms=jnp.ones(5, dtype),
        prior_effect=jnp.zeros((), dtype),
        effect_smd=jnp.zeros((), dtype),
        immunosuppressed=jnp.zeros((), dtype),
        neural=jnp.zeros((), dtype),
    )


def advance_smn(level: Array, targets: tuple[Array, Array, Array], years: Array, turnover_years: Array) -> tuple[Array, Array]:
    """SMN level at the middle and the end of a step, (T, G, P) each.

    Solves level' = (target - level) / turnover exactly for the quadratic through the targets at the start, the middle
    and the end of a step of ``years`` (P,).
    """
    first, middle, last = targets
    safe = jnp.where(years > 0.0, years, 1.0)
    slope = (4.0 * middle - 3.0 * first - last) / safe
    curvature = 2.0 * (first - 2.0 * middle + last) / safe**2

    def particular(time: Array) -> Array:
        value = first + (slope + curvature * time) * time
        rate = slope + 2.0 * curvature * time
        return value - turnover_years * rate + 2.0 * turnover_years**2 * curvature

    def at(time: Array) -> Array:
        moved = particular(time) + (level - particular(jnp.zeros_like(time))) * jnp.exp(-time / turnover_years)
        return jnp.where(years > 0.0, moved, level)

    return at(0.5 * years), at(years)


def _forcing(
    level: Array, age_years: Array, log_median_weight: Array, influence: Any, person: Person, parameters: ModelParameters
) -> Forcing:
    from_smn2 = person.smn2_level * (1.0 + influence.splicing_gain_muscle)
    return Forcing(
        age_years=age_years,
        log_median_weight=log_median_weight,
        stress=smn.stress(level, age_years, person, parameters.biology.smn),
        smn_muscle=person.smn1_level + from_smn2 + influence.transgene_muscle,
        influence=influence,
    )


def _plus(body: Body, rate: Body, years: Array) -> Body:
    return jax.tree.map(lambda state, change: state + years * change, body, rate)


def runge_kutta(
    body: Body, forcings: tuple[Forcing, Forcing, Forcing], years: Array, person: Person, parameters: ModelParameters
) -> tuple[Body, Body]:
    """Body in the middle (second order, for quadrature) and at the end (fourth order) of a step of ``years`` (P,)."""
    biology = parameters.biology
    first, middle, last = forcings
    k1 = rates_of_change(body, first, person, biology)
    k2 = rates_of_change(_plus(body, k1, 0.5 * years), middle, person, biology)
    half_way = _plus(body, k2, 0.5 * years)
    k3 = rates_of_change(half_way, middle, person, biology)
    k4 = rates_of_change(_plus(body, k3, years), last, person, biology)
    mean = jax.tree.map(lambda a, b, c, d: (a + 2.0 * b + 2.0 * c + d) / 6.0, k1, k2, k3, k4)
    return half_way, _plus(body, mean, years)


def integrate(
    state: State,
    grid_hours: Array,
    infection: Array,
    person: Person,
    care: Array,
    plan: dosing.Plan,
    protocol: CellProtocol,
    parameters: ModelParameters,
) -> tuple[State, Trajectory]:
    """Carry a block of patients along its grid.

    Args:
        state: at the first boundary.
        grid_hours: (K, P) int32, never falling; boundaries of each person's steps.
        infection: (K - 1, P) mean severity of respiratory infections in each step.
        person: traits.
        care: scalar; 0 palliative, 1 standard, 2 proactive.
        plan: courses; ``protocol``: what the plan decides about cells.
        parameters: all parameters.

    Returns:
        The state at the last boundary (its doses not yet given) and the trajectory at all K boundaries.
    """
    dtype = person.smn2_level.dtype
    outcomes = parameters.outcomes

    def influence_of(amounts: Amounts, tube: Array) -> Any:
        return formulary.influence(amounts, tube, protocol, parameters.therapies)

    def look(now: State, age_years: Array, log_weight: Array) -> tuple[Any, panel.Panel]:
        influence = influence_of(now.amounts, now.tube_placed)
        forcing = _forcing(now.smn, age_years, log_weight, influence, person, parameters)
        seen = condition(now.body, forcing, person, parameters.biology)
        return seen, panel.evaluate(seen, person, care, outcomes)

    def recorded(now: State, seen: Any, values: panel.Panel, age_hours: Array, doses: Array) -> Trajectory:
        return Trajectory(
            age_hours=age_hours,
            outcomes=values.outcomes,
            margins=values.margins,
            walk_minute_m=values.walk_minute_m,
            pools=jnp.stack([seen.working, seen.sick, seen.dead]),
            cumulative_hazard=now.cumulative_hazard,
            breathing=panel.calm_breathing(seen, person, outcomes),
            ventilation=seen.ventilation,
            cough_assist=seen.cough_assist,
            doses=doses,
        )

    def step(now: State, inputs: tuple[Array, Array, Array, Array, Array]) -> tuple[State, Trajectory]:
        hours, next_hours, severity, log_weight, next_log_weight = inputs
        length = next_hours - hours
        moving = length > 0
        age_years = hours.astype(dtype) / HOURS_PER_YEAR
        years = length.astype(dtype) / HOURS_PER_YEAR
        seen, values = look(now, age_years, log_weight)

        rule_values = jnp.stack([values.outcomes[panel.OUTCOME_INDEX[name]] for name in STATE_RULE_OUTCOMES])
        starts, stops = dosing.update_courses(now.start_hours, now.stop_hours, hours, rule_values, plan)
        starts = jnp.where(moving, starts, now.start_hours)
        stops = jnp.where(moving, stops, now.stop_hours)
        amount, count = dosing.doses_due(starts, stops, now.given_until_hours, hours, person.seed, plan)
        amount, count = jnp.where(moving, amount, 0.0), jnp.where(moving, count, 0)
        dose = jnp.einsum("ck,cp->kp", plan.dose_to_kind, amount)
        rate_by_course = dosing.continuous_rate(starts, stops, hours, plan)
        rate = jnp.einsum("ck,cp->kp", plan.rate_to_kind, rate_by_course)
        operated = (dose[KIND_INDEX["spine_surgery"]] > 0.0) & (now.amounts.fusion < 0.5)
        body = fuse_spine(now.body, operated, parameters.biology.skeleton)
        amounts = formulary.administer(now.amounts, dose)

        half_log_weight = 0.5 * (log_weight + next_log_weight)
        weight = jnp.exp(half_log_weight + person.log_weight)

        def later(share: float) -> Amounts:
            hours_on = share * length.astype(dtype)
            return formulary.advance(amounts, rate, hours_on, weight, person, protocol, parameters.therapies)

        tube = now.tube_placed
        half, full = later(0.5), later(1.0)
        influences = tuple(influence_of(one, tube) for one in (amounts, half, full))
        targets = tuple(smn.target_level(person, one) for one in influences)
        smn_half, smn_full = advance_smn(
            now.smn, (targets[0], targets[1], targets[2]), years, parameters.biology.smn.turnover_time_years
        )
        first = _forcing(now.smn, age_years, log_weight, influences[0], person, parameters)
        middle = _forcing(smn_half, age_years + 0.5 * years, half_log_weight, influences[1], person, parameters)
        last = _forcing(smn_full, age_years + years, next_log_weight, influences[2], person, parameters)
        half_way, moved = runge_kutta(body, (first, middle, last), years, person, parameters)

        def hazards(at: Body, forcing: Forcing) -> Array:
            seen_then = condition(at, forcing, person, parameters.biology)
            return jnp.stack(panel.hazards_per_year(seen_then, severity, person, care, outcomes))

        mean_hazard = (hazards(body, first) + 4.0 * hazards(half_way, middle) + hazards(moved, last)) / 6.0
        cumulative = now.cumulative_hazard + jnp.where(age_years >= 0.0, mean_hazard, 0.0) * years
        alive = now.cumulative_hazard[0] < person.death_draw
        running = (starts <= hours[None]) & (hours[None] < stops) & alive
        first_given = (count > 0) & (now.administrations == 0) & alive
        following = State(
            body=_where(moving, moved, body),
            amounts=_where(moving, full, amounts),
            smn=smn_full,
            cumulative_hazard=cumulative,
            tube_placed=jnp.where(cumulative[1] >= person.tube_feeding_draw, 1.0, tube),
            start_hours=starts,
            stop_hours=stops,
            given_until_hours=jnp.where(moving, hours, now.given_until_hours),
            administrations=now.administrations + jnp.where(alive, count, 0),
            exposure_hours=now.exposure_hours + jnp.where(running, length.astype(dtype), 0.0),
            first_dose_weight_kg=jnp.where(first_given, weight[None], now.first_dose_weight_kg),
        )
        return following, recorded(now, seen, values, hours, amount)

    ages = grid_hours.astype(dtype) / HOURS_PER_YEAR
    log_weights = growth.log_median_weight(ages, person.female, parameters.growth_reference)
    inputs = (grid_hours[:-1], grid_hours[1:], infection, log_weights[:-1], log_weights[1:])
    final, path = jax.lax.scan(step, state, inputs)
    seen, values = look(final, ages[-1], log_weights[-1])
    end = recorded(final, seen, values, grid_hours[-1], jnp.zeros_like(final.exposure_hours))
    return final, jax.tree.map(lambda rows, row: jnp.concatenate([rows, row[None]]), path, end)


def _where(mask: Array, then: Any, otherwise: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(mask, a, b), then, otherwise)

