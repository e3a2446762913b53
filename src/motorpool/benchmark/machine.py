"""The machine that was measured."""

from __future__ import annotations

import platform
from pathlib import Path

from motorpool.engine.native import machine
from motorpool.engine.native.program import workers


def this_machine() -> dict[str, str | int]:
    """Processor, cores that this process may use, system and Python, as plain data."""
    return {
        "processor": _processor(),
        "compiled_for": machine.processor(),
        "cores": workers(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's own name for itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
