"""How far a person is from each motor milestone right now."""

from __future__ import annotations

import jax.numpy as jnp

from motorpool.biology.vocabulary import Array, record
from motorpool.outcomes.abilities import achievable, mixed


@record
class MilestoneThresholds:
    """Ability needed for each milestone, and the share of the legs in it, in the order of ``MILESTONES``."""

    threshold: Array
    legs_share: Array


def milestone_margins(log_odds_by_group: Array, maturity: Array, parameters: MilestoneThresholds) -> Array:
    """Achievable ability less the threshold of each milestone, (milestone, ..., P); zero or more means able."""
    return jnp.stack(
        [
            achievable(mixed(log_odds_by_group, parameters.legs_share[m]), maturity) - parameters.threshold[m]
            for m in range(parameters.threshold.shape[0])
        ]
    )
