"""One step of the engine: a block of patients from one boundary of their grids to the next, and what is seen there.

The drugs and the SMN level form the upstream part of the cascade and are advanced exactly (closed forms; the SMN
level by exact integration of a quadratic through its target at the start, the middle and the end of a step). The body
downstream is advanced by the classical fourth-order Runge-Kutta scheme, whose stages need the upstream part only at
those three instants. Hazards are integrated by Simpson's rule. A step of length zero changes nothing.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from motorpool.biology import smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Condition, Forcing, condition, fuse_spine, rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_MONTH, HOURS_PER_YEAR, Array, record, stacked
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import State
from motorpool.outcomes import panel
from motorpool.outcomes.respiratory_infections import infection_in_step, infection_severity
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES

INSTANTS = (0.0, 0.5, 1.0)  # of a step, at which the upstream part is known
# Numerical choice: below this the power series with so many terms is exact to single precision.
SHORT_STEP, SERIES_TERMS = 0.5, 8


@record
class Surroundings:
    """What does not change while a block of patients lives: traits, seeds of infections, plan, care, parameters."""

    person: Person
    infection_seed: Array
    care: Array
    plan: dosing.Plan
    protocol: CellProtocol
    parameters: ModelParameters


@record
class Now:
    """A boundary: the state, the stress of every neuron (V, T, G, P) and the reference weight (log kg) there."""

    state: State
    stress: Array
    log_weight: Array


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


def log_weight_at(hours: Array, around: Surroundings) -> Array:
    """Log of the median weight (kg) for age and sex at whole hours since birth, (P,)."""
    by_month = around.parameters.log_weight_by_month
    months = jnp.maximum(hours, 0).astype(by_month.dtype) / HOURS_PER_MONTH
    last = by_month.shape[1] - 1
    below = jnp.minimum(jnp.floor(months).astype(jnp.int32), last - 1)
    share = jnp.minimum(months - below.astype(months.dtype), 1.0)
    boys, girls = by_month[0], by_month[1]

    def along(table: Array) -> Array:
        low, high = jnp.take(table, below, mode="clip"), jnp.take(table, below + 1, mode="clip")
        return low + share * (high - low)

    return jnp.where(around.person.female > 0.5, along(girls), along(boys))


def begin(state: State, hours: Array, around: Surroundings) -> Now:
    """The first boundary of a span, at ``hours`` (P,)."""
    age_years = hours.astype(around.person.smn2_level.dtype) / HOURS_PER_YEAR
    stress = smn.stress(state.smn, age_years, around.person, around.parameters.biology.smn)
    return Now(state=state, stress=stress, log_weight=log_weight_at(hours, around))


def look(now: Now, hours: Array, around: Surroundings) -> Condition:
    """What outcomes may look at at a boundary, before the doses given there."""
    state = now.state
    influence = _influence(state.amounts, state.tube_placed, around)
    age_years = hours.astype(now.log_weight.dtype) / HOURS_PER_YEAR
    forcing = _forcing(now.stress, age_years, now.log_weight, influence, around)
    return condition(state.body, forcing, around.person, around.parameters.biology)


def advance(
    now: Now, hours: Array, next_hours: Array, courses_in_use: Array, around: Surroundings, *, chance: bool
) -> tuple[Now, Array]:
    """Give the doses due and carry a block of patients to the next boundary.

    Args:
        now: what is known at the boundary.
        hours, next_hours: (P,) int32 boundaries of each person's step.
        courses_in_use: number of the plan's first courses that can ever start, scalar.
        around: what does not change.
        chance: whether infections come by chance; else their expected severity acts all the time.

    Returns:
        The next boundary, and the amounts given at this one by course, (C, P).
    """
    state, person, parameters = now.state, around.person, around.parameters
    dtype = person.smn2_level.dtype
    age_years = hours.astype(dtype) / HOURS_PER_YEAR
    length = next_hours - hours
    moving = length > 0
    years = length.astype(dtype) / HOURS_PER_YEAR
    log_weight, next_log_weight = now.log_weight, log_weight_at(next_hours, around)
    weight = jnp.exp(0.5 * (log_weight + next_log_weight) + person.log_weight)

    courses, amount, given = _follow_courses(now, hours, length, weight, courses_in_use, around)
    operated = (given.dose[KIND_INDEX["spine_surgery"]] > 0.0) & (state.amounts.fusion < 0.5)
    body = fuse_spine(state.body, operated, parameters.biology.skeleton)
    amounts = formulary.administer(state.amounts, given.dose)

    def at(share: Array) -> tuple[Amounts, Influence]:
        hours_on = share * length.astype(dtype)
        later = formulary.advance(
            amounts, given.rate, hours_on, weight, person, around.protocol, parameters.therapies
        )
        return later, _influence(later, state.tube_placed, around)

    shares = jnp.asarray(INSTANTS, dtype)
    later, influences = jax.vmap(at)(shares)
    targets = jax.vmap(smn.target_level, in_axes=(None, 0))(person, influences)
    levels = advance_smn(state.smn, targets, years, parameters.biology.smn.turnover_time_years)
    ages_within = age_years + shares[:, None] * years
    weights_within = log_weight + shares[:, None] * (next_log_weight - log_weight)
    stresses = jax.lax.map(
        lambda at: smn.stress(at[0], at[1], person, parameters.biology.smn), (levels, ages_within)
    )
    forcings = jax.vmap(_forcing, in_axes=(0, 0, 0, 0, None))(
        stresses, ages_within, weights_within, influences, around
    )
    half_way, moved = runge_kutta(body, forcings, years, person, parameters)
    born_years = jnp.where(age_years >= 0.0, years, 0.0)
    hazards = _hazards((body, half_way, moved), forcings, (hours, next_hours), around, chance=chance)
    cumulative = stacked(
        [
            before + (first + 4.0 * middle + last) / 6.0 * born_years
            for before, (first, middle, last) in zip(state.cumulative_hazard, hazards, strict=True)
        ]
    )
    following = State(
        body=moved,
        amounts=jax.tree.map(
            lambda within, given_now: jnp.where(moving, within[-1], given_now), later, amounts
        ),
        smn=levels[-1],
        cumulative_hazard=cumulative,
        tube_placed=jnp.where(cumulative[1] >= person.tube_feeding_draw, 1.0, state.tube_placed),
        given_until_hours=jnp.where(moving, hours, state.given_until_hours),
        start_hours=courses.start_hours,
        stop_hours=courses.stop_hours,
        administrations=courses.administrations,
        exposure_hours=courses.exposure_hours,
        first_dose_weight_kg=courses.first_dose_weight_kg,
    )
    return Now(state=following, stress=stresses[-1], log_weight=next_log_weight), amount


def _influence(amounts: Amounts, tube: Array, around: Surroundings) -> Influence:
    return formulary.influence(amounts, tube, around.protocol, around.parameters.therapies)


def _forcing(
    stress: Array, age_years: Array, log_median_weight: Array, influence: Influence, around: Surroundings
) -> Forcing:
    from_smn2 = around.person.smn2_level * (1.0 + influence.splicing_gain_muscle)
    return Forcing(
        age_years=age_years,
        log_median_weight=log_median_weight,
        stress=stress,
        smn_muscle=around.person.smn1_level + from_smn2 + influence.transgene_muscle,
        influence=influence,
    )


def _follow_courses(
    now: Now, hours: Array, length: Array, weight: Array, in_use: Array, around: Surroundings
) -> tuple[dosing.Courses, Array, dosing.Given]:
    """What is known of the courses after this boundary, the amounts given by course (C, P), and all by kind."""
    state, plan = now.state, around.plan
    no_rules = jnp.zeros((len(STATE_RULE_OUTCOMES), hours.shape[0]), weight.dtype)

    def rule_outcomes(_: Array) -> Array:
        seen = look(now, hours, around)
        values = panel.true_outcomes(seen, around.person, around.care, around.parameters.outcomes)
        return stacked([values[name] for name in STATE_RULE_OUTCOMES])

    rules = jax.lax.cond(dosing.has_rules(plan), rule_outcomes, lambda none: none, no_rules)
    moment = dosing.Moment(
        given_until_hours=state.given_until_hours,
        hours=hours,
        length_hours=length,
        alive=state.cumulative_hazard[0] < around.person.death_draw,
        weight_kg=weight,
        rule_values=rules,
        seed=around.person.seed,
    )
    known = dosing.Courses(**{name: getattr(state, name) for name in dosing.Courses.__dataclass_fields__})
    return dosing.follow_courses(known, in_use, moment, plan)


def _infection(hours: tuple[Array, Array], around: Surroundings, *, chance: bool) -> tuple[Array, Array]:
    """Share of a step with an infection, and its mean severity then, (P,) each."""
    infections, dtype = around.parameters.outcomes.infections, around.person.smn2_level.dtype
    first, last = hours
    if chance:
        share, severity = infection_in_step(
            around.infection_seed, first, jnp.maximum(last, first + 1), infections
        )
    else:
        severity = infection_severity(around.infection_seed, first, infections, chance=False)
        share = jnp.ones_like(severity)
    return share.astype(dtype), severity.astype(dtype)


def _hazards(
    bodies: tuple[Body, Body, Body],
    forcings: Forcing,
    hours: tuple[Array, Array],
    around: Surroundings,
    *,
    chance: bool,
) -> tuple[tuple[Array, ...], ...]:
    """Hazards per year of each event at the three instants of a step, (P,) each."""
    person, parameters = around.person, around.parameters
    ill_share, severity = _infection(hours, around, chance=chance)
    found: list[tuple[Array, Array]] = []
    for instant, body in enumerate(bodies):
        forcing = jax.tree.map(lambda leaf, row=instant: leaf[row], forcings)
        seen = condition(body, forcing, person, parameters.biology)
        # Hazards rise steeply with severity, so days with and without infection are weighed, not averaged.
        calm = panel.hazards_per_year(
            seen, jnp.zeros_like(severity), person, around.care, parameters.outcomes
        )
        ill = panel.hazards_per_year(seen, severity, person, around.care, parameters.outcomes)
        found.append((calm[0] + ill_share * (ill[0] - calm[0]), calm[1] + ill_share * (ill[1] - calm[1])))
    return tuple(zip(*found, strict=True))


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

