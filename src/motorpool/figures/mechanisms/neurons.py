"""Figures of the upstream mechanisms: SMN need and stress, sick neurons and their recovery, death, whole pools."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from motorpool.biology import neurons, smn
from motorpool.biology.vocabulary import (
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    LEGS_AND_TRUNK,
    MUSCLE_GROUPS,
    POOL_PARTS,
)
from motorpool.figures.figure import Figure, Layout, Spec
from motorpool.figures.marks import data_of, panel_title, side_by_side, unit
from motorpool.figures.mechanisms.lines import POINTS, SOURCE, Panel, line_figure
from motorpool.figures.mechanisms.model import NEVER_YEARS, Life, Mechanisms, live, plain
from motorpool.figures.theme import NEURON_COLOURS
from motorpool.therapies import risdiplam

MONTH = HOURS_PER_MONTH / HOURS_PER_YEAR
STATES = (("working", "Working"), ("sick", "Sick but alive"), ("dead", "Dead"))
LIVES = (
    ("2 copies, untreated", 2.0, NEVER_YEARS),
    ("2 copies, splicing modifier at birth", 2.0, 0.0),
    ("2 copies, splicing modifier at 6 months", 2.0, 6 * MONTH),
    ("3 copies, untreated", 3.0, NEVER_YEARS),
)
LAST_AGE_YEARS = 4.0


def need_and_stress(model: Mechanisms) -> Figure:
    """How much SMN is needed at each age, and the stress of neurons that have less."""
    parameters = model.biology.smn
    ages = np.linspace(-0.4, 5.0, POINTS)
    supply = {f"{copies} copies make": float(copies * parameters.level_per_smn2_copy) for copies in (2, 3, 4)}
    need = np.asarray(smn.need(jnp.asarray(ages), parameters))
    levels = np.linspace(0.02, 0.40, POINTS)
    person = model.typical([2.0] * levels.size)
    part = jnp.broadcast_to(jnp.asarray(levels), (POOL_PARTS, len(MUSCLE_GROUPS), levels.size))
    lines: dict[str, Any] = {}
    for words, age in (("at birth", 0.0), ("at 3 years", 3.0)):
        by_class = smn.stress(part, jnp.full(levels.size, age), person, parameters)[:, 0, LEGS_AND_TRUNK]
        lines[f"mean of the classes, {words}"] = by_class.mean(axis=0)
        if age == 0.0:
            lines |= {
                "most robust class, at birth": by_class[0],
                "most vulnerable class, at birth": by_class[-1],
            }
    return line_figure(
        "smn-need-and-stress",
        "SMN: what is needed, and the stress of having less",
        "Levels are relative to a healthy motor neuron. Stress is 0.5 where supply equals need; each pool is a mixture "
        "of four classes of neurons, and the mean over them is shallower than any of them.",
        [
            Panel(
                "Need against supply",
                ("Age, years", ages),
                "SMN level",
                {"median neuron needs": need, **{name: np.full(ages.size, y) for name, y in supply.items()}},
            ),
            Panel(
                "Stress of legs and trunk",
                ("SMN level", levels),
                "Stress",
                lines,
                quiet=("most robust class, at birth", "most vulnerable class, at birth"),
                y_domain=(0.0, 1.0),
            ),
        ],
    )


RECOVERY_AGES = {"at birth": 0.0, "at 4 years": 4.0, "at 15 years": 15.0}


def recovery(model: Mechanisms) -> Figure:
    """How fast sick neurons recover and working ones fall sick while some stress remains."""
    parameters = model.biology.neurons
    stress = np.linspace(0.0, 1.0, POINTS)
    calm = neurons.calm_enough(jnp.asarray(stress), parameters.recovery_stress_odds)
    plainly = neurons.calm_enough(jnp.asarray(stress), jnp.ones(()))
    sickening = np.asarray(parameters.sickening_rate_per_year * stress)
    working: dict[str, np.ndarray] = {}
    for name, age in RECOVERY_AGES.items():
        factor = neurons.recovery_age_factor(jnp.asarray(age), parameters)
        recovering = np.asarray(parameters.recovery_rate_per_year * factor * calm)
        working[name] = recovering / (recovering + sickening)
    return line_figure(
        "recovery-under-stress",
        "Recovery needs more SMN than staying well",
        "Left: the share of its full pace at which a sick neuron recovers. Grey: if recovery simply followed one minus "
        "stress. Right: the share of living neurons that work once falling sick and recovering are in balance, at "
        "three ages.",
        [
            Panel(
                "Pace of recovery",
                ("Stress", stress),
                "Share of the full pace",
                {"recovery in the model": calm, "one minus stress": plainly},
                quiet=("one minus stress",),
                y_domain=(0.0, 1.0),
            ),
            Panel(
                "Working share in balance",
                ("Stress", stress),
                "Share of living neurons",
                working,
                y_domain=(0.0, 1.0),
            ),
        ],
    )


def death(model: Mechanisms) -> Figure:
    """What changes the rate at which sick neurons die: age and inflammation."""
    parameters = model.biology.neurons
    ages = np.linspace(-0.4, 10.0, POINTS)
    factor = np.asarray(neurons.age_factor(jnp.asarray(ages), parameters)) * float(
        parameters.death_rate_per_year
    )
    seen = _lives(model).condition.inflammation
    age = _lives(model).age_years
    raised = {name: seen[:, place] for place, (name, _, _) in enumerate(LIVES)}
    return line_figure(
        "death-of-sick-neurons",
        "Death of sick neurons: fast early in life, faster under inflammation",
        "Left: the rate under full stress, without and with full inflammation. Right: inflammation around the pools of "
        "typical children, driven by neurons lost times stress remaining.",
        [
            Panel(
                "Rate of death under full stress",
                ("Age, years", ages),
                "Per year",
                {
                    "full inflammation": factor * (1.0 + float(parameters.inflammation_effect_on_death)),
                    "no inflammation": factor,
                },
            ),
            Panel("Inflammation", ("Age, years", age), "Level, 0 to 1", raised, y_domain=(0.0, 1.0)),
        ],
    )


def pools(model: Mechanisms) -> Figure:
    """The working, sick and dead neurons of legs and trunk in typical children, untreated and treated."""
    import pandas as pd

    life = _lives(model)
    shown = life.age_years >= 0.0
    parts = [
        pd.DataFrame(
            {
                "life": name,
                "state": label,
                "order": order,
                "x": life.age_years[shown],
                "percent": 100.0 * getattr(life.condition, state)[shown, LEGS_AND_TRUNK, place],
            }
        )
        for place, (name, _, _) in enumerate(LIVES)
        for order, (state, label) in enumerate(STATES)
    ]
    table = pd.concat(parts, ignore_index=True)
    last = table[table["x"] == table["x"].max()]
    words = [
        f"{name}: " + ", ".join(f"{row.state.lower()} {row.percent:.0f} %" for row in rows.itertuples())
        for name, rows in last.groupby("life", sort=False)
    ]

    def build(layout: Layout) -> Spec:
        columns = 4 if layout.name == "wide" else 2
        width = layout.panel_width(columns, gap=40)
        charts = [
            _areas(table[table["life"] == name], width, place % columns == 0)
            for place, (name, _, _) in enumerate(LIVES)
        ]
        panels = [
            unit(chart, width=width, height=150, title=panel_title(name, width))
            for chart, (name, _, _) in zip(charts, LIVES, strict=True)
        ]
        return side_by_side(panels, columns=columns, spacing=22)

    return Figure(
        build=build,
        identifier="neuron-pools",
        title="Motor neurons of legs and trunk: working, sick but alive, dead",
        alt=f"Stacked areas from birth to {LAST_AGE_YEARS:g} years. At the end: " + "; ".join(words) + ".",
        caption=(
            "Typical children: every random effect at its median. A splicing modifier at its steady state acts from "
            "birth or from six months on. Sick neurons recover once enough SMN is there; dead ones never do."
        ),
        source=SOURCE,
        table=table[["life", "state", "x", "percent"]].rename(
            columns={"life": "Child", "state": "State", "x": "Age, years", "percent": "Of 100 motor neurons"}
        ),
    )


def _areas(table: Any, width: int, first: bool) -> Any:
    import altair as alt

    labels = [label for _, label in STATES]
    colours = [NEURON_COLOURS[state] for state, _ in STATES]
    return (
        alt.Chart(data_of(table[["x", "state", "order", "percent"]]))
        .mark_area(stroke="#ffffff", strokeWidth=0.7)
        .encode(
            x=alt.X(
                "x:Q", title="Age, years", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=4, grid=False)
            ),
            y=alt.Y(
                "percent:Q",
                stack="zero",
                title="Of 100 motor neurons" if first else None,
                scale=alt.Scale(domain=[0, 100], nice=False),
            ),
            order=alt.Order("order:Q"),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=labels, range=colours),
                sort=labels,
                legend=alt.Legend(title=None, columns=3, symbolType="square"),
            ),
        )
    )


@functools.lru_cache(maxsize=1)
def _lives(model: Mechanisms) -> Life:
    """The lives that two figures share."""
    gain = float(risdiplam.splicing_gain(jnp.ones(()), model.therapies.risdiplam))
    influences = plain(
        len(LIVES), splicing_gain=gain, start_years=jnp.asarray([start for _, _, start in LIVES])
    )
    return live(model, model.typical([copies for _, copies, _ in LIVES]), influences, LAST_AGE_YEARS)


FIGURES = (need_and_stress, recovery, death, pools)
