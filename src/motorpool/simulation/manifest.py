"""The manifest of a run: what is needed to repeat it, and nothing about when or where it ran."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from motorpool._version import __version__
from motorpool.evidence.posterior import load_posterior
from motorpool.simulation.calibration_state import calibration_state, parameters_digest
from motorpool.simulation.scenario import Scenario

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "xarray", "zarr", "pydantic")


def manifest_of(scenario: Scenario) -> dict[str, Any]:
    """Versions, seed, hash of the effective scenario and of the parameter set, numerical choices."""
    from motorpool.engine.blocks import BLOCK_PATIENTS
    from motorpool.engine.grid import STEPS_PER_MONTH

    posterior = load_posterior()
    text = json.dumps(scenario.model_dump(mode="json", exclude_none=True), sort_keys=True)
    return {
        "motorpool": __version__,
        "scenario": scenario.name,
        "scenario_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": scenario.seed,
        "patients": scenario.cohort.patients,
        "knowledge_draws": scenario.uncertainty.knowledge_draws,
        "parameters_sha256": parameters_digest(),
        "parameter_set": calibration_state(),
        "posterior_sha256": None if posterior is None else posterior.facts.draws_sha256,
        "numerics": {
            "precision": "float32",
            "steps_per_month": STEPS_PER_MONTH,
            "block_patients": BLOCK_PATIENTS,
        },
        "packages": dict(packages()),
    }


@functools.cache
def packages() -> Mapping[str, str]:
    """Versions of the packages that make or keep numbers."""
    return {name: _version_of(name) for name in PACKAGES}


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
