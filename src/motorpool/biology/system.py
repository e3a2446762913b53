"""The body as one system: its states, what drives them from outside, and their rates of change.

The system is a cascade. Upstream, the drugs and the age decide the SMN level and with it the stress of every neuron;
nothing downstream feeds back on them, so that part is advanced exactly (:mod:`motorpool.engine.integrate`).
Downstream, neurons, transmission, muscle, skeleton and nutrition follow the equations gathered here.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology import growth, inflammation, junction, muscle, neurons, skeleton, smn
from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.vocabulary import (
    BULBAR,
    LEGS_AND_TRUNK,
    MUSCLE_GROUPS,
    POOL_PARTS,
    VULNERABILITY_CLASSES,
    Array,
    mean_of_rows,
    record,
)


@record
class NutritionParameters:
    """How body mass follows feeding."""

    adaptation_time_years: Array
    loss_when_swallowing_fails: Array
    support_effect: Array


@record
class BiologyParameters:
    """All parameters of biology, one set per module."""

    smn: smn.SmnParameters
    neurons: neurons.NeuronParameters
    inflammation: inflammation.InflammationParameters
    junction: junction.JunctionParameters
    muscle: muscle.MuscleParameters
    skeleton: skeleton.SkeletonParameters
    growth: growth.GrowthParameters
    nutrition: NutritionParameters


@record
class Body:
    """The states of a body.

    ``alive`` and ``sick`` are (V, T, G, P); ``grafted``, ``transmission`` and ``muscle`` (G, P); the others (P,).
    All lie in [0, 1] except the Cobb angle (degrees) and muscle (up to its ceiling).
    """

    alive: Array
    sick: Array
    grafted: Array
    inflammation: Array
    transmission: Array
    muscle: Array
    contracture: Array
    cobb_degrees: Array
    nutrition: Array


@record
class Forcing:
    """What drives the body from outside at one instant: age, reference weight (log kg), stress of every neuron
    (V, T, G, P), SMN in muscle and the therapies' influence."""

    age_years: Array
    log_median_weight: Array
    stress: Array
    smn_muscle: Array
    influence: Influence


@record
class Condition:
    """What outcomes may look at: pools and muscle of each group (G, P) and the rest (P,); leading axes may be added.

    ``log_load`` is the load of the body (log), ``maturity`` the motor maturity, ``death_rate_per_year`` the share of
    all motor neurons that die per year.
    """

    age_years: Array
    working: Array
    sick: Array
    dead: Array
    death_rate_per_year: Array
    inflammation: Array
    transmission: Array
    muscle: Array
    usable_range: Array
    cobb_degrees: Array
    contracture: Array
    nutrition: Array
    log_load: Array
    maturity: Array
    log_median_weight: Array
    activity: Array
    ventilation: Array
    cough_assist: Array
    tube_feeding: Array
    fusion: Array


def newborn_body(patients: int, dtype: jnp.dtype) -> Body:
    """A body at mid-gestation, before any neuron is lost."""
    groups = len(MUSCLE_GROUPS)
    pools = (VULNERABILITY_CLASSES, POOL_PARTS, groups, patients)
    one, zero = jnp.ones, jnp.zeros
    return Body(
        alive=one(pools, dtype),
        sick=zero(pools, dtype),
        grafted=zero((groups, patients), dtype),
        inflammation=zero(patients, dtype),
        transmission=one((groups, patients), dtype),
        muscle=one((groups, patients), dtype),
        contracture=zero(patients, dtype),
        cobb_degrees=zero(patients, dtype),
        nutrition=one(patients, dtype),
    )


def working_share(body: Body, person: Person) -> Array:
    """Share of each pool that works, grafted neurons included, (G, P)."""
    return jnp.clip(neurons.pool_share(body.alive - body.sick, person) + body.grafted, 0.0, 1.0)


def rates_of_change(body: Body, forcing: Forcing, person: Person, parameters: BiologyParameters) -> Body:
    """Rates of change per year of every state."""
    influence, age_years = forcing.influence, forcing.age_years
    d_alive, d_sick = neurons.rates_of_change(
        body.alive,
        body.sick,
        forcing.stress,
        body.inflammation,
        influence.neuroprotection,
        age_years,
        parameters.neurons,
    )
    dead = 1.0 - neurons.pool_share(body.alive, person)
    pool_stress = neurons.pool_share(forcing.stress, person)
    working = working_share(body, person)
    transmission = junction.with_support(body.transmission, influence.transmission)
    mass_target = muscle.target_mass(
        muscle.innervation(working, muscle.sprouting_at(age_years, person.sprouting, parameters.muscle)),
        transmission,
        body.muscle,
        influence.activity,
        body.nutrition,
        forcing.smn_muscle,
        influence.muscle_support,
        influence.myostatin_inhibition,
        parameters.muscle,
    )
    velocity = growth.growth_velocity(age_years, parameters.growth)
    legs = body.muscle[LEGS_AND_TRUNK]
    return Body(
        alive=d_alive,
        sick=d_sick,
        # Grafted neurons can fill what is missing of a healthy pool, and no more.
        grafted=influence.new_neurons_per_year * (1.0 - body.grafted)
        - body.grafted / parameters.neurons.graft_survival_years,
        inflammation=inflammation.rate_of_change(
            body.inflammation, dead, pool_stress, influence.anti_inflammation, parameters.inflammation
        ),
        transmission=junction.rate_of_change(body.transmission, working, pool_stress, parameters.junction),
        muscle=muscle.rate_of_change(body.muscle, mass_target, parameters.muscle),
        contracture=skeleton.contracture_rate(
            body.contracture, legs, velocity, influence.activity, parameters.skeleton
        ),
        cobb_degrees=skeleton.cobb_rate(
            body.cobb_degrees,
            legs,
            growth.upright_growth(age_years, person, parameters.growth),
            influence.brace,
            influence.fusion,
            person,
            parameters.skeleton,
        ),
        nutrition=_nutrition_rate(body, influence, parameters.nutrition),
    )


def _nutrition_rate(body: Body, influence: Influence, parameters: NutritionParameters) -> Array:
    swallowing = jnp.clip(body.muscle[BULBAR], 0.0, 1.0)
    helped = jnp.maximum(influence.tube_feeding, parameters.support_effect * influence.nutrition)
    target = 1.0 - parameters.loss_when_swallowing_fails * (1.0 - swallowing) * (1.0 - helped)
    return (target - body.nutrition) / parameters.adaptation_time_years


def fuse_spine(body: Body, operated: Array, parameters: skeleton.SkeletonParameters) -> Body:
    """The body right after spinal fusion where ``operated`` (P,) is true: the Cobb angle falls at once."""
    straightened = body.cobb_degrees * jnp.where(operated, parameters.fusion_cobb_ratio, 1.0)
    fields = {name: getattr(body, name) for name in Body.__dataclass_fields__}
    return Body(**{**fields, "cobb_degrees": straightened})


def condition(body: Body, forcing: Forcing, person: Person, parameters: BiologyParameters) -> Condition:
    """What outcomes may look at in this body now."""
    rates = rates_of_change(body, forcing, person, parameters)
    influence = forcing.influence
    alive = neurons.pool_share(body.alive, person)
    sick = neurons.pool_share(body.sick, person)
    return Condition(
        age_years=forcing.age_years,
        working=alive - sick,
        sick=sick,
        dead=1.0 - alive,
        death_rate_per_year=-mean_of_rows(neurons.pool_share(rates.alive, person)),
        inflammation=body.inflammation,
        transmission=junction.with_support(body.transmission, influence.transmission),
        muscle=body.muscle,
        usable_range=skeleton.usable_range(
            body.contracture, body.cobb_degrees, influence.fusion, parameters.skeleton
        ),
        cobb_degrees=body.cobb_degrees,
        contracture=body.contracture,
        nutrition=body.nutrition,
        log_load=growth.log_load(forcing.age_years, forcing.log_median_weight, person, parameters.growth),
        maturity=growth.maturity(forcing.age_years, person, parameters.growth),
        log_median_weight=forcing.log_median_weight,
        activity=influence.activity,
        ventilation=influence.ventilation,
        cough_assist=influence.cough_assist,
        tube_feeding=influence.tube_feeding,
        fusion=influence.fusion,
    )
