"""A run of a trial: replicates under one truth, kept in a folder, resumable; and its summary.

A run can be interrupted at any moment; the same call goes on with the blocks that are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from motorpool.simulation.errors import OutputFolderError, ScenarioError
from motorpool.simulation.part_files import open_part_files, remove_unfinished
from motorpool.simulation.store import put_in_place
from motorpool.trials import store
from motorpool.trials.accrual import forecast_accrual
from motorpool.trials.adam import adam_tables
from motorpool.trials.blocks import Block, Settings, blocks_of, cached_pool, joined, simulate_block
from motorpool.trials.course import course_of
from motorpool.trials.design import TrialDesign, dump_design
from motorpool.trials.operating import Arrays, characteristics
from motorpool.trials.reallocation import conduct_trials
from motorpool.trials.recognition import recognised

Progress = Callable[[str, float], None]
DEFAULT_KEPT = 2


@dataclass(frozen=True)
class TrialRun:
    """Results of a run: (R,) arrays by name (see :mod:`motorpool.trials.operating`), and their summary."""

    design: TrialDesign
    settings: Settings
    results: Arrays
    summary: dict[str, Any]


def run_trial(design: TrialDesign, settings: Settings, *, progress: Progress | None = None) -> TrialRun:
    """Simulate replicates in memory.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
    """
    blocks = blocks_of(settings)
    parts: list[Arrays] = []
    for place, block in enumerate(blocks):
        if progress is not None:
            progress(f"simulating trials, {settings.truth.words}", place / len(blocks))
        parts.append(dict(simulate_block(design, settings, block).people))
    results = joined(parts)
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
    progress: Progress | None = None,
) -> KeptTrialRun:
    """Simulate replicates into a folder, going on where an earlier attempt was interrupted.

    Args:
        directory: where the results will lie; it appears when everything in it is complete.
        keep: of how many replicates everybody's data are kept (ADSL, ADQS, ADTTE).
        overwrite: replace results and unfinished runs of other inputs.

    Raises:
        ScenarioError: nobody meets the criteria, or an endpoint cannot tell the arms apart.
        OutputFolderError: the folder cannot be used, or another process is at work in it.
    """
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
        there = {key for key, _ in parts.kept()}
        for place, block in enumerate(blocks):
            if progress is not None:
                progress(f"simulating trials, {settings.truth.words}", place / len(blocks))
            if block.key not in there:
                parts.write(simulate_block(design, settings, block))
        if progress is not None:
            progress("writing results", 0.0)
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
        for name, frame in adam_tables(design, data, pool).items():
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
