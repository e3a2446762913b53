"""Plain sentences made from numbers, for frightened people and for professionals in a hurry.

Rules: numbers are of 100 people, never a single date or a promise; every number carries the range that
reflects what we do
not know; when that range includes no difference the sentence says "may add nothing"; what is said about cell
therapy always states the range and that no controlled study in SMA exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from motorpool.report.numbers import Estimate, difference_words, months_words, out_of_100
from motorpool.simulation.labels import OutcomeView, outcome_view
from motorpool.simulation.summary import select
from motorpool.simulation.summary_outcomes import CELL_THERAPY, same_plan_without_cells

if TYPE_CHECKING:
    import pandas as pd

Topic = Literal["living", "ability", "adding", "cells"]
MOTOR_SCALES = ("hfmse", "chop_intend", "rulm", "mfm32", "hine2", "six_minute_walk_m")
EVENT_FREE = "death_or_permanent_ventilation_16h_21d"
MILESTONES = (("walk", "walk alone"), ("sit_5s", "sit without support"))
NO_CONTROLLED_STUDY = (
    "no controlled study of cell therapy in SMA has been published. What is assumed here rests on judgement "
    "and on studies in other diseases. A range is doubt about the average; it does not mean that some "
    "children "
    "benefit."
)
NO_RANGE = (
    "this run used one parameter set and cannot say how uncertain the effect of cells is; it is very "
    "uncertain, so run it again with knowledge draws before reading anything into it."
)


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
        summary: tidy summary rows.
        scenario: effective scenario.
        labels: arm ids and names in the order to speak of them.
        comparators: arm to the arm it is compared with.
        people_word: what the simulated people are called in sentences, for example `infants`.
    """

    summary: pd.DataFrame
    scenario: dict[str, Any]
    labels: dict[str, str]
    comparators: dict[str, str]
    people_word: str = "people"

    def all(self) -> list[Sentence]:
        """Every sentence, in reading order."""
        return [*self.living(), *self.abilities(), *self.additions(), *self.cells()]

    @property
    def last_month(self) -> float:
        """The last visit."""
        return float(self.summary["visit_month"].max())

    def living(self) -> list[Sentence]:
        """How many are alive, and alive without permanent ventilation, at the end, in every arm."""
        month = self.last_month
        made: list[Sentence] = []
        for event, words in ((EVENT_FREE, "alive without permanent ventilation"), ("death", "alive")):
            parts: list[str] = []
            shares: list[Estimate] = []
            for arm, label in self.labels.items():
                found = self._estimate(
                    kind="event", quantity=event, measure="event_free_share", arm=arm, visit_month=month
                )
                if found is None:
                    continue
                shares.append(found)
                parts.append(f"{out_of_100(found)} with {quoted(label)}")
            if not parts:
                continue
            if event == "death" and all(share.mean > 0.995 for share in shares):
                text = (
                    f"In this simulation almost all of 100 {self.people_word} like these are alive "
                    f"{months_words(month)} later, in every arm."
                )
            else:
                text = (
                    f"Of 100 {self.people_word} like these, {joined(parts)} are {words} "
                    f"{months_words(month)} after the start."
                )
            made.append(Sentence("living", text))
        return made

    def abilities(self) -> list[Sentence]:
        """How many sit and walk at the end, in every arm; people who died count as not able."""
        month = self.last_month
        made: list[Sentence] = []
        for milestone, words in MILESTONES:
            parts: list[str] = []
            most = 0.0
            for arm, label in self.labels.items():
                found = self._estimate(
                    kind="milestone", quantity=milestone, measure="able_share", arm=arm, visit_month=month
                )
                if found is not None:
                    most = max(most, found.mean)
                    parts.append(f"{out_of_100(found)} with {quoted(label)}")
            if not parts:
                continue
            if most < 0.005:
                text = (
                    f"In this simulation hardly any of 100 {self.people_word} {words} {months_words(month)} "
                    "after the start, in any arm."
                )
            else:
                text = f"{months_words(month).capitalize()} after the start, {joined(parts)} {words}."
            made.append(Sentence("ability", text))
        return made

    def additions(self) -> list[Sentence]:
        """What each arm without cell therapy adds over the comparator on the first scale most people can
        do."""
        return [
            self._addition(arm, "adding")
            for arm in self.labels
            if arm in self.comparators and not self.has_cells(arm)
        ]

    def cells(self) -> list[Sentence]:
        """What is and is not known about every arm with cell therapy."""
        made: list[Sentence] = []
        for arm in self.labels:
            if not self.has_cells(arm):
                continue
            if arm in self.comparators:
                made.append(self._addition(arm, "cells"))
                if same_plan_without_cells(self.scenario.get("arms", {}), arm) != self.comparators[arm]:
                    label = quoted(self.labels[arm])
                    text = (
                        f"{label}: this compares whole plans; it does not show what the cells themselves add."
                    )
                    made.append(Sentence("cells", text, arm))
            if (select(self.summary, layer="knowledge")["statistic"] == "mean").all():
                made.append(Sentence("cells", f"{quoted(self.labels[arm])}: {NO_RANGE}", arm))
            made.append(Sentence("cells", f"{quoted(self.labels[arm])}: {NO_CONTROLLED_STUDY}", arm))
        return made

    def has_cells(self, arm: str) -> bool:
        """Whether an arm's plan contains cell therapy."""
        courses = self.scenario.get("arms", {}).get(arm, {}).get("therapies") or []
        return any(course.get("therapy") == CELL_THERAPY for course in courses)

    def main_scale(self, arm: str) -> tuple[OutcomeView, str] | None:
        """The motor scale on which most people are compared, and the measure that treats death."""
        best: tuple[float, OutcomeView, str] | None = None
        for outcome in MOTOR_SCALES:
            view = outcome_view(outcome)
            measure = "difference_death_as_worst" if view.worst is not None else "difference_among_living"
            rows = select(
                self.summary,
                kind="outcome",
                quantity=outcome,
                measure=measure,
                arm=arm,
                visit_month=self.last_month,
                statistic="mean",
            )
            if rows.empty:
                continue
            people = float(rows["people"].iloc[0])
            if best is None or people > 1.1 * best[0]:
                best = (people, view, measure)
        return (best[1], best[2]) if best else None

    def _addition(self, arm: str, topic: Topic) -> Sentence:
        label, versus = quoted(self.labels[arm]), quoted(self.labels[self.comparators[arm]])
        scale = self.main_scale(arm)
        if scale is None:
            return Sentence(topic, f"{label}: nobody could be compared with {versus} on a motor scale.", arm)
        view, measure = scale
        found = self._estimate(
            kind="outcome", quantity=view.outcome, measure=measure, arm=arm, visit_month=self.last_month
        )
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
        for side, words in (("better", "better"), ("worse", "worse")):
            found = self._estimate(
                kind="outcome",
                quantity=view.outcome,
                measure=f"share_{side}_by_minimal_important_difference",
                arm=arm,
                visit_month=self.last_month,
            )
            if found is not None:
                pieces.append(f"{out_of_100(found)} fare {words} than they otherwise would")
        if not pieces:
            return ""
        size = f"{view.minimal_important_difference:g} {view.unit}".strip()
        return f" By at least {size}, of 100 {self.people_word} compared {joined(pieces)}."

    def _estimate(self, **conditions: Any) -> Estimate | None:
        rows = select(self.summary, layer="knowledge", **conditions)
        values = dict(zip(rows["statistic"], rows["value"], strict=True))
        if "mean" not in values:
            return None
        return Estimate(float(values["mean"]), values.get("q2.5"), values.get("q97.5"))


def addition_words(difference: Estimate, view: OutcomeView) -> str:
    """What a difference means, in words that never promise.

    A range that includes no difference always reads "may add nothing", whatever the average is.
    """
    if difference.has_range and difference.includes_zero:
        return f"may add nothing: {difference_words(difference, view.unit)}"
    if difference.mean == 0:
        return "shows no difference"
    if view.direction is None:
        return f"differs by {difference_words(difference, view.unit)}"
    words = difference_words(difference, view.unit, size_only=True)
    if difference.mean * view.direction < 0:
        return f"does worse by {words}"
    small = view.minimal_important_difference
    if small is not None and abs(difference.mean) < small:
        words += f", less than the smallest difference usually called important ({small:g}),"
    return f"adds {words}" if view.direction == 1 else f"improves the average by {words}"


def quoted(label: str) -> str:
    """A label in quotation marks, so that it reads as the name of a plan."""
    return f"\u201c{label}\u201d"


def joined(parts: list[str]) -> str:
    """Parts as an English list."""
    if len(parts) <= 1:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]
