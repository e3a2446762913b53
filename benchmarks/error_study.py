"""Error against cost of the engine's numerical choices: grid, order, parts of a step upstream, precision.

Every choice is varied alone, in lives without treatment, with one therapy and with all but cells, surgery and what
depends on rules or luck, and held against SciPy's DOP853 at a tolerance of 1e-10. Run from the root of the checkout;
writes the table into the page and the figure beside it, and takes some minutes:

    python -m benchmarks.error_study             # --quick: one group of variants, for a test of this program
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import spearmanr

from benchmarks.error_figure import error_figure
from motorpool.benchmark.cases import SEED, Case, Population, population
from motorpool.benchmark.equations import problem_of
from motorpool.benchmark.errors import reference, relative_errors
from motorpool.biology.system import rates_of_change
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH
from motorpool.engine import blocks, grid, step, upstream
from motorpool.figures.mechanisms.files import write_figures
from motorpool.simulation.model import parameter_draw

PAGE = Path("docs/explanation/numerics.md")
IMAGES = Path("docs/images/numerics")
LOOK_MONTHS = (1, 3, 6, 12)  # after enrolment; whole months lie on every grid
COMPARED_PEOPLE, TIMED_PEOPLE, REPEATS = 8, 256, 3
EVERYTHING: tuple[dict[str, Any], ...] = (
    {"therapy": "nusinersen", "missed_doses": [4], "dose_changes": [{"from_months": 6, "factor": 1.5}]},
    {
        "therapy": "risdiplam",
        "start": {"at": "enrolment", "delay_days": 200},
        "pauses": [{"from_months": 2, "to_months": 4}],
        "stop": {"after_months": 9},
    },
    {"therapy": "onasemnogene", "start": {"at": "enrolment", "delay_days": 20}},
    {"therapy": "myostatin_inhibition"},
    {"therapy": "transmission_support", "stop": {"after_months": 7}},
    {"therapy": "rehabilitation"},
    {"therapy": "nutrition_support", "pauses": [{"from_months": 5, "to_months": 6}]},
    {"therapy": "brace", "stop": {"after_months": 10}},
)
HIGH_DOSE: dict[str, Any] = {"therapy": "nusinersen", "regimen": "high_dose"}
INTRATHECAL: dict[str, Any] = {"therapy": "onasemnogene", "route": "intrathecal"}
LIVES = (
    Case((), 2, 0.1, 2.0),
    Case((HIGH_DOSE,), 2, 0.1, 2.0),
    Case(EVERYTHING, 2, 0.03, 2.0),
    Case(EVERYTHING, 2, 0.1, 2.0),
    Case(EVERYTHING, 3, 2.1, 2.0),
    Case((INTRATHECAL, {"therapy": "risdiplam"}), 3, 2.0, 1.0),
    Case(EVERYTHING, 4, 15.1, 2.0),
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One choice that differs from the shipped engine: attributes of the engine's modules, or the precision."""

    group: str
    name: str
    grid: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    step: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    upstream: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    double: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What a variant costs and how exact it is; cost is None where the engine's own compiler does not make it."""

    variant: Variant
    steps_per_year: float
    microseconds_per_year: float | None
    largest: float
    usual: float


def midpoint(
    body: Any, at_start: Any, forcings: Any, years: Any, person: Any, parameters: Any
) -> tuple[Any, Any, Any]:
    """The explicit midpoint rule in the place of :func:`motorpool.engine.step.runge_kutta`."""
    _, middle, end = forcings

    def moved(rate: Any, share: float) -> Any:
        return jax.tree.map(lambda state, change: state + share * years * change, body, rate)

    half_way = moved(at_start, 0.5)
    there = moved(rates_of_change(half_way, middle, person, parameters.biology), 1.0)
    return half_way, there, rates_of_change(there, end, person, parameters.biology)


def variants() -> list[Variant]:
    """The shipped engine first, then every choice varied alone."""
    day = HOURS_PER_DAY
    after = {
        "no short steps": (0,),
        "1 day": (day,),
        "12 h, 4 days": (12, 4 * day),
        "1 h, 4 h, 1, 3, 6 days": (1, 4, day, 3 * day, 6 * day),
        "1, 2, 4, 8, 16 h, 1.5, 3, 6, 12 days": (1, 2, 4, 8, 16, 36, 3 * day, 6 * day, 12 * day),
    }
    return [
        Variant("as shipped", "as shipped"),
        *(
            Variant("steps per month", str(count), {"STEPS_PER_MONTH": count})
            for count in (1, 2, 4, 8)
            if count != grid.STEPS_PER_MONTH
        ),
        *(
            Variant("short steps after a dose", name, {"AFTER_A_JUMP_HOURS": hours})
            for name, hours in after.items()
            if hours != grid.AFTER_A_JUMP_HOURS
        ),
        *(
            Variant("monthly steps from an age of", f"{years} years", {"COARSE_AFTER_YEARS": years})
            for years in (1, 2, 3, 6, 100)
            if years != grid.COARSE_AFTER_YEARS
        ),
        *(
            Variant("parts of a step upstream", str(parts), upstream={"UPSTREAM_PARTS": parts})
            for parts in (2, 4, 8)
            if parts != upstream.UPSTREAM_PARTS
        ),
        Variant("order", "midpoint (second)", step={"runge_kutta": midpoint}),
        Variant(
            "order",
            "midpoint, 8 steps per month",
            {"STEPS_PER_MONTH": 8, "COARSE_AFTER_YEARS": 100},
            {"runge_kutta": midpoint},
        ),
        Variant("precision", "double", double=True),
    ]


@contextlib.contextmanager
def engine_with(variant: Variant) -> Iterator[None]:
    """The engine with other choices. Programs compiled under one choice are never met by another."""
    with contextlib.ExitStack() as stack:
        for module, changes in ((grid, variant.grid), (step, variant.step), (upstream, variant.upstream)):
            for name, value in changes.items():
                stack.enter_context(mock.patch.object(module, name, value))
        if variant.step or variant.upstream:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            stack.enter_context(mock.patch.dict(os.environ, {"XDG_CACHE_HOME": folder}))
            forget()
            stack.callback(forget)
        if variant.double:
            stack.enter_context(jax.enable_x64(True))
        yield


def forget() -> None:
    """Drop compiled programs."""
    blocks._program.cache_clear()
    blocks._through_jax.cache_clear()
    jax.clear_caches()


def carried(case: Case, count: int, *, double: bool) -> Population:
    """People of a case, in double precision if asked for."""
    people = population(case, count)
    if not double:
        return people
    span = dataclasses.replace(
        people.span,
        person=jax.tree.map(_widened, people.span.person),
        plan=jax.tree.map(_widened, people.span.plan),
    )
    parameters = parameter_draw(None, SEED, dtype=jnp.float64).model
    setting = dataclasses.replace(jax.tree.map(_widened, people.setting), parameters=parameters)
    return dataclasses.replace(people, span=span, setting=setting)


def _widened(leaf: Any) -> Any:
    array = np.asarray(leaf)
    return array.astype(np.float64) if array.dtype == np.float32 else array


class Study:
    """The lives, their exact solutions, and where they are looked at."""

    def __init__(self, lives: Sequence[Case]) -> None:
        """Solve every life exactly."""
        self.lives = lives
        self.looks: list[Any] = []
        self.exact: list[Any] = []
        for case in lives:
            people = population(case, COMPARED_PEOPLE)
            months = [case.enrolment_hours + round(month * HOURS_PER_MONTH) for month in (0, *LOOK_MONTHS)]
            problem = problem_of(people, months)
            self.looks.append(problem.looks)
            self.exact.append(reference(problem))

    def measure(self, variant: Variant) -> Found:
        """Errors of a variant in all lives, and its cost."""
        errors: list[Any] = []
        steps = years = 0.0
        with engine_with(variant):
            for case, looks, exact in zip(self.lives, self.looks, self.exact, strict=True):
                people = carried(case, COMPARED_PEOPLE, double=variant.double)
                errors.append(relative_errors(people.states_at(looks), exact).max(axis=-1).ravel())
                steps, years = steps + len(people.hours) - 1, years + case.lived_years
            cost = None if variant.double else self._cost()
        every = np.concatenate(errors)
        return Found(variant, steps / years, cost, float(every.max()), float(np.median(every)))

    def _cost(self) -> float:
        """Microseconds of all cores together per patient-year, median of some runs."""
        crowd = [population(case, TIMED_PEOPLE) for case in self.lives]
        spent: list[float] = []
        for _ in range(REPEATS + 1):
            begun = time.process_time()
            for people in crowd:
                people.carry()
            spent.append(time.process_time() - begun)
        return 1e6 * statistics.median(spent[1:]) / sum(people.patient_years for people in crowd)

    def estimates(self) -> tuple[Any, Any]:
        """Largest error of each person in each life: as it is, and as a run with halved steps estimates it."""
        true: list[Any] = []
        estimated: list[Any] = []
        for case, looks, exact in zip(self.lives, self.looks, self.exact, strict=True):
            people = population(case, COMPARED_PEOPLE)
            coarse = people.states_at(looks)
            finer = dataclasses.replace(people.span, grid_hours=halved(people.span.grid_hours))
            fine = dataclasses.replace(people, span=finer).states_at(looks)
            true.append(relative_errors(coarse, exact).max(axis=(0, 2)))
            estimated.append(relative_errors(coarse, fine).max(axis=(0, 2)))
        return np.concatenate(true), np.concatenate(estimated)


def halved(grid_hours: Any) -> Any:
    """A grid (K, P) with a boundary in the middle of every step."""
    finer = np.empty((2 * grid_hours.shape[0] - 1, grid_hours.shape[1]), np.int32)
    finer[0::2] = grid_hours
    finer[1::2] = (grid_hours[:-1].astype(np.int64) + grid_hours[1:]) // 2
    return finer


def table(found: list[Found]) -> str:
    """Markdown."""
    lines = [
        "| choice | variant | steps per patient-year | CPU time per patient-year | largest error | median error |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for one in found:
        cost = "" if one.microseconds_per_year is None else f"{one.microseconds_per_year:.1f} µs"
        lines.append(
            f"| {one.variant.group} | {one.variant.name} | {one.steps_per_year:.0f} | {cost} "
            f"| {one.largest:.1e} | {one.usual:.1e} |"
        )
    return "\n".join(lines)


def estimate_words(true: Any, estimated: Any) -> str:
    """How well halved steps tell the true error, in a sentence."""
    low, middle, high = np.quantile(estimated / true, [0.05, 0.5, 0.95])
    together = spearmanr(true, estimated)[0]
    return (
        f"In {true.size} people the largest error of each, estimated in this way, was {middle:.2f} times the true one\n"
        f"(nine in ten between {low:.2f} and {high:.2f} times; rank correlation {together:.2f})."
    )


def replace_between(page: Path, mark: str, text: str) -> None:
    """Put text between the two comments of a page that carry the mark."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Measure, and write page and figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="two lives and steps per month alone; writes nothing"
    )
    options = parser.parse_args()
    study = Study(LIVES[:2] if options.quick else LIVES)
    chosen = variants()[:4] if options.quick else variants()
    found: list[Found] = []
    for variant in chosen:
        found.append(study.measure(variant))
        print(table(found[-1:]).splitlines()[-1], flush=True)
    words = estimate_words(*study.estimates())
    print(words)
    if options.quick:
        return
    replace_between(PAGE, "table of the error study", table(found))
    replace_between(PAGE, "estimate of the error study", words)
    for path in write_figures([error_figure(found)], IMAGES):
        print(path)


if __name__ == "__main__":
    main()
