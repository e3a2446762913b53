"""The Python door: simulate a scenario and get results."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from motorpool.simulation.errors import ScenarioError
from motorpool.simulation.results import Results
from motorpool.simulation.scenario import Scenario, load_scenario

Progress = Callable[[str, float], None]
MOST_IN_MEMORY = 50_000_000  # people-visits; about 12 gigabytes


def simulate(
    scenario: Scenario | str | Path | Mapping[str, Any],
    *,
    patients: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Results:
    """Simulate a scenario.

    Args:
        scenario: a validated scenario, the path of a scenario file, the name of a shipped scenario, or plain data.
        patients: number of patients instead of the scenario's.
        seed: seed instead of the scenario's.
        progress: called with a stage in words and the share done (0 to 1).

    Returns:
        Results: labelled arrays, summaries and a manifest; ``save(directory)`` keeps them.

    Raises:
        ScenarioError: the scenario is not valid or nobody meets its criteria; says where and what is allowed.
    """
    overrides: list[str] = []
    if patients is not None:
        overrides.append(f"cohort.patients={patients}")
    if seed is not None:
        overrides.append(f"seed={seed}")
    checked = load_scenario(scenario, overrides)
    source = str(scenario) if isinstance(scenario, str | Path) else checked.name
    if checked.people_visits > MOST_IN_MEMORY:
        message = (
            f"x {len(checked.arms)} arms x {checked.draws} draws x {len(checked.visit_months())} visits is more than "
            f"the {MOST_IN_MEMORY} people-visits that are held in memory; lower one of them, or use the command "
            "`motorpool simulate`, which summarises runs of any size"
        )
        raise ScenarioError.single("cohort.patients", message, value=checked.cohort.patients, source=source)
    keep_compiled_programs()
    from motorpool.simulation.manifest import manifest_of
    from motorpool.simulation.run import run

    try:
        dataset, wrong = run(checked, progress=progress)
    except ScenarioError as error:  # found while sampling people: say which file it is about
        raise ScenarioError(error.problems, source) from error
    return Results(dataset=dataset, manifest=manifest_of(checked), wrong=wrong)


def keep_compiled_programs() -> None:
    """Let JAX keep compiled programs between runs, in the user's cache folder unless one is set already."""
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is None:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = home / "motorpool" / "jax"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
