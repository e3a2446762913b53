"""What each arm adds over its comparator: average difference with what we do not know, and the spread of
people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec, keep_rows
from motorpool.figures.marks import balanced, data_of, layered, panel_title, side_by_side
from motorpool.figures.theme import INK, SOFT_INK
from motorpool.simulation.labels import outcome_view
from motorpool.simulation.summary_outcomes import outcome_names

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = {
    "knowledge.mean": "mean",
    "knowledge.q2.5": "low",
    "knowledge.q97.5": "high",
    "between_people.q2.5": "people_low",
    "between_people.q97.5": "people_high",
    "between_people.q25": "people_q25",
    "between_people.q75": "people_q75",
}


def difference_table(context: FigureContext) -> pd.DataFrame:
    """Difference to the comparator at the last visit for every outcome and arm, in the units of the outcome.

    Death counts as the worst score where a scale has one; otherwise only people alive in both arms are
    compared.
    """
    import pandas as pd

    last = max(context.months)
    pieces: list[pd.DataFrame] = []
    for outcome in outcome_names(context.dataset):
        view = outcome_view(outcome)
        measures = ["difference_death_as_worst", "difference_among_living"]
        for measure in measures if view.worst is not None else measures[1:]:
            frame = context.enough_people(
                context.rows(kind="outcome", quantity=outcome, measure=measure, visit_month=last)
            )
            if len(frame):
                pieces.append(frame.rename(columns=QUANTILES))
                break
    if not pieces:
        return pd.DataFrame()
    table = pd.concat(pieces, ignore_index=True)
    views = {name: outcome_view(name) for name in table["quantity"].unique()}
    return table.assign(
        outcome=table["quantity"].map(lambda name: views[str(name)].label),
        unit=table["quantity"].map(lambda name: views[str(name)].unit),
        direction=table["quantity"].map(lambda name: views[str(name)].direction or 0),
        important=table["quantity"].map(lambda name: views[str(name)].minimal_important_difference),
        label=table["arm"].map(context.labels),
        versus=table["arm"].map(lambda arm: context.labels[context.comparators[str(arm)]]),
    )


def addition_figure(context: FigureContext) -> Figure | None:
    """Forest of differences in units of the minimal important difference; right of zero is better."""
    table = difference_table(context)
    if table.empty:
        return None
    drawn = table[table["important"].notna() & (table["direction"] != 0)].copy()
    if drawn.empty:
        return None
    drawn["important"] = drawn["important"].astype(float)
    for column in set(QUANTILES.values()) & set(drawn.columns):
        drawn[column] = drawn[column] * drawn["direction"] / drawn["important"]
    styles = [style for style in context.styles if style.arm in context.comparators]
    names = {
        style.arm: f"{style.label}, over {context.labels[context.comparators[style.arm]]}" for style in styles
    }

    def build(layout: Layout) -> Spec:
        columns = balanced(len(styles), 3 if layout.name == "wide" else 1)
        left = 150
        width = layout.panel_width(columns, gap=22) - (left // columns if layout.name == "wide" else 80)
        panels = [
            _panel(
                drawn[drawn["arm"] == style.arm], names[style.arm], style.colour, width, place % columns == 0
            )
            for place, style in enumerate(styles)
        ]
        return side_by_side(panels, columns=columns, spacing=20, shared_y=True)

    parts = [_row_words(row) for row in drawn.to_dict("records")]
    return Figure(
        build=build,
        identifier="additions",
        title=f"What each arm adds over its comparator after {max(context.months):g} months",
        alt="Forest plot of differences to the comparator; right is better. " + "; ".join(parts) + ".",
        caption=(
            "The same virtual people with the same luck in both arms. Dot: average difference; thick line: "
            f"{context.range_words}; thin line: where 95 % of people fall. One unit is the smallest "
            "difference people notice or clinicians call important (minimal important difference); the "
            "grey strip marks differences smaller than that. Right of zero is better; each panel has its "
            "own scale. For ability scales death counts as the worst score; the table says who is counted."
        ),
        source=simulated_by(),
        table=_table(table),
    )


def _row_words(row: dict[Any, Any]) -> str:
    text = f"{row['label']} over {row['versus']}, {row['outcome']}: {row['mean']:+.1f} minimal important "
    text += "differences"
    if "low" not in row:
        return text
    low, high = sorted((float(row["low"]), float(row["high"])))
    return f"{text} (range {low:+.1f} to {high:+.1f})"


def _panel(data: pd.DataFrame, label: str, colour: str, width: int, first: bool) -> Spec:
    import altair as alt

    columns = [c for c in ("outcome", *QUANTILES.values()) if c in data]
    words = "\u2190 worse    minimal important differences   better \u2192"
    if width < 210:
        words = "\u2190 worse \u00b7 better \u2192 | (minimal important differences)"
    base = alt.Chart(data_of(data[columns])).encode(
        y=alt.Y(
            "outcome:N",
            sort=None,
            title=None,
            axis=alt.Axis(labels=first, ticks=False, domain=False, labelLimit=190, grid=True),
        )
    )
    x = alt.X("mean:Q", title=words, axis=alt.Axis(tickCount=4))
    strip = (
        alt.Chart(keep_rows([{"from": -1, "to": 1}]))
        .mark_rect(color=SOFT_INK, opacity=0.12)
        .encode(x=alt.X("from:Q", title=words), x2=alt.X2("to"))
    )
    zero = (
        alt.Chart(keep_rows([{"at": 0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(x=alt.X("at:Q", title=words))
    )
    people = base.mark_rule(color=colour, strokeWidth=1.3).encode(
        x=alt.X("people_low:Q", title=words), x2=alt.X2("people_high")
    )
    layers: list[Any] = [strip, zero, people]
    if "low" in columns:
        layers.append(
            base.mark_rule(color=colour, strokeWidth=6, opacity=0.55).encode(
                x=alt.X("low:Q", title=words), x2=alt.X2("high")
            )
        )
    layers.append(base.mark_point(color=INK, fill=colour, size=64, strokeWidth=1, opacity=1).encode(x=x))
    return layered(layers, width=width, height={"step": 25}, title=panel_title(label, width))


def _table(table: pd.DataFrame) -> pd.DataFrame:
    names = {
        "label": "Arm",
        "versus": "Compared with",
        "outcome": "Outcome",
        "unit": "Unit",
        "mean": "Average difference",
        "low": "Low end of what we do not know",
        "high": "High end of what we do not know",
        "people_low": "People: 2.5 %",
        "people_q25": "People: 25 %",
        "people_q75": "People: 75 %",
        "people_high": "People: 97.5 %",
        "important": "Minimal important difference",
        "people": "People counted",
        "counted": "Who is counted",
    }
    return table[[name for name in names if name in table]].rename(columns=names)
