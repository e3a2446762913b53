"""The layers of uncertainty of the main motor scale at the last visit, one beside the other and never added up."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from motorpool.evidence.posterior import load_posterior
from motorpool.figures.context import FigureContext, simulated_by
from motorpool.figures.courses import MEASURE, MEASUREMENT, MONTE_CARLO, NORMAL_95
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import above, axis_words, data_of, layered, panel_title
from motorpool.simulation.labels import OutcomeView, outcome_view

if TYPE_CHECKING:
    import pandas as pd

LAYERS = {
    "people": "Between people",
    "knowledge": "Not known of the parameters",
    "chance": "Chance: how many are simulated",
    "measurement": "Chance: one measurement",
    "discrepancy": "The model's own discrepancy",
}
MEANING = {
    "people": "between which values 95 % of people lie",
    "knowledge": "between which values 95 % of sets of parameters put the average",
    "chance": "between which values 95 % of such averages of as many simulated people fall",
    "measurement": "between which values 95 % of single measurements of a person at the average fall",
    "discrepancy": (
        "by how much, in 95 of 100 cases, the average of a published group may lie beside the model's, however well "
        "it is fitted"
    ),
}
_GRID = 401  # quantiles of Student's t that are pooled over the draws of the posterior


@functools.cache
def discrepancy_half_width(outcome: str) -> float | None:
    """Half the 95 % range of the model's own discrepancy for the average of a score, in the score's unit.

    The posterior's scales of the discrepancy, each times Student's t with the calibration's degrees of freedom, pooled
    (:mod:`motorpool.calibration.predictive`). None where the calibration compared no averages of this score.
    """
    from scipy.stats import t

    from motorpool.studies.scale import LEVELS, load_calibration_rules

    posterior, rules = load_posterior(), load_calibration_rules()
    family = f"{outcome}_level" if outcome in LEVELS else outcome
    if posterior is None or family not in posterior.discrepancies or family not in rules.discrepancy:
        return None
    shares = (np.arange(_GRID) + 0.5) / _GRID
    sizes = np.abs(posterior.discrepancies[family])
    return float(np.quantile(np.outer(sizes, t.ppf(shares, rules.tails_degrees_of_freedom)), 0.975))


def layers_figure(context: FigureContext, leave_out: Sequence[str] = ()) -> Figure | None:
    """Each layer's range in every plan; None when nothing is left or hardly anybody can be assessed.

    Args:
        leave_out: layers of `LAYERS` that are not shown.
    """
    outcome = next(iter(context.motor_scales), None)
    if outcome is None:
        return None
    view = outcome_view(outcome)
    frame = context.enough_people(
        context.rows(kind="outcome", quantity=outcome, measure=MEASURE, visit_month=max(context.months))
    )
    shown = [name for name in LAYERS if name not in leave_out]
    table = _table(context, frame, view, shown)
    if table.empty:
        return None

    def build(layout: Layout) -> Spec:
        spec = above(
            [_panel(context, table, view, style.arm, layout) for style in context.styles], spacing=14
        )
        return spec | {"resolve": {"scale": {"x": "shared"}}}

    words = "; ".join(f"{LAYERS[name].lower()}: {MEANING[name]}" for name in shown)
    missing = ""
    if context.draws == 1 and "knowledge" in shown:
        missing = " One set of parameters so far, so that what is not known of them is not shown."
    return Figure(
        build=build,
        identifier="uncertainty-layers",
        title=f"{view.label} after {max(context.months):g} months: what is uncertain, layer by layer",
        alt="; ".join(
            f"{row['Arm']}, {row['Layer'].lower()}: {row['Low']:.1f} to {row['High']:.1f} {view.unit}"
            for row in table.to_dict("records")
        ),
        caption=f"Dot: average of those alive and assessable. Bars: {words}. The layers are not added up.{missing}",
        source=simulated_by(),
        table=table,
    )


def _table(
    context: FigureContext, frame: pd.DataFrame, view: OutcomeView, shown: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    half = discrepancy_half_width(view.outcome)
    rows: list[dict[str, Any]] = []
    for row in frame.to_dict("records"):
        mean = float(row["knowledge.mean"])
        ranges = {
            "people": (row.get("between_people.q2.5"), row.get("between_people.q97.5")),
            "knowledge": (row.get("knowledge.q2.5"), row.get("knowledge.q97.5")),
            "chance": _around(mean, row.get(MONTE_CARLO)),
            "measurement": _around(mean, row.get(MEASUREMENT)),
            "discrepancy": (None, None) if half is None else (mean - half, mean + half),
        }
        for name in shown:
            low, high = (None if end is None else float(end) for end in ranges[name])
            if low is not None and high is not None and np.isfinite([low, high]).all():
                within = (
                    -np.inf if view.low is None else view.low,
                    np.inf if view.high is None else view.high,
                )
                low, high = (float(np.clip(end, *within)) for end in (low, high))
                rows.append(
                    {
                        "Arm": context.labels[str(row["arm"])],
                        "Layer": LAYERS[name],
                        "Average": mean,
                        "Low": low,
                        "High": high,
                        "What it is": MEANING[name],
                    }
                )
    return pd.DataFrame(rows)


def _around(mean: float, sd: Any) -> tuple[float, float] | tuple[None, None]:
    """The 95 % range around a mean."""
    return (None, None) if sd is None else (mean - NORMAL_95 * float(sd), mean + NORMAL_95 * float(sd))


def _panel(context: FigureContext, table: pd.DataFrame, view: OutcomeView, arm: str, layout: Layout) -> Spec:
    style = next(one for one in context.styles if one.arm == arm)
    mine = table[table["Arm"] == context.labels[arm]]
    data = mine.rename(columns={"Layer": "layer", "Average": "mean", "Low": "low", "High": "high"})
    x: Spec = {
        "type": "quantitative",
        "title": axis_words(view.label, view.unit, view.better),
        "scale": {"zero": False, "nice": True},
    }
    y: Spec = {
        "field": "layer",
        "type": "nominal",
        "title": None,
        "sort": list(LAYERS.values()),
        "axis": {"labelLimit": 0},
    }
    bar = {"type": "rule", "color": style.colour, "strokeWidth": 9, "opacity": 0.45}
    dot = {"type": "point", "color": style.colour, "filled": True, "size": 70, "opacity": 1}
    layers: list[Spec] = [
        {"mark": bar, "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}}},
        {"mark": dot, "encoding": {"y": y, "x": {"field": "mean", **x}}},
    ]
    heading = panel_title(style.label, layout.width, 11, bold=False)
    width = layout.width if layout.name == "wide" else layout.width - 110
    return layered(
        layers,
        data=data_of(data[["layer", "mean", "low", "high"]]),
        width=width,
        height={"step": 24},
        title=heading,
    )
