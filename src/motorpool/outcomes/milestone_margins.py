"""How far a person is from each motor milestone right now."""

from __future__ import annotations

import jax

from motorpool.biology.vocabulary import Array, record, stacked
from motorpool.outcomes.abilities import ByGroup, logit, mixed
from motorpool.outcomes.milestones import MILESTONES

FIRST_SITTING = "sit_5s"
HARDER_THAN_SITTING = (
    "sit_10s",
    "sit_30s",
    "stand_with_support",
    "crawl",
    "walk_with_support",
    "stand",
    "walk",
)
"""Milestones in the order of the strength they demand; holding the head demands less than sitting for five seconds."""


@record
class MilestoneThresholds:
    """What each milestone asks for, in the order of ``MILESTONES`` unless said.

    threshold: maturity at which healthy children reach it. legs_share: share of the legs in it.
    sitting_demand_log_odds: ability that sitting for five seconds takes in a mature body.
    head_demand_step: how much less holding the head takes. demand_steps: how much more each of
    ``HARDER_THAN_SITTING`` takes than the one before. strength_steepness: how sharply strength limits.
    """

    threshold: Array
    legs_share: Array
    sitting_demand_log_odds: Array
    head_demand_step: Array
    demand_steps: Array
    strength_steepness: Array


def strength_demand(milestone: int, parameters: MilestoneThresholds) -> Array:
    """Ability (log-odds) that a milestone takes in a mature body, a scalar."""
    name, sitting = MILESTONES[milestone], parameters.sitting_demand_log_odds
    if name == FIRST_SITTING:
        return sitting
    if name not in HARDER_THAN_SITTING:
        return sitting - parameters.head_demand_step
    for step in range(HARDER_THAN_SITTING.index(name) + 1):
        sitting = sitting + parameters.demand_steps[step]
    return sitting


def milestone_margin(
    log_odds_by_group: ByGroup, maturity: Array, milestone: int, parameters: MilestoneThresholds
) -> Array:
    """Achievable ability less the threshold of one milestone, (..., P); zero or more means able.

    A healthy child is able once maturity passes the threshold, a mature body once its ability passes the demand.
    """
    task = mixed(log_odds_by_group, parameters.legs_share[milestone])
    threshold = parameters.threshold[milestone]
    spare = parameters.strength_steepness * (task - strength_demand(milestone, parameters))
    return jax.nn.sigmoid(logit(threshold) + spare) * maturity - threshold


def milestone_margins(log_odds_by_group: ByGroup, maturity: Array, parameters: MilestoneThresholds) -> Array:
    """The margins of all milestones, (milestone, ..., P)."""
    milestones = range(parameters.threshold.shape[0])
    return stacked([milestone_margin(log_odds_by_group, maturity, one, parameters) for one in milestones])
