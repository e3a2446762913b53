"""The error of the engine's steps, measured now: the same people on the usual grid and on one with every step halved.

It complements the tests, which compare states with an independent integrator: here every outcome is looked at, with
the parameters in force, in many people, for some seconds.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_YEAR

Hours = NDArray[np.int32]
SEED = 1
ENROLMENT_YEARS, UNTIL_YEARS = 0.25, 3.0


class QuantityError(NamedTuple):
    """Error of one quantity as a share of its range: what most differences stay below, and the largest of all."""

    most: float
    largest: float


@dataclasses.dataclass(frozen=True)
class EngineError:
    """Errors of every quantity over all people and boundaries.

    Events that change the course (a feeding tube) happen at a boundary, so that they may come one step apart in
    somebody: the largest errors are of that kind. people: how many were carried; years: up to which age; quantile:
    which share of the differences ``most`` stands for.
    """

    people: int
    years: float
    quantile: float
    by_quantity: dict[str, QuantityError]

    @property
    def most(self) -> float:
        """The worst quantity's error that most differences stay below."""
        return max(error.most for error in self.by_quantity.values())

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "people": self.people,
            "years": self.years,
            "quantile": self.quantile,
            "most": self.most,
            "largest": max(error.largest for error in self.by_quantity.values()),
            "by_quantity": {name: error._asdict() for name, error in self.by_quantity.items()},
        }


def measure_engine_error(quantile: float) -> EngineError:
    """Carry a block of people with two, three and four copies, treated at three months, on both grids."""
    import jax.numpy as jnp

    from motorpool.cohorts.traits import draw_people, infection_seed
    from motorpool.engine.blocks import BLOCK_PATIENTS, Setting
    from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
    from motorpool.engine.dosing import NEVER_HOURS
    from motorpool.engine.grid import FIRST_HOUR, halved, life_boundaries, personal_grid
    from motorpool.simulation.api import keep_compiled_programs
    from motorpool.simulation.model import parameter_draw
    from motorpool.therapies.plan import validate_course

    keep_compiled_programs()
    draw, count = parameter_draw(None, SEED), BLOCK_PATIENTS
    identity = jnp.arange(count)
    everyone = jnp.ones(count, jnp.float32)
    copies = (2 + identity % 3).astype(jnp.float32)
    person = draw_people(
        SEED, identity, 0.0 * everyone, copies, -everyone, draw.people, draw.model.biology.smn
    )
    enrolment = np.full(count, round(ENROLMENT_YEARS * HOURS_PER_YEAR), np.int32)
    anchors = Anchors(
        enrolment=enrolment,
        diagnosis=np.full(count, NEVER_HOURS, np.int32),
        onset=np.full(count, NEVER_HOURS, np.int32),
        excluded_from_gene_transfer=np.zeros(count, bool),
    )
    courses = (validate_course({"therapy": "nusinersen"}), validate_course({"therapy": "risdiplam"}))
    plan = compile_plan(courses, anchors)
    setting = Setting(jnp.float32(1.0), cell_protocol(courses), draw.model)
    last = np.full(count, round(UNTIL_YEARS * HOURS_PER_YEAR), np.int32)
    base = life_boundaries(int(last[0]))
    jumps = planned_jumps(courses, anchors, last)
    usual = personal_grid(
        np.repeat(base[:, None], count, axis=1), jumps, np.full(count, FIRST_HOUR, np.int32), last
    )
    seeds = infection_seed(SEED, identity)
    coarse = _carry(usual, person, seeds, plan, setting)
    fine = _carry(halved(usual), person, seeds, plan, setting)
    return EngineError(count, UNTIL_YEARS, quantile, _errors(coarse, fine, quantile))


def _carry(grid: Hours, person: Any, seeds: Any, plan: Any, setting: Any) -> dict[str, Any]:
    """Every recorded quantity (K, P) at the boundaries, by name."""
    from motorpool.biology.vocabulary import MUSCLE_GROUPS
    from motorpool.engine.blocks import Span, begin_life, simulate_span
    from motorpool.engine.state import HAZARDS
    from motorpool.outcomes.panel import OUTCOMES

    span = Span(grid, person, seeds, plan)
    _, path = simulate_span(begin_life(span, setting), span, setting)
    found = {name: np.asarray(path.outcomes)[:, place] for place, name in enumerate(OUTCOMES)}
    for place, state in enumerate(("working", "sick", "dead")):
        pools = np.asarray(path.pools)[:, place]
        found |= {f"{state} neurons, {group}": pools[:, g] for g, group in enumerate(MUSCLE_GROUPS)}
    hazards = np.asarray(path.cumulative_hazard)
    found |= {f"integrated hazard of {name}": hazards[:, place] for place, name in enumerate(HAZARDS)}
    return {"hours": grid, "values": found}


def _errors(coarse: dict[str, Any], fine: dict[str, Any], quantile: float) -> dict[str, QuantityError]:
    """Differences as shares of the quantity's range, at the boundaries that both grids have; largest first."""
    shared = coarse["hours"].shape[0]
    found: dict[str, QuantityError] = {}
    for name, values in coarse["values"].items():
        exact = fine["values"][name][: 2 * shared - 1 : 2]
        span = float(exact.max() - exact.min()) or 1.0
        shares = np.abs(values - exact) / span
        found[name] = QuantityError(float(np.quantile(shares, quantile)), float(shares.max()))
    return dict(sorted(found.items(), key=lambda entry: -entry[1].most))
