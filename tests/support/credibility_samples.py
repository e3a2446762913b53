"""A made-up posterior, validation result and table of sensitivities, small and of the stored form.

The numbers are invented for testing the credibility report. They say nothing about SMA.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from motorpool.calibration.space import Axis, parameter_space
from motorpool.evidence.parameters import load_parameter_table
from motorpool.evidence.posterior import DISCREPANCY_PREFIX, Posterior, read_posterior, write_posterior
from motorpool.evidence.stored_results import (
    SensitivityTable,
    ValidationResult,
    read_sensitivity_table,
    read_validation_result,
)
from motorpool.report.credibility.content import Evidence
from motorpool.report.credibility.engine_error import EngineError, QuantityError
from motorpool.studies.scale import family_of, load_calibration_rules
from motorpool.studies.study import executable_studies, load_study

DRAWS = 400
WIDTHS = (0.2, 0.8, 1.0)  # posterior over prior SD of the first axes: well, partly and hardly informed
SHIFTS = (1.5, 0.0, 0.0)
DISCREPANCIES = {"chop_intend": 1.2, "proportion": 0.25}


def axes(count: int = len(WIDTHS)) -> Sequence[Axis]:
    """The first calibrated parameters whose bounds lie far from their prior."""
    space = parameter_space(load_parameter_table(), load_calibration_rules())
    wide = [axis for axis in space.axes if axis.reach()[0] < -3.5 and axis.reach()[1] > 3.5]
    return wide[:count]


def made_up_posterior(*, r_hat: float = 1.003, seed: int = 1) -> Posterior:
    generator = np.random.default_rng(seed)
    chosen = axes()
    columns = [
        axis.value(shift + width * generator.standard_normal(DRAWS))
        for axis, shift, width in zip(chosen, SHIFTS, WIDTHS, strict=True)
    ]
    sizes = [np.abs(size * generator.standard_normal(DRAWS)) for size in DISCREPANCIES.values()]
    names = (*(axis.name for axis in chosen), *(DISCREPANCY_PREFIX + name for name in DISCREPANCIES))
    facts = {
        "made": "2026-11-26",
        "method": "made up for a test",
        "seed": seed,
        "model_sha256": "0" * 64,
        "parameters_sha256": "0" * 64,
        "targets_sha256": "0" * 64,
        "targets": 100,
        "simulations": 300,
        "largest_r_hat": r_hat,
        "smallest_effective_size": 900.0,
        "divergences": 0,
        "shared_by_study": 0.25,
        "centre": {axis.name: float(axis.value(shift)) for axis, shift in zip(chosen, SHIFTS, strict=True)},
        "diagnostics": {"a_share": 0.9, "a_long_table": {str(number): number for number in range(30)}},
    }
    return read_posterior(*write_posterior(names, np.stack([*columns, *sizes], axis=1), facts))


def validation_data(missed: Sequence[str] = (), studies: Sequence[str] | None = None) -> dict[str, Any]:
    """A validation of all scored endpoints of these studies (by default of all): inside unless ``missed``."""
    rows: list[dict[str, Any]] = []
    for name in studies or executable_studies():
        study = load_study(name)
        for endpoint in study.endpoints:
            inside = name not in missed
            value = endpoint.value
            rows.append(
                {
                    "study": name,
                    "arm": endpoint.arm,
                    "endpoint": endpoint.id,
                    "set": study.set_of(endpoint),
                    "family": family_of(endpoint),
                    "published": value,
                    "published_low": value - 0.1,
                    "published_high": value + 0.1,
                    "predicted": value + (0.05 if inside else 0.9),
                    "predicted_low": value - 0.1 if inside else value + 0.5,
                    "predicted_high": value + 0.2 if inside else value + 1.3,
                    "inside_90": inside,
                    "width_ratio": 1.5,
                    "z": -0.4 if inside else -3.1,
                    "effective_people": 500.0,
                    "counted": True,
                }
            )
    summary: dict[str, Any] = {}
    for kind in ("validation", "apart", "calibration"):
        mine = [row for row in rows if row["set"] == kind and row["counted"]]
        if mine:
            inside = sum(row["inside_90"] for row in mine)
            summary[kind] = {
                "n": len(mine),
                "inside_90": inside,
                "coverage_90": inside / len(mine),
                "median_width_ratio": 1.5,
            }
    baselines = {"natural history": {"n": 20, "model": -1.0, "baseline": -2.0, "better": True}}
    return {
        "summary": summary,
        "endpoints": rows,
        "baselines": baselines,
        "not_predicted": {"A.b": "nobody like this"},
    }


def made_up_validation(missed: Sequence[str] = (), studies: Sequence[str] | None = None) -> ValidationResult:
    return read_validation_result(json.dumps(validation_data(missed, studies)))


def made_up_sensitivity() -> SensitivityTable:
    names = [axis.name for axis in axes()]
    content = {
        "mean_total_index": {names[1]: 0.2, names[0]: 0.6},
        "endpoints": {"ENDEAR.sit": [{"parameter": names[0], "total": 0.7, "first": 0.6}]},
    }
    return read_sensitivity_table(json.dumps(content))


def made_up_engine_error(most: float = 1e-3) -> EngineError:
    return EngineError(128, 3.0, 0.99, {"chop_intend": QuantityError(most, 2 * most)})


def made_up_evidence(**other: Any) -> Evidence:
    """Everything present and good, unless given otherwise."""
    whole: dict[str, Any] = {
        "state": "calibrated",
        "posterior": made_up_posterior(),
        "validation": made_up_validation(),
        "sensitivity": made_up_sensitivity(),
        "engine": made_up_engine_error(),
    }
    return Evidence(**{**whole, **other})
