"""Cell therapy: kinetics of the cells and of what they secrete, and five separate mechanisms.

Nobody has shown an effect in SMA. The size of the total effect is therefore a distribution (median close to zero,
see ``cells.total_effect_smd``), split over the mechanisms in proportion to their own priors; five independent draws
would make the total far too certain.
"""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record
from motorpool.therapies.kinds import CELL_MECHANISMS
from motorpool.therapies.kinetics import LN2


@record
class CellParameters:
    """Kinetics, dose response and effect of cells.

    ``*_per_smd`` translate one standard deviation of 12-month change (in the reference protocol) into the
    mechanism's influence on the body; ``weight_*`` are the prior sizes that share the total out.
    """

    cell_half_life_hours: Array
    neural_cell_half_life_hours: Array
    factor_half_life_hours: Array
    immunosuppression_half_life_factor: Array
    reference_interval_hours: Array
    half_saturation_level: Array
    intravenous_delivery: Array
    intravenous_muscle_factor: Array
    total_effect_smd: Array
    weight_neuroprotection: Array
    weight_transmission: Array
    weight_inflammation: Array
    weight_muscle: Array
    weight_recovery: Array
    neuroprotection_per_smd: Array
    neuroprotection_limit: Array
    transmission_per_smd: Array
    inflammation_per_smd: Array
    muscle_per_smd: Array
    new_neurons_per_year_per_smd: Array


@record
class CellProtocol:
    """What a plan decides about the cells, beyond doses: one value per arm.

    mechanisms (5,): 1 where a mechanism may act, 0 where it is switched off.
    prior_effect: 1 to use the prior's total effect, 0 to use ``effect_smd``.
    immunosuppressed: 1 where donor cells are protected from rejection.
    neural: 1 for neural cells, which live far longer than mesenchymal ones.
    """

    mechanisms: Array
    prior_effect: Array
    effect_smd: Array
    immunosuppressed: Array
    neural: Array


@record
class CellEffects:
    """Influence of the cells now, each (P,)."""

    neuroprotection: Array
    transmission: Array
    inflammation: Array
    muscle: Array
    new_neurons_per_year: Array


def cell_half_life_hours(protocol: CellProtocol, parameters: CellParameters) -> Array:
    """Half-life of the living cells, longer under immunosuppression."""
    longer = 1.0 + (parameters.immunosuppression_half_life_factor - 1.0) * protocol.immunosuppressed
    own = jnp.where(
        protocol.neural > 0.5, parameters.neural_cell_half_life_hours, parameters.cell_half_life_hours
    )
    return own * longer


def mechanism_shares(protocol: CellProtocol, parameters: CellParameters) -> Array:
    """Share of the total effect that each mechanism carries, (5,); a mechanism switched off leaves its share unused."""
    weights = jnp.stack([getattr(parameters, f"weight_{name}") for name in CELL_MECHANISMS])
    return weights / jnp.maximum(jnp.sum(weights), 1e-9) * protocol.mechanisms


def level(factor: Array, protocol: CellProtocol, parameters: CellParameters) -> Array:
    """Secreted effect now, relative to the mean under the reference protocol (1.0), saturating with dose.

    Args:
        factor: product of the depot of living cells (see ``kinetics.depot_and_product``), in reference doses.
    """
    # One reference dose every reference interval keeps the mean level at one, whatever the half-life of the effect.
    mean_time_hours = parameters.factor_half_life_hours / LN2
    raw = factor * parameters.reference_interval_hours / mean_time_hours
    raw = raw * cell_half_life_hours(protocol, parameters) / parameters.cell_half_life_hours
    half = parameters.half_saturation_level
    return raw * (1.0 + half) / (raw + half)


def effects(
    intrathecal_factor: Array, intravenous_factor: Array, protocol: CellProtocol, parameters: CellParameters
) -> CellEffects:
    """What the cells do to the body now; exactly zero when the total effect is zero or no cells were given."""
    total = jnp.where(protocol.prior_effect > 0.5, parameters.total_effect_smd, protocol.effect_smd)
    shares = mechanism_shares(protocol, parameters) * total
    by_spine = level(intrathecal_factor, protocol, parameters)
    by_vein = level(intravenous_factor, protocol, parameters)
    nervous = by_spine + parameters.intravenous_delivery * by_vein
    muscular = by_spine + parameters.intravenous_muscle_factor * by_vein
    return CellEffects(
        neuroprotection=jnp.clip(
            nervous * shares[0] * parameters.neuroprotection_per_smd,
            -parameters.neuroprotection_limit,
            parameters.neuroprotection_limit,
        ),
        transmission=nervous * shares[1] * parameters.transmission_per_smd,
        inflammation=nervous * shares[2] * parameters.inflammation_per_smd,
        muscle=muscular * shares[3] * parameters.muscle_per_smd,
        new_neurons_per_year=jnp.maximum(nervous * shares[4] * parameters.new_neurons_per_year_per_smd, 0.0),
    )
