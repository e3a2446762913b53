"""The validation section: how predictions of studies never used in fitting came out, by set, family and study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from motorpool.evidence.published import list_published, load_published
from motorpool.evidence.stored_results import ValidatedEndpoint, ValidationResult

SETS = {
    "validation": "Validation: never used in fitting",
    "apart": "Apart: shaped the design, or shares patients with calibration studies",
    "calibration": "Calibration: fitted to",
}


def validation_section(result: ValidationResult | None) -> dict[str, Any]:
    """The whole section as plain data."""
    if result is None:
        return {"available": False}
    judged = [row for row in result.endpoints if row.set == "validation"]
    counted = [row for row in judged if row.counted]
    return {
        "available": True,
        "summary": {
            name: {"words": words, **result.summary[name].model_dump()}
            for name, words in SETS.items()
            if name in result.summary
        },
        "by_family": grouped(counted, lambda row: row.family),
        "by_study": grouped(counted, lambda row: row.study),
        "missed": [row.model_dump() for row in sorted(counted, key=_distance) if not row.inside_90],
        "not_counted": [row.model_dump() for row in judged if not row.counted],
        "recalled": sum(_is_recalled(row) for row in counted),
        "not_predicted": dict(result.not_predicted),
        "baselines": {name: dict(entry) for name, entry in result.baselines.items()},
        "endpoints": [row.model_dump() for row in result.endpoints],
    }


def _is_recalled(row: ValidatedEndpoint) -> bool:
    """Whether the published figure was recalled and not re-read in its source."""
    if row.study not in list_published():
        return False
    return any(one.id == row.endpoint and not one.checked for one in load_published(row.study).endpoints)


def grouped(
    rows: Sequence[ValidatedEndpoint], key: Callable[[ValidatedEndpoint], str]
) -> list[dict[str, Any]]:
    """Counts and median width ratio by a property of the endpoints."""
    found: list[dict[str, Any]] = []
    for name in sorted({key(row) for row in rows}):
        mine = [row for row in rows if key(row) == name]
        ratios = [row.width_ratio for row in mine if row.width_ratio is not None]
        found.append(
            {
                "name": name,
                "n": len(mine),
                "inside_90": sum(row.inside_90 for row in mine),
                "median_width_ratio": float(np.median(ratios)) if ratios else None,
            }
        )
    return found


def _distance(row: ValidatedEndpoint) -> float:
    """Orders the worst misses first; those without a distance come last."""
    return -abs(row.z) if row.z is not None else 0.0
