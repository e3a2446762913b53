"""Replicate trials drawn from the pool: who takes part, what happens to them, and what is measured and missed.

R replicates, N people in each (those from outside last), V visits with the baseline, O outcomes of the design.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cohorts.reweighting import systematic_choice
from motorpool.simulation.safety import adverse_event_names
from motorpool.trials.accrual import entry_months
from motorpool.trials.analyses.estimate import Estimate
from motorpool.trials.conduct import Missed, change_of_plan, missed
from motorpool.trials.design import TrialDesign
from motorpool.trials.luck import Luck, allocate, draw_luck, strata_of
from motorpool.trials.pool import Lives, Pool
from motorpool.trials.scenarios import WITHOUT, change_months, changed_name
from motorpool.trials.scores import take_scores
from motorpool.trials.truth import Truth

Array = NDArray[Any]
PAIRED = 2**31 - 1  # the replicate whose luck the endless trial has
PER_PERSON = ("change", "respond", "rescue", "unblinding", "site", "leave", "miss", "late", "rater", "seeds")


@dataclasses.dataclass(frozen=True)
class TrialData:
    """Data of replicate trials.

    arm (R, N): place among the design's arms, the number of arms for people from outside. stratum, site, person (R, N).
    entry_months (R, N): since the first centre opened. baseline (O, R, N); scores (O, V, R, N) as rated whether the
    visit took place or not, NaN after death. seen (V, R, N): the visit took place. left_months, change_months (R, N):
    when people left the study or changed their plan, +inf for never. event_months (E, R, N); milestones (M, V, R, N).
    harmed (R, N): had an adverse event of the safety rule. again (R, N): uniform luck of a new allocation. at_look: by
    test arm, the first endpoint's estimate that decided which arms went on, where arms are dropped.
    """

    design: TrialDesign
    replicates: tuple[int, ...]
    arm: Array
    stratum: Array
    site: Array
    person: Array
    entry_months: Array
    baseline: Array
    scores: Array
    seen: Array
    left_months: Array
    change_months: Array
    event_months: Array
    milestones: Array
    harmed: Array
    again: Array
    at_look: dict[str, Estimate] | None = None

    @property
    def own(self) -> Array:
        """Who is in the trial itself, (N,)."""
        return np.arange(self.arm.shape[1]) < self.design.most_patients


def draw_trials(
    design: TrialDesign,
    pool: Pool,
    truth: Truth,
    replicates: Sequence[int],
    *,
    allocation: Array | None = None,
) -> TrialData:
    """Draw these replicates of a trial from the pool.

    Args:
        allocation: arm of each person of the trial, (R, N), in place of the blocks.
    """
    people = design.most_patients
    outside = 0 if design.external_control is None else design.external_control.patients
    strata, count = _strata(design, pool)
    luck = draw_luck(design, replicates, people + outside, count)
    person = _drawn(pool.weights, luck.person)
    stratum = strata[person]
    arm = allocate(design, stratum[:, :people], count, luck.blocks) if allocation is None else allocation
    entry = entry_months(design, pool, luck.arrivals[:, :people])
    if outside:
        person, stratum = _with_outsiders(design, pool, luck, person, stratum)
        arm = np.concatenate([arm, np.full((len(replicates), outside), len(design.arms))], axis=1)
        entry = np.concatenate([entry, np.zeros((len(replicates), outside))], axis=1)
    return _follow(design, pool, truth, tuple(replicates), luck, _Enrolled(person, arm, stratum, entry))


def paired_trial(design: TrialDesign, pool: Pool, truth: Truth, arm: str, copies: int) -> TrialData:
    """One endless trial: everybody of the pool under the control and again under an arm, with the same luck.

    Each person is there ``copies`` times on average. The control's people come first.
    """
    strata, count = _strata(design, pool)
    person = systematic_choice(pool.weights, copies * pool.people)[None]
    luck = draw_luck(design, [PAIRED], person.size, count)
    twice = {
        name: np.concatenate([values, values], axis=-1)
        for name in PER_PERSON
        for values in [getattr(luck, name)]
    }
    luck = dataclasses.replace(luck, **twice)
    names = list(design.arms)
    # Without a control of its own, the trial's people stand beside themselves without therapy, as outsiders do.
    control = len(names) if design.control is None else names.index(design.control)
    both = np.concatenate([np.full(person.shape, control), np.full(person.shape, names.index(arm))], axis=1)
    person = np.concatenate([person, person], axis=1)
    enrolled = _Enrolled(person, both, strata[person], np.zeros(person.shape))
    return _follow(design, pool, truth, (PAIRED,), luck, enrolled, own_control=True)


@dataclasses.dataclass(frozen=True)
class _Enrolled:
    """Who is in replicate trials, in which arm, from when; (R, N) each."""

    person: Array
    arm: Array
    stratum: Array
    entry: Array


def _drawn(weights: Array, luck: Array) -> Array:
    """Who is drawn from a pool with these weights, by uniform luck."""
    return np.minimum(np.searchsorted(np.cumsum(weights), luck, side="right"), weights.size - 1)


def _strata(design: TrialDesign, pool: Pool) -> tuple[Array, int]:
    first = pool.baseline[0] if design.outcomes else None
    return strata_of(design.strata, pool.enrolment_months, pool.smn2_copies, first)


def _with_outsiders(
    design: TrialDesign, pool: Pool, luck: Luck, person: Array, stratum: Array
) -> tuple[Array, Array]:
    """Persons and strata, those from outside after the trial's own."""
    if pool.external_strata is None or pool.external_baseline is None or pool.external_weights is None:
        return person, stratum
    months, copies = pool.external_strata
    first = pool.external_baseline[0] if design.outcomes else None
    strata, _ = strata_of(design.strata, months, copies, first)
    outside = np.arange(person.shape[1]) >= design.most_patients
    others = _drawn(pool.external_weights, luck.person)
    return np.where(outside, others, person), np.where(outside, strata[others], stratum)


def _follow(
    design: TrialDesign,
    pool: Pool,
    truth: Truth,
    replicates: tuple[int, ...],
    luck: Luck,
    enrolled: _Enrolled,
    *,
    own_control: bool = False,
) -> TrialData:
    person, arm, entry = enrolled.person, enrolled.arm, enrolled.entry
    lives = _Lookup(design, pool, truth, arm, luck.respond, own_control=own_control)
    taken = functools.partial(
        take_scores,
        design,
        pool,
        truth,
        luck,
        arm=arm,
        entry=entry,
        outside=lives.outside,
        baseline=lives.baseline(person),
    )
    own = arm < len(design.arms)
    changed = change_of_plan(design, luck, own, None)
    scores = taken(lives.true(person, changed.place))
    if design.conduct.rescue is not None:
        changed = change_of_plan(design, luck, own, scores)
        scores = taken(lives.true(person, changed.place))
    events = lives.events(person, changed.place)
    gone: Missed = missed(design, luck, scores, events)
    return TrialData(
        design=design,
        replicates=replicates,
        arm=arm,
        stratum=enrolled.stratum,
        site=np.floor(luck.site * design.sites.count).astype(np.int64),
        person=person,
        entry_months=entry,
        baseline=scores.baseline,
        scores=scores.values,
        seen=gone.seen,
        left_months=gone.left_months,
        change_months=changed.months,
        event_months=events,
        milestones=lives.milestones(person, changed.place),
        harmed=lives.harmed(person, changed.place),
        again=luck.again[:, : person.shape[1]],
    )


class _Lookup:
    """Which life each person of a replicate lives: the plan, and the person's column in it."""

    def __init__(
        self, design: TrialDesign, pool: Pool, truth: Truth, arm: Array, respond: Array, *, own_control: bool
    ) -> None:
        self.pool = pool
        names = list(design.arms)
        changes = len(change_months(design)) if len(pool.lives) > len(names) + 1 else 0
        control = names.index(design.control) if design.control is not None else len(names)
        inside = arm < len(names)
        lived = arm.copy()
        if truth.is_null:
            lived = np.where(inside, control, arm)
        elif truth.kind == "share":
            lived = np.where(inside & (respond >= truth.value), control, arm)
        self.plans: list[Lives] = []
        for name in names:
            self.plans += [pool.lives[name], *(pool.lives[changed_name(name, k)] for k in range(changes))]
        without = len(self.plans)
        if WITHOUT in pool.lives:
            self.plans.append(pool.lives[WITHOUT])
        outsiders = len(self.plans)
        self.outside = ~inside & (pool.external is not None and not own_control)
        if pool.external is not None:
            self.plans.append(pool.external)
        # The plan of an arm's number: its own place, people without therapy, people from outside.
        base = np.asarray([place * (1 + changes) for place in range(len(names))] + [without])
        self.base = np.where(self.outside, outsiders, base[np.minimum(lived, len(names))])
        self.changes = (lived < len(names)) & (changes > 0)
        # A therapy without effect still does its harm.
        self.given = np.where(self.outside, outsiders, base[np.minimum(arm, len(names))])
        catalogue = adverse_event_names()
        self.harmful = (
            [] if design.safety is None else [catalogue.index(one) for one in design.safety.adverse_events]
        )

    def baseline(self, person: Array) -> Array:
        """Baseline scores (O, R, N)."""
        own = self.pool.baseline[:, np.where(self.outside, 0, person)]
        if self.pool.external_baseline is None or not self.outside.any():
            return own
        return np.where(self.outside, self.pool.external_baseline[:, np.where(self.outside, person, 0)], own)

    def true(self, person: Array, place: Array) -> Array:
        """True scores (V, O, R, N)."""
        return self._gather([lives.true for lives in self.plans], person, place)

    def events(self, person: Array, place: Array) -> Array:
        """Months to every event (E, R, N)."""
        return self._gather([lives.event_months for lives in self.plans], person, place)

    def milestones(self, person: Array, place: Array) -> Array:
        """Milestones held at visits (M, V, R, N)."""
        return np.moveaxis(self._gather([lives.milestones for lives in self.plans], person, place), 1, 0)

    def harmed(self, person: Array, place: Array) -> Array:
        """Who had an adverse event of the safety rule, (R, N): always that of the person's own arm."""
        if not self.harmful:
            return np.zeros(person.shape, bool)
        counts = [lives.adverse_events[self.harmful].sum(axis=0) for lives in self.plans]
        return self._gather(counts, person, place, self.given) > 0.0

    def _gather(self, values: list[Array], person: Array, place: Array, base: Array | None = None) -> Array:
        every = np.concatenate(values, axis=-1)
        starts = np.cumsum([0, *(each.shape[-1] for each in values[:-1])])
        plan = (self.base if base is None else base) + np.where(self.changes, place + 1, 0)
        return every[..., starts[plan] + person]
