"""The sensitivity section: which parameters the doubt about the endpoints comes from.

The table that is shown was made from the calibration's emulator and ships with the posterior; to make one from any
function of normalised parameters see :mod:`motorpool.calibration.global_sensitivity`.
"""

from __future__ import annotations

from typing import Any

from motorpool.evidence.stored_results import SensitivityTable

SHOWN_PARAMETERS, SHOWN_OF_ENDPOINT = 25, 3


def sensitivity_section(table: SensitivityTable | None) -> dict[str, Any]:
    """The whole section as plain data."""
    if table is None:
        return {"available": False}
    ranked = sorted(table.mean_total_index.items(), key=lambda entry: -entry[1])
    return {
        "available": True,
        "parameters": [{"parameter": name, "mean_total_index": value} for name, value in ranked],
        "shown": SHOWN_PARAMETERS,
        "endpoints": [
            {
                "endpoint": name,
                "largest": [
                    {"parameter": one.parameter, "total": one.total, "first": one.first}
                    for one in sorted(indices, key=lambda one: -one.total)[:SHOWN_OF_ENDPOINT]
                ],
            }
            for name, indices in table.endpoints.items()
        ],
    }
