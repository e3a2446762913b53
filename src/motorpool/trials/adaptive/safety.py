"""Stopping a trial, or an arm, because of harm: Bayesian beta-binomial rule."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Numbers


@dataclass(frozen=True, kw_only=True)
class SafetyRule:
    """Stop when P(risk > `acceptable_risk`) exceeds `certainty`, given a beta prior, at each look.

    `prior_events` and `prior_without` are the parameters of the beta prior.
    """

    acceptable_risk: float
    certainty: float = 0.9
    prior_events: float = 0.5
    prior_without: float = 0.5

    def fewest_events(self, patients: ArrayLike) -> Numbers:
        """Smallest number of patients with the event that stops, for each number treated."""
        raise NotImplementedError


def stops_at(events: ArrayLike, patients: ArrayLike, rule: SafetyRule) -> Numbers:
    """Index of the first look that stops, or -1; cumulative `events` and `patients` are (replicates, looks)."""
    raise NotImplementedError
