"""How far a person is from each motor milestone right now."""

from __future__ import annotations

from motorpool.biology.vocabulary import Array, record, stacked
from motorpool.outcomes.abilities import ByGroup, achievable, mixed


@record
class MilestoneThresholds:
    """Ability needed for each milestone, and the share of the legs in it, in the order of ``MILESTONES``."""

    threshold: Array
    legs_share: Array


def milestone_margin(
    log_odds_by_group: ByGroup, maturity: Array, milestone: int, parameters: MilestoneThresholds
) -> Array:
    """Achievable ability less the threshold of one milestone, (..., P); zero or more means able."""
    task = mixed(log_odds_by_group, parameters.legs_share[milestone])
    return achievable(task, maturity) - parameters.threshold[milestone]


def milestone_margins(log_odds_by_group: ByGroup, maturity: Array, parameters: MilestoneThresholds) -> Array:
    """The margins of all milestones, (milestone, ..., P)."""
    milestones = range(parameters.threshold.shape[0])
    return stacked([milestone_margin(log_odds_by_group, maturity, one, parameters) for one in milestones])
