"""Speed and error of the engine beside general-purpose integrators on the same equations, persons and plan.

Every method carries people from mid-gestation to an age of two years under nusinersen from the age of three months.
Error is the largest |difference| / max(|value|, 1 % of the state's range) over all states at the end, against
SciPy's DOP853 at a relative tolerance of 1e-10 in double precision. Compilation is not timed.

Run from the root of the checkout: ``python -m benchmarks.engine [--people N] [--markdown FILE]``.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from motorpool.biology.vocabulary import HOURS_PER_YEAR
from motorpool.cohorts.traits import draw_people
from motorpool.engine.blocks import BLOCK_PATIENTS, Setting, Span, begin_life, simulate_span
from motorpool.engine.compile_plan import cell_protocol, compile_plan, planned_jumps
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid
from motorpool.therapies.kinds import KIND_INDEX, KINDS
from tests.support import lives
from tests.support.reference_integrator import STATE_NAMES, Happenings, _derivative, named, prepare, solve

ENROLMENT_YEARS, UNTIL_YEARS, CARE = 0.25, 2.0, 1.0
LIVED_YEARS = UNTIL_YEARS - FIRST_HOUR / HOURS_PER_YEAR
REFERENCE_PEOPLE = 4
STEP_HOURS = HOURS_PER_YEAR / 48  # the base step of the engine in the first years of life


@dataclasses.dataclass(frozen=True)
class Row:
    """One method: seconds for so many people, and its error."""

    method: str
    people: int
    seconds: float
    error: float

    @property
    def patient_years_per_second(self) -> float:
        return self.people * LIVED_YEARS / self.seconds


def timed(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Shortest of some repetitions, after one that compiles."""
    result = jax.block_until_ready(work())
    spent: list[float] = []
    for _ in range(repeats):
        begun = time.perf_counter()
        result = jax.block_until_ready(work())
        spent.append(time.perf_counter() - begun)
    return min(spent), result


def some_people(count: int) -> Any:
    draw = lives.central_draw()
    copies = jnp.asarray(np.resize([2, 3, 2, 4], count))
    none = jnp.zeros(count)
    identity = jnp.arange(count)
    who = draw_people(1, identity, none, copies, none - 1, draw.people, draw.model.biology.smn)
    return dataclasses.replace(who, tube_feeding_draw=jnp.full(count, lives.NOT_WITHIN_A_LIFE))


def person_of(people: Any, index: int) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[index : index + 1], people)


def engine(people: Any, count: int) -> tuple[float, Any, Happenings]:
    """Seconds for whole blocks of people, their states at the end, and what was given to everybody."""
    courses = lives.courses_from({"therapy": "nusinersen"})
    anchors = lives.anchors_of(count, enrolment_years=ENROLMENT_YEARS)
    last = np.full(count, round(UNTIL_YEARS * HOURS_PER_YEAR), np.int32)
    base = np.repeat(life_boundaries(int(last[0]))[:, None], count, axis=1)
    first = np.full(count, FIRST_HOUR, np.int32)
    grid = personal_grid(base, planned_jumps(courses, anchors, last), first, last)
    span = Span(grid, people, jnp.zeros(count, jnp.uint32), compile_plan(courses, anchors))
    setting = Setting(jnp.float32(CARE), cell_protocol(courses), lives.central_draw().model)
    seconds, (state, path) = timed(lambda: simulate_span(begin_life(span, setting), span, setting))
    given = np.asarray(path.doses)[:, :, 0].sum(axis=1)
    nusinersen = np.zeros(len(KINDS))
    nusinersen[KIND_INDEX["nusinersen"]] = 1.0
    doses = {int(grid[row, 0]): given[row] * nusinersen for row in np.flatnonzero(given > 0)}
    return seconds, state, Happenings(FIRST_HOUR, int(last[0]), doses, {})


def error_of(states: list[dict[str, Any]], references: list[dict[str, Any]]) -> float:
    biology = lives.central_draw().model.biology
    tops = {
        "muscle": float(biology.muscle.ceiling),
        "cobb_degrees": float(biology.skeleton.cobb_maximum_degrees),
    }
    worst = 0.0
    for state, reference in zip(states, references, strict=True):
        for name in STATE_NAMES:
            floor = 0.01 * tops.get(name, 1.0)
            difference = np.abs(np.asarray(state[name]) - reference[name])
            worst = max(worst, float((difference / np.maximum(np.abs(reference[name]), floor)).max()))
    return worst


def engine_states(state: Any) -> list[dict[str, Any]]:
    def of(index: int) -> dict[str, Any]:
        body = {n: np.asarray(getattr(state.body, n))[..., index] for n in STATE_NAMES if n != "smn"}
        return {**body, "smn": np.asarray(state.smn)[..., index]}

    return [of(index) for index in range(REFERENCE_PEOPLE)]


def diffrax_solver(
    problems: list[Any], starts: list[Any], happenings: Happenings, *, adaptive: bool, tolerance: float
) -> tuple[float, list[Any]]:
    """Diffrax's Tsit5 for all people at once (vmap), with the doses as known jumps."""
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *problems)
    initial = jnp.stack(starts)
    jumps = jnp.asarray(sorted(float(hour) for hour in happenings.doses))
    no_tube = jnp.asarray(0.0)

    def field(hour: Any, state: Any, problem: Any) -> Any:
        return _derivative(hour, state, no_tube, problem)

    if adaptive:
        basic = diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-2)
        controller: Any = diffrax.ClipStepSizeController(basic, jump_ts=jumps)
    else:
        controller = diffrax.ConstantStepSize()

    def one(problem: Any, state: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            diffrax.Tsit5(),
            float(happenings.start_hours),
            float(happenings.end_hours),
            STEP_HOURS if not adaptive else 1.0,
            state,
            args=problem,
            stepsize_controller=controller,
            saveat=diffrax.SaveAt(t1=True),
            max_steps=100_000,
        ).ys[0]

    compiled = jax.jit(jax.vmap(one))
    seconds, ends = timed(lambda: compiled(stacked, initial))
    return seconds, [named(np.asarray(end)) for end in ends[:REFERENCE_PEOPLE]]


def compare(count: int, few: int) -> list[Row]:
    people = some_people(count)
    seconds, state, happenings = engine(people, count)
    with jax.enable_x64(True):
        parameters = lives.central_draw(jnp.float64).model
        protocol = cell_protocol(lives.courses_from({"therapy": "nusinersen"}))

        def by_scipy(method: str, rtol: float, number: int) -> tuple[float, list[Any]]:
            solve(person_of(people, 0), happenings, protocol, parameters, method=method, rtol=1e-3, atol=1e-5)
            begun = time.perf_counter()
            found = [
                solve(
                    person_of(people, i),
                    happenings,
                    protocol,
                    parameters,
                    method=method,
                    rtol=rtol,
                    atol=rtol / 100,
                )
                for i in range(number)
            ]
            spent = time.perf_counter() - begun
            return spent, [named(one.at(float(happenings.end_hours))) for one in found]

        exact_seconds, references = by_scipy("DOP853", 1e-10, REFERENCE_PEOPLE)
        rows = [Row("motorpool, float32", count, seconds, error_of(engine_states(state), references))]
        for rtol in (1e-4, 1e-6):
            spent, found = by_scipy("LSODA", rtol, REFERENCE_PEOPLE)
            rows.append(
                Row(f"scipy LSODA, rtol {rtol:g}", REFERENCE_PEOPLE, spent, error_of(found, references))
            )
        rows.append(Row("scipy DOP853, rtol 1e-10 (reference)", REFERENCE_PEOPLE, exact_seconds, 0.0))
        problems = [prepare(person_of(people, i), happenings, protocol, parameters) for i in range(few)]
        starts = [
            jnp.asarray(
                solve(
                    person_of(people, i),
                    Happenings(FIRST_HOUR, FIRST_HOUR + 1, {}, {}),
                    protocol,
                    parameters,
                ).pieces[0][2](float(FIRST_HOUR))
            )
            for i in range(few)
        ]
        for label, adaptive, tolerance in (
            ("diffrax Tsit5, rtol 1e-4", True, 1e-4),
            ("diffrax Tsit5, rtol 1e-6", True, 1e-6),
            ("diffrax Tsit5, fixed steps of 7.6 days", False, 0.0),
        ):
            spent, found = diffrax_solver(
                problems, starts, happenings, adaptive=adaptive, tolerance=tolerance
            )
            rows.append(Row(label, few, spent, error_of(found, references)))
    return rows


def markdown(rows: list[Row]) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [
        f"{platform.machine()}, {cores} core(s), Python {platform.python_version()}, JAX {jax.__version__}, "
        f"diffrax {diffrax.__version__}",
        "",
        "| method | people | seconds | patient-years per second | largest relative error |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        error = "" if row.error == 0.0 else f"{row.error:.1e}"
        speed = f"{row.patient_years_per_second:,.1f}"
        lines.append(f"| {row.method} | {row.people} | {row.seconds:.2f} | {speed} | {error} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--people", type=int, default=BLOCK_PATIENTS, help="people for the engine; default one block"
    )
    parser.add_argument("--few", type=int, default=16, help="people for diffrax")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    table = markdown(compare(options.people, options.few))
    print(table)
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
