"""Write the figures of the mechanisms as SVG: ``python -m motorpool.figures.mechanisms FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from motorpool.figures.mechanisms import mechanism_figures
from motorpool.figures.mechanisms.files import write_figures


def main(arguments: list[str]) -> int:
    """Write every figure into the folder; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m motorpool.figures.mechanisms FOLDER", file=sys.stderr)
        return 2
    for path in write_figures(mechanism_figures(), Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
