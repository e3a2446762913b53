"""What each plan adds over the first: the same people with the same luck under both, in words, table and icons."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.report.numbers import Estimate
from motorpool.web.plain_words import ABILITIES, time_words

if TYPE_CHECKING:
    import pandas as pd

    from motorpool.figures.context import FigureContext
    from motorpool.simulation.labels import OutcomeView

PARTS: tuple[str, ...] = ("both", "only_this", "only_first", "neither")
MOST_GROUPS = 2
AbleAtEnd = dict[tuple[str, str], np.ndarray]  # by arm and ability


@dataclass(frozen=True)
class AddedRow:
    """A hundred figures of one plan and one ability: how many can under both plans, under one, under neither."""

    label: str
    counts: dict[str, int]
    words: str

    @property
    def spans(self) -> list[tuple[str, int, int]]:
        """Each part that somebody is in, with the first of its figures and the one after its last."""
        ends = list(itertools.accumulate(self.counts[name] for name in PARTS))
        return [
            (name, end - self.counts[name], end)
            for name, end in zip(PARTS, ends, strict=True)
            if self.counts[name]
        ]


@dataclass(frozen=True)
class AddedGroup:
    """One ability, for every plan but the first."""

    heading: str
    rows: tuple[AddedRow, ...]


def paired_shares(
    context: FigureContext, arm: str, ability: str, able: AbleAtEnd | None = None
) -> np.ndarray | None:
    """Shares of people able at the end, by `PARTS`, mean over draws; the second less the third is the difference.

    Args:
        able: `able_at_end` of the context, where it is known already.
    """
    able = able_at_end(context) if able is None else able
    if (arm, ability) not in able or arm not in context.comparators:
        return None
    this, first = able[arm, ability], able[context.comparators[arm], ability]
    parts = np.stack([this & first, this & ~first, ~this & first, ~this & ~first]).astype(float)
    if "excluded" in context.dataset:
        excluded = context.dataset["excluded"].transpose("draw", "patient").values
        parts = np.where(excluded, np.nan, parts)
    return np.nanmean(parts, axis=-1).mean(axis=-1)


def able_at_end(context: FigureContext) -> AbleAtEnd:
    """Who can do it at the last visit, by arm and ability; shape (draw, person)."""
    status = context.dataset["milestone_status"].isel(visit_month=-1)
    status = status.transpose("arm", "milestone", "draw", "patient")
    arms, names = ([str(name) for name in status[axis].values] for axis in ("arm", "milestone"))
    values = np.asarray(status.values, dtype=bool)
    return {
        (arm, name): values[place, number]
        for place, arm in enumerate(arms)
        for number, name in enumerate(names)
    }


def added_groups(context: FigureContext) -> list[AddedGroup]:
    """Icons of the abilities in which the plans differ; none where there is one plan, or where none differs."""
    from motorpool.figures.icons import of_one_hundred

    when, able = time_words(max(context.months)), able_at_end(context)
    groups: list[AddedGroup] = []
    for name, verb in ABILITIES:
        rows: list[AddedRow] = []
        for arm in context.arms:
            shares = paired_shares(context, arm, name, able)
            if shares is not None:
                counts = dict(zip(PARTS, of_one_hundred(shares), strict=True))
                first = context.labels[context.comparators[arm]]
                words = (
                    f"Of 100 children like this, {when} from now, {counts['only_this']} can {verb} with this plan "
                    f"and not with “{first}”; {counts['only_first']} only with “{first}”; {counts['both']} with "
                    f"both; {counts['neither']} with neither."
                )
                rows.append(AddedRow(context.labels[arm], counts, words))
        if any(row.counts["only_this"] + row.counts["only_first"] for row in rows):
            groups.append(AddedGroup(f"Who can {verb} because of the plan?", tuple(rows)))
    return groups[:MOST_GROUPS]


def added_table(context: FigureContext, *, plain: bool) -> pd.DataFrame:
    """One row per ability and outcome, one column per plan but the first: the average difference, and its range."""
    import pandas as pd

    from motorpool.figures.additions import difference_table
    from motorpool.simulation.labels import milestone_label, outcome_view

    last, arms = max(context.months), [arm for arm in context.arms if arm in context.comparators]
    rows: list[dict[str, Any]] = []
    for name, verb in ABILITIES:
        found = {
            str(row["arm"]): row
            for row in context.records(
                kind="milestone", quantity=name, measure="difference_able_share", visit_month=last
            )
        }
        label = f"Can {verb}" if plain else milestone_label(name)
        cells = {context.labels[arm]: _cell(found.get(arm), "knowledge.", 100.0) for arm in arms}
        rows.append({"What": label, "Counted in": "children of 100", **cells})
    table = difference_table(context)
    for outcome in dict.fromkeys(table["quantity"]) if len(table) else ():
        view = outcome_view(str(outcome))
        found = {str(row["arm"]): row for row in table[table["quantity"] == outcome].to_dict("records")}
        cells = {context.labels[arm]: _cell(found.get(arm), "", 1.0) for arm in arms}
        better = f"; {view.better}" if view.better else ""
        label = view.plain_label if plain else view.label
        rows.append({"What": label, "Counted in": f"{view.unit or 'from 0 to 1'}{better}", **cells})
    return pd.DataFrame(rows)


def _cell(row: Any, prefix: str, scale: float) -> str:
    if row is None:
        return "–"
    names = ("mean", "q2.5", "q97.5") if prefix else ("mean", "low", "high")
    mean, low, high = (scale * float(row.get(prefix + name, math.nan)) for name in names)
    text = _signed(mean)
    return text if math.isnan(low) else f"{text} ({_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    text = f"{'-' if value < 0 else '+'}{_digits(abs(value))}"
    return "0" if not float(text) else text.replace("-", "−")


def added_words(context: FigureContext, *, plain: bool) -> list[str]:
    """One sentence per plan about the main motor scale, with how many children notice a difference."""
    from motorpool.simulation.labels import outcome_view

    outcome = next(iter(context.motor_scales), None)
    if outcome is None:
        return []
    view, last = outcome_view(outcome), max(context.months)
    worst, important = view.worst is not None, view.minimal_important_difference
    measure = "difference_death_as_worst" if worst else "difference_among_living"
    shares = {
        side: _by_arm(context, outcome, f"share_{side}_by_minimal_important_difference")
        for side in ("better", "worse")
    }
    found: list[str] = []
    for arm, estimate in _by_arm(context, outcome, measure).items():
        first = context.labels[context.comparators[arm]]
        noticed = [
            round(100 * shares[side][arm].mean)
            for side in ("better", "worse")
            if arm in shares[side] and important
        ]
        if plain:
            found.append(_plainly(context.labels[arm], first, estimate, view, last, noticed))
            continue
        name = view.label + ("; death counts as the lowest score" if worst else "")
        text = (
            f"{context.labels[arm]}: on average {_signed(estimate.mean)} {view.unit} ({name}) against “{first}” "
            f"after {time_words(last)}"
        )
        if estimate.low is not None and estimate.high is not None:
            text += f"; it may lie between {_signed(estimate.low)} and {_signed(estimate.high)}"
        if len(noticed) == 2:
            text += (
                f". For {noticed[0]} of 100 children it is better by at least {important:g} {view.unit}, which people "
                f"notice; for {noticed[1]} it is worse by as much"
            )
        found.append(f"{text}.")
    return found


def _plainly(
    label: str, first: str, estimate: Estimate, view: OutcomeView, last: float, noticed: list[int]
) -> str:
    """The same in short sentences.

    Args:
        noticed: of 100 children, how many are better and worse by what people notice.
    """
    name = view.plain_label[:1].lower() + view.plain_label[1:]
    text = (
        f"After {time_words(last)}, children score {_more(estimate.mean)} {view.unit} on average with “{label}” than "
        f"with “{first}” ({name})."
    )
    if not float(_digits(estimate.mean)):
        text = (
            f"After {time_words(last)}, the average score is the same with “{label}” and “{first}” ({name})."
        )
    if estimate.low is not None and estimate.high is not None:
        text += f" We do not know this exactly: it may be between {_more(estimate.low)} and {_more(estimate.high)}."
    if len(noticed) == 2:
        text += (
            f" For {noticed[0]} of 100 children it is at least {view.minimal_important_difference:g} {view.unit} "
            f"better, enough for people to notice. For {noticed[1]} it is at least as much worse."
        )
    return text


def _more(value: float) -> str:
    return f"{_digits(abs(value))} {'fewer' if value < 0 else 'more'}"


def _digits(value: float) -> str:
    return f"{value:.{2 if abs(value) < 0.95 else 1 if abs(value) < 9.5 else 0}f}"


def _by_arm(context: FigureContext, outcome: str, measure: str) -> dict[str, Estimate]:
    rows = context.records(kind="outcome", quantity=outcome, measure=measure, visit_month=max(context.months))
    found: dict[str, Estimate] = {}
    for row in rows:
        mean, low, high = (
            float(row.get(f"knowledge.{name}", math.nan)) for name in ("mean", "q2.5", "q97.5")
        )
        found[str(row["arm"])] = Estimate(mean) if math.isnan(low) else Estimate(mean, low, high)
    return found
