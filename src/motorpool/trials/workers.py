"""Who simulates the blocks of replicates: this process, or the workers of a cluster; the bits are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from motorpool.simulation.cluster import Job, cluster_workers
from motorpool.simulation.kept_pieces import keep, kept_already
from motorpool.simulation.part import Part, Tell
from motorpool.simulation.workers import InTurn, Workers
from motorpool.trials.blocks import (
    Block,
    Settings,
    block_results,
    blocks_of,
    joined,
    piece_of,
    simulate_block,
)
from motorpool.trials.design import TrialDesign
from motorpool.trials.operating import Arrays
from motorpool.trials.store import trials_digest

Done = Callable[[float], None]


def part_of(say: Callable[[str, float], None], words: str, place: int, count: int) -> Done:
    """Progress of one of several pieces of a stage, told as that of the stage."""
    return lambda share: say(words, (place + share) / count)


@dataclass(frozen=True)
class BlockTask:
    """A block of replicates that is to be simulated."""

    design: TrialDesign
    settings: Settings
    block: Block


BlockWorkers = Workers[BlockTask]


def simulate_task(task: BlockTask, tell: Tell | None = None) -> Part:
    """Draw and analyse the replicates of a block.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
    """
    return simulate_block(task.design, task.settings, task.block)


BLOCKS: Job[BlockTask] = Job(simulate_task, trials_digest)


def trial_workers(address: str) -> AbstractContextManager[BlockWorkers]:
    """Workers behind a Dask scheduler, or one for each core of this machine for `local`.

    Raises:
        ClusterError: Dask is not installed, or nothing answers at the address.
    """
    return cluster_workers(address, BLOCKS)


def simulate_blocks(
    design: TrialDesign, settings: Settings, blocks: Sequence[Block], workers: BlockWorkers | None = None
) -> Iterator[Part]:
    """Simulate blocks, as many side by side as the workers take; each as soon as it is done, in any order.

    Args:
        workers: who simulates; by default this process, one block after the other.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
        ClusterError: the scheduler is gone, or workers cannot do a block.
    """
    able = workers or InTurn(simulate_task)
    waiting, in_work = list(blocks), 0
    while waiting or in_work:
        places = able.places
        while waiting and in_work < places:
            able.submit(BlockTask(design, settings, waiting.pop(0)))
            in_work += 1
        yield able.next_part(lambda share: None)
        in_work -= 1


def simulated_trials(
    design: TrialDesign,
    settings: Settings,
    workers: BlockWorkers | None = None,
    done: Done | None = None,
) -> Arrays:
    """Results of all replicates, in their order.

    Args:
        done: called with the share of the blocks that are done.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
        ClusterError: the scheduler is gone, or workers cannot do a block.
    """
    blocks = blocks_of(settings)
    found: dict[tuple[int, int], Arrays] = {}
    if done is not None:
        done(0.0)
    for key, results in _each(design, settings, blocks, workers):
        found[key] = results
        if done is not None:
            done(len(found) / len(blocks))
    return joined([found[block.key] for block in blocks])


def _each(
    design: TrialDesign, settings: Settings, blocks: Sequence[Block], workers: BlockWorkers | None
) -> Iterator[tuple[tuple[int, int], Arrays]]:
    """Key and results of each block; finished ones are kept where pieces are kept."""
    if workers is None:
        for block in blocks:
            yield block.key, block_results(design, settings, block)
        return
    pieces = {block.key: piece_of(design, settings, block) for block in blocks}
    missing: list[Block] = []
    for block in blocks:
        found = kept_already(pieces[block.key])
        if found is None:
            missing.append(block)
        else:
            yield block.key, found
    for part in simulate_blocks(design, settings, missing, workers):
        keep(pieces[part.key], dict(part.people))
        yield part.key, dict(part.people)
