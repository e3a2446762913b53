"""What makes two runs the same run, so that one may go on with the parts of the other: inputs, code and versions."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from motorpool.simulation.manifest import manifest_of
from motorpool.simulation.scenario import Scenario

# Rooms that make numbers; a change in the others leaves finished parts as they are.
ROOMS = ("evidence", "biology", "therapies", "outcomes", "engine", "cohorts", "simulation")
CODE = (".py", ".yaml", ".json", ".c", ".h")


def run_identity(scenario: Scenario, kept: dict[str, Any]) -> str:
    """A digest of all that decides the bits of a run: scenario, parameters, code, versions and kind of processor.

    ``kept``: what the run keeps of people.
    """
    facts = {
        "manifest": manifest_of(scenario),
        "kept": kept,
        "code": code_digest(),
        "processor": platform.machine(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@functools.cache
def code_digest(*more: str) -> str:
    """SHA-256 of the files of all rooms that make numbers, and of more rooms where they are named."""
    digest = hashlib.sha256()
    for room in (*ROOMS, *more):
        for name, file in sorted(_files_of(files("motorpool") / room, room)):
            digest.update(name.encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files_of(folder: Traversable, name: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(CODE):
            found.append((f"{name}/{entry.name}", entry))
    return found
