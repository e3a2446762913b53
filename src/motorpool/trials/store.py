"""A folder of trial results: complete under its name, or not there. No times, paths or host names in it."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motorpool._version import __version__
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.posterior import load_posterior
from motorpool.simulation.calibration_state import calibration_state
from motorpool.simulation.errors import OutputFolderError
from motorpool.simulation.identity import code_digest
from motorpool.simulation.manifest import packages
from motorpool.simulation.store import check_output_folder
from motorpool.trials.design import TrialDesign, dump_design

if TYPE_CHECKING:
    from motorpool.trials.blocks import Settings

FORMAT = "motorpool-trial-results"
FORMAT_VERSION = 1
RESULTS, MANIFEST, DESIGN = "results.json", "manifest.json", "design.yaml"
TABLES = ("ADSL.csv", "ADQS.csv", "ADTTE.csv")
FILES = (
    RESULTS,
    MANIFEST,
    DESIGN,
    "replicates.csv",
    "replicates.parquet",
    *TABLES,
    "report.html",
    "funder.html",
)


@functools.cache
def trials_digest() -> str:
    """SHA-256 of the code and data of this room and of those it rests on."""
    digest = hashlib.sha256(code_digest("studies").encode())
    folder = Path(__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".yaml")):
        if path.parent.name != "designs":
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def manifest_of(design: TrialDesign) -> dict[str, Any]:
    """What is needed to repeat a run: versions, seed, and hashes of design, parameters and posterior."""
    posterior = load_posterior()
    return {
        "motorpool": __version__,
        "design": design.name,
        "design_sha256": hashlib.sha256(dump_design(design).encode()).hexdigest(),
        "seed": design.seed,
        "parameters_sha256": load_parameter_table().digest(),
        "parameter_set": calibration_state(),
        "posterior_sha256": None if posterior is None else posterior.facts.draws_sha256,
        "packages": packages(),
    }


def identity(design: TrialDesign, settings: Settings, keep: int) -> str:
    """A digest of all that decides the bits of a run."""
    facts = {
        "manifest": manifest_of(design),
        "settings": settings.data(),
        "keep": keep,
        "code": trials_digest(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def work_identity(asked: Mapping[str, Any]) -> str:
    """A digest of all that decides the bits of work that is asked for: inputs, code, posterior, versions."""
    posterior = load_posterior()
    facts = {
        "asked": dict(asked),
        "parameters": load_parameter_table().digest(),
        "posterior": None if posterior is None else posterior.facts.draws_sha256,
        "packages": packages(),
        "processor": platform.machine(),
        "code": trials_digest(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_folder(directory: Path) -> None:
    """Refuse a place that cannot be written or holds anything but earlier trial results."""
    if directory.is_dir():
        present = sorted(entry.name for entry in directory.iterdir())
        if present and all(name in FILES for name in present) and stored_manifest(directory) is not None:
            return
    check_output_folder(directory)
    if directory.is_dir() and any(directory.iterdir()):
        message = f"{directory}: holds results of `motorpool simulate`; choose a new or empty folder."
        raise OutputFolderError(message)


def stored_manifest(directory: Path) -> dict[str, Any] | None:
    """The manifest of finished trial results, or None where a folder holds none."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def read_results(directory: Path) -> dict[str, Any]:
    """`results.json` of a folder of trial results.

    Raises:
        OutputFolderError: the folder holds none.
    """
    if stored_manifest(directory) is None:
        message = (
            f"{directory}: not a folder of trial results (no finished manifest.json). Give the folder that "
            "`motorpool trial run` named on its last line."
        )
        raise OutputFolderError(message)
    return json.loads((directory / RESULTS).read_text(encoding="utf-8"))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON that people can read too."""
    path.write_text(json_text(content) + "\n", encoding="utf-8")


def json_text(content: Mapping[str, Any]) -> str:
    """JSON as text; never NaN or infinity, which are not JSON."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
