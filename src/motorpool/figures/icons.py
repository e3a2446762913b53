"""One hundred people like this: a grid of figures coloured by how they fare at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import balanced, data_of, panel_title, side_by_side, unit
from motorpool.figures.milestones import LEVELS, best_ability
from motorpool.figures.theme import STATE_COLOURS
from motorpool.simulation.survival_summary import event_times

if TYPE_CHECKING:
    import pandas as pd

PERMANENT_VENTILATION = "permanent_ventilation_16h_21d"
PERSON = (
    "M0,-1A0.34,0.34 0 1,1 0,-0.32A0.34,0.34 0 1,1 0,-1ZM-0.3,-0.24L0.3,-0.24Q0.5,-0.24 "
    "0.5,0L0.5,0.45L0.3,0.45L0.3,1L-0.3,1L-0.3,0.45L-0.5,0.45L-0.5,0Q-0.5,-0.24 -0.3,-0.24Z"
)
STATES: tuple[tuple[str, str], ...] = (
    ("walks", "Walk alone"),
    ("stands", "Crawl, stand or walk with support"),
    ("sits", "Sit without support"),
    ("head", "Hold the head"),
    ("none", "None of these abilities"),
    ("ventilated", "On permanent ventilation"),
    ("died", "Died"),
)


def state_shares(context: FigureContext) -> dict[str, np.ndarray]:
    """For each arm, the share of people in each of `STATES` at the end, shape (state, draw)."""
    level = best_ability(context)[..., -1]
    horizon = max(context.months)
    names = [key for key, _ in STATES]
    state = np.empty(level.shape, dtype=int)
    for index, (key, _, _) in enumerate(LEVELS):
        state[level == index] = names.index(key)
    if PERMANENT_VENTILATION in context.dataset["event"].values:
        state[event_times(context.dataset, PERMANENT_VENTILATION) <= horizon] = names.index("ventilated")
    state[event_times(context.dataset, "death") <= horizon] = names.index("died")
    arms = [str(arm) for arm in context.dataset["arm"].values]
    return {
        arm: np.stack([(state[place] == index).mean(-1) for index in range(len(STATES))])
        for place, arm in enumerate(arms)
    }


def of_one_hundred(shares: np.ndarray) -> list[int]:
    """Whole numbers that add to 100 and are nearest to the shares (largest remainders)."""
    exact = 100.0 * np.asarray(shares, dtype=float) / float(np.sum(shares))
    counts = np.floor(exact).astype(int)
    for index in np.argsort(-(exact - counts), kind="stable")[: 100 - counts.sum()]:
        counts[index] += 1
    return [int(count) for count in counts]


def icon_figure(context: FigureContext) -> Figure | None:
    """One hundred icons per arm."""
    if "milestone_status" not in context.dataset or "event_time_years" not in context.dataset:
        return None
    shares = state_shares(context)
    rows: list[dict[str, Any]] = []
    counts: dict[str, list[int]] = {}
    for arm in context.arms:
        counts[arm] = of_one_hundred(shares[arm].mean(-1))
        states = [label for (_, label), count in zip(STATES, counts[arm], strict=True) for _ in range(count)]
        rows += [
            {"arm": arm, "x": place % 10, "y": place // 10, "state": state}
            for place, state in enumerate(states)
        ]
    import pandas as pd

    icons = pd.DataFrame(rows)

    def build(layout: Layout) -> Spec:
        import altair as alt

        columns = balanced(len(context.arms), 5 if layout.name == "wide" else 2)
        width = layout.panel_width(columns, gap=26)
        charts = [
            alt.Chart(data_of(icons[icons["arm"] == style.arm][["x", "y", "state"]]))
            .mark_point(shape=PERSON, filled=True, size=(0.112 * width) ** 2, opacity=1, strokeWidth=0)
            .encode(
                x=alt.X("x:O", axis=None),
                y=alt.Y("y:O", axis=None),
                color=alt.Color(
                    "state:N",
                    scale=alt.Scale(
                        domain=[label for _, label in STATES], range=[STATE_COLOURS[key] for key, _ in STATES]
                    ),
                    legend=alt.Legend(
                        title=None, columns=4 if layout.name == "wide" else 1, symbolType=PERSON
                    ),
                    sort=[label for _, label in STATES],
                ),
            )
            for style in context.styles
        ]
        panels = [
            unit(chart, width=width, height=width * 1.25, title=panel_title(style.label, width))
            for chart, style in zip(charts, context.styles, strict=True)
        ]
        return side_by_side(panels, columns=columns, spacing=26)

    parts = [
        f"{context.labels[arm]}: "
        + ", ".join(
            f"{count} {label.lower()}" for (_, label), count in zip(STATES, counts[arm], strict=True) if count
        )
        for arm in context.arms
    ]
    return Figure(
        build=build,
        identifier="icons",
        title=f"Of 100 people like this, {max(context.months):g} months later",
        alt="Grids of 100 people. " + "; ".join(parts) + ".",
        caption=(
            "Each small person stands for one in a hundred virtual people. Nobody can say beforehand which "
            "of them a given child would be. The table gives the range that reflects what we do not know, "
            "and how much another hundred people would differ by chance alone."
        ),
        source=simulated_by(),
        table=_table(context, shares, counts),
    )


def _table(
    context: FigureContext, shares: dict[str, np.ndarray], counts: dict[str, list[int]]
) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for arm in context.arms:
        for index, (_, label) in enumerate(STATES):
            share = shares[arm][index]
            mean = float(share.mean())
            row: dict[str, Any] = {
                "Arm": context.labels[arm],
                "At the end": label,
                "Of 100": counts[arm][index],
            }
            if context.draws > 1:
                low, high = np.quantile(100 * share, [0.025, 0.975])
                row["What we do not know: from"] = float(low)
                row["What we do not know: to"] = float(high)
            row["Chance: SD of another 100 people"] = float(np.sqrt(100 * mean * (1 - mean)))
            rows.append(row)
    return pd.DataFrame(rows)
