"""Slopes of the targets along the axes as a table, kept so that a quick calibration need not measure them anew.

Four digits are enough for that: its steps put them right on the way.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def write_slopes(slopes: Array, targets: Sequence[str], axes: Sequence[str]) -> str:
    """CSV text: one row per target, one column per axis."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["target", *axes])
    for name, row in zip(targets, slopes, strict=True):
        writer.writerow([name, *(f"{x:.4g}" for x in row)])
    return buffer.getvalue()


def read_slopes(text: str, targets: Sequence[str], axes: Sequence[str]) -> Array:
    """Slopes (T, D) in the order asked for; zero for a target or an axis that the table does not know."""
    rows = list(csv.reader(io.StringIO(text)))
    known_axes = {name: place for place, name in enumerate(rows[0][1:])}
    known = {row[0]: np.array(row[1:], float) for row in rows[1:]}
    found = np.zeros((len(targets), len(axes)))
    for i, target in enumerate(targets):
        if target in known:
            for j, axis in enumerate(axes):
                if axis in known_axes:
                    found[i, j] = known[target][known_axes[axis]]
    return found


def shipped_slopes(targets: Sequence[str], axes: Sequence[str]) -> Array | None:
    """The slopes of the shipped calibration, or ``None``."""
    file = resources.files("motorpool.evidence").joinpath("data", "posterior", "slopes.csv")
    return read_slopes(file.read_text(encoding="utf-8"), targets, axes) if file.is_file() else None
