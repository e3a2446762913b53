"""Published numbers beside what the run gives at the same time, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import above, data_of, layered, panel_title
from motorpool.figures.published_points import SHARES, PublishedPoint
from motorpool.figures.theme import INK, SOFT_INK
from motorpool.simulation.labels import event_label, milestone_label, outcome_view
from motorpool.simulation.layers import knowledge
from motorpool.simulation.summary_outcomes import true_scores
from motorpool.simulation.survival_summary import survival_table

if TYPE_CHECKING:
    import pandas as pd

SHARE_PANEL = "Of 100 people"


def comparison_figure(context: FigureContext) -> Figure | None:
    """Published shares, changes and differences, each with the simulated number of the matching arm."""
    table = comparison_table(context)
    if table.empty:
        return None
    panels = list(dict.fromkeys(table["panel"]))

    def build(layout: Layout) -> Spec:
        return above(
            [_panel(table[table["panel"] == name], name, context, layout) for name in panels], spacing=24
        )

    hollow = ""
    if (table["status"] != "yes").any():
        hollow = " Hollow diamonds are provisional: not yet checked against the source."
    parts = [
        f"{row.row}: published {row.published:.3g}, simulated {row.simulated:.3g}"
        for row in table.itertuples()
    ]
    names = {
        "study": "Study",
        "what": "Quantity",
        "label": "Arm",
        "month": "Months since enrolment",
        "published": "Published",
        "published_low": "Published 95 %: low",
        "published_high": "Published 95 %: high",
        "simulated": "Simulated",
        "low": "Simulated, low end of what we do not know",
        "high": "Simulated, high end of what we do not know",
        "status": "Read in the source",
        "group": "What was measured",
    }
    return Figure(
        build=build,
        identifier="published-beside-simulated",
        title="Published results beside the simulated ones",
        alt="Dot plot of published and simulated numbers. " + "; ".join(parts) + ".",
        caption=(
            "Diamond: published, with its 95 % interval where given; circle in the colour of the arm: "
            f"simulated, {context.range_words}.{hollow} The published people were not the same "
            "as the simulated ones, so agreement is a check of plausibility and not a proof. "
            "Some of these numbers were known when the model was built."
        ),
        source=simulated_by(),
        table=table[[name for name in names if name in table]].rename(columns=names),
    )


def comparison_table(context: FigureContext) -> pd.DataFrame:
    """One row per published number that has a simulated counterpart."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for point in context.published:
        if point.measure == "score":
            continue
        found = simulated(context, point)
        if found is None:
            continue
        share = point.measure in SHARES
        factor = 100.0 if share else 1.0
        what = quantity_words(point)
        several = len({other.study_arm for other in context.published if other.study == point.study}) > 1
        study = f"{point.study} ({point.study_arm})" if several else point.study
        rows.append(
            {
                "panel": SHARE_PANEL if share else panel_name(point),
                "row": f"{study}: {what}, {point.month:.3g} mo",
                "study": study,
                "what": what,
                "label": context.labels[point.arm],
                "month": point.month,
                "published": point.value * factor,
                "published_low": None if point.low is None else point.low * factor,
                "published_high": None if point.high is None else point.high * factor,
                **{name: value * factor for name, value in found.items()},
                "status": "yes" if point.checked else "no (provisional)",
                "group": point.group,
            }
        )
    # A row is a place on the axis: two published numbers of the same thing share it only by mistake.
    return pd.DataFrame(rows).drop_duplicates("row") if rows else pd.DataFrame()


def quantity_words(point: PublishedPoint) -> str:
    """What a published number is about, in a few words."""
    if point.measure == "able_share":
        return milestone_label(point.quantity)
    if point.measure == "event_free_share":
        if point.quantity == "death":
            return "alive"
        label = event_label(point.quantity.removeprefix("death_or_"))
        return f"alive, no {label[:1].lower()}{label[1:]}"
    if point.measure == "event_share":
        return event_label(point.quantity)
    view = outcome_view(point.quantity)
    if point.measure == "responder_share":
        if point.change_at_least is not None:
            return f"{view.label} up by at least {point.change_at_least:g}"
        return f"{view.label} at least {point.value_at_least:g}"
    return view.label


def panel_name(point: PublishedPoint) -> str:
    """The panel a change or a difference belongs to."""
    view = outcome_view(point.quantity)
    kind = "Change from enrolment" if point.measure == "change" else "Difference between arms"
    return f"{kind} ({view.unit})" if view.unit else f"{kind}: {view.label}"


def simulated(context: FigureContext, point: PublishedPoint) -> dict[str, float] | None:
    """Mean and range of the run's counterpart of a published number; None when the run has none."""
    if point.measure == "responder_share":
        return _responders(context, point)
    if point.measure in ("event_free_share", "event_share"):
        if "event_time_years" not in context.dataset or point.quantity not in context.dataset["event"].values:
            return None
        table = survival_table(context.dataset, point.quantity, np.array([point.month]))
        measure = "event_free_share" if point.measure == "event_free_share" else "cumulative_incidence"
        rows = table[(table["measure"] == measure) & (table["arm"] == point.arm)]
    else:
        month = _visit(context, point.month)
        kind, measure = {
            "able_share": ("milestone", "able_share"),
            "change": ("outcome", "change_among_living"),
            "difference": ("outcome", "difference_among_living"),
        }[point.measure]
        if month is None:
            return None
        if point.measure == "difference" and context.comparators.get(point.arm) != point.comparator:
            return None
        rows = context.rows(
            kind=kind, quantity=point.quantity, measure=measure, arm=point.arm, visit_month=month
        )
        rows = context.enough_people(rows)
    if rows.empty:
        return None
    row = rows.iloc[0]
    made = {"simulated": float(row["knowledge.mean"])}
    if context.draws > 1:
        made |= {"low": float(row["knowledge.q2.5"]), "high": float(row["knowledge.q97.5"])}
    return made


def _responders(context: FigureContext, point: PublishedPoint) -> dict[str, float] | None:
    """Share of people assessable at enrolment who reach the rule; people who died do not."""
    month = _visit(context, point.month)
    if month is None or f"{point.quantity}__true" not in context.dataset:
        return None
    arm = [str(name) for name in context.dataset["arm"].values].index(point.arm)
    scores = true_scores(context.dataset, point.quantity)[arm]
    if point.quantity in context.dataset:
        seen = context.dataset[point.quantity].transpose("arm", "visit_month", "draw", "patient")
        scores = np.asarray(seen.values, dtype=float)[arm]
    first, now = scores[0], scores[context.months.index(month)]
    with np.errstate(invalid="ignore"):
        if point.change_at_least is not None:
            reached = now - first >= point.change_at_least
        else:
            reached = now >= float(point.value_at_least or 0.0)
    counted = np.where(np.isnan(first), np.nan, reached.astype(float))
    if np.isnan(counted).mean() > 0.5:
        return None
    known = {name: float(value) for name, value in knowledge(counted).items()}
    made = {"simulated": known["mean"]}
    return made | ({"low": known["q2.5"], "high": known["q97.5"]} if "q2.5" in known else {})


def _visit(context: FigureContext, month: float) -> float | None:
    """The visit nearest to a time, if it is within half the distance between visits."""
    nearest = min(context.months, key=lambda visit: abs(visit - month))
    spacing = max(np.diff(context.months), default=1.0)
    return nearest if abs(nearest - month) <= 0.5 * float(spacing) + 1e-9 else None


def _panel(data: pd.DataFrame, name: str, context: FigureContext, layout: Layout) -> Spec:
    import altair as alt

    colours = {style.label: style.colour for style in context.styles}
    columns = ["row", "published", "published_low", "published_high", "simulated", "low", "high"]
    shown = data[[c for c in columns if c in data]].assign(
        colour=data["label"].map(colours),
        fill=["#4b5563" if status == "yes" else "#ffffff" for status in data["status"]],
    )
    wide = layout.name == "wide"
    width = layout.width - (330 if wide else 30)
    scale = alt.Scale(domain=[0, 100]) if name == SHARE_PANEL else alt.Scale(zero=True)
    labels = alt.Axis(labelLimit=440 if wide else 120, grid=True, ticks=False, domain=False)
    base = alt.Chart().encode(y=alt.Y("row:N", sort=None, title=None, axis=labels))
    title = name
    layers: list[Any] = [
        base.mark_rule(color=SOFT_INK, strokeWidth=1.4, yOffset=-4)
        .encode(x=alt.X("published_low:Q", title=title, scale=scale), x2=alt.X2("published_high"))
        .transform_filter("isValid(datum.published_low) && isValid(datum.published_high)")
    ]
    if "low" in shown:
        layers.append(
            base.mark_rule(strokeWidth=3, yOffset=4, opacity=0.7).encode(
                x=alt.X("low:Q", title=title, scale=scale),
                x2=alt.X2("high"),
                color=alt.Color("colour:N", scale=None, legend=None),
            )
        )
    layers += [
        base.mark_point(
            shape="diamond", size=80, filled=True, stroke=INK, strokeWidth=1.3, yOffset=-4, opacity=1
        ).encode(x=alt.X("published:Q", title=title, scale=scale), fill=alt.Fill("fill:N", scale=None)),
        base.mark_point(shape="circle", size=64, filled=True, yOffset=4, opacity=1).encode(
            x=alt.X("simulated:Q", title=title, scale=scale),
            color=alt.Color("colour:N", scale=None, legend=None),
        ),
    ]
    heading = panel_title(name, width + 200)
    return layered(layers, data=data_of(shown), width=width, height={"step": 24}, title=heading)
