"""Adverse events and procedures: how often, in which arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import arm_colour, arm_shape, data_of, layered
from motorpool.simulation.labels import adverse_event_label, procedure_label

if TYPE_CHECKING:
    import pandas as pd

MANY_ARMS = 6
LINE, TWO_LINES = 28, 26  # characters that fit into one line of a phone; pixels that two lines need
_BREAK = f"lastindexof(slice(datum.value, 0, {LINE}), ' ')"
_LINES = f"[slice(datum.value, 0, {_BREAK}), slice(datum.value, {_BREAK} + 1)]"
IN_TWO_LINES = f"length(datum.value) > {LINE} ? {_LINES} : datum.value"
Kind = Literal["adverse_event", "procedure"]


def safety_figure(context: FigureContext, kind: Kind, *, plain: bool = False) -> Figure | None:
    """Rates per year lived of every adverse event or procedure that occurs in any arm.

    Args:
        plain: with the names that families know.
    """
    table = _frame(context, kind, plain)
    if table.empty:
        return None
    styles = context.styles
    order = list(dict.fromkeys(table["name"]))
    what = "Adverse events" if kind == "adverse_event" else "Procedures"

    def build(layout: Layout) -> Spec:
        import altair as alt

        columns = [c for c in ("name", "label", "mean", "low", "high") if c in table]
        base = alt.Chart().encode(
            y=alt.Y(
                "name:N",
                sort=order,
                title=None,
                axis=alt.Axis(
                    labelLimit=320 if layout.name == "wide" else 160,
                    labelExpr=IN_TWO_LINES,
                    grid=True,
                    ticks=False,
                    domain=False,
                ),  # fmt: skip
            ),
            yOffset=alt.YOffset("label:N", sort=[s.label for s in styles], scale=alt.Scale(paddingInner=0.2)),
            color=arm_colour(styles, layout),
        )
        words = "Number per person and year lived" + (
            " | \u2190 fewer is better" if kind == "adverse_event" else ""
        )
        x = alt.X("mean:Q", title=words, scale=alt.Scale(zero=True))
        layers: list[Any] = []
        if "low" in columns:
            layers.append(
                base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=words), x2=alt.X2("high"))
            )
        layers.append(
            base.mark_point(filled=True, size=50 if len(styles) <= MANY_ARMS else 34, opacity=1).encode(
                x=x, shape=arm_shape(styles, layout)
            )
        )
        width = layout.width - (160 if layout.name == "wide" else 90)
        step = 7 if len(styles) <= MANY_ARMS else 5
        if any(len(name) > LINE for name in order):
            step = max(step, TWO_LINES // len(styles))
        return layered(
            layers,
            data=data_of(table.loc[table["mean"] > 0, columns]),
            width=width,
            height={"step": step},
        )

    parts = [
        f"{row.name_}, {row.label}: {row.mean:.2f}"
        for row in table.rename(columns={"name": "name_"}).itertuples()
    ]
    names = {
        "name": what,
        "label": "Arm",
        "mean": "Per person and year lived",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
        "affected": "Of 100 people, affected at least once",
    }
    return Figure(
        build=build,
        identifier="adverse-events" if kind == "adverse_event" else "procedures",
        title=f"{what} in each arm",
        alt=f"Dot plot of {what.lower()} per person and year lived. " + "; ".join(parts) + ".",
        caption=(
            f"Total number divided by the years people lived during follow-up; {context.marked('line: ')}. "
            "An arm in which people live longer has more time for events; the rate takes this into account. "
            "Arms without a mark have none."
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def _frame(context: FigureContext, kind: Kind, plain: bool) -> pd.DataFrame:
    import pandas as pd

    rates = _all_rows(context, kind, "rate_per_year_lived")
    if rates.empty:
        return rates
    rates = rates.rename(
        columns={"knowledge.mean": "mean", "knowledge.q2.5": "low", "knowledge.q97.5": "high"}
    )
    shares = _all_rows(context, kind, "share_affected")
    values = 100.0 * shares["knowledge.mean"].to_numpy(dtype=float)
    affected = dict(zip(zip(shares["quantity"], shares["arm"], strict=True), values, strict=True))
    happens = rates.groupby("quantity")["mean"].transform("max") > 0
    rates = rates[happens]
    pairs = zip(rates["quantity"], rates["arm"], strict=True)
    name_of = adverse_event_label if kind == "adverse_event" else procedure_label
    return rates.assign(
        name=[name_of(one, plain=plain) for one in rates["quantity"]],
        label=rates["arm"].map(context.labels),
        affected=pd.Series([float(affected.get(pair, float("nan"))) for pair in pairs], index=rates.index),
    )


def _all_rows(context: FigureContext, kind: Kind, measure: str) -> pd.DataFrame:
    """Summary rows of every event of one kind."""
    frame = context.part(kind, measure)
    return frame.dropna(axis="columns", how="all") if len(frame) else frame
