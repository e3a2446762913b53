"""The luck of replicate trials: every replicate has its own stream, whatever is simulated beside it.

A replicate's luck is a function of the design's seed and the replicate's number alone, so that any chunk, order or
number of workers gives the same bits, and the same replicate under two truths differs only by the truth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import Strata

Array = NDArray[Any]
STREAM = 6_021  # parts the streams of trials from other uses of the same seed


@dataclasses.dataclass(frozen=True)
class Luck:
    """Uniform and normal draws of some replicates; R replicates, N people each, V visits after the first, S sites.

    person, external_person, allocation, change, respond, rescue, unblinding, site: (R, N) uniform. leave, miss, late,
    rater: (R, V, N) uniform. seeds (R, N): of the observation model. site_level, site_course (R, S) normal;
    rater_bias (R, S, raters, O) normal. blocks (R, strata, places): order within blocks. arrivals (R, N): exponential.
    again (R, N): uniform, for people who are allocated anew.
    """

    person: Array
    change: Array
    respond: Array
    rescue: Array
    unblinding: Array
    site: Array
    leave: Array
    miss: Array
    late: Array
    rater: Array
    seeds: Array
    site_level: Array
    site_course: Array
    rater_bias: Array
    blocks: Array
    arrivals: Array
    again: Array


def draw_luck(design: TrialDesign, replicates: Sequence[int], people: int, strata: int) -> Luck:
    """The luck of these replicates.

    Args:
        people: in one trial, with those from outside.
        strata: how many strata there are.
    """
    visits, sites = len(design.visit_months) - 1, design.sites.count
    raters, outcomes = design.sites.raters_per_site, max(1, len(design.outcomes))
    places = blocks_needed(design, people) * block_size(design)
    found: dict[str, list[Array]] = {field.name: [] for field in dataclasses.fields(Luck)}
    for replicate in replicates:
        generator = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([design.seed, STREAM, replicate]))
        )
        for name in ("person", "change", "respond", "rescue", "unblinding", "site"):
            found[name].append(generator.random(people))
        for name in ("leave", "miss", "late", "rater"):
            found[name].append(generator.random((visits, people), dtype=np.float32))
        found["seeds"].append(generator.integers(0, 2**32, people, dtype=np.uint32))
        found["site_level"].append(generator.standard_normal(sites))
        found["site_course"].append(generator.standard_normal(sites))
        found["rater_bias"].append(generator.standard_normal((sites, raters, outcomes)))
        found["blocks"].append(generator.random((strata, places), dtype=np.float32))
        found["arrivals"].append(generator.standard_exponential(people))
        found["again"].append(generator.random(people))
    return Luck(**{name: np.stack(values) for name, values in found.items()})


def block_size(design: TrialDesign) -> int:
    """People in one block of the randomisation: twice the ratios."""
    return 2 * sum(arm.ratio for arm in design.arms.values())


def blocks_needed(design: TrialDesign, people: int) -> int:
    """Blocks that hold everybody, should all be in one stratum."""
    return -(-people // block_size(design))


def strata_of(strata: Strata, age_months: Array, copies: Array, baseline: Array | None) -> tuple[Array, int]:
    """Stratum of each person, from 0, and how many there are."""
    number = np.zeros(np.shape(age_months), np.int64)
    count = 1
    for cuts, values in (
        (strata.age_months, age_months),
        (strata.smn2_copies, copies),
        (strata.baseline, baseline),
    ):
        if cuts and values is not None:
            number = number * (len(cuts) + 1) + np.searchsorted(np.asarray(cuts, float), values, side="right")
            count *= len(cuts) + 1
    return number, count


def strata_count(strata: Strata) -> int:
    """How many strata there can be."""
    found = 1
    for cuts in (strata.age_months, strata.smn2_copies, strata.baseline):
        found *= len(cuts) + 1
    return found


def blocks_within(design: TrialDesign, stratum: Array) -> Array:
    """Number of the block of each person, (R, N), strata apart, in order of entry."""
    block = np.zeros(stratum.shape, np.int64)
    most = blocks_needed(design, stratum.shape[1])
    for number in np.unique(stratum):
        mine = stratum == number
        place = np.cumsum(mine, axis=1) - 1
        block = np.where(mine, number * most + place // block_size(design), block)
    return block


def allocate(design: TrialDesign, stratum: Array, count: int, blocks: Array) -> Array:
    """Arm of each person (R, N), by its place among the arms: permuted blocks within strata, in order of entry.

    Args:
        blocks: uniform luck of the order within blocks, (R, strata, places).
    """
    ratios = [arm.ratio for arm in design.arms.values()]
    block = np.repeat(np.arange(len(ratios)), [2 * ratio for ratio in ratios])
    replicates, people = stratum.shape
    keys = blocks.reshape(replicates, count, -1, block.size)
    lists = block[np.argsort(keys, axis=-1, kind="stable")].reshape(replicates, count, -1)
    arm = np.zeros((replicates, people), np.int64)
    for number in range(count):
        mine = stratum == number
        place = np.cumsum(mine, axis=1) - 1
        found = np.take_along_axis(lists[:, number], np.clip(place, 0, lists.shape[-1] - 1), axis=1)
        arm = np.where(mine, found, arm)
    return arm
