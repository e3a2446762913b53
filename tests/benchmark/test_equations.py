"""The right-hand side that peers are given: compiled as traced, and the same as that of the engine's reference test."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from motorpool.benchmark.cases import CASES, Case, population
from motorpool.benchmark.compiled import person_data, right_hand_side
from motorpool.benchmark.equations import SEGMENT_NUMBERS, Problem, derivative, double_parameters, problem_of
from motorpool.benchmark.errors import reference, relative_error
from motorpool.engine.grid import FIRST_HOUR
from tests.support import reference_integrator

PEOPLE = 2
NUSINERSEN, RISDIPLAM = (dataclasses.replace(case, study_years=0.5) for case in CASES[:2])


@pytest.fixture(scope="module", params=(NUSINERSEN, RISDIPLAM), ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def problem(case: Case) -> Problem:
    return problem_of(population(case, PEOPLE))


@pytest.mark.slow
def test_the_compiled_function_is_the_traced_one(problem: Problem) -> None:
    rates = np.empty_like(problem.initial[0])
    with jax.enable_x64(True):
        traced = jax.jit(derivative)
        for person in range(PEOPLE):
            data = person_data(problem, person)
            for segment, begin, end in zip(
                problem.segments, problem.edges[:-1], problem.edges[1:], strict=True
            ):
                data[:SEGMENT_NUMBERS] = segment
                state = 0.9 * problem.initial[person]
                for hour in np.linspace(begin, end, 3):
                    right_hand_side().call(hour, state.ctypes.data, rates.ctypes.data, data.ctypes.data)
                    expected = traced(hour, state, segment, problem.traits[person], problem.table[person])
                    np.testing.assert_allclose(rates, np.asarray(expected), rtol=1e-12, atol=1e-18)


@pytest.mark.slow
def test_the_solution_is_that_of_the_independent_reference(case: Case, problem: Problem) -> None:
    """The two share the model's functions and nothing else: how drugs, segments and states are handled differs."""
    people = population(case, PEOPLE)
    treatment = people.treatment()
    happenings = reference_integrator.Happenings(
        FIRST_HOUR, int(people.hours[-1]), treatment.doses, treatment.rates
    )
    found = reference(problem)
    person = jax.tree.map(lambda leaf: leaf[:1], people.span.person)
    with jax.enable_x64(True):
        parameters, protocol = double_parameters()
        solution = reference_integrator.solve(person, happenings, protocol, parameters)
        expected = np.stack([solution.at(float(hour)) for hour in problem.looks])
    # Days after a dose are counted from the dose here, and from mid-gestation there: weight is updated at other hours.
    assert relative_error(found[:, :1], expected[:, None]) < 1e-5


@pytest.mark.slow
def test_the_engine_solves_these_equations(case: Case, problem: Problem) -> None:
    states = population(case, PEOPLE).states_at(problem.looks)
    assert relative_error(states, reference(problem)) < 2e-3
