"""Kinetics against closed forms, a matrix exponential, the published half-life and an independent program."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from motorpool.biology.vocabulary import HOURS_PER_DAY
from motorpool.evidence.facts import load_facts
from motorpool.evidence.parameters import load_parameter_table
from motorpool.therapies import nusinersen
from motorpool.therapies.calendar import calendar_of
from motorpool.therapies.kinetics import depot_and_product, first_order
from motorpool.therapies.nusinersen import NusinersenAmounts, NusinersenParameters
from tests.support import lives

ORACLE = Path(__file__).parent.parent / "oracles" / "nusinersen_pk_mrgsolve.csv"
LN2 = np.log(2.0)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def published() -> NusinersenParameters:
    """The parameters of the publication, which the oracle was computed with."""
    values: dict[str, Any] = {
        "csf_clearance_l_per_h": 0.136,
        "csf_cns_flow_l_per_h": 0.0712,
        "csf_volume_l": 0.433,
        "cns_volume_l": 263.0,
        "plasma_clearance_l_per_h": 2.36,
        "plasma_tissue_flow_l_per_h": 0.568,
        "plasma_volume_l": 29.0,
        "tissue_volume_l": 418.0,
        "reference_weight_kg": 15.2,
        "plasma_clearance_weight_exponent": 0.689,
        "csf_volume_weight_exponent": 0.596,
        "plasma_volume_per_kg": 0.047,
        "splicing_gain_maximum": 1.0,
        "half_effect_cns_ng_per_ml": 1.0,
        "effect_half_time_hours": 400.0,
        "exposure_by_group": np.ones(4),
    }
    return NusinersenParameters(**{name: jnp.asarray(value, jnp.float64) for name, value in values.items()})


def typical() -> Any:
    person = lives.people(draw=lives.central_draw(jnp.float64))
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), person)


def rates_at(weight_kg: float) -> Any:
    return nusinersen.rate_constants(jnp.asarray([weight_kg]), typical(), published())


def amounts(*milligrams: float) -> NusinersenAmounts:
    """Fluid, nervous system, plasma, tissue and, if given, what splicing follows."""
    everywhere = (*milligrams, 0.0)[:5]
    return NusinersenAmounts(*(jnp.asarray([mg]) for mg in everywhere))


def as_vector(state: NusinersenAmounts) -> Any:
    """What is in the body: what splicing follows has no mass."""
    return np.asarray([state.csf[0], state.cns[0], state.plasma[0], state.tissue[0]])


def system_matrix(weight_kg: float) -> Any:
    """The published equations written out again as a matrix, per hour."""
    clearance = 2.36 * (weight_kg / 15.2) ** 0.689
    plasma = 29.0 * (1 + 0.047 * (weight_kg - 15.2))
    csf = 0.433 * (weight_kg / 15.2) ** 0.596
    return np.array(
        [
            [-(0.0712 + 0.136) / csf, 0.0712 / 263.0, 0, 0],
            [0.0712 / csf, -0.0712 / 263.0, 0, 0],
            [0.136 / csf, 0, -(0.568 + clearance) / plasma, 0.568 / 418.0],
            [0, 0, 0.568 / plasma, -0.568 / 418.0],
        ]
    )


def dosing(regimen: str) -> list[tuple[float, float]]:
    """Days and milligrams of the first doses, from the product's own calendar."""
    (course,) = lives.courses_from(
        {"therapy": "nusinersen", "regimen": "standard" if regimen == "standard_12mg" else "high_dose"}
    )
    calendar = calendar_of(course)
    doses = [(hours / HOURS_PER_DAY, mg) for hours, mg in calendar.loading]
    first, step = calendar.maintenance_first_hours, calendar.maintenance_interval_hours
    return doses + [((first + n * step) / HOURS_PER_DAY, calendar.maintenance_amount) for n in range(4)]


def test_concentrations_equal_those_of_an_independent_program() -> None:
    with ORACLE.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 90
    worst = 0.0
    for row in rows:
        weight, day = float(row["weight_kg"]), float(row["time_days"])
        rates = rates_at(weight)
        total = np.zeros(4)
        for dose_day, mg in dosing(row["regimen"]):
            if dose_day <= day:
                hours = jnp.asarray([(day - dose_day) * HOURS_PER_DAY])
                total += as_vector(nusinersen.advance(amounts(mg, 0, 0, 0), rates, hours))
        volumes = (0.433 * (weight / 15.2) ** 0.596, 263.0, 29.0 * (1 + 0.047 * (weight - 15.2)))
        for compartment, name in enumerate(("csf", "cns", "plasma")):
            expected = float(row[f"{name}_ng_per_ml"])
            got = 1000.0 * total[compartment] / volumes[compartment]
            worst = max(worst, abs(got / expected - 1.0))
    assert worst < 1e-5


def test_the_records_hold_the_published_parameters() -> None:
    ours, theirs = lives.central_draw(jnp.float64).model.therapies.nusinersen, published()
    effect = (
        "splicing_gain_maximum",
        "half_effect_cns_ng_per_ml",
        "effect_half_time_hours",
        "exposure_by_group",
    )
    for name in NusinersenParameters.__dataclass_fields__:
        if name not in effect:
            assert float(getattr(ours, name)) == pytest.approx(float(getattr(theirs, name)), rel=1e-6), name


@settings(max_examples=40)
@given(
    weight=st.floats(2.5, 90),
    hours=st.floats(0.0, 20_000.0),
    start=st.tuples(*[st.floats(0.0, 50.0)] * 4),
)
def test_the_exact_solution_equals_a_matrix_exponential(
    weight: float, hours: float, start: tuple[float, float, float, float]
) -> None:
    got = as_vector(nusinersen.advance(amounts(*start), rates_at(weight), jnp.asarray([hours])))
    expected = expm(system_matrix(weight) * hours) @ np.asarray(start)
    assert got == pytest.approx(expected, rel=1e-7, abs=1e-9)


@settings(max_examples=40)
@given(
    weight=st.floats(2.5, 90),
    hours=st.floats(0.0, 20_000.0),
    start=st.tuples(*[st.floats(0.0, 50.0)] * 5),
)
def test_splicing_follows_the_nervous_system_with_the_recorded_half_time(
    weight: float, hours: float, start: tuple[float, ...]
) -> None:
    rate = np.log(2.0) / 400.0
    larger = np.zeros((5, 5))
    larger[:4, :4] = system_matrix(weight)
    larger[4, 1], larger[4, 4] = rate, -rate
    got = nusinersen.advance(amounts(*start), rates_at(weight), jnp.asarray([hours])).acting[0]
    assert float(got) == pytest.approx(
        float((expm(larger * hours) @ np.asarray(start))[4]), rel=1e-6, abs=1e-7
    )


def test_no_delay_within_its_bounds_meets_a_rate_of_the_fluid_or_the_nervous_system() -> None:
    low, high = load_parameter_table()["nusinersen.effect_half_time_hours"].bounds
    people = lives.central_draw(jnp.float64).people
    for weight, clearance, volume in itertools.product((2.5, 15.0, 90.0), (-3.0, 0.0, 3.0), (-3.0, 0.0, 3.0)):
        who = dataclasses.replace(
            typical(),
            log_csf_clearance=clearance * people.csf_clearance_log_sd[None],
            log_csf_volume=volume * people.csf_volume_log_sd[None],
        )
        rates = nusinersen.rate_constants(jnp.asarray([weight]), who, published())
        slow, fast = nusinersen.slow_and_fast(
            rates.csf_out, rates.cns_to_csf, rates.csf_to_cns * rates.cns_to_csf
        )
        assert float(slow[0]) < 0.7 * np.log(2.0) / high
        assert float(fast[0]) > 1.4 * np.log(2.0) / low


def test_two_steps_equal_one_and_doses_superpose() -> None:
    rates = rates_at(8.0)

    def after(state: NusinersenAmounts, hours: float) -> NusinersenAmounts:
        return nusinersen.advance(state, rates, jnp.asarray([hours]))

    whole = as_vector(after(amounts(12, 1, 2, 3), 500.0))
    halves = as_vector(after(after(amounts(12, 1, 2, 3), 200.0), 300.0))
    assert halves == pytest.approx(whole, rel=1e-9)
    parts = as_vector(after(amounts(12, 0, 0, 0), 500.0)) + as_vector(after(amounts(0, 1, 2, 3), 500.0))
    assert parts == pytest.approx(whole, rel=1e-9)
    assert as_vector(after(amounts(12, 1, 2, 3), 0.0)) == pytest.approx([12, 1, 2, 3], rel=1e-9)


def test_nothing_is_made_and_everything_leaves_in_the_end() -> None:
    rates = rates_at(15.2)
    totals = [
        as_vector(nusinersen.advance(amounts(12, 0, 0, 0), rates, jnp.asarray([hours]))).sum()
        for hours in (0.0, 1.0, 24.0, 1e3, 1e4, 1e5, 1e6)
    ]
    assert np.all(np.diff(totals) < 0)
    assert totals[0] == pytest.approx(12.0)
    assert totals[-1] < 1e-9


def test_terminal_half_life_is_the_published_one() -> None:
    expected = load_facts("dosing").fact("nusinersen_csf_half_life_days").number
    rates = rates_at(15.2)
    late = [
        as_vector(nusinersen.advance(amounts(12, 0, 0, 0), rates, jnp.asarray([day * 24.0])))[0]
        for day in (400.0, 800.0)
    ]
    half_life_days = 400.0 * LN2 / np.log(late[0] / late[1])
    assert half_life_days == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("table", "day_column", "trough_column", "regimen"),
    [
        ("nusinersen_simulated_trough", "day_standard", "trough_standard_ng_per_ml", "standard_12mg"),
        ("nusinersen_simulated_trough_high_dose", "day", "trough_ng_per_ml", "high_50_28mg"),
    ],
)
def test_troughs_are_near_the_published_ones(
    table: str, day_column: str, trough_column: str, regimen: str
) -> None:
    """Published troughs in spinal fluid, simulated for a child of the reference weight, before the dose of the day."""
    rows = load_facts("dosing").table(table)
    doses = dosing(regimen)
    interval, last_mg = 120.0, doses[-1][1]
    doses += [(doses[-1][0] + interval * (n + 1), last_mg) for n in range(6)]
    for day, trough in zip(rows.column(day_column), rows.column(trough_column), strict=True):
        given_before = [(d, mg) for d, mg in doses if d < day]
        total = sum(
            as_vector(
                nusinersen.advance(amounts(mg, 0, 0, 0), rates_at(15.2), jnp.asarray([(day - d) * 24.0]))
            )[0]
            for d, mg in given_before
        )
        assert 1000.0 * total / 0.433 == pytest.approx(trough, rel=0.1), (regimen, day)


@given(
    level=st.floats(0, 10),
    target=st.floats(0, 10),
    half_life=st.floats(1.0, 5000.0),
    hours=st.floats(0.0, 20_000.0),
)
def test_first_order_follows_its_equation(
    level: float, target: float, half_life: float, hours: float
) -> None:
    got = float(
        first_order(jnp.asarray(level), jnp.asarray(target), jnp.asarray(half_life), jnp.asarray(hours))
    )
    assert got == pytest.approx(target + (level - target) * 0.5 ** (hours / half_life), rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(
    depot=st.floats(0, 10),
    product=st.floats(0, 10),
    depot_half_life=st.floats(20.0, 5000.0),
    ratio=st.one_of(st.just(1.0), st.floats(0.05, 20.0), st.floats(0.999999, 1.000001)),
    hours=st.floats(0.0, 20_000.0),
)
def test_depot_and_product_follow_a_matrix_exponential(
    depot: float, product: float, depot_half_life: float, ratio: float, hours: float
) -> None:
    out, away = LN2 / depot_half_life, LN2 / (depot_half_life * ratio)
    expected = expm(np.array([[-out, 0.0], [out, -away]]) * hours) @ [depot, product]
    arguments = (depot, product, depot_half_life, depot_half_life * ratio, hours)
    got = [float(value) for value in depot_and_product(*(jnp.asarray(value) for value in arguments))]
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_one_unit_of_depot_makes_one_unit_of_product() -> None:
    """A product that never decays collects the whole depot."""
    collected = depot_and_product(*(jnp.asarray(v) for v in (2.0, 0.0, 100.0, 1e12, 1e5)))[1]
    assert float(collected) == pytest.approx(2.0, rel=1e-6)
