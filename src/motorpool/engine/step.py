"""One step of the engine: a block of patients from one boundary of their grids to the next, and what is seen there.

The drugs and the SMN level form the upstream part of the cascade. Drugs are advanced exactly (closed forms), the SMN
level by exact integration of a quadratic through its target in each of a few parts of a step. The body downstream is
advanced by the classical fourth-order Runge-Kutta scheme, whose stages need the upstream part only at the start, the
middle and the end of a step. Hazards are integrated by Gauss's rules, over
the step and over each infection.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from motorpool.biology import smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.system import Body, Condition, Forcing, condition, fuse_spine, rates_of_change
from motorpool.biology.vocabulary import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    Array,
    record,
    stacked,
)
from motorpool.engine import dosing
from motorpool.engine.parameters import ModelParameters
from motorpool.engine.state import State
from motorpool.outcomes import panel
from motorpool.outcomes.panel import Risk
from motorpool.outcomes.respiratory_infections import (
    Episodes,
    RecentEpisodes,
    infection_severity,
    later_episodes,
    recent_episodes,
)
from motorpool.therapies import formulary
from motorpool.therapies.cells import CellProtocol
from motorpool.therapies.formulary import Amounts
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.start_rules import STATE_RULE_OUTCOMES

DAYS_PER_YEAR = HOURS_PER_YEAR / HOURS_PER_DAY
INSTANTS = (0.0, 0.5, 1.0)  # of a step, at which the body is driven
# The local error of a step that is allowed in the states that move fastest, relative to the value or to a share of the
# state's range; chosen by the study in docs/explanation/numerics.md.
FAST_STATES, ALLOWED_LOCAL_ERROR, SMALLEST_SHARE_OF_RANGE = ("sick", "inflammation", "muscle"), 2e-2, 0.01
# Gauss's points in the unit interval, with which hazards are integrated, and weights where they differ.
INFECTION_POINTS = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))
SMOOTH_POINTS = (0.5 - 0.5 * math.sqrt(0.6), 0.5, 0.5 + 0.5 * math.sqrt(0.6))
SMOOTH_WEIGHTS = (5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0)
# Numerical choice: equal parts of a step, an even number, in each of which the SMN level is integrated; see
# docs/explanation/numerics.md.
UPSTREAM_PARTS = 4
# Numerical choice: below this the power series with so many terms is exact to single precision.
SHORT_STEP, SERIES_TERMS = 0.5, 8


@record
class Surroundings:
    """What does not change while a block of patients lives: traits, seeds of infections, plan, care, parameters.

    enrolment_hours (P,): age on day 0 of the daily record; ``NEVER_HOURS`` where there is none.
    """

    person: Person
    infection_seed: Array
    enrolment_hours: Array
    care: Array
    plan: dosing.Plan
    protocol: CellProtocol
    parameters: ModelParameters


@record
class Now:
    """A boundary: the state, and what follows from it, from the age and from luck, so as not to work it out twice.

    stress (V, T, G, P): of every neuron. log_weight (P,): reference weight, log kg. episodes: recent infections. risk:
    what the hazards of events depend on. last_rate: rates of change at the end of the last step, of ``last_years``
    (P,), as the scheme foresaw them. excess_error (P,): by how much the local error of any step was larger than
    allowed; not above zero where it never was.
    """

    state: State
    stress: Array
    log_weight: Array
    episodes: RecentEpisodes
    risk: Risk
    last_rate: Body
    last_years: Array
    excess_error: Array


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


def log_weight_at(hours: Array, around: Surroundings) -> Array:
    """Log of the median weight (kg) for age and sex at whole hours since birth, (P,)."""
    by_month = around.parameters.log_weight_by_month
    count = by_month.shape[1]
    months = jnp.maximum(hours, 0).astype(by_month.dtype) / HOURS_PER_MONTH
    below = jnp.minimum(jnp.floor(months).astype(jnp.int32), count - 2)
    share = jnp.minimum(months - below.astype(months.dtype), 1.0)
    # Boys first, then girls, in one row: a look-up costs as much as all the rest.
    place = below + jnp.where(around.person.female > 0.5, count, 0)
    table = by_month.reshape(-1)
    low, high = jnp.take(table, place, mode="clip"), jnp.take(table, place + 1, mode="clip")
    return low + share * (high - low)


def begin(state: State, hours: Array, around: Surroundings) -> Now:
    """The first boundary of a span, at ``hours`` (P,)."""
    age_years = hours.astype(around.person.smn2_level.dtype) / HOURS_PER_YEAR
    stress = smn.stress(state.smn, age_years, around.person, around.parameters.biology.smn)
    episodes = recent_episodes(around.infection_seed, hours, around.parameters.outcomes.infections)
    log_weight = log_weight_at(hours, around)
    influence = _influence(state.amounts, state.tube_placed, around)
    risk = _risk_at(state.body, _forcing(stress, age_years, log_weight, influence, around), around)
    return Now(
        state=state,
        stress=stress,
        log_weight=log_weight,
        episodes=episodes,
        risk=risk,
        last_rate=jax.tree.map(jnp.zeros_like, state.body),
        last_years=jnp.zeros_like(age_years),
        excess_error=jnp.full_like(age_years, -jnp.inf),
    )


def look(now: Now, hours: Array, around: Surroundings) -> Condition:
    """What outcomes may look at at a boundary, before the doses given there."""
    state = now.state
    influence = _influence(state.amounts, state.tube_placed, around)
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

    drugs, influences, levels = _upstream(
        state.smn, amounts, given.rate, (length, years), weight, state.tube_placed, around
    )
    forcings: list[Forcing] = []
    for instant, (share, level, influence) in enumerate(zip(INSTANTS, levels, influences, strict=True)):
        age_then = age_years + share * years
        weight_then = log_weight + share * (next_log_weight - log_weight)
        # Doses change where the SMN level is going, never where it is: at the start the stress is known.
        stress = smn.stress(level, age_then, person, parameters.biology.smn) if instant else now.stress
        forcings.append(_forcing(stress, age_then, weight_then, influence, around))
    at_start = rates_of_change(body, forcings[0], person, parameters.biology)
    excess = _excess_error(now, body, at_start, parameters)
    half_way, moved, at_end = runge_kutta(body, at_start, forcings, years, person, parameters)
    risk = _risk_at(moved, forcings[-1], around)
    episodes, cumulative = now.episodes, state.cumulative_hazard
    if with_hazards:
        infections = parameters.outcomes.infections
        if chance:
            episodes = later_episodes(now.episodes, around.infection_seed, next_hours, infections)
        risks = (now.risk, _risk_at(half_way, forcings[1], around), risk)
        grown = _hazards_grown(risks, (hours, next_hours), episodes, around, chance=chance)
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
        last_rate=at_end,
        last_years=years,
        excess_error=excess,
    )
    return following_boundary, amount


def _influence(amounts: Amounts, tube: Array, around: Surroundings) -> Influence:
    return formulary.influence(amounts, tube, around.protocol, around.parameters.therapies)


def _upstream(
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
    here = _influence(amounts, tube, around)
    present = [leaf for leaf in jax.tree.leaves(amounts)] + [rate]
    any_present = functools.reduce(jnp.logical_or, [jnp.any(leaf != 0.0) for leaf in present])

    def with_drugs(amounts: Amounts) -> tuple[Amounts, tuple[Influence, ...], tuple[Array, ...]]:
        drugs, influences = _drugs_within(amounts, rate, hours, weight, tube, around)
        middle, end = _smn_within(level, [here, *influences], years, around)
        return drugs, (influences[len(influences) // 2 - 1], influences[-1]), (middle, end)

    def without_drugs(amounts: Amounts) -> tuple[Amounts, tuple[Influence, ...], tuple[Array, ...]]:
        middle, end = _smn_within(level, [here] * (2 * UPSTREAM_PARTS + 1), years, around)
        return amounts, (here, here), (middle, end)

    drugs, later, levels = jax.lax.cond(any_present, with_drugs, without_drugs, amounts)
    return drugs, [here, *later], [level, *levels]


def _drugs_within(
    amounts: Amounts, rate: Array, length_hours: Array, weight: Array, tube: Array, around: Surroundings
) -> tuple[Amounts, list[Influence]]:
    """Amounts at the end of a step, and what drugs do at all nodes of its upstream part after the start.

    Drugs are advanced exactly, so that equal parts of a step follow one another and share their exponentials. Those
    that do not act on the SMN level are known at the start, the middle and the end only; in between they stand still.
    """

    def after(amounts: Amounts, parts: int) -> Amounts:
        hours = length_hours.astype(weight.dtype) / parts
        return formulary.advance(
            amounts, rate, hours, weight, around.person, around.protocol, around.parameters.therapies
        )

    def joined(acting_on_smn: Amounts, others: Amounts) -> Amounts:
        fields = {name: getattr(others, name) for name in Amounts.__dataclass_fields__}
        return Amounts(**fields | {name: getattr(acting_on_smn, name) for name in formulary.ACTING_ON_SMN})

    nodes = 2 * UPSTREAM_PARTS
    fine, coarse = amounts, amounts
    influences: list[Influence] = []
    for node in range(1, nodes + 1):
        fine = after(fine, nodes)
        if node % UPSTREAM_PARTS == 0:
            coarse = after(coarse, 2)
        influences.append(_influence(joined(fine, coarse), tube, around))
    return joined(fine, coarse), influences


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


def _risk_at(body: Body, forcing: Forcing, around: Surroundings) -> Risk:
    seen = condition(body, forcing, around.person, around.parameters.biology)
    return panel.risk(seen, around.person, around.parameters.outcomes)


def _hazards_grown(
    risks: tuple[Risk, Risk, Risk],
    hours: tuple[Array, Array],
    episodes: RecentEpisodes,
    around: Surroundings,
    *,
    chance: bool,
) -> tuple[Array, Array]:
    """What a step adds to the integrated hazard of each event, (P,) each: none before birth.

    Between infections hazards change smoothly (Gauss's rule with three points). They rise steeply with the severity of
    an infection, so each episode adds, for the time that it shares with the step, what it changes (two points).
    """
    outcomes, care = around.parameters.outcomes, around.care
    dtype = risks[0].breathing.dtype
    begin, end = hours[0].astype(dtype) / HOURS_PER_DAY, hours[1].astype(dtype) / HOURS_PER_DAY
    length = jnp.maximum(end - begin, 1.0 / HOURS_PER_DAY)

    def rates(risk: Risk, severity: Array) -> tuple[Array, Array]:
        return panel.hazards_per_year(risk, severity, care, outcomes)

    def severity_without_chance(share: float) -> Array:
        age = hours[0] + share * (hours[1] - hours[0])
        infections = outcomes.infections
        return infection_severity(around.infection_seed, age, infections, chance=False).astype(dtype)

    none = jnp.zeros_like(begin)
    totals = (none, none)
    for share, weight in zip(SMOOTH_POINTS, SMOOTH_WEIGHTS, strict=True):
        then = jax.tree.map(functools.partial(_through, share), *risks)
        calm = rates(then, none if chance else severity_without_chance(share))
        totals = tuple(
            total + weight * (end - begin) * rate for total, rate in zip(totals, calm, strict=True)
        )

    def with_episode(totals: tuple[Array, ...], found: Episodes) -> tuple[Array, ...]:
        episode = Episodes(*(one.astype(dtype) for one in found))
        since, until = jnp.maximum(begin, episode.start_days), jnp.minimum(end, episode.end_days)
        shared = jnp.where(episode.severity > 0.0, jnp.maximum(until - since, 0.0), 0.0)

        def added(totals: tuple[Array, ...]) -> tuple[Array, ...]:
            for point in INFECTION_POINTS:
                share = (since + point * (until - since) - begin) / length
                then = jax.tree.map(functools.partial(_through, share), *risks)
                more = zip(rates(then, episode.severity), rates(then, none), strict=True)
                changes = [jnp.where(shared > 0.0, 0.5 * shared * (ill - well), 0.0) for ill, well in more]
                totals = tuple(total + change for total, change in zip(totals, changes, strict=True))
            return totals

        return jax.lax.cond(jnp.any(shared > 0.0), added, lambda unchanged: unchanged, totals)

    if chance:
        totals = functools.reduce(with_episode, episodes.each(), totals)
    born = jnp.where(begin >= 0.0, 1.0 / DAYS_PER_YEAR, 0.0)
    return totals[0] * born, totals[1] * born


def _through(share: Array | float, first: Array, middle: Array, last: Array) -> Array:
    """Value at a share of a step of the quadratic through its start, middle and end."""
    curvature = 2.0 * (first - 2.0 * middle + last)
    return first + share * (last - first + curvature * (share - 1.0))


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
        value, foreseen, found = (getattr(one, name) for one in (body, now.last_rate, at_start))
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
