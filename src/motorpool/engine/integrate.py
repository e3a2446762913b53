"""The integrator: one compiled program that carries a block of patients through time under a plan.

The drugs and the SMN level form the upstream part of the cascade and are advanced exactly (closed forms; the SMN
level by exact integration of a quadratic through its target at the start, the middle and the end of a step). The body
downstream is advanced by the classical fourth-order Runge-Kutta scheme, whose stages need the upstream part only at
those three instants. Hazards are integrated by Simpson's rule. Every person has an own grid of whole hours; repeated
hours are steps of length zero and change nothing.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp

from motorpool.biology import growth, smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Condition, Forcing, condition, fuse_spine, rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_YEAR, Array, stacked
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import State, Trajectory, initial_state, no_protocol
from motorpool.outcomes import panel
from motorpool.outcomes.panel import OutcomeParameters
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES

__all__ = ["State", "Trajectory", "advance_smn", "initial_state", "integrate", "no_protocol", "runge_kutta"]

INSTANTS = (0.0, 0.5, 1.0)  # of a step, at which the upstream part is known
# Numerical choice: below this the power series with so many terms is exact to single precision.
SHORT_STEP, SERIES_TERMS = 0.5, 8


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


def advance_smn(level: Array, targets: Array, years: Array, turnover_years: Array) -> Array:
    """SMN level at the start, the middle and the end of a step, (instants, T, G, P).

    Solves level' = (target - level) / turnover exactly for the quadratic through ``targets`` (instants, T, G, P) over
    a step of ``years`` (P,), from ``level`` (T, G, P).
    """
    first, middle, last = targets[0], targets[1], targets[2]
    slope, curvature = 4.0 * middle - 3.0 * first - last, 2.0 * (first - 2.0 * middle + last)

    def at(share: Array) -> Array:
        constant, linear, quadratic = relaxation_weights(share * years / turnover_years)
        return (
            level + constant * (first - level) + linear * (slope * share) + quadratic * (curvature * share**2)
        )

    return jax.vmap(at)(jnp.asarray(INSTANTS, level.dtype))


def _forcing(
    level: Array,
    age_years: Array,
    log_median_weight: Array,
    influence: Influence,
    person: Person,
    parameters: ModelParameters,
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
    body: Body, forcings: Forcing, years: Array, person: Person, parameters: ModelParameters
) -> tuple[Body, Body]:
    """Body in the middle (second order, for quadrature) and at the end (fourth order) of a step of ``years`` (P,).

    ``forcings`` holds the start, the middle and the end on a first axis. The stages are steps of a loop, so that they
    share one piece of compiled code.
    """
    dtype = years.dtype
    stages = (
        jnp.array((0, 1, 1, 2)),  # instant of the forcing
        jnp.array((1.0, 2.0, 2.0, 1.0), dtype) / 6.0,  # weight of the rate in the mean
        jnp.array((0.5, 0.5, 1.0, 0.0), dtype),  # where to go next: this far with the rate ...
        jnp.array((0.0, 0.0, 0.0, 1.0), dtype),  # ... and this far with the mean rate
    )

    def stage(
        now: tuple[Body, Body], stage_of: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[Body, Body], Body]:
        there, mean = now
        instant, weight, by_rate, by_mean = stage_of
        forcing = jax.tree.map(
            lambda leaf: jax.lax.dynamic_index_in_dim(leaf, instant, keepdims=False), forcings
        )
        rate = rates_of_change(there, forcing, person, parameters.biology)
        mean = _plus(mean, rate, weight)
        following = _plus(_plus(body, rate, by_rate * years), mean, by_mean * years)
        return (following, mean), there

    none = jax.tree.map(jnp.zeros_like, body)
    (moved, _), looked_at = jax.lax.scan(stage, (body, none), stages)
    return jax.tree.map(lambda leaf: leaf[2], looked_at), moved


def integrate(
    state: State,
    grid_hours: Array,
    infection: tuple[Array, Array],
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
        infection: (K - 1, P) each: share of each step with a respiratory infection, and its mean severity then.
        person: traits.
        care: scalar; 0 palliative, 1 standard, 2 proactive.
        plan: courses; ``protocol``: what the plan decides about cells.
        parameters: all parameters.

    Returns:
        The state at the last boundary (its doses not yet given) and the trajectory at all K boundaries.
    """
    dtype = person.smn2_level.dtype
    outcomes = parameters.outcomes

    def influence_of(amounts: Amounts, tube: Array) -> Influence:
        return formulary.influence(amounts, tube, protocol, parameters.therapies)

    def forcing_of(level: Array, age_years: Array, log_weight: Array, influence: Influence) -> Forcing:
        return _forcing(level, age_years, log_weight, influence, person, parameters)

    def look(now: State, stress: Array, age_years: Array, log_weight: Array) -> Condition:
        forcing = forcing_of(now.smn, age_years, log_weight, influence_of(now.amounts, now.tube_placed))
        known = dataclasses.replace(forcing, stress=stress)
        return condition(now.body, known, person, parameters.biology)

    def rule_outcomes(seen: Condition) -> Array:
        values = panel.true_outcomes(seen, person, care, outcomes)
        return stacked([values[name] for name in STATE_RULE_OUTCOMES])

    def step(
        carried: tuple[State, Array], inputs: tuple[Array, Array, tuple[Array, Array], Array, Array]
    ) -> tuple[tuple[State, Array], tuple[Condition, Array, Array]]:
        now, stress = carried
        hours, next_hours, (ill_share, severity), log_weight, next_log_weight = inputs
        age_years = hours.astype(dtype) / HOURS_PER_YEAR
        length = next_hours - hours
        moving = length > 0
        years = length.astype(dtype) / HOURS_PER_YEAR
        half_log_weight = 0.5 * (log_weight + next_log_weight)
        weight = jnp.exp(half_log_weight + person.log_weight)
        seen = look(now, stress, age_years, log_weight)

        alive = now.cumulative_hazard[0] < person.death_draw
        rules = jax.lax.cond(dosing.has_rules(plan), rule_outcomes, lambda _: no_rules, seen)
        moment = dosing.Moment(
            given_until_hours=now.given_until_hours,
            hours=hours,
            length_hours=length,
            alive=alive,
            weight_kg=weight,
            rule_values=rules,
            seed=person.seed,
        )
        known = dosing.Courses(**{name: getattr(now, name) for name in dosing.Courses.__dataclass_fields__})
        courses, amount, given = dosing.follow_courses(known, in_use, moment, plan)

        operated = (given.dose[KIND_INDEX["spine_surgery"]] > 0.0) & (now.amounts.fusion < 0.5)
        body = fuse_spine(now.body, operated, parameters.biology.skeleton)
        amounts = formulary.administer(now.amounts, given.dose)

        def at(share: Array) -> tuple[Amounts, Influence]:
            hours_on = share * length.astype(dtype)
            later = formulary.advance(
                amounts, given.rate, hours_on, weight, person, protocol, parameters.therapies
            )
            return later, influence_of(later, now.tube_placed)

        shares = jnp.asarray(INSTANTS, dtype)
        later, influences = jax.vmap(at)(shares)
        targets = jax.vmap(smn.target_level, in_axes=(None, 0))(person, influences)
        levels = advance_smn(now.smn, targets, years, parameters.biology.smn.turnover_time_years)
        ages_within = age_years + shares[:, None] * years
        weights_within = log_weight + shares[:, None] * (next_log_weight - log_weight)
        forcings = jax.lax.map(lambda at: forcing_of(*at), (levels, ages_within, weights_within, influences))
        half_way, moved = runge_kutta(body, forcings, years, person, parameters)

        def hazards(at: Body, instant: int) -> tuple[Array, Array]:
            forcing = jax.tree.map(lambda leaf: leaf[instant], forcings)
            seen_then = condition(at, forcing, person, parameters.biology)
            # Hazards rise steeply with severity, so days with and without infection are weighed, not averaged.
            calm = panel.hazards_per_year(seen_then, jnp.zeros_like(severity), person, care, outcomes)
            ill = panel.hazards_per_year(seen_then, severity, person, care, outcomes)
            return calm[0] + ill_share * (ill[0] - calm[0]), calm[1] + ill_share * (ill[1] - calm[1])

        born_years = jnp.where(age_years >= 0.0, years, 0.0)
        cumulative = stacked(
            [
                before + (first + 4.0 * middle + last) / 6.0 * born_years
                for before, first, middle, last in zip(
                    now.cumulative_hazard,
                    hazards(body, 0),
                    hazards(half_way, 1),
                    hazards(moved, 2),
                    strict=True,
                )
            ]
        )
        following = State(
            body=moved,
            amounts=jax.tree.map(
                lambda within, given_now: jnp.where(moving, within[-1], given_now), later, amounts
            ),
            smn=levels[-1],
            cumulative_hazard=cumulative,
            tube_placed=jnp.where(cumulative[1] >= person.tube_feeding_draw, 1.0, now.tube_placed),
            given_until_hours=jnp.where(moving, hours, now.given_until_hours),
            start_hours=courses.start_hours,
            stop_hours=courses.stop_hours,
            administrations=courses.administrations,
            exposure_hours=courses.exposure_hours,
            first_dose_weight_kg=courses.first_dose_weight_kg,
        )
        return (following, forcings.stress[-1]), (seen, now.cumulative_hazard, amount)

    in_use = dosing.courses_in_use(state.start_hours, plan)
    no_rules = jnp.zeros((len(STATE_RULE_OUTCOMES), grid_hours.shape[1]), dtype)
    ages = grid_hours.astype(dtype) / HOURS_PER_YEAR
    log_weights = growth.log_median_weight(ages, person.female, parameters.growth_reference)
    inputs = (grid_hours[:-1], grid_hours[1:], infection, log_weights[:-1], log_weights[1:])
    stress = smn.stress(state.smn, ages[0], person, parameters.biology.smn)
    (final, last_stress), path = jax.lax.scan(step, (state, stress), inputs)
    end = (
        look(final, last_stress, ages[-1], log_weights[-1]),
        final.cumulative_hazard,
        jnp.zeros(plan.start_hours.shape, dtype),
    )
    seen, hazard, doses = jax.tree.map(lambda rows, row: jnp.concatenate([rows, row[None]]), path, end)
    return final, _trajectory(grid_hours, seen, hazard, doses, person, care, outcomes)


def _trajectory(
    age_hours: Array,
    seen: Condition,
    hazard: Array,
    doses: Array,
    person: Person,
    care: Array,
    outcomes: OutcomeParameters,
) -> Trajectory:
    """What is recorded, from the condition at every boundary (K, ...): outside the loop, because nothing feeds back."""
    values = jax.vmap(panel.evaluate, in_axes=(0, None, None, None))(seen, person, care, outcomes)
    return Trajectory(
        age_hours=age_hours,
        outcomes=values.outcomes,
        margins=values.margins,
        walk_minute_m=values.walk_minute_m,
        pools=jnp.stack([seen.working, seen.sick, seen.dead], axis=1),
        cumulative_hazard=hazard,
        breathing=panel.calm_breathing(seen, person, outcomes),
        ventilation=seen.ventilation,
        cough_assist=seen.cough_assist,
        doses=doses,
    )
