"""One step of the engine: a block of patients from one boundary of their grids to the next, and what is seen there.

Drugs and the SMN level come first (:mod:`motorpool.engine.upstream`). The body downstream is advanced by the classical
fourth-order Runge-Kutta scheme, whose stages need the upstream part only at the start, the middle and the end. Hazards
follow from the body (:mod:`motorpool.engine.hazards`).
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from motorpool.biology import smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Condition, Forcing, condition, fuse_spine, rates_of_change
from motorpool.biology.vocabulary import (
    HOURS_PER_YEAR,
    Array,
    record,
    stacked,
)
from motorpool.engine import dosing
from motorpool.engine.hazards import hazards_grown, risk_at
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import State
from motorpool.engine.surroundings import Surroundings, log_weight_at
from motorpool.engine.upstream import influence_of, upstream_part
from motorpool.outcomes import panel
from motorpool.outcomes.panel import Risk
from motorpool.outcomes.respiratory_infections import (
    RecentEpisodes,
    later_episodes,
    recent_episodes,
)
from motorpool.therapies import formulary
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES

# The local error of a step that is allowed in the states that move fastest, relative to the value or to a share of the
# state's range; see docs/explanation/numerics.md.
FAST_STATES, ALLOWED_LOCAL_ERROR, SMALLEST_SHARE_OF_RANGE = ("sick", "inflammation", "muscle"), 2e-2, 0.01


@record
class Now:
    """A boundary: the state, and what follows from it, from the age and from luck, so as not to work it out twice.

    stress (V, T, G, P): of every neuron. log_weight (P,): reference weight, log kg. episodes: recent infections. risk:
    what the hazards of events depend on. last_rate: rates of change of ``FAST_STATES`` at the end of the last step, of
    ``last_years`` (P,), as the scheme foresaw them. excess_error (P,): by how much the local error of any step was
    larger than allowed; not above zero where it never was.
    """

    state: State
    stress: Array
    log_weight: Array
    episodes: RecentEpisodes
    risk: Risk
    last_rate: dict[str, Array]
    last_years: Array
    excess_error: Array


def begin(state: State, hours: Array, around: Surroundings) -> Now:
    """The first boundary of a span, at ``hours`` (P,)."""
    age_years = hours.astype(around.person.smn2_level.dtype) / HOURS_PER_YEAR
    stress = smn.stress(state.smn, age_years, around.person, around.parameters.biology.smn)
    episodes = recent_episodes(around.infection_seed, hours, around.parameters.outcomes.infections)
    log_weight = log_weight_at(hours, around)
    influence = influence_of(state.amounts, state.tube_placed, around)
    risk = risk_at(state.body, _forcing(stress, age_years, log_weight, influence, around), around)
    return Now(
        state=state,
        stress=stress,
        log_weight=log_weight,
        episodes=episodes,
        risk=risk,
        last_rate={name: jnp.zeros_like(getattr(state.body, name)) for name in FAST_STATES},
        last_years=jnp.zeros_like(age_years),
        excess_error=jnp.full_like(age_years, -jnp.inf),
    )


def look(now: Now, hours: Array, around: Surroundings) -> Condition:
    """What outcomes may look at at a boundary, before the doses given there."""
    state = now.state
    influence = influence_of(state.amounts, state.tube_placed, around)
    age_years = hours.astype(now.log_weight.dtype) / HOURS_PER_YEAR
    forcing = _forcing(now.stress, age_years, now.log_weight, influence, around)
    return condition(state.body, forcing, around.person, around.parameters.biology)


def advance(
    now: Now,
    hours: Array,
    next_hours: Array,
    courses_in_use: Array,
    around: Surroundings,
    *,
    chance: bool,
    with_hazards: bool = True,
) -> tuple[Now, Array]:
    """Give the doses due and carry a block of patients to the next boundary.

    Args:
        now: what is known at the boundary.
        hours, next_hours: (P,) int32 boundaries of each person's step.
        courses_in_use: number of the plan's first courses that can ever start, scalar.
        around: what does not change.
        chance: whether infections come by chance; else their expected severity acts all the time.
        with_hazards: whether events can happen; without, hazards and infections are left out.

    Returns:
        The next boundary, and the amounts given at this one by course, (C, P).
    """
    state, person, parameters = now.state, around.person, around.parameters
    dtype = person.smn2_level.dtype
    age_years = hours.astype(dtype) / HOURS_PER_YEAR
    length = next_hours - hours
    years = length.astype(dtype) / HOURS_PER_YEAR
    log_weight, next_log_weight = now.log_weight, log_weight_at(next_hours, around)
    weight = jnp.exp(0.5 * (log_weight + next_log_weight) + person.log_weight)

    courses, amount, given = _follow_courses(now, hours, length, weight, courses_in_use, around)
    operated = (given.dose[KIND_INDEX["spine_surgery"]] > 0.0) & (state.amounts.fusion < 0.5)
    body = fuse_spine(state.body, operated, parameters.biology.skeleton)
    amounts = formulary.administer(state.amounts, given.dose)

    drugs, influences, levels = upstream_part(
        state.smn, amounts, given.rate, (length, years), weight, state.tube_placed, around
    )
    # At the end they are written as `look` writes them, so that what follows from them is worked out once.
    ages = (age_years, age_years + 0.5 * years, next_hours.astype(dtype) / HOURS_PER_YEAR)
    weights = (log_weight, 0.5 * (log_weight + next_log_weight), next_log_weight)
    forcings: list[Forcing] = []
    for instant, (age_then, weight_then, level, influence) in enumerate(
        zip(ages, weights, levels, influences, strict=True)
    ):
        # Doses change where the SMN level is going, never where it is: at the start the stress is known.
        stress = smn.stress(level, age_then, person, parameters.biology.smn) if instant else now.stress
        forcings.append(_forcing(stress, age_then, weight_then, influence, around))
    at_start = rates_of_change(body, forcings[0], person, parameters.biology)
    excess = _excess_error(now, body, at_start, parameters)
    half_way, moved, at_end = runge_kutta(body, at_start, forcings, years, person, parameters)
    risk = risk_at(moved, forcings[-1], around)
    episodes, cumulative = now.episodes, state.cumulative_hazard
    if with_hazards:
        infections = parameters.outcomes.infections
        if chance:
            episodes = later_episodes(now.episodes, around.infection_seed, next_hours, infections)
        risks = (now.risk, risk_at(half_way, forcings[1], around), risk)
        grown = hazards_grown(risks, (hours, next_hours), episodes, around, chance=chance)
        cumulative = stacked([before + more for before, more in zip(cumulative, grown, strict=True)])
    following = State(
        body=moved,
        amounts=drugs,
        smn=levels[-1],
        cumulative_hazard=cumulative,
        tube_placed=jnp.where(cumulative[1] >= person.tube_feeding_draw, 1.0, state.tube_placed),
        given_until_hours=hours,
        start_hours=courses.start_hours,
        stop_hours=courses.stop_hours,
        administrations=courses.administrations,
        exposure_hours=courses.exposure_hours,
        first_dose_weight_kg=courses.first_dose_weight_kg,
    )
    following_boundary = Now(
        state=following,
        stress=forcings[-1].stress,
        log_weight=next_log_weight,
        episodes=episodes,
        risk=risk,
        last_rate={name: getattr(at_end, name) for name in FAST_STATES},
        last_years=years,
        excess_error=excess,
    )
    return following_boundary, amount


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


def _plus(body: Body, rate: Body, years: Array) -> Body:
    return jax.tree.map(lambda state, change: state + years * change, body, rate)


def _excess_error(now: Now, body: Body, at_start: Body, parameters: ModelParameters) -> Array:
    """By how much the local error of the steps so far was larger than allowed, (P,).

    The error of the last step is estimated by the third-order solution that the rates at its end complete,
    step x (rate foreseen - rate found) / 10, in the states that move fastest.
    """
    ranges = {"muscle": parameters.biology.muscle.ceiling}
    excess = now.excess_error
    for name in FAST_STATES:
        value, foreseen, found = getattr(body, name), now.last_rate[name], getattr(at_start, name)
        error = 0.1 * now.last_years * jnp.abs(foreseen - found)
        floor = SMALLEST_SHARE_OF_RANGE * ranges.get(name, 1.0)
        over = error - ALLOWED_LOCAL_ERROR * jnp.maximum(jnp.abs(value), floor)
        excess = jnp.maximum(excess, jnp.max(over.reshape(-1, over.shape[-1]), axis=0))
    return excess


def runge_kutta(
    body: Body,
    at_start: Body,
    forcings: Sequence[Forcing],
    years: Array,
    person: Person,
    parameters: ModelParameters,
) -> tuple[Body, Body, Body]:
    """Body in the middle and at the end of a step of ``years`` (P,), and the rates of change foreseen for the end.

    The end by the classical fourth-order scheme, the middle by the cubic through both ends and their rates.
    ``at_start``: rates of change there. ``forcings``: at the start, the middle and the end.
    """
    _, middle, end = forcings

    def rate(there: Body, forcing: Forcing) -> Body:
        return rates_of_change(there, forcing, person, parameters.biology)

    half, sixth = 0.5 * years, years / 6.0
    third = 2.0 * sixth
    moved = _plus(body, at_start, sixth)
    first_middle = rate(_plus(body, at_start, half), middle)
    moved = _plus(moved, first_middle, third)
    second_middle = rate(_plus(body, first_middle, half), middle)
    moved = _plus(moved, second_middle, third)
    at_end = rate(_plus(body, second_middle, years), end)
    moved = _plus(moved, at_end, sixth)

    def half_way(first: Array, last: Array, first_rate: Array, last_rate: Array) -> Array:
        return 0.5 * (first + last) + 0.125 * years * (first_rate - last_rate)

    return jax.tree.map(half_way, body, moved, at_start, at_end), moved, at_end
