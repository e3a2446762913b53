"""Every number the model needs has a record, and every record is a number the model needs."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.evidence.parameters import (
    ParameterError,
    ParameterRecord,
    ParameterTable,
    Prior,
    load_parameter_table,
)
from motorpool.evidence.sources import load_sources
from motorpool.simulation.model import parameter_draw

TABLE = load_parameter_table()


class Watched(ParameterTable):
    """A table that remembers which records were asked for."""

    def __init__(self) -> None:
        super().__init__(list(TABLE.values()))
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> ParameterRecord:
        self.asked.add(key)
        return super().__getitem__(key)


def asked_by_the_model() -> set[str]:
    table = Watched()
    central = dict(TABLE.central_values())
    table.central_values = lambda: central  # type: ignore[method-assign]
    parameter_draw(None, 1, table=table)
    return table.asked


def test_every_record_is_used_by_the_model() -> None:
    dead = set(TABLE) - asked_by_the_model()
    assert not dead, f"records that nothing reads: {sorted(dead)}"


def test_a_number_without_a_record_is_an_error_that_names_the_nearest() -> None:
    @dataclasses.dataclass(frozen=True)
    class Needs:
        turnover_time_year: Any

    with pytest.raises(ParameterError, match="smn.turnover_time_years"):
        TABLE.fill(Needs, "smn", {})
    with pytest.raises(ParameterError, match="neurons.death_rate_per_year"):
        TABLE["neurons.deth_rate_per_year"]


def test_a_removed_record_stops_the_model() -> None:
    fewer = ParameterTable(
        [record for name, record in TABLE.items() if name != "neurons.death_rate_per_year"]
    )
    with pytest.raises(ParameterError, match="neurons.death_rate_per_year"):
        parameter_draw(None, 1, table=fewer)


def test_a_changed_value_reaches_the_model() -> None:
    record = TABLE["neurons.death_rate_per_year"]
    changed = record.model_copy(update={"value": record.bounds[1]})
    table = ParameterTable([changed if name == record.id else other for name, other in TABLE.items()])
    draw = parameter_draw(None, 1, table=table)
    assert float(draw.model.biology.neurons.death_rate_per_year) == pytest.approx(record.bounds[1])
    assert table.digest() != TABLE.digest()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_priors_stay_within_bounds_and_around_the_value(name: str) -> None:
    record = TABLE[name]
    low, high = record.bounds
    draws = np.asarray([np.atleast_1d(record.draw(7, number)) for number in range(60)])
    assert draws.shape[1] == len(record.values)
    assert np.isfinite(draws).all()
    assert (draws >= low).all()
    assert (draws <= high).all()
    if record.prior.distribution == "fixed":
        assert (draws == np.asarray(record.values)).all()
    else:
        assert np.unique(draws).size > 30
        if record.prior.distribution != "mixture":
            inside = np.asarray(
                [record.prior.quantile(u, record.values[0], record.bounds) for u in (0.005, 0.995)]
            )
            near = 0.01 * (high - low)  # a value may lie at a bound
            assert inside[0] < record.values[0] + near
            assert inside[1] > record.values[0] - near


def test_draws_depend_on_seed_number_and_name_alone() -> None:
    record = TABLE["neurons.death_rate_per_year"]
    assert record.draw(1, 3) == record.draw(1, 3)
    assert len({record.draw(seed, number) for seed in (1, 2) for number in range(5)}) == 10
    other = TABLE["neurons.recovery_rate_per_year"].model_copy(
        update={name: getattr(record, name) for name in ("value", "bounds", "prior")}
    )
    assert other.draw(1, 3) != record.draw(1, 3)
    alone = ParameterTable([record])
    assert alone.drawn_values(1, 3)[record.id] == TABLE.drawn_values(1, 3)[record.id]


@given(u=st.floats(0.001, 0.999), later=st.floats(0.001, 0.999))
def test_quantiles_rise(u: float, later: float) -> None:
    low, high = sorted((u, later))
    for name in ("neurons.death_rate_per_year", "cells.total_effect_smd", "smn.need_decline_start_age_years"):
        record = TABLE[name]
        first, second = (record.prior.quantile(x, record.values[0], record.bounds) for x in (low, high))
        assert first <= second + 1e-9


def test_the_prior_of_the_total_effect_of_cells_is_wide_and_centred_near_nothing() -> None:
    record = TABLE["cells.total_effect_smd"]
    draws = np.asarray([record.draw(3, number) for number in range(2000)])
    assert abs(np.median(draws)) < 0.1
    assert (draws < 0).mean() > 0.2  # harm is possible
    assert np.quantile(draws, 0.98) > 0.4


def test_every_source_of_a_parameter_is_known() -> None:
    known = set(load_sources())
    unknown = {
        (name, source) for name, record in TABLE.items() for source in record.sources if source not in known
    }
    assert not unknown


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": 3.0}, "outside its bounds"),
        ({"bounds": (2.0, 1.0)}, "increasing"),
        ({"origin": "publication"}, "source"),
        ({"prior": {"distribution": "normal"}}, "needs sd"),
        ({"prior": {"distribution": "fixed", "sd": 1.0}}, "needs no further field"),
    ],
)
def test_bad_records_are_refused(fields: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "id": "a.b",
        "symbol": "x",
        "value": 1.0,
        "unit": "1",
        "bounds": (0.0, 2.0),
        "prior": Prior(distribution="fixed"),
        "origin": "judgement",
        "description": "d",
    }
    ParameterRecord(**good)
    with pytest.raises(ValueError, match=message):
        ParameterRecord(**{**good, **fields})


def test_a_repeated_id_is_refused() -> None:
    record = TABLE["neurons.death_rate_per_year"]
    with pytest.raises(ParameterError, match="twice"):
        ParameterTable([record, record])
