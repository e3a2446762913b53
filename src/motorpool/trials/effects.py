"""The true effect of a trial: what its analysis finds in an endless trial in which nobody is missed."""

from __future__ import annotations

import numpy as np

from motorpool.trials.analysis import analyse
from motorpool.trials.design import TrialDesign
from motorpool.trials.design_sections import Endpoint
from motorpool.trials.estimand_values import changes, responses
from motorpool.trials.pool import Pool
from motorpool.trials.replicate import TrialData, paired_trial
from motorpool.trials.truth import Truth

# Numerical choices: people in each arm of the endless trial, and of one in which all pairs are compared.
MANY, MANY_IN_PAIRS = 8192, 1024


def true_effects(
    design: TrialDesign, pool: Pool, truth: Truth, *, first_only: bool = False
) -> dict[str, float]:
    """The true effect by `endpoint/arm`, in the summary of the endpoint's analysis.

    Each person is compared with the same person under the control, with the same luck, so that a mean difference has
    hardly any Monte-Carlo error. Nobody is rated better for knowing the arm: what that adds to a trial is its bias. No
    effect is exactly none: 0.
    """
    conduct = design.conduct.model_copy(update={"unblinded_share": 0.0})
    design = design.model_copy(update={"blinding": "double_blind", "conduct": conduct})
    found: dict[str, float] = {}
    for arm in design.test_arms:
        data: TrialData | None = None
        for endpoint in design.endpoints[:1] if first_only else design.endpoints:
            key = f"{endpoint.name}/{arm}"
            if truth.is_null:
                found[key] = 0.0
                continue
            if data is None:
                data = paired_trial(design, pool, truth, arm, max(1, MANY // pool.people))
            found[key] = _effect(design, pool, truth, endpoint, arm, data)
    return found


def _effect(
    design: TrialDesign, pool: Pool, truth: Truth, endpoint: Endpoint, arm: str, data: TrialData
) -> float:
    half = data.arm.shape[1] // 2
    if endpoint.measure == "change":
        visit = design.visit_months.index(design.month_of(endpoint))
        change = changes(data, endpoint, complete=True)[0, :, visit]
        control, treated = change[:half], change[half:]
        return float(np.nanmean(treated) - np.nanmean(control))
    if endpoint.method == "cochran_mantel_haenszel":
        responded = responses(data, endpoint, complete=True)[0].astype(float)
        return float(responded[half:].mean() - responded[:half].mean())
    if endpoint.measure in ("joint_rank", "win_ratio"):
        data = paired_trial(design, pool, truth, arm, 1)
        half = data.arm.shape[1] // 2
        few = np.arange(half) < MANY_IN_PAIRS
        among = np.concatenate([few, few])[None]
        return float(analyse(data, endpoint, arm, complete=True, among=among).estimate[0])
    return float(analyse(data, endpoint, arm, complete=True).estimate[0])
