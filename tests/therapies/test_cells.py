"""Cell therapy: five separate mechanisms, honest zero, kinetics, re-dosing, viability, route."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from motorpool.engine.compile_plan import cell_protocol
from motorpool.evidence.parameters import load_parameter_table
from motorpool.therapies import cells
from motorpool.therapies.kinds import CELL_MECHANISMS
from tests.support import lives
from tests.support.lives import Life, changed

START_YEARS, UNTIL_YEARS = 0.3, 1.6
COPIES = np.asarray([2.0, 3.0])
LARGE = 1.5
EQUAL_WEIGHTS = {f"therapies__cells__weight_{name}": 0.1 for name in CELL_MECHANISMS}


def only(*names: str) -> dict[str, bool]:
    return {name: name in names for name in CELL_MECHANISMS}


def run(course: dict[str, Any] | None, like: Life | None = None, **parameters: float) -> Life:
    draw = changed(lives.central_draw(), **parameters) if parameters else lives.central_draw()
    courses = lives.courses_from({"therapy": "cell_therapy", **course}) if course is not None else ()
    return lives.live(
        courses,
        lives.people(smn2_copies=COPIES),
        until_years=UNTIL_YEARS,
        enrolment_years=START_YEARS,
        draw=draw,
        grid_hours=None if like is None else like.grid_hours,
    )


def bits(of: Life) -> list[Any]:
    path = of.path
    return [*jax.tree.leaves(of.end.body), path.outcomes, path.margins, path.pools, path.cumulative_hazard]


def same(first: Life, second: Life) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(bits(first), bits(second), strict=True))


@pytest.mark.parametrize("route", ["intrathecal", "intravenous"])
@pytest.mark.parametrize("effect", ["none", 0.0])
def test_cells_without_effect_change_no_bit_of_the_body(route: str, effect: Any) -> None:
    given = run({"effect": effect, "route": route, "cell_type": "neural", "doses": 6})
    untreated = run(None, like=given)
    assert given.path.doses.sum() > 0.0
    assert same(given, untreated)


def test_cells_without_life_change_no_bit_either_but_are_given() -> None:
    given = run({"effect": LARGE, "viability": 0.0})
    assert np.asarray(given.end.administrations)[0].tolist() == [3, 3]
    untreated = run(None, like=given)
    for first, second in zip(bits(given), bits(untreated), strict=True):
        assert np.asarray(first) == pytest.approx(np.asarray(second), rel=1e-5, abs=1e-6)


STATE_OF_MECHANISM = {
    "neuroprotection": lambda life: -np.asarray(life.path.pools[-1, 2]).mean(axis=0),
    "transmission": lambda life: (
        life.outcome("endurance_percent").max(axis=0) * 0 + life.at(life.outcome("endurance_percent"), 0.5)
    ),
    "inflammation": lambda life: -np.asarray(life.end.body.inflammation),
    "muscle": lambda life: np.asarray(life.end.body.muscle).mean(axis=0),
    "recovery": lambda life: np.asarray(life.end.body.grafted).mean(axis=0),
}


@pytest.mark.parametrize("mechanism", CELL_MECHANISMS)
def test_each_mechanism_alone_changes_the_state_it_names_and_is_gone_when_removed(mechanism: str) -> None:
    plan = {"effect": LARGE, "doses": 15, "mechanisms": only(mechanism)}
    on = run(plan, **EQUAL_WEIGHTS)
    untreated = run(None, like=on, **EQUAL_WEIGHTS)
    state = STATE_OF_MECHANISM[mechanism]
    assert (state(on) > state(untreated)).all()
    others = {**plan, "mechanisms": only(*(set(CELL_MECHANISMS) - {mechanism}))}
    weightless = {**EQUAL_WEIGHTS, f"therapies__cells__weight_{mechanism}": 0.0}
    assert same(run(plan, like=on, **weightless), untreated)
    assert not same(run(others, like=on, **EQUAL_WEIGHTS), untreated)


def test_mechanisms_act_on_their_own_states_only() -> None:
    def survivors(*names: str) -> Any:
        return run({"effect": LARGE, "doses": 15, "mechanisms": only(*names)}, **EQUAL_WEIGHTS).end.body.alive

    untreated = run(None, **EQUAL_WEIGHTS).end.body.alive
    for mechanism in ("transmission", "muscle", "recovery"):
        assert survivors(mechanism) == pytest.approx(untreated, abs=1e-6)
    assert (survivors("neuroprotection") >= untreated).all()
    assert (survivors("inflammation") >= untreated).all()


def test_the_total_is_split_in_proportion_and_what_is_switched_off_is_lost() -> None:
    parameters = lives.central_draw().model.therapies.cells
    weights = np.asarray([float(getattr(parameters, f"weight_{name}")) for name in CELL_MECHANISMS])
    (course,) = lives.courses_from({"therapy": "cell_therapy", "effect": 0.5})
    shares = np.asarray(cells.mechanism_shares(cell_protocol((course,)), parameters))
    assert shares == pytest.approx(weights / weights.sum(), rel=1e-5)
    assert shares.sum() == pytest.approx(1.0)
    (half,) = lives.courses_from({"therapy": "cell_therapy", "mechanisms": only("neuroprotection", "muscle")})
    kept = np.asarray(cells.mechanism_shares(cell_protocol((half,)), parameters))
    assert kept == pytest.approx(np.where([1, 0, 0, 1, 0], shares, 0.0), rel=1e-5)


def test_a_stated_effect_scales_and_harm_is_possible() -> None:
    parameters = lives.central_draw().model.therapies.cells
    one = jnp.ones(1)

    def neuroprotection(effect: float) -> float:
        (course,) = lives.courses_from({"therapy": "cell_therapy", "effect": effect})
        return float(cells.effects(one, 0 * one, cell_protocol((course,)), parameters).neuroprotection[0])

    assert neuroprotection(0.2) == pytest.approx(2.0 * neuroprotection(0.1), rel=1e-5)
    assert neuroprotection(-0.1) == pytest.approx(-neuroprotection(0.1), rel=1e-5)
    limit = float(parameters.neuroprotection_limit)
    assert neuroprotection(3.0) == pytest.approx(limit)
    assert neuroprotection(-3.0) == pytest.approx(-limit)
    harmed = run({"effect": -LARGE, "doses": 15}, **EQUAL_WEIGHTS)
    untreated = run(None, like=harmed, **EQUAL_WEIGHTS)
    assert (harmed.path.pools[-1, 2] > untreated.path.pools[-1, 2]).any()


def test_the_prior_effect_is_the_records_one() -> None:
    total = float(np.asarray(load_parameter_table()["cells.total_effect_smd"].value))
    by_prior, stated = run({"effect": "prior"}), run({"effect": total})
    assert same(by_prior, stated)


def test_the_reference_protocol_keeps_the_mean_level_at_one() -> None:
    """One reference dose every reference interval: mean of the unsaturated level over an interval is one."""
    parameters = lives.central_draw().model.therapies.cells
    (course,) = lives.courses_from({"therapy": "cell_therapy"})
    protocol = cell_protocol((course,))
    linear = changed(lives.central_draw(), therapies__cells__half_saturation_level=1e6).model.therapies.cells
    interval = float(parameters.reference_interval_hours)
    depot, factor, levels = 0.0, 0.0, []
    for dose in range(40):
        depot += 1.0
        for _ in range(48):
            hours = jnp.asarray(interval / 48)
            life = cells.cell_half_life_hours(protocol, parameters)
            moved = cells_advance(depot, factor, life, parameters.factor_half_life_hours, hours)
            depot, factor = float(moved[0]), float(moved[1])
            if dose >= 30:
                levels.append(float(cells.level(jnp.asarray(factor), protocol, linear)))
    assert np.mean(levels) == pytest.approx(1.0, rel=0.01)


def cells_advance(depot: float, factor: float, life: Any, factor_life: Any, hours: Any) -> Any:
    from motorpool.therapies.kinetics import depot_and_product

    return depot_and_product(jnp.asarray(depot), jnp.asarray(factor), life, factor_life, hours)


def protected(**course: Any) -> float:
    """Neurons saved in the weak infant by neuroprotection alone."""
    given = run({"effect": LARGE, "mechanisms": only("neuroprotection"), **course}, **EQUAL_WEIGHTS)
    untreated = run(None, like=given, **EQUAL_WEIGHTS)
    return float((given.path.pools[-1, 0] + given.path.pools[-1, 1] - untreated.surviving()[-1])[0, 0])


def test_dose_number_interval_viability_and_route_matter() -> None:
    usual = protected(doses=6)
    assert usual > 1e-3
    assert protected(doses=1) < usual < protected(doses=15)
    assert protected(doses=6, interval_weeks=1) != pytest.approx(usual, rel=0.02)
    assert protected(doses=6, viability=0.3) < usual
    assert protected(doses=6, million_cells_per_kg=5) > usual
    assert 0.0 < protected(doses=6, route="intravenous") < usual


def test_neural_cells_and_immunosuppression_make_the_effect_last() -> None:
    def factor_left(**course: Any) -> float:
        return float(run({"effect": LARGE, "doses": 1, **course}).end.amounts.factor_intrathecal[0])

    assert factor_left() < factor_left(immunosuppression=True)
    assert factor_left() < 0.1 * factor_left(cell_type="neural")


def test_the_effect_fades_when_the_cells_are_gone() -> None:
    given = run({"effect": LARGE, "doses": 1})
    level = given.end.amounts.factor_intrathecal
    assert (level < 1e-3).all()
    assert (given.end.amounts.cells_intrathecal < 1e-6).all()
