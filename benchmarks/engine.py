"""Patient-years per second of the engine beside SciPy LSODA and diffrax on the same equations, with the error of each.

Run from the checkout:  .venv/bin/python -m benchmarks.engine  (a few minutes; nothing else should be running)

The peers integrate the body and the SMN level only, restarting at every dose, with the drugs given in closed form: less
than the engine does, which also gives doses, follows rules, integrates hazards and evaluates every outcome at every
step. Error is the largest |difference| from DOP853 at 1e-10 over all states after five years, relative to
max(|value|, 1 % of the state's range).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.blocks import BLOCK_PATIENTS
from motorpool.engine.compile_plan import cell_protocol
from motorpool.engine.grid import FIRST_HOUR
from motorpool.simulation.api import keep_compiled_programs
from motorpool.simulation.model import parameter_draw
from motorpool.therapies.kinds import KIND_INDEX, KINDS
from tests.support import lives
from tests.support.reference_integrator import (
    Happenings,
    _derivative,
    _empty,
    _influence,
    named,
    prepare,
    smn,
    solve,
)

END_YEARS = 5
START_YEARS = 0.5
REFERENCE_PEOPLE = 3
LIFE_YEARS = END_YEARS - FIRST_HOUR / HOURS_PER_YEAR
COURSES = lives.courses_from({"therapy": "nusinersen", "start": {"age_months": 12 * START_YEARS}})


def nusinersen_doses() -> dict[int, np.ndarray]:
    """The doses that the engine gave, by hour of age."""
    life = lives.live(COURSES, lives.people(smn2_copies=[2.0]), until_years=END_YEARS)
    doses = {}
    for day, amount in life.dose_days():
        dose = np.zeros(len(KINDS))
        dose[KIND_INDEX["nusinersen"]] = amount
        doses[round(day * HOURS_PER_DAY)] = dose
    return doses


def largest_error(found: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> float:
    """Largest relative error over all states."""
    worst = 0.0
    for name, value in exact.items():
        span = 120.0 if name == "cobb_degrees" else 1.0
        scale = np.maximum(np.abs(value), 0.01 * span)
        worst = max(worst, float(np.max(np.abs(found[name] - value) / scale)))
    return worst


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, wall seconds and CPU seconds of the second call (the first compiles)."""
    run()
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def report(name: str, people: int, wall: float, cpu: float, error: float | None) -> None:
    """One row of the table."""
    years = people * LIFE_YEARS
    shown = "" if error is None else f"{error:.1e}"
    print(f"| {name} | {years / wall:,.0f} | {years / cpu:,.0f} | {shown} |", flush=True)


def main() -> None:
    """Run everything and print a table."""
    keep_compiled_programs()
    print("| engine | patient-years per second | per CPU-second | largest error |\n|---|---|---|---|")
    doses = nusinersen_doses()
    happenings = Happenings(FIRST_HOUR, END_YEARS * HOURS_PER_YEAR, doses, {})
    rng = np.random.default_rng(1)
    copies = rng.choice([2.0, 3.0, 4.0], BLOCK_PATIENTS)
    traits = {"log_vulnerability": rng.normal(0, 0.1, BLOCK_PATIENTS)}
    everyone = lives.people(smn2_copies=copies, **traits)

    jax.config.update("jax_enable_x64", True)
    double = parameter_draw(None, 1, dtype=jnp.float64)
    protocol = cell_protocol(COURSES)
    persons = [
        jax.tree.map(lambda leaf, p=p: np.asarray(leaf)[..., p : p + 1], everyone)
        for p in range(REFERENCE_PEOPLE)
    ]
    exact = [solve(person, happenings, protocol, double.model) for person in persons]
    ends = [named(solution.at(END_YEARS * HOURS_PER_YEAR)) for solution in exact]
    jax.config.update("jax_enable_x64", False)

    life, wall, cpu = timed(lambda: lives.live(COURSES, everyone, until_years=END_YEARS))
    fields = {name: np.asarray(getattr(life.end.body, name)) for name in life.end.body.__dataclass_fields__}
    fields["smn"] = np.asarray(life.end.smn)
    error = max(
        largest_error({name: value[..., p] for name, value in fields.items()}, ends[p])
        for p in range(REFERENCE_PEOPLE)
    )
    report(f"motorpool, float32, {BLOCK_PATIENTS} people, everything", BLOCK_PATIENTS, wall, cpu, error)

    jax.config.update("jax_enable_x64", True)
    for tolerance in (1e-4, 1e-6):
        found, wall, cpu = timed(
            lambda tolerance=tolerance: [
                solve(
                    person,
                    happenings,
                    protocol,
                    double.model,
                    method="LSODA",
                    rtol=tolerance,
                    atol=tolerance * 1e-2,
                )
                for person in persons
            ]
        )
        error = max(
            largest_error(named(one.at(END_YEARS * HOURS_PER_YEAR)), end)
            for one, end in zip(found, ends, strict=True)
        )
        report(f"SciPy LSODA, rtol {tolerance:g}, one by one", REFERENCE_PEOPLE, wall, cpu, error)
    _diffrax(everyone, 32, happenings, protocol, double, ends)


def _diffrax(
    everyone: Any, batch: int, happenings: Happenings, protocol: Any, double: Any, ends: Any
) -> None:
    import diffrax

    chosen = [
        jax.tree.map(lambda leaf, p=p: np.asarray(leaf)[..., p : p + 1], everyone) for p in range(batch)
    ]
    problems = [prepare(person, happenings, protocol, double.model) for person in chosen]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *problems)
    begin = jnp.asarray(float(happenings.start_hours))

    def initial(problem: Any) -> Any:
        nothing = _influence(begin, jnp.asarray(0.0), problem)
        return ravel_pytree((_empty()[0], smn.target_level(problem.person, nothing)))[0]

    jumps = jnp.asarray(sorted(float(hour) for hour in happenings.doses))
    term = diffrax.ODETerm(lambda hour, state, problem: _derivative(hour, state, jnp.asarray(0.0), problem))

    def solver(controller: Any, first_step: float | None) -> Any:
        def one(problem: Any) -> Any:
            found = diffrax.diffeqsolve(
                term,
                diffrax.Tsit5(),
                begin,
                float(happenings.end_hours),
                first_step,
                initial(problem),
                args=problem,
                stepsize_controller=controller,
                max_steps=200_000,
            )
            return found.ys[-1]

        return jax.jit(jax.vmap(one))

    adaptive = diffrax.PIDController(rtol=1e-4, atol=1e-6)
    adaptive = diffrax.ClipStepSizeController(adaptive, jump_ts=jumps)
    for name, run in (
        ("diffrax Tsit5, rtol 1e-4", solver(adaptive, None)),
        ("diffrax Tsit5, fixed daily steps", solver(diffrax.ConstantStepSize(), 24.0)),
    ):
        states, wall, cpu = timed(lambda run=run: jax.block_until_ready(run(stacked)))
        error = max(largest_error(named(np.asarray(states[p])), ends[p]) for p in range(REFERENCE_PEOPLE))
        report(f"{name}, vmap over {batch}", batch, wall, cpu, error)


if __name__ == "__main__":
    main()
