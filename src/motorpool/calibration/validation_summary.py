"""What a validation says as a whole: coverage, width and scores by set and family, and the acceptance criteria."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motorpool._version import __version__
from motorpool.calibration.predictive import Judged
from motorpool.evidence.records import EvidenceRecord, build_record, read_evidence_yaml

SETS = ("validation", "apart", "calibration")
OWN_SET = "own"
BOOTSTRAPS = 2000


class Criterion(EvidenceRecord):
    """One acceptance criterion: the goal, the least that counts as validated, and what it means."""

    goal: float | None = None
    floor: float | None = None
    meaning: str


class Acceptance(EvidenceRecord):
    """``data/acceptance.yaml``, written before the first validation run."""

    decided: str
    set: str
    inside_90: Criterion
    median_width_ratio: Criterion
    least_endpoints: Criterion
    effective_people: Criterion
    negative_controls: Criterion
    baselines: Criterion


def load_acceptance() -> Acceptance:
    """The acceptance criteria.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(Acceptance, read_evidence_yaml("acceptance.yaml"), "acceptance.yaml")


@dataclasses.dataclass(frozen=True)
class Row:
    """One endpoint of a validation: what it is and how it came out.

    ``counted`` is false where too few simulated people stand behind it; ``baseline_log_scores`` by name of the
    baseline; ``unit`` of the values as stored; ``n`` and ``definition`` as published.
    """

    study: str
    arm: str
    endpoint: str
    set: str
    family: str
    judged: Judged
    counted: bool
    baseline_log_scores: Mapping[str, float]
    unit: str = ""
    n: int | None = None
    definition: str = ""


@dataclasses.dataclass(frozen=True)
class Validation:
    """All rows, the endpoints that could not be predicted with the reason, and how it was made: draws, virtual people
    per arm and draw, and the hash of the posterior's draws."""

    rows: tuple[Row, ...]
    not_predicted: Mapping[str, str]
    draws: int
    patients: int
    posterior_sha256: str


def coverage_interval(rows: Sequence[Row], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the share inside, by drawing whole studies, whose endpoints go together, with replacement."""
    studies = sorted({row.study for row in rows})
    inside = {name: [row.judged.inside_90 for row in rows if row.study == name] for name in studies}
    generator = np.random.default_rng(seed)
    shares: list[float] = []
    for _ in range(BOOTSTRAPS):
        drawn = [inside[studies[i]] for i in generator.integers(len(studies), size=len(studies))]
        flat = [one for study in drawn for one in study]
        shares.append(sum(flat) / len(flat))
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Coverage, width and scores of some rows; only counted ones."""
    counted = [row for row in rows if row.counted]
    if not counted:
        return {"n": 0, "inside_90": 0, "coverage_90": None, "median_width_ratio": None}
    inside = sum(row.judged.inside_90 for row in counted)
    ratios = [row.judged.width_ratio for row in counted if row.judged.width_ratio is not None]
    uncertain = [row for row in counted if not _nearly_certain(row)]
    low, high = coverage_interval(counted)
    return {
        "n": len(counted),
        "inside_90": inside,
        "coverage_90": inside / len(counted),
        "coverage_90_low": low,
        "coverage_90_high": high,
        "median_width_ratio": float(np.median(ratios)) if ratios else None,
        "n_without_near_certain": len(uncertain),
        "coverage_90_without_near_certain": (
            sum(row.judged.inside_90 for row in uncertain) / len(uncertain) if uncertain else None
        ),
        "mean_interval_score": float(np.mean([row.judged.interval_score for row in counted])),
        "mean_log_score": float(np.mean([row.judged.log_score for row in counted])),
        "root_mean_square_z": float(np.sqrt(np.mean([row.judged.z**2 for row in counted]))),
    }


def _nearly_certain(row: Row) -> bool:
    """Shares published as none or all of the people, which most models predict."""
    return row.family in ("proportion", "survival") and row.judged.published in (0.0, 1.0)


def report_data(found: Validation) -> dict[str, Any]:
    """The validation as plain data: summary by set, every endpoint, and the acceptance criteria.

    Families and baselines are those of the validation studies, or else of a user's own.
    """
    sets = [name for name in (*SETS, OWN_SET) if any(row.set == name for row in found.rows)]
    by_set = {name: [row for row in found.rows if row.set == name] for name in sets}
    main = by_set.get("validation") or by_set.get(OWN_SET) or []
    families = sorted({row.family for row in main})
    return {
        "summary": {name: summary(rows) for name, rows in by_set.items()},
        "families": {name: summary([r for r in main if r.family == name]) for name in families},
        "baselines": baseline_summary(main),
        "acceptance": acceptance_results(by_set) if "validation" in by_set else {},
        "endpoints": [_row_data(row) for row in found.rows],
        "not_predicted": dict(found.not_predicted),
        "made_with": {
            "motorpool": __version__,
            "draws": found.draws,
            "patients": found.patients,
            "posterior_sha256": found.posterior_sha256,
        },
    }


def baseline_summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Mean log score of the model and of each baseline on the endpoints that the baseline can predict at all."""
    found: dict[str, Any] = {}
    for name in ("natural history", "similar trials"):
        paired = [
            (row.judged.log_score, row.baseline_log_scores[name])
            for row in rows
            if row.counted and name in row.baseline_log_scores
        ]
        if paired:
            own, other = (float(np.mean(part)) for part in zip(*paired, strict=True))
            found[name] = {"n": len(paired), "model": own, "baseline": other, "better": own > other}
    return found


def acceptance_results(by_set: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """Each criterion with its value and whether goal and floor are met."""
    acceptance = load_acceptance()
    numbers = summary(by_set[acceptance.set])
    controls = [
        row.judged.inside_90 for rows in by_set.values() for row in rows if row.study == "NEGATIVE-CONTROLS"
    ]
    scores = baseline_summary(by_set[acceptance.set])
    ratio = numbers["median_width_ratio"]
    return {
        "decided": acceptance.decided,
        "inside_90": _met(numbers["coverage_90"], acceptance.inside_90, larger=True),
        "median_width_ratio": _met(ratio, acceptance.median_width_ratio, larger=False),
        "least_endpoints": _met(numbers["n"], acceptance.least_endpoints, larger=True),
        "negative_controls": {
            "value": sum(controls),
            "of": len(controls),
            "floor_met": all(controls) if controls else None,
        },
        "baselines": {
            "value": scores,
            "floor_met": all(entry["better"] for entry in scores.values()) if scores else None,
        },
    }


def _met(value: float | None, criterion: Criterion, *, larger: bool) -> dict[str, Any]:
    def reached(limit: float | None) -> bool | None:
        if limit is None or value is None:
            return None
        return value >= limit if larger else value <= limit

    return {
        "value": value,
        "goal": criterion.goal,
        "floor": criterion.floor,
        "goal_met": reached(criterion.goal),
        "floor_met": reached(criterion.floor),
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "study": row.study,
        "arm": row.arm,
        "endpoint": row.endpoint,
        "set": row.set,
        "family": row.family,
        "counted": row.counted,
        "unit": row.unit,
        "n": row.n,
        "definition": row.definition,
        **{name: _plain(value) for name, value in dataclasses.asdict(row.judged).items()},
        "baseline_log_scores": {name: _plain(value) for name, value in row.baseline_log_scores.items()},
    }


def _plain(value: Any) -> Any:
    """Numbers to six decimals; none for what is not a number, which JSON does not know."""
    if not isinstance(value, float):
        return value
    return round(value, 6) if math.isfinite(value) else None
