"""Whole lives of chosen people under chosen courses, run through the compiled program that users run.

Every life has the same number of people, so that lives in double precision share one program compiled by JAX. Rows of
the grid that are a step of length zero for everybody are left out: they change nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from motorpool.biology.person import Person
from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_YEAR
from motorpool.engine.blocks import BLOCK_PATIENTS, Setting, Span, begin_life, simulate_span
from motorpool.engine.compile_plan import Anchors, cell_protocol, compile_plan, planned_jumps
from motorpool.engine.dosing import NEVER_HOURS, Plan
from motorpool.engine.grid import FIRST_HOUR, life_boundaries, personal_grid
from motorpool.engine.state import State, Trajectory
from motorpool.outcomes.panel import OUTCOME_INDEX
from motorpool.simulation.model import Draw, parameter_draw
from motorpool.therapies.courses import Course
from motorpool.therapies.plan import validate_course

Numbers = NDArray[Any]
NOT_WITHIN_A_LIFE = 1e9  # an exponential draw that no integrated hazard reaches


def central_draw(dtype: Any = jnp.float32) -> Draw:
    return parameter_draw(None, 1, dtype=dtype)


def courses_from(*plain: Mapping[str, Any]) -> tuple[Course, ...]:
    return tuple(validate_course(dict(one)) for one in plain)


def people(
    *,
    smn2_copies: Any = 2.0,
    smn1_copies: Any = 0.0,
    draw: Draw | None = None,
    immortal: bool = True,
    **traits: Any,
) -> Person:
    """Typical people who differ in the given traits; each value a number or one per person, (P,) in the end."""
    chosen = draw or central_draw()
    smn = chosen.model.biology.smn
    dtype = np.dtype(smn.level_per_smn2_copy.dtype)
    typical = {
        "sprouting": float(chosen.people.sprouting_median),
        "transduced_fraction": float(chosen.people.transduced_fraction_mean),
        "ventilation_odds": 1.0,
        "onset_notice": 1.0,
        "death_draw": NOT_WITHIN_A_LIFE if immortal else float(np.log(2.0)),
        "tube_feeding_draw": NOT_WITHIN_A_LIFE if immortal else float(np.log(2.0)),
    }
    given = {"smn2_copies": smn2_copies, "smn1_copies": smn1_copies, **traits}
    count = np.broadcast_shapes(*(np.shape(value) for value in given.values()), (1,))[0]
    whole = {name: np.broadcast_to(np.asarray(value), (count,)) for name, value in given.items()}
    copies, spare = whole.pop("smn2_copies"), whole.pop("smn1_copies")
    fields: dict[str, Any] = {}
    for name in Person.__dataclass_fields__:
        fields[name] = np.full(count, typical.get(name, 0.0))
    fields["smn2_copies"] = copies
    fields["smn2_level"] = copies * float(smn.level_per_smn2_copy)
    fields["smn1_level"] = spare * float(smn.level_per_smn1_copy)
    fields |= whole
    values = {name: np.asarray(value, dtype) for name, value in fields.items()}
    values["identity"] = np.arange(count, dtype=np.int32)
    values["seed"] = np.asarray(whole.get("seed", np.arange(count)), np.uint32)
    return Person(**values)


@dataclasses.dataclass(frozen=True)
class Life:
    """What a run gives: boundaries (K, P), the trajectory (K, ..., P), and the state at its end; numpy arrays."""

    people: Person
    grid_hours: Numbers
    path: Trajectory
    end: State
    plan: Plan

    def outcome(self, name: str) -> Numbers:
        """True values of one outcome, (K, P)."""
        return self.path.outcomes[:, OUTCOME_INDEX[name]]

    @property
    def age_years(self) -> Numbers:
        return self.grid_hours / HOURS_PER_YEAR

    def at(self, rows: Numbers, age_years: float) -> Numbers:
        """Rows (K, ..., P) of each person at the first boundary at or after an age."""
        index = np.argmax(self.grid_hours >= round(age_years * HOURS_PER_YEAR), axis=0)
        return np.stack([rows[k, ..., p] for p, k in enumerate(index)], axis=-1)

    def outcome_at(self, name: str, age_years: float) -> Numbers:
        return self.at(self.outcome(name), age_years)

    def surviving(self) -> Numbers:
        """Share of each pool alive (working or sick), (K, G, P)."""
        return self.path.pools[:, 0] + self.path.pools[:, 1]

    def dose_days(self, person: int = 0, course: int = 0) -> list[tuple[float, float]]:
        """Doses of a course as (days since birth, amount)."""
        given = np.flatnonzero(self.path.doses[:, course, person] > 0)
        hours = self.grid_hours[given, person] / HOURS_PER_DAY
        return list(zip(hours.tolist(), self.path.doses[given, course, person].tolist(), strict=True))


def whole(value: Any, count: int) -> Numbers:
    return np.broadcast_to(np.asarray(value), (count,)).astype(np.int32)


def anchors_of(
    count: int,
    *,
    enrolment_years: Any = 0.0,
    diagnosis_years: Any = 0.0,
    onset_years: Any = 0.0,
    excluded: Any = False,
) -> Anchors:
    def hours(years: Any) -> Numbers:
        values = np.broadcast_to(np.asarray(years, float), (count,))
        finite = np.where(np.isfinite(values), values, 0.0)
        rounded = np.round(finite * HOURS_PER_YEAR)
        return np.where(np.isfinite(values), rounded, NEVER_HOURS).astype(np.int32)

    return Anchors(
        enrolment=hours(enrolment_years),
        diagnosis=hours(diagnosis_years),
        onset=hours(onset_years),
        excluded_from_gene_transfer=np.broadcast_to(np.asarray(excluded), (count,)).astype(bool),
    )


def without_idle_rows(grid_hours: Numbers) -> Numbers:
    """Drop rows that are a step of length zero for everybody."""
    moves = np.concatenate([[True], np.any(np.diff(grid_hours, axis=0) > 0, axis=1)])
    return grid_hours[moves]


def padded(tree: Any, count: int) -> Any:
    """Repeat the last person until the block is full."""

    def fill(leaf: Any) -> Any:
        values = np.asarray(leaf)
        return jnp.asarray(
            np.concatenate([values, np.repeat(values[..., -1:], BLOCK_PATIENTS - count, axis=-1)], -1)
        )

    return jax.tree.map(fill, tree)


def padded_plan(plan: Plan, count: int) -> Plan:
    names = ("start_hours", "stop_hours", "excluded")
    return dataclasses.replace(plan, **{name: padded(getattr(plan, name), count) for name in names})


def prepared(
    courses: Sequence[Course],
    who: Person,
    *,
    until_years: float,
    anchors: Anchors | None = None,
    draw: Draw | None = None,
    care: float = 1.0,
    infection_seed: Any = None,
    grid_hours: Numbers | None = None,
    **anchor_ages: Any,
) -> tuple[Span, Setting]:
    """People from mid-gestation to an age under courses; ``anchor_ages`` as in :func:`anchors_of`."""
    count = int(np.asarray(who.smn2_level).shape[0])
    when = anchors or anchors_of(count, **anchor_ages)
    if grid_hours is None:
        base = life_boundaries(round(until_years * HOURS_PER_YEAR))
        last = np.full(count, round(until_years * HOURS_PER_YEAR), np.int32)
        jumps = planned_jumps(courses, when, last)
        first = np.full(count, FIRST_HOUR, np.int32)
        grid_hours = personal_grid(np.repeat(base[:, None], count, axis=1), jumps, first, last)
    seeds = np.asarray(np.arange(count) if infection_seed is None else infection_seed, np.uint32)
    model = (draw or central_draw()).model
    setting = Setting(jnp.asarray(care, jnp.float32), cell_protocol(courses), model)
    return Span(without_idle_rows(grid_hours), who, seeds, compile_plan(courses, when)), setting


def live(courses: Sequence[Course], who: Person, *, chance: bool = True, **circumstances: Any) -> Life:
    """Carry people from mid-gestation to an age under courses; ``circumstances`` as in :func:`prepared`."""
    span, setting = prepared(courses, who, **circumstances)
    count = span.patients
    block = Span(
        np.asarray(padded(span.grid_hours, count)),
        padded(who, count),
        padded(span.infection_seed, count),
        padded_plan(span.plan, count),
    )
    end, path = simulate_span(begin_life(block, setting), block, setting, chance=chance)
    cut = jax.tree.map(lambda leaf: np.asarray(leaf)[..., :count], (end, path))
    return Life(who, span.grid_hours, cut[1], cut[0].now.state, span.plan)


def changed(draw: Draw, **values: float) -> Draw:
    """The draw with other parameter values; names like ``therapies__nusinersen__splicing_gain_maximum``."""

    def replaced(record: Any, path: list[str], value: float) -> Any:
        name, *rest = path
        old = getattr(record, name)
        new = replaced(old, rest, value) if rest else jnp.full_like(old, value)
        return dataclasses.replace(record, **{name: new})

    model = draw.model
    for name, value in values.items():
        model = replaced(model, name.split("__"), value)
    return dataclasses.replace(draw, model=model)
