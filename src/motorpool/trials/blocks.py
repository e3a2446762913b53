"""Replicates in blocks: what one block is, and simulating it.

A block depends on the design alone, never on who does it.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.simulation.kept_pieces import kept
from motorpool.simulation.part import Facts, Part
from motorpool.trials.analysed import Arrays, analyse_trials
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_file import load_design
from motorpool.trials.design_sections import MOST_PATIENTS
from motorpool.trials.effects import true_effects
from motorpool.trials.pool import DEFAULT_PEOPLE, Pool, simulate_pool
from motorpool.trials.reallocation import conduct_trials
from motorpool.trials.truth import Truth

Array = NDArray[Any]
TOGETHER = 250  # replicates in a block
PEOPLE_AT_ONCE = 60_000  # people-replicates that are analysed at once; numerical choice


@dataclass(frozen=True)
class Settings:
    """What is asked of a run beside the design.

    Attributes:
        replicates: how many trials.
        truth: what is true in them.
        draws: draws of what is not known, over which the replicates are spread; 0 for the central values alone.
        people: size of the pool of patients of each draw.
        first_only: whether only the first endpoint is analysed; its bits are the same.
    """

    replicates: int = 1000
    truth: Truth = Truth()
    draws: int = 0
    people: int = DEFAULT_PEOPLE
    first_only: bool = False

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Block:
    """Replicates from one number to before another, under one draw."""

    draw: int | None
    number: int
    first: int
    stop: int

    @property
    def key(self) -> tuple[int, int]:
        """Draw (0 for the central values) and number, which name the block within its run."""
        return self.draw or 0, self.number


def blocks_of(settings: Settings) -> list[Block]:
    """All blocks of a run; replicates are spread evenly over the draws."""
    draws: list[int | None] = list(range(settings.draws)) if settings.draws else [None]
    edges = np.linspace(0, settings.replicates, len(draws) + 1).round().astype(int)
    found: list[Block] = []
    for draw, first, stop in zip(draws, edges[:-1], edges[1:], strict=True):
        starts = range(int(first), int(stop), TOGETHER)
        found += [
            Block(draw, number, start, min(start + TOGETHER, int(stop)))
            for number, start in enumerate(starts)
        ]
    return found


def simulate_block(design: TrialDesign, settings: Settings, block: Block) -> Part:
    """Draw and analyse the replicates of a block.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
    """
    pool = cached_pool(design, settings.people, block.draw, settings.truth.cells_effect)
    results = run_replicates(
        design, pool, settings.truth, range(block.first, block.stop), first_only=settings.first_only
    )
    truths = _truths(design, settings, block.draw)
    count = block.stop - block.first
    results |= {f"truth/{key}": np.full(count, value) for key, value in truths.items()}
    results["replicate"] = np.arange(block.first, block.stop)
    results["draw"] = np.full(count, -1 if block.draw is None else block.draw)
    return Part(block.key, Facts(count, pool.tried, {}, float(pool.people)), results, {})


def block_results(design: TrialDesign, settings: Settings, block: Block) -> Arrays:
    """Results of the replicates of a block, (R,) each; kept where pieces are kept.

    Raises:
        ScenarioError: as :func:`simulate_block`.
    """
    piece = piece_of(design, settings, block)
    return kept(piece, lambda: dict(simulate_block(design, settings, block).people))


def piece_of(design: TrialDesign, settings: Settings, block: Block) -> list[Any]:
    """All that decides the results of a block; see :mod:`motorpool.simulation.kept_pieces`."""
    from motorpool.trials.design import dump_design

    return ["block", dump_design(design), settings.data(), asdict(block)]


def run_replicates(
    design: TrialDesign, pool: Pool, truth: Truth, replicates: range, *, first_only: bool = False
) -> Arrays:
    """Results of these replicates, (R,) each; memory stays small whatever the size of the trial.

    Args:
        first_only: analyse the first endpoint alone.
    """
    outside = 0 if design.external_control is None else design.external_control.patients
    together = max(1, PEOPLE_AT_ONCE // (design.most_patients + outside))
    parts = [
        analyse_trials(
            conduct_trials(design, pool, truth, replicates[first : first + together]), first_only=first_only
        )
        for first in range(0, len(replicates), together)
    ]
    return joined(parts)


def joined(parts: list[Arrays]) -> Arrays:
    """Results of several lots of replicates, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def cached_pool(design: TrialDesign, people: int, draw: int | None, cells_effect: float | None) -> Pool:
    """The pool of a draw; the one used last is kept, since many blocks share it."""
    from motorpool.trials.design import dump_design

    return _kept_pool(_what_makes_a_pool(dump_design(design)), people, draw, cells_effect)


@functools.lru_cache(maxsize=4)
def _kept_pool(design: str, people: int, draw: int | None, cells_effect: float | None) -> Pool:
    from motorpool.simulation.yaml_reader import parse_yaml

    return simulate_pool(load_design(parse_yaml(design)), people=people, draw=draw, cells_effect=cells_effect)


# What decides neither who is in the pool nor how they live.
_NOT_OF_THE_POOL = (
    "title", "question", "description", "alpha", "strata", "estimand", "sites", "interims", "cost", "decision",
    "target_power", "published", "blinding", "reestimation", "safety", "arm_dropping", "response_adaptive",
    "multiplicity", "data_cut",
)  # fmt: skip


@functools.lru_cache(maxsize=64)
def _what_makes_a_pool(design: str) -> str:
    """What of a design decides its pool, so that trials of several sizes and conducts share theirs."""
    import yaml

    from motorpool.simulation.yaml_reader import parse_yaml

    data = {name: value for name, value in parse_yaml(design).items() if name not in _NOT_OF_THE_POOL}
    data |= {"title": "pool", "patients": MOST_PATIENTS, "accrual": {"patients_per_month": 1.0}}
    conduct: dict[str, Any] = data.get("conduct") or {}
    data["conduct"] = {key: conduct[key] for key in ("discontinue_per_year", "rescue") if key in conduct}
    for arm in data["arms"].values():
        arm.pop("ratio", None)
    for endpoint in data["endpoints"]:
        for key in ("analysis", "covariance", "imputation"):
            endpoint.pop(key, None)
    return yaml.safe_dump(data, sort_keys=False)


@functools.lru_cache(maxsize=16)
def _kept_truths(design: str, settings: Settings, draw: int | None) -> tuple[tuple[str, float], ...]:
    from motorpool.simulation.yaml_reader import parse_yaml

    loaded = load_design(parse_yaml(design))
    pool = cached_pool(loaded, settings.people, draw, settings.truth.cells_effect)
    return tuple(true_effects(loaded, pool, settings.truth, first_only=settings.first_only).items())


def _truths(design: TrialDesign, settings: Settings, draw: int | None) -> dict[str, float]:
    from motorpool.trials.design import dump_design

    return dict(_kept_truths(dump_design(design), settings, draw))
