"""Results do not depend on how they are computed: visits, order of arms, workers, other people, other arms."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import motorpool
from motorpool.engine import blocks
from motorpool.engine.native import machine, program
from motorpool.simulation import measuring
from tests.simulation.run_samples import scenario, simulate
from tests.support.everything import EVERYTHING


def equal(first: Any, second: Any, names: list[str] | None = None) -> None:
    for name in names or [str(name) for name in first.data_vars]:
        a, b = np.asarray(first[name].values), np.asarray(second[name].values)
        assert a.shape == b.shape, name
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    first = simulate()
    again = motorpool.simulate(scenario()).dataset
    equal(first, again)
    other = simulate(seed=2)
    assert not np.array_equal(first["chop_intend__true"], other["chop_intend__true"], equal_nan=True)


def test_visits_do_not_change_anybody() -> None:
    usual = simulate()
    others = simulate(visits_months=[1.5, 6, 7, 9, 10.25, 12])
    common = [0.0, 6.0, 9.0, 12.0]
    at_visits = [str(name) for name, values in usual.data_vars.items() if "visit_month" in values.dims]
    equal(usual.sel(visit_month=common), others.sel(visit_month=common), at_visits)
    rest = [str(name) for name in usual.data_vars if str(name) not in at_visits]
    equal(usual, others, rest)


def test_the_order_and_the_company_of_arms_do_not_matter() -> None:
    usual = simulate()
    arms = scenario()["arms"]
    turned = simulate(
        arms={
            "nusinersen": arms["nusinersen"],
            "everything": {"therapies": list(EVERYTHING)},
            "untreated": arms["untreated"],
        }
    )
    equal(usual, turned.sel(arm=["untreated", "nusinersen"]))


def test_the_number_of_workers_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    many = scenario(cohort__patients=600, horizon_months=3)
    monkeypatch.setattr(program, "workers", lambda: 1)
    alone = motorpool.simulate(many).dataset
    monkeypatch.setattr(program, "workers", lambda: 3)
    together = motorpool.simulate(many).dataset
    equal(alone, together)

    # And a person is the same in a large cohort and in a small one.
    fewer = motorpool.simulate(scenario(cohort__patients=300, horizon_months=3)).dataset
    names = [str(name) for name, values in fewer.data_vars.items() if "patient" in values.dims]
    equal(alone.isel(patient=slice(0, 300)), fewer, names)


def test_adding_a_knowledge_draw_changes_no_other() -> None:
    two = simulate(uncertainty={"knowledge_draws": 2})
    three = simulate(uncertainty={"knowledge_draws": 3})
    equal(two, three.isel(draw=[0, 1]))
    assert not np.array_equal(
        two["hine2__true"].isel(draw=0), two["hine2__true"].isel(draw=1), equal_nan=True
    )


@contextlib.contextmanager
def noting_programs() -> Iterator[set[str]]:
    """Keys of the programs that are compiled or read from disk within."""
    keys: set[str] = set()
    function_of: Callable[..., Any] = machine.function_of

    def noted(key: str, *others: Any) -> Any:
        keys.add(key)
        return function_of(key, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "function_of", noted)
        yield keys


@pytest.fixture(scope="module")
def usual_programs() -> set[str]:
    """Keys of all programs that a run needs."""
    blocks._program.cache_clear()  # those in memory would not be noted
    with noting_programs() as keys:
        # Of people who are not recruited yet, with and without a transgene.
        plans = {"untreated": {"therapies": []}, "gene": {"therapies": [{"therapy": "onasemnogene"}]}}
        motorpool.simulate(scenario(seed=77, arms=plans))
    assert keys
    return keys


def assert_needs_no_other_program(usual: set[str], **changes: Any) -> None:
    measurements = measuring._seen._cache_size()
    with noting_programs() as keys:
        motorpool.simulate(scenario(**changes))
    assert keys <= usual
    assert measuring._seen._cache_size() == measurements


PLANS: dict[str, list[dict[str, Any]]] = {
    "everything": list(EVERYTHING),
    "irregular doses": [
        {"therapy": "nusinersen", "regimen": "high_dose", "missed_doses": [2], "late_days_mean": 5}
    ],
    "one after another": [
        {"therapy": "nusinersen", "stop": {"after_months": 4}},
        {"therapy": "risdiplam", "start": {"after": "nusinersen"}},
    ],
    "cells": [
        {
            "therapy": "cell_therapy",
            "doses": 12,
            "interval_weeks": 4,
            "route": "intravenous",
            "cell_type": "neural",
        }
    ],
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_changing_a_plan_never_recompiles(plan: list[dict[str, Any]], usual_programs: set[str]) -> None:
    arms = {"untreated": {"therapies": []}, "other": {"therapies": plan}}
    assert_needs_no_other_program(usual_programs, arms=arms)


@pytest.mark.parametrize(
    "changes",
    [
        {"horizon_months": 7, "visits_months": [0.5, 4.25, 7]},
        {"horizon_months": 60, "visits_months": {"every": 12}},
        {"seed": 5},
        {"cohort__patients": 17},
        {"cohort__enrolment": {"age_months": {"min": 60, "max": 90}}, "cohort__smn2_copies": 4},
        {"care": "proactive"},
    ],
    ids=["shorter", "longer", "another seed", "fewer patients", "older patients", "other care"],
)
def test_changing_times_or_patients_never_recompiles(
    changes: dict[str, Any], usual_programs: set[str]
) -> None:
    assert_needs_no_other_program(usual_programs, **changes)


def test_zero_effect_cells_leave_true_and_observed_scores_untouched_but_their_burden_counts() -> None:
    cells = {"therapy": "cell_therapy", "effect": "none", "doses": 4}
    arms = {
        "without": {"therapies": [{"therapy": "nusinersen"}]},
        "with": {"therapies": [{"therapy": "nusinersen"}, cells]},
    }
    data = simulate(arms=arms, comparator="without", cohort__patients=60)
    burden = {"adverse_event_count", "procedure_count", "therapy_started"}
    for name, values in data.data_vars.items():
        if "arm" in values.dims and name not in burden:
            without, with_cells = (np.asarray(values.sel(arm=arm)) for arm in ("without", "with"))
            assert np.array_equal(without, with_cells, equal_nan=without.dtype.kind == "f"), name
    punctures = data["procedure_count"].sel(procedure="lumbar_puncture")
    alive = data["alive"].sel(arm="with", draw=0).isel(visit_month=-1).values
    extra = (punctures.sel(arm="with") - punctures.sel(arm="without")).values[0]
    assert (extra[alive] == 4).all()
    more = (
        data["adverse_event_count"].sel(arm="with").sum()
        - data["adverse_event_count"].sel(arm="without").sum()
    )
    assert float(more) > 0.0
    same_events = data["adverse_event_count"].sel(adverse_event="lumbar_puncture_headache")
    assert (same_events.sel(arm="with").values == same_events.sel(arm="without").values).all()
