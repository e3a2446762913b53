"""Real trials beside their replicates: the ceiling of a perfect model, and what is said where one is not recognised."""

from __future__ import annotations

import numpy as np
import pytest

from motorpool.report.trial.text import published_lines
from motorpool.trials.design_file import load_design
from motorpool.trials.recognition import ceiling, recognised
from motorpool.trials.truth import MODEL, NULL

KEY = "event_free/nusinersen"


def replicates(effect: float, error: float = 0.26, number: int = 4000) -> dict[str, np.ndarray]:
    estimate = np.random.default_rng(1).normal(effect, error, number)
    return {
        f"{KEY}/estimate": estimate,
        f"{KEY}/standard_error": np.full(number, error),
        f"{KEY}/significant": np.abs(estimate) > 1.96 * error,
        f"{KEY}/favours": estimate < 0.0,
        f"truth/{KEY}": np.full(number, effect),
    }


def test_a_perfect_model_reaches_its_ceiling_in_simulation() -> None:
    most = ceiling(0.0, -1.959964, 1.959964, 1.0)
    assert most["perfect_model"] == pytest.approx(0.8342, abs=2e-4)
    assert most["same_effect"] == pytest.approx(0.95, abs=1e-4)
    luck = np.random.default_rng(2).standard_normal((2, 200_000))
    published, replicate = 1.5 * luck[0], 0.7 * luck[1]
    inside = np.abs(replicate - published) < 1.959964 * 1.5
    wide = ceiling(0.0, -1.959964 * 1.5, 1.959964 * 1.5, 0.7)
    assert wide["perfect_model"] == pytest.approx(inside.mean(), abs=4e-3)
    assert ceiling(0.0, -0.1, 0.1, 10.0)["perfect_model"] < 0.02


def test_a_recognised_trial_and_one_that_is_not_say_so_as_ratios() -> None:
    design = load_design("endear")
    good = recognised(design, replicates(np.log(0.53)), MODEL)
    assert good is not None and good["recognised"] and good["why_not"] == ""
    assert good["inside_published_interval"]["value"] == pytest.approx(
        good["ceiling"]["same_effect"], abs=0.02
    )
    assert 0.2 < good["replicates_middle_95"][0] < 0.53 < good["replicates_middle_95"][1] < 1.0
    bad = recognised(design, replicates(np.log(0.2)), MODEL)
    assert bad is not None and not bad["recognised"]
    lines = "\n".join(published_lines(bad))
    assert (
        "0.53 (0.32 to 0.89)" in lines
        and "NOT recognised" in lines
        and "a perfect model would reach" in lines
    )
    assert "the model's true effect, 0.2, lies below the published interval, 0.32 to 0.89" in lines
    assert recognised(design, replicates(0.0), NULL) is None


def test_over_draws_the_share_of_draws_outside_is_told() -> None:
    found = replicates(np.log(0.2))
    found[f"truth/{KEY}"] = np.repeat(np.log([0.1, 0.2, 0.25, 0.5]), 1000)
    told = recognised(load_design("endear"), found, MODEL)
    assert told is not None and "in 75 % of the draws and above it in 0 %" in told["why_not"]
