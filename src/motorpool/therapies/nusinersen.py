"""Nusinersen: the published population pharmacokinetics, solved exactly, and its effect on SMN2 splicing.

Four compartments (cerebrospinal fluid, central nervous system, plasma, systemic tissue), linear, with weight effects:
Luu et al. 2017 (source ``luu2017``). Spinal fluid and nervous system exchange and lose to plasma; plasma never feeds
back, so the system is two coupled 2x2 blocks with closed-form eigenvalues. Splicing follows the concentration in the
nervous system after a delay: neurons take the drug up into their nuclei and fill the transcript's sites slowly (an
effect compartment, which holds no mass).
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import Array, power, record


@record
class NusinersenParameters:
    """Pharmacokinetics and effect; litres, hours, kilograms, milligrams."""

    csf_clearance_l_per_h: Array
    csf_cns_flow_l_per_h: Array
    csf_volume_l: Array
    cns_volume_l: Array
    plasma_clearance_l_per_h: Array
    plasma_tissue_flow_l_per_h: Array
    plasma_volume_l: Array
    tissue_volume_l: Array
    reference_weight_kg: Array
    plasma_clearance_weight_exponent: Array
    csf_volume_weight_exponent: Array
    plasma_volume_per_kg: Array
    splicing_gain_maximum: Array
    half_effect_cns_ng_per_ml: Array
    effect_half_time_hours: Array
    exposure_by_group: Array


@record
class NusinersenAmounts:
    """Milligrams in each compartment, each (P,).

    ``acting``: what the nervous system would hold at the concentration that splicing follows; no mass of its own.
    """

    csf: Array
    cns: Array
    plasma: Array
    tissue: Array
    acting: Array


@record
class NusinersenRates:
    """First-order rate constants per hour of one person at one weight, each (P,)."""

    csf_out: Array
    csf_to_cns: Array
    cns_to_csf: Array
    csf_to_plasma: Array
    plasma_out: Array
    plasma_to_tissue: Array
    tissue_to_plasma: Array
    cns_to_acting: Array


def rate_constants(weight_kg: Array, person: Person, parameters: NusinersenParameters) -> NusinersenRates:
    """Rate constants at this body weight, with the person's deviations from the population."""
    relative = weight_kg / parameters.reference_weight_kg
    csf_volume = (
        parameters.csf_volume_l
        * power(relative, parameters.csf_volume_weight_exponent)
        * jnp.exp(person.log_csf_volume)
    )
    plasma_volume = (
        parameters.plasma_volume_l
        * (1.0 + parameters.plasma_volume_per_kg * (weight_kg - parameters.reference_weight_kg))
        * jnp.exp(person.log_plasma_volume)
    )
    plasma_clearance = (
        parameters.plasma_clearance_l_per_h
        * power(relative, parameters.plasma_clearance_weight_exponent)
        * jnp.exp(person.log_plasma_clearance)
    )
    csf_clearance = parameters.csf_clearance_l_per_h * jnp.exp(person.log_csf_clearance)
    exchange = parameters.csf_cns_flow_l_per_h
    return NusinersenRates(
        csf_out=(exchange + csf_clearance) / csf_volume,
        csf_to_cns=exchange / csf_volume,
        cns_to_csf=exchange / parameters.cns_volume_l,
        csf_to_plasma=csf_clearance / csf_volume,
        plasma_out=(parameters.plasma_tissue_flow_l_per_h + plasma_clearance) / plasma_volume,
        plasma_to_tissue=parameters.plasma_tissue_flow_l_per_h / plasma_volume,
        tissue_to_plasma=parameters.plasma_tissue_flow_l_per_h / parameters.tissue_volume_l,
        cns_to_acting=math.log(2.0) / parameters.effect_half_time_hours,
    )


def slow_and_fast(first_out: Array, second_out: Array, exchange_product: Array) -> tuple[Array, Array]:
    """Decay rates (slow, fast) of two compartments that exchange; stable where one is far slower than the other."""
    total = first_out + second_out
    root = jnp.sqrt((first_out - second_out) ** 2 + 4.0 * exchange_product)
    fast = 0.5 * (total + root)
    return (first_out * second_out - exchange_product) / fast, fast


def _split(
    first: Array,
    second: Array,
    second_to_first: Array,
    first_to_second: Array,
    second_out: Array,
    slow: Array,
    fast: Array,
) -> tuple[Array, Array, Array, Array]:
    """Amplitudes (first slow, first fast, second slow, second fast) of the two exponentials from starting amounts."""
    # first_out - slow = fast - second_out and first_out - fast = slow - second_out: no cancellation.
    gap = fast - slow
    excess = second_out - slow
    first_slow = (excess * first + second_to_first * second) / gap
    second_slow = (first_to_second * first + (fast - second_out) * second) / gap
    return first_slow, first - first_slow, second_slow, second - second_slow


def advance(amounts: NusinersenAmounts, rates: NusinersenRates, hours: Array) -> NusinersenAmounts:
    """Amounts after ``hours`` without a dose, exact for constant weight."""
    slow, fast = slow_and_fast(rates.csf_out, rates.cns_to_csf, rates.csf_to_cns * rates.cns_to_csf)
    csf_slow, csf_fast, cns_slow, cns_fast = _split(
        amounts.csf, amounts.cns, rates.cns_to_csf, rates.csf_to_cns, rates.cns_to_csf, slow, fast
    )
    decay_slow, decay_fast = jnp.exp(-slow * hours), jnp.exp(-fast * hours)

    # Plasma and tissue follow what flows in from the spinal fluid: a particular solution for each exponential.
    def particular(decay_rate: Array, csf_amplitude: Array) -> tuple[Array, Array]:
        determinant = (rates.plasma_out - decay_rate) * (rates.tissue_to_plasma - decay_rate)
        determinant = determinant - rates.plasma_to_tissue * rates.tissue_to_plasma
        inflow = rates.csf_to_plasma * csf_amplitude / determinant
        return (rates.tissue_to_plasma - decay_rate) * inflow, rates.plasma_to_tissue * inflow

    plasma_by_slow, tissue_by_slow = particular(slow, csf_slow)
    plasma_by_fast, tissue_by_fast = particular(fast, csf_fast)
    own_slow, own_fast = slow_and_fast(
        rates.plasma_out, rates.tissue_to_plasma, rates.plasma_to_tissue * rates.tissue_to_plasma
    )
    plasma_slow, plasma_fast, tissue_slow, tissue_fast = _split(
        amounts.plasma - plasma_by_slow - plasma_by_fast,
        amounts.tissue - tissue_by_slow - tissue_by_fast,
        rates.tissue_to_plasma,
        rates.plasma_to_tissue,
        rates.tissue_to_plasma,
        own_slow,
        own_fast,
    )
    own_decay_slow, own_decay_fast = jnp.exp(-own_slow * hours), jnp.exp(-own_fast * hours)
    # The delay lies between the two rates of fluid and nervous system (bounds of its half-time), so no divisor is zero.
    delay = rates.cns_to_acting
    acting_slow = delay / (delay - slow) * cns_slow
    acting_fast = delay / (delay - fast) * cns_fast
    acting_own = amounts.acting - acting_slow - acting_fast
    return NusinersenAmounts(
        csf=csf_slow * decay_slow + csf_fast * decay_fast,
        cns=cns_slow * decay_slow + cns_fast * decay_fast,
        plasma=plasma_by_slow * decay_slow
        + plasma_by_fast * decay_fast
        + plasma_slow * own_decay_slow
        + plasma_fast * own_decay_fast,
        tissue=tissue_by_slow * decay_slow
        + tissue_by_fast * decay_fast
        + tissue_slow * own_decay_slow
        + tissue_fast * own_decay_fast,
        acting=acting_slow * decay_slow + acting_fast * decay_fast + acting_own * jnp.exp(-delay * hours),
    )


def splicing_gain(amounts: NusinersenAmounts, parameters: NusinersenParameters) -> Array:
    """Relative gain of SMN from SMN2 in each pool, (G, P): saturates with the delayed concentration in the cord.

    Exposure falls from the lumbar cord towards the brain stem (source ``ramos2019``).
    """
    acting_ng_per_ml = 1000.0 * amounts.acting / parameters.cns_volume_l
    at_pool = parameters.exposure_by_group[:, None] * acting_ng_per_ml
    return parameters.splicing_gain_maximum * at_pool / (parameters.half_effect_cns_ng_per_ml + at_pool)
