"""Replicate trials drawn from the pool: who takes part, what happens to them, and what is measured and missed.

R replicates, N people in each (those from outside last), V visits with the baseline, O outcomes of the design.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.accrual import entry_months
from motorpool.trials.conduct import Missed, change_of_plan, missed
from motorpool.trials.design import TrialDesign
from motorpool.trials.luck import Luck, allocate, draw_luck, strata_of
from motorpool.trials.pool import Lives, Pool
from motorpool.trials.scenarios import change_months, changed_name
from motorpool.trials.scores import Scores, take_scores
from motorpool.trials.truth import Truth

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class TrialData:
    """Data of replicate trials.

    arm (R, N): place among the design's arms, the number of arms for people from outside. stratum, site, person (R, N).
    entry_months (R, N): since the first centre opened. baseline (O, R, N); scores (O, V, R, N) as rated whether the
    visit took place or not, NaN after death. seen (V, R, N): the visit took place. left_months, change_months (R, N):
    when people left the study or changed their plan, +inf for never. event_months (E, R, N); milestones (M, V, R, N).
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

    @property
    def own(self) -> Array:
        """Who is in the trial itself, (N,)."""
        return np.arange(self.arm.shape[1]) < self.design.patients


def draw_trials(design: TrialDesign, pool: Pool, truth: Truth, replicates: Sequence[int]) -> TrialData:
    """Draw these replicates of a trial from the pool."""
    people = design.patients
    outside = 0 if design.external_control is None else design.external_control.patients
    first = pool.baseline[0] if len(design.outcomes) else None
    strata, count = strata_of(design.strata, pool.enrolment_months, pool.smn2_copies, first)
    luck = draw_luck(design, replicates, people + outside, count)
    person = np.floor(luck.person * pool.people).astype(np.int64)
    arm = allocate(design, strata[person][:, :people], count, luck)
    # `allocate` counts within the trial; those from outside have the arm after the last.
    arm = np.concatenate([arm, np.full((len(replicates), outside), len(design.arms))], axis=1)
    stratum = strata[person]
    entry = entry_months(design, pool, luck.arrivals[:, :people])
    entry = np.concatenate([entry, np.zeros((len(replicates), outside))], axis=1)
    lives = _Lookup(design, pool, truth, arm, luck.respond)
    changed = change_of_plan(design, luck, people, None)
    scores = take_scores(design, pool, truth, luck, lives.true(person, changed.place), arm, entry, person)
    if design.conduct.rescue is not None:
        changed = change_of_plan(design, luck, people, scores)
        scores = take_scores(design, pool, truth, luck, lives.true(person, changed.place), arm, entry, person)
    events = lives.events(person, changed.place)
    gone: Missed = missed(design, luck, scores, events)
    return TrialData(
        design=design,
        replicates=tuple(replicates),
        arm=arm,
        stratum=stratum,
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
    )


class _Lookup:
    """Which life each person of a replicate lives."""

    def __init__(self, design: TrialDesign, pool: Pool, truth: Truth, arm: Array, respond: Array) -> None:
        self.pool, self.changes = pool, len(change_months(design)) if len(pool.lives) > len(design.arms) else 0
        names = list(design.arms)
        lived = arm.copy()
        if truth.is_null and design.control is not None:
            lived = np.where(arm < len(names), names.index(design.control), arm)
        elif truth.is_null:
            lived = np.full_like(arm, len(names))  # a single arm: everybody lives as people outside do
        elif truth.kind == "share" and design.control is not None:
            spared = (respond >= truth.value) & (arm < len(names))
            lived = np.where(spared, names.index(design.control), arm)
        self.lived, self.names = lived, names
        self.plans: list[Lives] = []
        for name in names:
            self.plans += [pool.lives[name], *(pool.lives[changed_name(name, k)] for k in range(self.changes))]
        if pool.external is not None:
            self.plans.append(pool.external)

    def _plan(self, place: Array) -> Array:
        own = self.lived < len(self.names)
        plan = self.lived * (1 + self.changes) + (place + 1 if self.changes else 0)
        return np.where(own, plan, len(self.plans) - 1)

    def true(self, person: Array, place: Array) -> Array:
        """True scores (V, O, R, N)."""
        return self._gather([lives.true for lives in self.plans], person, place)

    def events(self, person: Array, place: Array) -> Array:
        """Months to every event (E, R, N)."""
        return self._gather([lives.event_months for lives in self.plans], person, place)

    def milestones(self, person: Array, place: Array) -> Array:
        """Milestones held at visits (M, V, R, N)."""
        found = self._gather([lives.milestones for lives in self.plans], person, place)
        return np.moveaxis(found, 1, 0)

    def _gather(self, values: list[Array], person: Array, place: Array) -> Array:
        every = np.concatenate(values, axis=-1)
        starts = np.cumsum([0, *(each.shape[-1] for each in values[:-1])])
        plan = self._plan(place)
        sizes = np.asarray([each.shape[-1] for each in values])[plan]
        return every[..., starts[plan] + person % sizes]
