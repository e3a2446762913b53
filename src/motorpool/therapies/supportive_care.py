"""Rehabilitation, breathing support, nutrition, brace: care that acts on muscle, hazards and spine."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record


@record
class RehabilitationParameters:
    """How training builds up and saturates."""

    training_half_time_hours: Array
    half_effect_sessions_per_week: Array


@record
class EquipmentParameters:
    """How soon breathing aids, feeding and a brace take effect once given."""

    habituation_half_time_hours: Array
    full_brace_hours_per_day: Array


def trained_activity(sessions_per_week: Array, parameters: RehabilitationParameters) -> Array:
    """Activity in [0, 1) that this much training sustains."""
    return sessions_per_week / (parameters.half_effect_sessions_per_week + sessions_per_week)


def worn_share(hours_per_day: Array, parameters: EquipmentParameters) -> Array:
    """Brace wear as a share of what is prescribed as full wear, in [0, 1]."""
    return jnp.clip(hours_per_day / parameters.full_brace_hours_per_day, 0.0, 1.0)
