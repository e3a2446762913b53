"""Reading the data files of this room: strict, and with one error that names file and field."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

from motorpool.evidence.records import EvidenceError


def read_own_yaml(name: str) -> dict[str, Any]:
    """A YAML mapping that lies beside the modules of this room.

    Raises:
        EvidenceError: it is absent or not a mapping.
    """
    entry = resources.files("motorpool.cell_lab").joinpath(name)
    if not entry.is_file():
        raise EvidenceError(f"{name}: no such file in the cell laboratory")
    content: Any = yaml.safe_load(entry.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise EvidenceError(f"{name}: expected a mapping of names to records")
    return content  # pyright: ignore[reportUnknownVariableType]
