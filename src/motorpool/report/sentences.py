"""Plain sentences made from numbers, for frightened people and for professionals in a hurry.

Rules: numbers are of 100 people, never a single date or a promise; every number carries the range that
reflects what we do not know; when that range includes no difference the sentence says so; what is said about
cell therapy always states the range and that no controlled study in SMA exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from motorpool.report.between import difference_between
from motorpool.report.numbers import Estimate, months_words, more_of_100, out_of_100
from motorpool.report.phrases import (
    FIRST_WARNING,
    NO_CONTROLLED_STUDY,
    NO_RANGE,
    addition_words,
    counted_words,
    joined,
    quoted,
    spread_out,
)
from motorpool.simulation.comparators import has_cells, same_plan_without_cells
from motorpool.simulation.labels import OutcomeView, outcome_view
from motorpool.simulation.summary import select

if TYPE_CHECKING:
    import pandas as pd

Topic = Literal["living", "ability", "adding", "cells"]
MOTOR_SCALES = ("hfmse", "chop_intend", "rulm", "mfm32", "hine2", "six_minute_walk_m")
EVENT_FREE = "death_or_permanent_ventilation_16h_21d"
LIVING = (
    (EVENT_FREE, ("is alive without permanent ventilation", "are alive without permanent ventilation")),
    ("death", ("is alive", "are alive")),
)
MILESTONES = (
    ("sit_5s", ("sits without support", "sit without support")),
    ("walk", ("walks alone", "walk alone")),
)
MOST_NAMED = 5


@dataclass(frozen=True)
class Sentence:
    """One sentence of the summary.

    Attributes:
        topic: which question it belongs to.
        text: the sentence.
        arm: the arm it is about, or empty when it is about several.
    """

    topic: Topic
    text: str
    arm: str = ""


@dataclass(frozen=True)
class SentenceMaker:
    """Makes the sentences of one results summary.

    Attributes:
        summary: the summary table.
        scenario: effective scenario.
        labels: arm ids and names in the order to speak of them.
        comparators: arm to the arm it is compared with.
        people_word: what the simulated people are called in sentences, for example `infants`.
        scales: motor scales that fit these people, the best first.
        start_ages: arm to age at start, when the arms differ only in that.
        event_free: per arm the share free of death and permanent ventilation at the end in every draw.
    """

    summary: pd.DataFrame
    scenario: dict[str, Any]
    labels: dict[str, str]
    comparators: dict[str, str]
    people_word: str = "people"
    scales: Sequence[str] = MOTOR_SCALES
    start_ages: Mapping[str, float] = field(default_factory=dict[str, float])
    event_free: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])

    def headline(self) -> list[Sentence]:
        """The three to five sentences that answer the scenario's question."""
        cells = self.cells()
        chosen = [*self.living()[:1], *self.abilities()[:1], *self.overview(), *self.between()[:1]]
        return chosen + ([Sentence("cells", f"{cells[0].text} {FIRST_WARNING}")] if cells else [])

    def all(self) -> list[Sentence]:
        """Every sentence, in reading order."""
        return [*self.living(), *self.between(), *self.abilities(), *self.additions(), *self.cells()]

    @property
    def last_month(self) -> float:
        """The last visit."""
        return float(self.summary["visit_month"].max())

    @property
    def base(self) -> str:
        """The arm the others are compared with, or the first one."""
        general = str(self.scenario.get("comparator", ""))
        return general if general in self.labels else next(iter(self.labels))

    def living(self) -> list[Sentence]:
        """How many are alive, and alive without permanent ventilation, at the end, in every arm."""
        found = [self._shares("living", "event", event, "event_free_share", verb) for event, verb in LIVING]
        return [sentence for sentence in found if sentence]

    def abilities(self) -> list[Sentence]:
        """How many sit and walk at the end, in every arm; people who died count as not able."""
        found = [self._shares("ability", "milestone", name, "able_share", verb) for name, verb in MILESTONES]
        return [sentence for sentence in found if sentence]

    def between(self) -> list[Sentence]:
        """Whether the plans compared with the same arm differ from each other by more than is known."""
        arms = [a for a in self.event_free if self.comparators.get(a) == self.base and not self._cells(a)]
        if len(arms) < 2 or self.start_ages or len(self.event_free[arms[0]]) < 2:
            return []
        text = difference_between({self.labels[arm]: self.event_free[arm] for arm in arms})
        return [Sentence("living", text)]

    def overview(self) -> list[Sentence]:
        """What every plan without cells adds on the main motor scale, in one sentence."""
        arms = [arm for arm in self.labels if arm in self.comparators and not self._cells(arm)]
        scale = next((found for arm in arms if (found := self.main_scale(arm))), None)
        if scale is None or not arms:
            return []
        view, measure = scale
        counted = " (death counts as the lowest score)" if measure == "difference_death_as_worst" else ""
        parts: list[str] = []
        for arm in self._named(arms):
            found = self._difference(view, measure, arm)
            if found is None:
                continue
            over = self.comparators[arm]
            versus = "" if over == self.base else f" over {quoted(self.labels[over])}"
            parts.append(f"{quoted(self.labels[arm])} {addition_words(found, view, short=True)}{versus}")
        if not parts:
            return []
        text = f"On {view.label}{counted}, compared with {quoted(self.labels[self.base])}, {joined(parts)}."
        return [Sentence("adding", text)]

    def additions(self) -> list[Sentence]:
        """What each arm without cell therapy adds over its comparator on the main motor scale."""
        arms = [arm for arm in self.labels if arm in self.comparators and not self._cells(arm)]
        return [self._addition(arm, "adding") for arm in self._named(arms)]

    def cells(self) -> list[Sentence]:
        """What is and is not known about every arm with cell therapy."""
        made: list[Sentence] = []
        for arm in self.labels:
            if not self._cells(arm):
                continue
            if arm in self.comparators:
                made.append(self._addition(arm, "cells"))
                if same_plan_without_cells(self.scenario.get("arms", {}), arm) != self.comparators[arm]:
                    label = quoted(self.labels[arm])
                    text = (
                        f"{label}: this compares whole plans; it does not show what the cells themselves add."
                    )
                    made.append(Sentence("cells", text, arm))
            if self.summary["knowledge.q2.5"].isna().all():
                made.append(Sentence("cells", f"{quoted(self.labels[arm])}: {NO_RANGE}", arm))
        if any(self._cells(arm) for arm in self.labels):
            made.append(Sentence("cells", NO_CONTROLLED_STUDY))
        return made

    def main_scale(self, arm: str) -> tuple[OutcomeView, str] | None:
        """The best fitting motor scale on which an arm is compared, and the measure that treats death."""
        for outcome in self.scales:
            view = outcome_view(outcome)
            measure = "difference_death_as_worst" if view.worst is not None else "difference_among_living"
            if self._difference(view, measure, arm) is not None:
                return view, measure
        return None

    def _cells(self, arm: str) -> bool:
        return has_cells(self.scenario, arm)

    def _named(self, arms: list[str]) -> list[str]:
        """Arms few enough for one sentence: all, or some spread evenly over the order of the arms."""
        return arms if len(arms) <= MOST_NAMED else spread_out(arms, MOST_NAMED - 1)

    def _shares(
        self, topic: Topic, kind: str, quantity: str, measure: str, verb: tuple[str, str]
    ) -> Sentence | None:
        """One sentence on a share in every arm: the comparator's share, and how the others differ from it."""
        after = f"{months_words(self.last_month)} later"
        fixed: dict[str, Any] = {"kind": kind, "quantity": quantity, "visit_month": self.last_month}
        shares = {
            arm: found
            for arm in self.labels
            if (found := self._estimate(**fixed, measure=measure, arm=arm)) is not None
        }
        if self.base not in shares:
            return None
        who = f"100 {self.people_word} like these"
        if all((share.mean if share.low is None else share.low) > 0.995 for share in shares.values()):
            text = f"In this simulation almost all of {who} {verb[1]} {after}"
            return Sentence(topic, f"{text}{', in every arm' if len(shares) > 1 else ''}.")
        if all(share.mean < 0.005 for share in shares.values()):
            text = f"In this simulation hardly any of {who} {verb[1]} {after}"
            return Sentence(topic, f"{text}{', in any arm' if len(shares) > 1 else ''}.")
        base = shares[self.base]
        text = f"Of {who}, {counted_words(base, verb)} {after} with {quoted(self.labels[self.base])}"
        arms = [arm for arm in shares if arm in self.comparators and not self._cells(arm)]
        parts: list[str] = []
        for arm in self._named(arms):
            label, over = quoted(self.labels[arm]), self.comparators[arm]
            if self.start_ages or over == self.base:
                words = out_of_100(shares[arm])
            else:
                words = ""
            difference = self._estimate(**fixed, measure=f"difference_{measure}", arm=arm)
            if difference is not None and not self.start_ages:
                words = more_of_100(difference)
                if over != self.base:
                    joint = "as" if "as many" in words else "than"
                    words += f" {joint} with {quoted(self.labels[over])}"
            if words:
                parts.append(f"with {self._start_words(arm) or label} {words}")
        return Sentence(topic, f"{text}; {joined(parts)}." if parts else f"{text}.")

    def _start_words(self, arm: str) -> str:
        age = self.start_ages.get(arm)
        if age is None:
            return ""
        return "a start at birth" if age == 0 else f"a start at {age:g} months of age"

    def _addition(self, arm: str, topic: Topic) -> Sentence:
        label, versus = quoted(self.labels[arm]), quoted(self.labels[self.comparators[arm]])
        scale = self.main_scale(arm)
        if scale is None:
            return Sentence(topic, f"{label}: nobody could be compared with {versus} on a motor scale.", arm)
        view, measure = scale
        found = self._difference(view, measure, arm)
        if found is None:
            return Sentence(topic, f"{label}: nobody could be compared with {versus} on {view.label}.", arm)
        text = f"{label} {addition_words(found, view)} compared with {versus}, on average, on {view.label}"
        text += f" after {months_words(self.last_month)}"
        text += " (death counts as the lowest score)." if measure == "difference_death_as_worst" else "."
        return Sentence(topic, text + self._responder_words(arm, view, topic), arm)

    def _responder_words(self, arm: str, view: OutcomeView, topic: Topic) -> str:
        if topic == "cells":  # doubt about the mean must never read as "so many children benefit"
            return ""
        pieces: list[str] = []
        for side in ("better", "worse"):
            found = self._estimate(
                kind="outcome",
                quantity=view.outcome,
                measure=f"share_{side}_by_minimal_important_difference",
                arm=arm,
                visit_month=self.last_month,
            )
            if found is not None:
                verbs = (f"fares {side} than otherwise", f"fare {side} than otherwise")
                pieces.append(counted_words(found, verbs))
        if not pieces:
            return ""
        size = f"{view.minimal_important_difference:g} {view.unit}".strip()
        if all(piece.startswith("almost none") for piece in pieces):
            return (
                f" Of 100 {self.people_word} compared, hardly any fare better or worse than otherwise by at "
                f"least {size}."
            )
        return f" Of 100 {self.people_word} compared, {joined(pieces)}, by at least {size}."

    def _difference(self, view: OutcomeView, measure: str, arm: str) -> Estimate | None:
        return self._estimate(
            kind="outcome", quantity=view.outcome, measure=measure, arm=arm, visit_month=self.last_month
        )

    def _estimate(self, **conditions: Any) -> Estimate | None:
        rows = select(self.summary, **conditions)
        if rows.empty:
            return None
        mean, low, high = (float(rows[f"knowledge.{name}"].iloc[0]) for name in ("mean", "q2.5", "q97.5"))
        return Estimate(mean) if np.isnan(low) else Estimate(mean, low, high)
