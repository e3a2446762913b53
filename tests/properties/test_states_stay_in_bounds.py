"""For any parameters within their recorded bounds, and every therapy at once, every state stays where it may be."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from motorpool.evidence.parameters import load_parameter_table
from motorpool.simulation.model import Draw, parameter_draw
from tests.support import lives
from tests.support.lives import Life

# Each example is a block of whole lives: a failing one is reported as found, not shrunk over hundreds of runs.
WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)
ROUNDING = 1e-4
TABLE = load_parameter_table()
ALL_THERAPIES: tuple[dict[str, Any], ...] = (
    {"therapy": "nusinersen", "regimen": "high_dose"},
    {"therapy": "risdiplam"},
    {"therapy": "onasemnogene"},
    {"therapy": "myostatin_inhibition"},
    {"therapy": "transmission_support"},
    {"therapy": "cell_therapy", "effect": 3.0, "doses": 12, "cell_type": "neural", "immunosuppression": True},
    {"therapy": "rehabilitation", "sessions_per_week": 21},
    {"therapy": "breathing_support"},
    {"therapy": "nutrition_support"},
    {"therapy": "brace", "hours_per_day": 24},
    {"therapy": "spine_surgery"},
)
HARMFUL_CELLS: tuple[dict[str, Any], ...] = ({"therapy": "cell_therapy", "effect": -3.0, "doses": 12},)
PLANS = {"nothing": (), "every therapy": ALL_THERAPIES, "harmful cells": HARMFUL_CELLS}


def draw_at(shares: dict[str, float]) -> Draw:
    """A draw in which each parameter lies at a share of the way between its bounds."""
    values: dict[str, Any] = {}
    for name, share in shares.items():
        record = TABLE[name]
        low, high = record.bounds
        value = low + share * (high - low)
        values[name] = tuple(value for _ in record.values) if isinstance(record.value, tuple) else value

    class Shifted:
        """The parameter table with other central values."""

        def central_values(self) -> dict[str, Any]:
            return {**TABLE.central_values(), **values}

        def fill(self, kind: Any, module: str, given: Any) -> Any:
            return TABLE.fill(kind, module, given)

    return parameter_draw(None, 1, table=Shifted())  # pyright: ignore[reportArgumentType]


# A definition (the maximum of a scale, the threshold of a milestone) is no free parameter.
FREE = sorted(name for name, record in TABLE.items() if record.prior.distribution != "fixed")
EXTREMES = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0))
SHARES = st.lists(EXTREMES, min_size=len(FREE), max_size=len(FREE)).map(
    lambda s: dict(zip(FREE, s, strict=True))
)


def life_of(draw: Draw, plan: str) -> Life:
    """Copies 1 to 5 under one plan that starts at six weeks, to the age of six (coarse steps from three years on)."""
    who = lives.people(
        smn2_copies=np.asarray([1.0, 2.0, 2.0, 3.0, 4.0, 5.0]),
        log_vulnerability=np.asarray([0.0, 0.5, -0.5, 0.0, 0.0, 0.0]),
        draw=draw,
        immortal=False,
    )
    return lives.live(lives.courses_from(*PLANS[plan]), who, until_years=6, enrolment_years=0.12, draw=draw)


def check(life: Life, draw: Draw) -> None:
    pools = life.path.pools
    working, sick, dead = pools[:, 0], pools[:, 1], pools[:, 2]
    assert np.abs(working + sick + dead - 1.0).max() < 1e-5  # working + sick + dead = 1
    assert np.diff(dead, axis=0).min() > -1e-6  # what is dead stays dead
    for share in (working, sick, dead):
        assert share.min() > -ROUNDING
        assert share.max() < 1.0 + ROUNDING
    body = life.end.body
    ceilings = {
        "muscle": float(draw.model.biology.muscle.ceiling),
        "cobb_degrees": float(draw.model.biology.skeleton.cobb_maximum_degrees),
    }
    for name in type(body).__dataclass_fields__:
        values = np.asarray(getattr(body, name))
        assert np.isfinite(values).all(), name
        assert values.min() > -ROUNDING, (name, values.min())
        top = ceilings.get(name, 1.0)
        assert values.max() < top * (1.0 + ROUNDING), (name, values.max(), top)
    assert np.isfinite(life.path.outcomes).all()
    assert np.diff(life.path.cumulative_hazard, axis=0).min() >= 0.0


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS)
@settings(phases=WITHOUT_SHRINKING, max_examples=12)
@given(shares=SHARES)
@example(shares=dict.fromkeys(FREE, 0.0))
@example(shares=dict.fromkeys(FREE, 1.0))
def test_every_state_stays_within_bounds(plan: str, shares: dict[str, float]) -> None:
    draw = draw_at(shares)
    check(life_of(draw, plan), draw)


def test_central_parameters_stay_within_bounds() -> None:
    draw = lives.central_draw()
    for plan in PLANS:
        check(life_of(draw, plan), draw)


def test_shares_of_classes_and_parts_add_up() -> None:
    """Alive and sick of every class and part: 0 <= sick <= alive <= 1, and the pools are their averages."""
    life = life_of(lives.central_draw(), "every therapy")
    alive, sick = np.asarray(life.end.body.alive), np.asarray(life.end.body.sick)
    assert sick.min() > -1e-6
    assert (alive - sick).min() > -1e-6
    assert alive.max() <= 1.0
    reached = np.asarray(life.people.transduced_fraction)
    averaged = alive.mean(axis=0)[0] * (1 - reached) + alive.mean(axis=0)[1] * reached
    assert 1.0 - life.path.pools[-1, 2] == pytest.approx(averaged, abs=1e-5)


def test_grafted_neurons_are_counted_apart() -> None:
    """Grafts never resurrect host neurons: alive host neurons are the same with grafts that do nothing else."""
    only = {
        "neuroprotection": False,
        "transmission": False,
        "inflammation": False,
        "muscle": False,
        "recovery": True,
    }
    draw = with_recovery(lives.central_draw())
    who = lives.people(smn2_copies=[2.0, 3.0])
    cells = lives.courses_from({"therapy": "cell_therapy", "effect": 3.0, "mechanisms": only})
    grafted = lives.live(cells, who, until_years=2, enrolment_years=0.3, draw=draw)
    without = lives.live(
        (), who, until_years=2, enrolment_years=0.3, draw=draw, grid_hours=grafted.grid_hours
    )
    assert np.asarray(grafted.end.body.grafted).max() > 0.01
    assert np.array_equal(grafted.path.pools, without.path.pools)
    assert (np.asarray(grafted.end.body.muscle) > np.asarray(without.end.body.muscle)).all()


def with_recovery(draw: Draw) -> Draw:
    """The central draw with all of the cells' effect carried by recovery."""
    import dataclasses

    names = ("neuroprotection", "transmission", "inflammation", "muscle")
    weights = {f"weight_{name}": jnp.float32(0.0) for name in names} | {"weight_recovery": jnp.float32(1.0)}
    cells = dataclasses.replace(draw.model.therapies.cells, **weights)
    therapies = dataclasses.replace(draw.model.therapies, cells=cells)
    return dataclasses.replace(draw, model=dataclasses.replace(draw.model, therapies=therapies))
