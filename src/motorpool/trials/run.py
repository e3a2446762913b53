"""A run of a trial: replicates under one truth, kept in a folder, resumable; and its summary.

A run can be interrupted at any moment; the same call goes on with the blocks that are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from motorpool.simulation.errors import OutputFolderError, ScenarioError
from motorpool.simulation.part_files import open_part_files, remove_unfinished
from motorpool.simulation.store import put_in_place
from motorpool.trials import store
from motorpool.trials.accrual import forecast_accrual
from motorpool.trials.adam import adam_tables
from motorpool.trials.adapted import ended
from motorpool.trials.adjusted import without_adjusted
from motorpool.trials.blocks import Block, Settings, blocks_of, cached_pool, joined
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign, dump_design
from motorpool.trials.operating import Arrays, characteristics
from motorpool.trials.reallocation import conduct_trials
from motorpool.trials.recognition import recognised
from motorpool.trials.workers import BlockWorkers, simulate_blocks, simulated_trials

Progress = Callable[[str, float], None]
DEFAULT_KEPT = 2


@dataclass(frozen=True)
class TrialRun:
    """Results of a run: (R,) arrays by name (see :mod:`motorpool.trials.operating`), and their summary."""

    design: TrialDesign
    settings: Settings
    results: Arrays
    summary: dict[str, Any]


def run_trial(
    design: TrialDesign,
    settings: Settings,
    *,
    workers: BlockWorkers | None = None,
    progress: Progress | None = None,
) -> TrialRun:
    """Simulate replicates in memory.

    Args:
        design: the trial.
        settings: how many replicates, of what.
        workers: who simulates; this process by default. The bits are the same.
        progress: called with a stage in words and the share done, 0 to 1.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
        ClusterError: the scheduler is gone, or workers cannot do a block.
    """
    say = progress or (lambda stage, share: None)
    words = f"simulating trials, {settings.truth.words}"
    results = simulated_trials(design, settings, workers, lambda share: say(words, share))
    return TrialRun(design, settings, results, summary_of(design, settings, results))


@dataclass(frozen=True)
class KeptTrialRun:
    """Where the results of a run lie, and whether they were there already."""

    folder: Path
    state: Literal["finished", "complete already"]


def keep_trial_run(
    design: TrialDesign,
    settings: Settings,
    directory: Path,
    *,
    keep: int = DEFAULT_KEPT,
    overwrite: bool = False,
    workers: AbstractContextManager[BlockWorkers | None] | None = None,
    progress: Progress | None = None,
) -> KeptTrialRun:
    """Simulate replicates into a folder, going on where an earlier attempt was interrupted.

    Args:
        directory: where the results will lie; it appears when everything in it is complete.
        keep: of how many replicates everybody's data are kept (ADSL, ADQS, ADTTE).
        overwrite: replace results and unfinished runs of other inputs.
        workers: who simulates, called in when there is something to simulate; this process by default.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
        OutputFolderError: the folder cannot be used, or another process is at work in it.
        ClusterError: the scheduler is gone, or workers cannot do a block; finished blocks are kept.
    """
    say = progress or (lambda stage, share: None)
    keep = min(keep, settings.replicates)
    identity = store.identity(design, settings, keep)
    directory = directory.expanduser().absolute()
    store.check_folder(directory)
    earlier = store.stored_manifest(directory)
    if earlier is not None:
        if earlier.get("identity") == identity:
            remove_unfinished(directory, identity)
            return KeptTrialRun(directory, "complete already")
        if not overwrite:
            message = (
                f"{directory}: holds results of other inputs or another version; add --overwrite to replace them, or "
                "choose another --out."
            )
            raise OutputFolderError(message)
    inputs = {"design": design.name, "replicates": settings.replicates, "truth": settings.truth.words}
    parts = open_part_files(directory, identity, inputs, replace=overwrite)
    done = False
    try:
        blocks = blocks_of(settings)
        kept = {key for key, _ in parts.kept()}
        missing = [block for block in blocks if block.key not in kept]
        words = f"simulating trials, {settings.truth.words}"
        if missing:
            with workers or nullcontext() as able:
                say(words, 1.0 - len(missing) / len(blocks))
                for number, part in enumerate(simulate_blocks(design, settings, missing, able), 1):
                    parts.write(part)
                    say(words, 1.0 - (len(missing) - number) / len(blocks))
        say("writing results", 0.0)
        results = joined([dict(parts.read(block.key).people) for block in blocks])
        folder = parts.scratch()
        _write(folder, design, settings, results, keep, blocks[0], identity)
        put_in_place(folder, directory)
        done = True
    except ScenarioError as error:
        raise ScenarioError(error.problems, design.name) from error
    finally:
        parts.close(remove=done)
    return KeptTrialRun(directory, "finished")


def _write(
    folder: Path,
    design: TrialDesign,
    settings: Settings,
    results: Arrays,
    keep: int,
    first: Block,
    identity: str,
) -> None:
    import pandas as pd

    summary = summary_of(design, settings, results)
    table = pd.DataFrame({name.replace("/", "."): values for name, values in results.items()})
    table.to_csv(folder / "replicates.csv", index=False, float_format="%.6g")
    table.to_parquet(folder / "replicates.parquet", index=False)
    (folder / store.DESIGN).write_text(dump_design(design), encoding="utf-8")
    if keep:
        pool = cached_pool(design, settings.people, first.draw, settings.truth.cells_effect)
        data = conduct_trials(design, pool, settings.truth, range(keep))
        cut = None if design.data_cut is None else ended(data, design.alpha).cut_months
        for name, frame in adam_tables(design, data, pool, cut).items():
            frame.to_csv(folder / f"{name}.csv", index=False)
    store.write_json(folder / store.RESULTS, summary)
    manifest = {
        "format": store.FORMAT,
        "format_version": store.FORMAT_VERSION,
        "identity": identity,
        "run": store.manifest_of(design),
    }
    store.write_json(folder / store.MANIFEST, manifest)


def summary_of(design: TrialDesign, settings: Settings, results: Arrays) -> dict[str, Any]:
    """`results.json`: operating characteristics with Monte-Carlo errors, size, duration, accrual, manifest."""
    keys = [f"{endpoint.name}/{arm}" for endpoint in design.endpoints for arm in design.test_arms]
    truths: Any = {key: results[f"truth/{key}"] for key in keys}
    rows = characteristics(design, results, truths)
    pool = cached_pool(design, settings.people, 0 if settings.draws else None, settings.truth.cells_effect)
    found: dict[str, Any] = {
        "research_use": "Simulated trials, for research; not for decisions about the treatment of a person.",
        "design": design.name,
        "title": design.title,
        "truth": {"kind": settings.truth.kind, "value": settings.truth.value, "words": settings.truth.words},
        "replicates": settings.replicates,
        "knowledge_draws": settings.draws,
        "pool_people": settings.people,
        "patients": design.patients,
        "alpha": design.alpha,
        "characteristics": [row.data() for row in rows],
        "without_adjusted_estimate": without_adjusted(design),
        "course": course_of(design, results),
        "accrual": accrual_data(design, forecast_accrual(design, pool)),
        "published": recognised(design, results, settings.truth),
        "manifest": store.manifest_of(design),
    }
    return found


def accrual_data(design: TrialDesign, forecast: Any) -> dict[str, Any]:
    """What is expected of accrual, as plain data."""
    yearly = forecast.cumulative[11 : 12 * 10 : 12]
    return {
        "eligible_now": _finite(forecast.eligible_now),
        "eligible_per_year": _finite(forecast.eligible_per_year),
        "eligible_share_of_births_with_sma": _finite(forecast.eligible_share),
        "competing_patients_per_year": forecast.competing_per_year,
        "months_to_enrol": _finite(forecast.months_to_enrol),
        "feasible_years": design.accrual.feasible_years,
        "feasible_patients": forecast.feasible_patients,
        "enrolled_by_year": [_finite(float(value)) for value in yearly],
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
