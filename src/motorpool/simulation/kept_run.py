"""A run that is kept in a folder: it can be interrupted at any moment, and the same command goes on with it.

A run of at most `MOST_KEPT` people-visits (patients x draws x arms x visits) keeps everybody's results and summarises
them exactly. A larger one keeps summaries, from counts merged part by part, and everybody's results only where asked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from motorpool.simulation.errors import OutputFolderError, ScenarioError
from motorpool.simulation.files import errors_name
from motorpool.simulation.identity import run_identity
from motorpool.simulation.large_results import write_large_results
from motorpool.simulation.manifest import manifest_of
from motorpool.simulation.part import Task
from motorpool.simulation.part_files import PartFiles, open_part_files, remove_unfinished
from motorpool.simulation.partition import DrawPlan, Kept
from motorpool.simulation.results import WrongNumbers
from motorpool.simulation.run import Progress, collect, simulate_parts, wrong_of
from motorpool.simulation.scenario import Scenario
from motorpool.simulation.store import (
    check_output_folder,
    identity_of,
    is_results_folder,
    put_in_place,
    write_everything,
)
from motorpool.simulation.workers import ThisProcess, Workers

MOST_KEPT = 3_000_000  # about a gigabyte in memory
MOST_COUNTED = 2_000  # arms x visits of a large run; more than a gigabyte of counts

Finish = Callable[[Path], None]


@dataclass(frozen=True)
class KeptRun:
    """What became of a run.

    Attributes:
        folder: where its results lie.
        state: finished now, or complete already before.
        large: there are too many people and visits to summarise them exactly and write a report.
        people_kept: everybody's results are kept.
        wrong: people left out of the summaries; empty where the run was complete already.
    """

    folder: Path
    state: Literal["finished", "complete already"]
    large: bool
    people_kept: bool
    wrong: WrongNumbers = WrongNumbers()


def keep_run(
    scenario: Scenario,
    directory: Path,
    *,
    keep_people: bool = False,
    overwrite: bool = False,
    workers: AbstractContextManager[Workers[Task]] | None = None,
    progress: Progress | None = None,
    finish: Finish | None = None,
) -> KeptRun:
    """Simulate a scenario into a folder, going on where an earlier attempt was interrupted.

    Args:
        scenario: whom to simulate, and how.
        directory: where the results will lie; it appears when everything in it is complete.
        keep_people: keep everybody's results of a large run too.
        overwrite: replace results and unfinished runs of other inputs.
        workers: who simulates, called in when there is something to simulate; this process by default.
        progress: called with a stage in words and the share done, 0 to 1.
        finish: called with the folder before it gets its name, to add a report; never for a large run.

    Raises:
        ScenarioError: the cohort's criteria cannot be met.
        OutputFolderError: the folder cannot be used, or another process is at work in it.
    """
    large = scenario.people_visits > MOST_KEPT
    if large:
        _refuse_many_visits(scenario)
    kept = Kept(people=keep_people or not large, tally=large)
    identity = run_identity(scenario, asdict(kept))
    directory = directory.expanduser().absolute()
    complete = KeptRun(directory, "complete already", large, kept.people)
    if _is_complete(directory, identity, overwrite):
        remove_unfinished(directory, identity)
        return complete
    parts = open_part_files(directory, identity, _told(scenario), replace=overwrite)
    done = False
    try:
        if _is_complete(directory, identity, overwrite):  # since we last looked
            done = True
            return complete
        with workers or nullcontext(ThisProcess()) as able:
            plans = simulate_parts(scenario, kept, parts, able, progress)
        if progress is not None:
            progress("writing results", 0.0)
        with errors_name(directory):
            folder = parts.scratch()
            _write(folder, scenario, plans, parts, kept, identity)
            if finish is not None and not large:
                finish(folder)
            put_in_place(folder, directory)
        done = True
    except ScenarioError as error:  # found while sampling people: say which scenario it is about
        raise ScenarioError(error.problems, scenario.name) from error
    finally:
        parts.close(remove=done)
    return KeptRun(directory, "finished", large, kept.people, wrong_of(plans))


def _is_complete(directory: Path, identity: str, overwrite: bool) -> bool:
    """Whether the results are there already; refuses a folder that holds anything else."""
    check_output_folder(directory)
    if not is_results_folder(directory):
        return False
    if identity_of(directory) == identity:
        return True
    if not overwrite:
        message = (
            f"{directory}: holds results of other inputs or another version, or damaged ones; add --overwrite to "
            "replace them, or choose another --out."
        )
        raise OutputFolderError(message)
    return False


def _refuse_many_visits(scenario: Scenario) -> None:
    """The counts of a large run take memory for every arm and visit."""
    visits = len(scenario.visit_months())
    if visits * len(scenario.arms) > MOST_COUNTED:
        message = (
            f"{visits} visits x {len(scenario.arms)} arms are more than the {MOST_COUNTED} that a run of "
            f"{scenario.people_visits} people-visits can count; lower visits, arms or patients"
        )
        raise ScenarioError.single("visits_months", message, source=scenario.name)


def _told(scenario: Scenario) -> dict[str, Any]:
    return {"scenario": scenario.name, "patients": scenario.cohort.patients, "seed": scenario.seed}


def _write(
    folder: Path, scenario: Scenario, plans: list[DrawPlan], parts: PartFiles, kept: Kept, identity: str
) -> None:
    run, wrong = manifest_of(scenario), wrong_of(plans)
    if kept.tally:
        write_large_results(folder, scenario, plans, parts, kept, run, wrong, identity)
    else:
        write_everything(folder, collect(scenario, plans, parts), run, wrong, identity)
