"""Best ability as stacked areas over age: which part of 100 people can do what, and who has died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import balanced, data_of, month_ticks, panel_title, side_by_side, unit
from motorpool.figures.theme import STATE_COLOURS
from motorpool.simulation.labels import milestone_label
from motorpool.simulation.survival_summary import event_times

if TYPE_CHECKING:
    import pandas as pd

LEVELS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("walks", "Walks alone", ("walk",)),
    (
        "stands",
        "Crawls, stands or walks with support",
        ("crawl", "stand_with_support", "stand", "walk_with_support"),
    ),
    ("sits", "Sits without support (5 s or longer)", ("sit_5s", "sit_10s", "sit_30s")),
    ("head", "Holds the head", ("head_control",)),
    ("none", "None of these", ()),
    ("died", "Died", ()),
)


@dataclass(frozen=True)
class Clock:
    """The time axis of the stack: age where people of one age are compared, else time since enrolment."""

    by_age: bool
    grid: np.ndarray

    @property
    def title(self) -> str:
        """Axis title."""
        return "Age (months)" if self.by_age else "Months since enrolment"


def best_ability(context: FigureContext) -> np.ndarray:
    """Index into `LEVELS` of everyone's best ability at every visit, shape (arm, draw, patient, visit)."""
    status = context.dataset["milestone_status"].transpose(
        "arm", "draw", "patient", "visit_month", "milestone"
    )
    names = [str(name) for name in context.dataset["milestone"].values]
    held = np.asarray(status.values, dtype=bool)
    level = np.full(held.shape[:-1], len(LEVELS) - 2)
    for index in range(len(LEVELS) - 3, -1, -1):
        members = [names.index(name) for name in LEVELS[index][2] if name in names]
        if members:
            level = np.where(held[..., members].any(-1), index, level)
    return level


def choose_clock(context: FigureContext) -> Clock:
    """Age, when the spread of ages at enrolment is small against the follow-up; else time since enrolment."""
    horizon = max(context.months)
    ages = context.enrolment_age_months
    low, high = np.quantile(ages, [0.1, 0.9])
    if high - low > 0.5 * horizon:
        return Clock(False, np.linspace(0.0, horizon, 49))
    first, last = np.median(ages), np.median(ages) + horizon
    return Clock(True, np.linspace(np.ceil(first), np.floor(last), 49))


def ability_shares(context: FigureContext, clock: Clock) -> pd.DataFrame:
    """Per cent of people at each level over time, of those under observation at that time (the dead
    included)."""
    import pandas as pd

    level = best_ability(context)
    months = np.asarray(context.months)
    death = event_times(context.dataset, "death")
    start = context.enrolment_age_months if clock.by_age else np.zeros_like(context.enrolment_age_months)
    arms = [str(arm) for arm in context.dataset["arm"].values]
    rows: list[dict[str, Any]] = []
    for time in clock.grid:
        since = time - start
        observed = (since >= 0) & (since <= months[-1] + 1e-9)
        visit = np.clip(np.searchsorted(months, since, side="right") - 1, 0, len(months) - 1)
        index = np.broadcast_to(visit[None, ..., None], (*level.shape[:-1], 1))
        now = np.take_along_axis(level, index, axis=-1)[..., 0]
        now = np.where(death <= since[None], len(LEVELS) - 1, now)
        for place, arm in enumerate(arms):
            people = now[place][observed]
            for order, (key, label, _) in enumerate(LEVELS):
                share = 100.0 * float(np.mean(people == order)) if people.size else 0.0
                rows.append(
                    {
                        "arm": arm,
                        "label": context.labels[arm],
                        "x": float(time),
                        "level": label,
                        "key": key,
                        "order": order,
                        "percent": share,
                        "people": people.size / context.draws,
                    }
                )
    return pd.DataFrame(rows)


def milestone_figure(context: FigureContext) -> Figure | None:
    """Stacked areas of best ability, one panel per arm."""
    if "milestone_status" not in context.dataset:
        return None
    clock = choose_clock(context)
    shares = ability_shares(context, clock)
    labels = [label for _, label, _ in LEVELS]

    def build(layout: Layout) -> Spec:
        import altair as alt

        most = 2 if len(context.arms) <= 4 else 3 if len(context.arms) <= 6 else 4
        columns = balanced(len(context.arms), most if layout.name == "wide" else 1)
        width = layout.panel_width(columns, gap=60)
        panels: list[Spec] = []
        for place, style in enumerate(context.styles):
            data = shares[shares["arm"] == style.arm][["x", "level", "order", "percent"]]
            chart = (
                alt.Chart(data_of(data))
                .mark_area(stroke="#ffffff", strokeWidth=0.7)
                .encode(
                    x=alt.X(
                        "x:Q",
                        title=clock.title,
                        scale=alt.Scale(domain=[float(clock.grid[0]), float(clock.grid[-1])], nice=False),
                        axis=alt.Axis(
                            values=month_ticks(
                                float(clock.grid[0]), float(clock.grid[-1]), max(3, width // 55)
                            )
                        ),
                    ),
                    y=alt.Y(
                        "percent:Q",
                        stack="zero",
                        title="Of 100 people" if place % columns == 0 else None,
                        scale=alt.Scale(domain=[0, 100], nice=False),
                    ),
                    order=alt.Order("order:Q", sort="ascending"),
                    color=alt.Color(
                        "level:N",
                        scale=alt.Scale(domain=labels, range=[STATE_COLOURS[key] for key, _, _ in LEVELS]),
                        legend=alt.Legend(
                            title=None, columns=3 if layout.name == "wide" else 1, symbolType="square"
                        ),
                        sort=labels,
                    ),
                )
            )
            height = 150 if layout.name == "narrow" or columns > 2 else 180
            panels.append(unit(chart, width=width, height=height, title=panel_title(style.label, width)))
        return side_by_side(panels, columns=columns, spacing=24)

    last = shares[shares["x"] == shares["x"].max()]
    parts = [
        f"{context.labels[arm]}: "
        + ", ".join(
            f"{row.level.lower()} {row.percent:.0f}" for row in group.itertuples() if row.percent >= 0.5
        )
        for arm, group in last.groupby("arm", sort=False)
    ]
    return Figure(
        build=build,
        identifier="milestones",
        title=f"Best ability {'by age' if clock.by_age else 'over time'}, of 100 people in each arm",
        alt="Stacked areas of the best ability held. At the end, of 100 people: " + "; ".join(parts) + ".",
        caption=(
            "Each person is counted once, at the best ability held at the latest visit; more blue is "
            "better. People who died stay in the picture. "
            + ("Only people under observation at that age are counted. " if clock.by_age else "")
            + "Averages over parameter sets; the table of milestones gives the ranges."
        ),
        source=simulated_by(),
        table=_table(context, clock, shares),
    )


def _table(context: FigureContext, clock: Clock, shares: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    keep = shares["x"].isin(sorted(shares["x"].unique())[::6])
    table = shares[keep].pivot_table(
        index=["label", "x", "people"], columns="level", values="percent", sort=False
    )
    first = table.reset_index().rename_axis(columns=None)
    return pd.DataFrame(first.rename(columns={"label": "Arm", "x": clock.title, "people": "People counted"}))


def milestone_table(context: FigureContext) -> pd.DataFrame:
    """Of 100 people: who ever reached each milestone, and who can do it at the end, with ranges."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    last = max(context.months)
    for name in (str(name) for name in context.dataset["milestone"].values):
        for arm in context.arms:
            row: dict[str, Any] = {"Milestone": milestone_label(name), "Arm": context.labels[arm]}
            for measure, title in (("ever_share", "Ever reached"), ("able_share", "Able at the end")):
                found = context.rows(
                    kind="milestone", quantity=name, measure=measure, arm=arm, visit_month=last
                )
                row[f"{title}, of 100"] = (
                    100 * float(found["knowledge.mean"].iloc[0]) if len(found) else np.nan
                )
                if len(found) and "knowledge.q2.5" in found:
                    low, high = (100 * float(found[f"knowledge.{end}"].iloc[0]) for end in ("q2.5", "q97.5"))
                    row[f"{title}: range"] = f"{low:.0f} to {high:.0f}"
            rows.append(row)
    return pd.DataFrame(rows)
