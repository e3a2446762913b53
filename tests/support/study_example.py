"""The study file that docs/how-to/own-study.md shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parents[2] / "docs"


def example_text() -> str:
    """The file as the page shows it."""
    page = (DOCS / "how-to" / "own-study.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def example() -> dict[str, Any]:
    """The same as plain data."""
    return yaml.safe_load(example_text())
