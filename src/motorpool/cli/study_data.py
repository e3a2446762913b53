"""Studies and comparisons as plain data, for `--json` and the tables of the verbs `studies`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from motorpool.studies.words import unit_of

if TYPE_CHECKING:
    from motorpool.studies.compare import Compared, StudyComparison


def comparison_data(comparison: StudyComparison, options: dict[str, Any]) -> dict[str, Any]:
    """A comparison with how it was made; numbers to six digits, ``None`` where there is none."""
    name = comparison.study.name
    return {
        "study": name,
        **options,
        "endpoints": [_compared_data(name, found) for found in comparison.compared],
        "not_predicted": [
            {"endpoint": left.endpoint.id, "reason": left.reason} for left in comparison.not_predicted
        ],
    }


def _compared_data(study: str, found: Compared) -> dict[str, Any]:
    endpoint = found.endpoint
    return {
        "study": study,
        "arm": endpoint.arm,
        "endpoint": endpoint.id,
        "set": found.set,
        "outcome": endpoint.outcome,
        "metric": endpoint.metric,
        "unit": unit_of(endpoint),
        "published": _finite(found.published),
        "published_low": _finite(found.published_low),
        "published_high": _finite(found.published_high),
        "predicted": _finite(found.predicted),
        "predicted_low": _finite(found.predicted_low),
        "predicted_high": _finite(found.predicted_high),
        "inside_90": found.inside_90,
        "width_ratio": _finite(found.width_ratio),
        "effective_people": round(found.effective_people, 1),
        "draws": found.draws,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def study_entries() -> list[dict[str, Any]]:
    """One entry per shipped study, in alphabetical order."""
    from motorpool.evidence.published import list_published, load_published
    from motorpool.evidence.study_sets import load_study_sets

    sets = load_study_sets()
    found: list[dict[str, Any]] = []
    for name in list_published():
        study = load_published(name)
        targets = [e for e in study.endpoints if e.not_scored is None] if study.run is not None else []
        member = sets.studies.get(name)
        mine = [sets.of(name, endpoint.id) for endpoint in targets] or [member.set if member else None]
        found.append(
            {
                "study": name,
                "title": study.title,
                "sets": [chosen for chosen in dict.fromkeys(mine) if chosen is not None],
                "arms": len(study.arms if study.run is None else study.run["arms"]),
                "endpoints": len(study.endpoints),
                "targets": len(targets),
                "simulated": study.run is not None,
                "not_run": study.not_run,
            }
        )
    return found
