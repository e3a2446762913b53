"""The measurement: the error of the engine, each peer's cheapest setting that is as exact, and times side by side."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool import __version__
from motorpool.benchmark.cases import CASES, Case, Population, population
from motorpool.benchmark.equations import problem_of
from motorpool.benchmark.errors import reference, relative_error
from motorpool.benchmark.latency import latency
from motorpool.benchmark.machine import this_machine
from motorpool.benchmark.peers.batched import diffrax_peers
from motorpool.benchmark.peers.compiled_loops import numbalsoda_peers
from motorpool.benchmark.peers.one_by_one import scipy_peers, sundials_peers
from motorpool.benchmark.peers.peer import COMPARED_PEOPLE, Peer, Solve

Numbers = NDArray[np.float64]
Tell = Callable[[str, float], None]
QUICK_CASES, QUICK_PEOPLE = 2, 256
PEOPLE, REPEATS = 4096, 3
NOT_COMPARABLE = (
    {
        "name": "libRoadRunner",
        "why": "not comparable: its models hold neither arrays nor tables, so that drug amounts in closed form cannot "
        "drive the equations; the integrator inside it, CVODE, is compared instead",
    },
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured: cases, people whom the engine carries, repeats, and whether latency is measured too."""

    cases: Sequence[Case] = CASES
    people: int = PEOPLE
    repeats: int = REPEATS
    latency: bool = True

    @property
    def lived_years(self) -> float:
        """Years of life of one person in every case."""
        return sum(case.lived_years for case in self.cases)


def all_peers() -> tuple[Peer, ...]:
    """Every peer, the fastest kinds first."""
    return (*numbalsoda_peers(), *diffrax_peers(), *sundials_peers(), *scipy_peers())


def quick_plan(people: int | None = None) -> Plan:
    """A first impression: infants only, fewer people, one repeat."""
    return Plan(CASES[:QUICK_CASES], people or QUICK_PEOPLE, repeats=1)


@dataclasses.dataclass(frozen=True)
class Spent:
    """Seconds of one run: on the clock, and of all cores together."""

    wall: float
    cpu: float


@dataclasses.dataclass
class Contestant:
    """A peer that can be measured: its chosen setting, its error there, and its runs."""

    peer: Peer
    setting: float
    error: float
    runs: list[Callable[[], Any]]
    spent: list[Spent] = dataclasses.field(default_factory=list[Spent])


def benchmark(plan: Plan, peers: Sequence[Peer], tell: Tell) -> dict[str, Any]:
    """Measure the engine and the peers on this machine; the result is plain data, ready for JSON."""
    tell("preparing people and equations", 0.0)
    populations = [population(case, plan.people) for case in plan.cases]
    most = max([COMPARED_PEOPLE, *(peer.people for peer in peers)])
    few = [population(case, most) for case in plan.cases]
    problems = [problem_of(people) for people in few]
    exact: list[Numbers] = []
    for place, problem in enumerate(problems):
        tell("solving exactly", place / len(problems))
        exact.append(reference(problem.first(COMPARED_PEOPLE)))
    error = max(
        relative_error(people.states_at(problem.looks)[:, :COMPARED_PEOPLE], solution)
        for people, problem, solution in zip(few, problems, exact, strict=True)
    )
    contestants: list[Contestant] = []
    left_out: list[dict[str, str]] = []
    for place, peer in enumerate(peers):
        tell(f"choosing the setting of {peer.name}", place / len(peers))
        try:
            solvers = [peer.prepare(problem.first(peer.people)) for problem in problems]
            setting, found = _cheapest_setting(peer, solvers, exact, error)
        except ImportError:
            left_out.append({"name": peer.name, "why": f"not installed: {peer.install}"})
        except Exception as failure:
            why = f"{type(failure).__name__}: {failure}".splitlines()[0]
            left_out.append({"name": peer.name, "why": f"cannot be built: {why}"})
        else:
            runs = [_bound(solve, setting) for solve in solvers]
            contestants.append(Contestant(peer, setting, found, runs))
    ours = _measure(populations, contestants, plan.repeats, tell)
    found_latency: dict[str, Any] = {}
    if plan.latency:
        tell("simulating a small study", 0.0)
        found_latency = latency()
    return {
        "machine": this_machine(),
        "version": __version__,
        "cases": [case.name for case in plan.cases],
        "ours": _ours(ours, populations, error),
        "peers": [_theirs(one, plan, ours, populations) for one in contestants],
        "left_out": [*left_out, *NOT_COMPARABLE],
        "latency": found_latency,
    }


def _bound(solve: Solve, setting: float) -> Callable[[], Any]:
    return lambda: solve(setting)


def _cheapest_setting(
    peer: Peer, solvers: Sequence[Solve], exact: Sequence[Numbers], error: float
) -> tuple[float, float]:
    """The first setting whose error is not above ``error`` in any case, and its error; else the last one."""
    worst = float("inf")
    for setting in peer.settings:
        worst = 0.0
        for solve, solution in zip(solvers, exact, strict=True):
            worst = max(worst, relative_error(solve(setting)[:, :COMPARED_PEOPLE], solution))
            if worst > error:
                break
        else:
            return setting, worst
    return peer.settings[-1], worst


def _measure(
    populations: Sequence[Population], contestants: Sequence[Contestant], repeats: int, tell: Tell
) -> list[Spent]:
    """Time engine and peers by turns, so that what else the machine does meets them alike; returns the engine's."""
    engine = [population.carry for population in populations]
    tell("compiling", 0.0)
    _timed(engine)
    ours: list[Spent] = []
    turns = max(1, len(contestants)) * repeats
    for turn in range(turns):
        ours.append(_timed(engine))
        if contestants:
            one = contestants[turn % len(contestants)]
            tell(f"timing {one.peer.name}", turn / turns)
            one.spent.append(_timed(one.runs))
    return ours


def _timed(runs: Sequence[Callable[[], Any]]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    for run in runs:
        run()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _median_cpu(spent: Sequence[Spent]) -> float:
    return statistics.median(one.cpu for one in spent)


def _ours(spent: Sequence[Spent], populations: Sequence[Population], error: float) -> dict[str, Any]:
    years = sum(population.patient_years for population in populations)
    return {
        "patient_years_per_second": years / statistics.median(one.wall for one in spent),
        "patient_years_per_cpu_second": years / _median_cpu(spent),
        "relative_error": error,
        "people": populations[0].span.patients,
        "patient_years": years,
    }


def _theirs(
    one: Contestant, plan: Plan, ours: Sequence[Spent], populations: Sequence[Population]
) -> dict[str, Any]:
    rate = plan.lived_years * one.peer.people / _median_cpu(one.spent)
    our_rate = sum(population.patient_years for population in populations) / _median_cpu(ours)
    return {
        "name": one.peer.name,
        "version": metadata.version(one.peer.package),
        "patient_years_per_cpu_second": rate,
        "relative_error": one.error,
        "ratio": our_rate / rate,
        "how": one.peer.how,
        "setting": f"{one.peer.setting} {one.setting:g}",
        "people": one.peer.people,
    }
