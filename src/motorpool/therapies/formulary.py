"""All therapies together: the amounts in the body, how doses enter, how they move on, and what they do."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.influence import Influence
from motorpool.biology.person import Person
from motorpool.biology.vocabulary import MUSCLE_GROUPS, Array, record
from motorpool.therapies import (
    cells,
    gene_transfer,
    myostatin,
    nusinersen,
    risdiplam,
    supportive_care,
    transmission,
)
from motorpool.therapies.kinds import KIND_INDEX
from motorpool.therapies.kinetics import depot_and_product, first_order


@record
class TherapyParameters:
    """All parameters of therapies, one set per module."""

    nusinersen: nusinersen.NusinersenParameters
    risdiplam: risdiplam.RisdiplamParameters
    gene_transfer: gene_transfer.GeneTransferParameters
    myostatin: myostatin.MyostatinParameters
    transmission_support: transmission.TransmissionSupportParameters
    cells: cells.CellParameters
    rehabilitation: supportive_care.RehabilitationParameters
    equipment: supportive_care.EquipmentParameters


@record
class Amounts:
    """What of each therapy is in the body now, each (P,) unless said; see each therapy's module for units."""

    nusinersen: nusinersen.NusinersenAmounts
    risdiplam: Array
    vector_intravenous: Array
    transgene_intravenous: Array
    vector_intrathecal: Array
    transgene_intrathecal: Array
    myostatin_antibody: Array
    transmission_support: Array
    cells_intrathecal: Array
    factor_intrathecal: Array
    cells_intravenous: Array
    factor_intravenous: Array
    training: Array
    ventilation: Array
    cough_assist: Array
    dietitian: Array
    tube_feeding: Array
    brace: Array
    fusion: Array


TRANSGENE_AMOUNTS = (
    "vector_intravenous",
    "transgene_intravenous",
    "vector_intrathecal",
    "transgene_intrathecal",
)
# The amounts that decide the SMN level of motor neurons.
ACTING_ON_SMN = ("nusinersen", "risdiplam", *TRANSGENE_AMOUNTS)


def nothing_given(patients: int, dtype: jnp.dtype) -> Amounts:
    """No therapy in the body."""
    zero = jnp.zeros(patients, dtype)
    fields = {name: zero for name in Amounts.__dataclass_fields__ if name != "nusinersen"}
    return Amounts(nusinersen=nusinersen.NusinersenAmounts(zero, zero, zero, zero, zero), **fields)


def administer(amounts: Amounts, dose: Array) -> Amounts:
    """Amounts right after the doses given now, ``dose`` (kinds, P)."""

    def given(kind: str) -> Array:
        return dose[KIND_INDEX[kind]]

    fields = {name: getattr(amounts, name) for name in Amounts.__dataclass_fields__}
    spinal = amounts.nusinersen
    fields |= {
        "nusinersen": nusinersen.NusinersenAmounts(
            spinal.csf + given("nusinersen"), spinal.cns, spinal.plasma, spinal.tissue, spinal.acting
        ),
        "vector_intravenous": amounts.vector_intravenous + given("onasemnogene_intravenous"),
        "vector_intrathecal": amounts.vector_intrathecal + given("onasemnogene_intrathecal"),
        "myostatin_antibody": amounts.myostatin_antibody + given("myostatin_inhibition"),
        "cells_intrathecal": amounts.cells_intrathecal + given("cells_intrathecal"),
        "cells_intravenous": amounts.cells_intravenous + given("cells_intravenous"),
        "fusion": jnp.maximum(amounts.fusion, jnp.where(given("spine_surgery") > 0.0, 1.0, 0.0)),
    }
    return Amounts(**fields)


def advance(
    amounts: Amounts,
    rate: Array,
    hours: Array,
    weight_kg: Array,
    person: Person,
    protocol: cells.CellProtocol,
    parameters: TherapyParameters,
) -> Amounts:
    """Amounts after ``hours`` (P,) with the continuous inputs ``rate`` (kinds, P) held; exact."""
    equipment = parameters.equipment.habituation_half_time_hours
    transfer = parameters.gene_transfer
    cell = parameters.cells
    cell_life = cells.cell_half_life_hours(protocol, cell)

    def held(name: str, kind: str, half_life_hours: Array) -> Array:
        return first_order(getattr(amounts, name), rate[KIND_INDEX[kind]], half_life_hours, hours)

    typical_weight_kg = weight_kg * jnp.exp(-person.log_weight)
    exposure = rate[KIND_INDEX["risdiplam"]] * risdiplam.relative_exposure(
        weight_kg, typical_weight_kg, parameters.risdiplam
    )

    vector_vein, transgene_vein = depot_and_product(
        amounts.vector_intravenous,
        amounts.transgene_intravenous,
        transfer.onset_half_time_hours,
        transfer.expression_half_life_hours,
        hours,
    )
    vector_spine, transgene_spine = depot_and_product(
        amounts.vector_intrathecal,
        amounts.transgene_intrathecal,
        transfer.onset_half_time_hours,
        transfer.expression_half_life_hours,
        hours,
    )
    cells_spine, factor_spine = depot_and_product(
        amounts.cells_intrathecal, amounts.factor_intrathecal, cell_life, cell.factor_half_life_hours, hours
    )
    cells_vein, factor_vein = depot_and_product(
        amounts.cells_intravenous, amounts.factor_intravenous, cell_life, cell.factor_half_life_hours, hours
    )
    antibody = first_order(
        amounts.myostatin_antibody, jnp.zeros_like(hours), parameters.myostatin.half_life_hours, hours
    )
    spinal_rates = nusinersen.rate_constants(weight_kg, person, parameters.nusinersen)
    return Amounts(
        nusinersen=nusinersen.advance(amounts.nusinersen, spinal_rates, hours),
        risdiplam=first_order(amounts.risdiplam, exposure, parameters.risdiplam.half_life_hours, hours),
        vector_intravenous=vector_vein,
        transgene_intravenous=transgene_vein,
        vector_intrathecal=vector_spine,
        transgene_intrathecal=transgene_spine,
        myostatin_antibody=antibody,
        transmission_support=held(
            "transmission_support", "transmission_support", parameters.transmission_support.half_life_hours
        ),
        cells_intrathecal=cells_spine,
        factor_intrathecal=factor_spine,
        cells_intravenous=cells_vein,
        factor_intravenous=factor_vein,
        training=held("training", "rehabilitation", parameters.rehabilitation.training_half_time_hours),
        ventilation=held("ventilation", "ventilation", equipment),
        cough_assist=held("cough_assist", "cough_assist", equipment),
        dietitian=held("dietitian", "dietitian", equipment),
        tube_feeding=held("tube_feeding", "tube_feeding", equipment),
        brace=held("brace", "brace", equipment),
        fusion=amounts.fusion,
    )


def influence(
    amounts: Amounts, tube_placed: Array, protocol: cells.CellProtocol, parameters: TherapyParameters
) -> Influence:
    """What all therapies in the body do to it now.

    Two splicing modifiers share what is left to gain, so that together they never exceed full inclusion of exon 7.
    """
    by_spine = nusinersen.splicing_gain(amounts.nusinersen, parameters.nusinersen)
    by_mouth = risdiplam.splicing_gain(amounts.risdiplam, parameters.risdiplam)
    ceiling = jnp.maximum(
        parameters.nusinersen.splicing_gain_maximum, parameters.risdiplam.splicing_gain_maximum
    )
    both = by_spine + by_mouth - by_spine * by_mouth / ceiling
    neurons, muscle = gene_transfer.expression(
        amounts.transgene_intravenous, amounts.transgene_intrathecal, parameters.gene_transfer
    )
    cell = cells.effects(amounts.factor_intrathecal, amounts.factor_intravenous, protocol, parameters.cells)
    return Influence(
        splicing_gain=jnp.broadcast_to(both, (len(MUSCLE_GROUPS), *by_mouth.shape)),
        splicing_gain_muscle=by_mouth,
        transgene_neurons=neurons,
        transgene_muscle=muscle,
        neuroprotection=cell.neuroprotection,
        transmission=transmission.bridged(amounts.transmission_support, parameters.transmission_support)
        + cell.transmission,
        anti_inflammation=cell.inflammation,
        muscle_support=cell.muscle,
        myostatin_inhibition=myostatin.growth_gain(amounts.myostatin_antibody, parameters.myostatin),
        new_neurons_per_year=cell.new_neurons_per_year,
        activity=supportive_care.trained_activity(amounts.training, parameters.rehabilitation),
        ventilation=jnp.clip(amounts.ventilation, 0.0, 1.0),
        cough_assist=jnp.clip(amounts.cough_assist, 0.0, 1.0),
        nutrition=jnp.clip(amounts.dietitian, 0.0, 1.0),
        tube_feeding=jnp.maximum(jnp.clip(amounts.tube_feeding, 0.0, 1.0), tube_placed),
        brace=supportive_care.worn_share(amounts.brace, parameters.equipment),
        fusion=amounts.fusion,
    )
