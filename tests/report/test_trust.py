"""What a report says of its own trustworthiness follows calibration and validation."""

from __future__ import annotations

from typing import Any

import pytest

from motorpool.evidence.stored_results import ValidationResult, load_validation_result
from motorpool.report.credibility.applicability import applicability_map
from motorpool.report.outside import validated_map
from motorpool.report.trust import trust_sentences


def validated(*, inside: int, floor_met: bool | None) -> ValidationResult:
    accepted: dict[str, Any] = {"inside_90": {"value": inside / 50, "floor": 0.85, "floor_met": floor_met}}
    return ValidationResult.model_validate(
        {
            "summary": {"validation": {"n": 50, "inside_90": inside}},
            "endpoints": [],
            "acceptance": accepted if floor_met is not None else {},
        }
    )


def test_a_model_that_was_changed_claims_no_calibration() -> None:
    text = " ".join(trust_sentences("not calibrated for this model", load_validation_result()))
    assert "not calibrated" in text
    assert "of ten" not in text


def test_a_floor_that_is_missed_is_said() -> None:
    text = " ".join(trust_sentences("calibrated", validated(inside=30, floor_met=False)))
    assert "30 (60 %)" in text
    assert "85 %" in text
    assert "does not count as validated" in text
    reached = " ".join(trust_sentences("calibrated", validated(inside=46, floor_met=True)))
    assert "which is reached" in reached
    assert "does not count" not in reached


def test_nothing_is_claimed_without_a_validation() -> None:
    for validation in (None, validated(inside=0, floor_met=None).model_copy(update={"summary": {}})):
        assert "not known" in " ".join(trust_sentences("calibrated", validation))


def test_the_shipped_validation_is_the_one_that_is_told() -> None:
    result = load_validation_result()
    assert result is not None
    unseen = result.summary["validation"]
    assert f"Of {unseen.n} published figures" in " ".join(trust_sentences("calibrated", result))


def test_where_the_model_was_validated_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The map takes a fifth of a second, and a page asks for it at every change."""
    drawn: list[object] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        drawn.append(arguments)
        return applicability_map(*arguments, **options)

    monkeypatch.setattr("motorpool.report.credibility.applicability.applicability_map", counted)
    validated_map.cache_clear()
    assert validated_map() is validated_map()
    assert len(drawn) == 1
    assert validated_map().counts()["green"] > 0
