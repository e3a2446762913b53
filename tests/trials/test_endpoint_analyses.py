"""Analyses that an endpoint may ask for, and how endpoints share the error, on people whose courses are known."""

import numpy as np
import pytest

from motorpool.simulation.errors import ScenarioError
from motorpool.trials.analyses.ancova import ancova
from motorpool.trials.analyses.gray import gray
from motorpool.trials.analyses.mmrm import mmrm
from motorpool.trials.analyses.multiplicity import holm
from motorpool.trials.analysis import analyse
from motorpool.trials.blocks import run_replicates
from motorpool.trials.effects import true_effects
from motorpool.trials.estimand_values import changes, event_times
from motorpool.trials.replicate import draw_trials
from motorpool.trials.rule_words import rule_words
from motorpool.trials.truth import MODEL, NULL
from tests.support.trial_pools import CHANGE, DEATH, design, made_up_pool

LEAVE = "conduct.missing={leave_per_year: 0.4}"
RESPONSE = "{name: up, outcome: hfmse, measure: response, change_at_least: 3}"
RULM = "{name: rulm, outcome: rulm, measure: change}"


def imputed(assumption: str, more: str = "") -> str:
    asked = f"analysis: multiple_imputation, imputation: {{assumption: {assumption}, imputations: 8{more}}}"
    return f"[{CHANGE.removesuffix('}')}, {asked}}}]"


def test_imputation_lies_where_its_assumption_puts_those_who_left() -> None:
    found: dict[str, float] = {}
    for name, asked in {
        "random": imputed("missing_at_random"),
        "jump": imputed("jump_to_reference"),
        "increments": imputed("copy_increments_in_reference"),
        "delta": imputed("missing_at_random", ", delta: -3"),
    }.items():
        trial = design(LEAVE, endpoints=asked)
        pool = made_up_pool(trial, effect=3.0, spread=2.0)
        data = draw_trials(trial, pool, MODEL, range(30))
        found[name] = float(analyse(data, trial.endpoints[0], "cells").estimate.mean())
    assert found["random"] == pytest.approx(3.0, abs=0.25)
    assert found["jump"] < found["increments"] - 0.1 < found["random"] - 0.2
    left = np.mean(data.left_months[data.arm == 0] < 12.0)
    assert found["delta"] == pytest.approx(found["random"] - 3.0 * left, abs=0.1)


def test_imputation_leaves_out_who_does_not_count_and_does_not_depend_on_company() -> None:
    trial = design(LEAVE, endpoints=imputed("missing_at_random"))
    pool = made_up_pool(trial, effect=1.0)
    data = draw_trials(trial, pool, MODEL, range(6))
    half = np.broadcast_to(np.arange(100) < 50, data.arm.shape)
    few = analyse(data, trial.endpoints[0], "cells", among=half)
    everybody = analyse(data, trial.endpoints[0], "cells")
    assert (few.standard_error > everybody.standard_error).all()
    whole, one = (run_replicates(trial, pool, MODEL, which) for which in (range(6), range(4, 5)))
    assert whole["change/cells/estimate"][4] == one["change/cells/estimate"][0]
    complete = analyse(data, trial.endpoints[0], "cells", complete=True)
    visit = changes(data, trial.endpoints[0], complete=True)[..., -1]
    assert np.allclose(complete.estimate, ancova(visit, data.arm == 0, baseline=data.baseline[0]).estimate)


def test_a_structured_covariance_reaches_the_mixed_model() -> None:
    found = {}
    for name in ("unstructured", "compound_symmetry", "heterogeneous_autoregressive", "toeplitz"):
        asked = f"[{CHANGE.removesuffix('}')}, analysis: mmrm, covariance: {name}}}]"
        trial = design(LEAVE, endpoints=asked)
        data = draw_trials(trial, made_up_pool(trial, effect=1.0), MODEL, range(3))
        found[name] = analyse(data, trial.endpoints[0], "cells").estimate
        values = changes(data, trial.endpoints[0])[..., 1:]
        own = mmrm(values, data.arm == 0, baseline=data.baseline[0], covariance=name)  # type: ignore[arg-type]
        assert np.allclose(found[name], own.estimate)
    assert not np.allclose(found["unstructured"], found["compound_symmetry"], atol=1e-6)


def test_grays_test_counts_deaths_as_a_rival_and_not_as_censored() -> None:
    asked = "{name: vent, event: permanent_ventilation_16h_14d, measure: time_to_event, analysis: gray}"
    trial = design(endpoints=f"[{asked}, {DEATH.removesuffix('}')}, analysis: gray}}]")
    pool = made_up_pool(trial, deaths={"cells": 0.2, "sham": 0.5})
    data = draw_trials(trial, pool, MODEL, range(20))
    found = analyse(data, trial.endpoints[1], "cells")
    times = event_times(data, trial.endpoints[1])
    assert np.array_equal(found.statistic, gray(times.months / 12.0, times.cause, data.arm == 0).statistic)
    assert (found.estimate < 0.0).mean() > 0.9
    results = run_replicates(trial, pool, MODEL, range(50))
    assert (results["death/cells/favours"] & results["death/cells/significant"]).mean() > 0.6
    assert true_effects(trial, pool, MODEL)["death/cells"] < -0.5


def test_endpoints_share_the_error_as_the_procedure_says() -> None:
    three = f"[{RULM}, {CHANGE}, {RESPONSE}]"
    results = {}
    pool = None
    for name, asked in {
        "fixed": "multiplicity={procedure: fixed_sequence}",
        "holm": "multiplicity={procedure: holm}",
        "bonferroni": "multiplicity={procedure: bonferroni}",
        "hochberg": "multiplicity={procedure: hochberg}",
        "graph": "multiplicity={procedure: graphical, weights: {change: 1.0}, transitions: {change: {rulm: 1.0}}}",
    }.items():
        trial = design(asked, endpoints=three)
        pool = pool or made_up_pool(trial, effect=1.2, spread=2.0)
        results[name] = run_replicates(trial, pool, MODEL, range(200))
    won = {
        name: {key: one[f"{key}/cells/success"] for key in ("rulm", "change", "up")}
        for name, one in results.items()
    }
    p = np.stack([results["holm"][f"{key}/cells/p_value"] for key in ("rulm", "change", "up")], axis=-1)
    assert np.array_equal(won["holm"]["change"], holm(p)[:, 1] <= 0.05)
    assert won["bonferroni"]["change"].sum() < won["holm"]["change"].sum() <= won["hochberg"]["change"].sum()
    assert not (won["fixed"]["change"] & ~won["fixed"]["rulm"]).any()
    assert not won["graph"]["up"].any() and not (won["graph"]["rulm"] & ~won["graph"]["change"]).any()
    assert np.array_equal(
        won["graph"]["change"], (p[:, 1] <= 0.05) & results["graph"]["change/cells/favours"]
    )
    assert dict(rule_words(design("multiplicity={procedure: holm}"))) == {"Several endpoints": "Holm"}


def test_a_shared_error_keeps_the_family_under_no_effect() -> None:
    trial = design("multiplicity={procedure: hochberg}", endpoints=f"[{CHANGE}, {RESPONSE}]")
    null = run_replicates(trial, made_up_pool(trial, spread=3.0), NULL, range(1000))
    any_won = null["change/cells/success"] | null["up/cells/success"]
    assert 0.005 < any_won.mean() < 0.025 + 3 * (0.025 * 0.975 / 1000) ** 0.5


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        (["endpoints.0.analysis=multiple_imputation"], "endpoints.0.analysis", "nothing to impute"),
        (["endpoints.0.imputation={delta: 1}"], "endpoints.0.imputation", "only for multiple_imputation"),
        (["endpoints.0.covariance=toeplitz"], "endpoints.0.covariance", "only for mmrm"),
        ([LEAVE, "endpoints.0.analysis=multiple_imputation", "endpoints.0.imputation={assumption: jump}"],
         "endpoints.0.imputation.assumption", "jump_to_reference"),
        (["endpoints.0.analysis=gray"], "endpoints.0.analysis", "does not fit a change"),
        (["multiplicity={procedure: holmes}"], "multiplicity.procedure", "Did you mean holm?"),
        (["multiplicity={procedure: graphical}"], "multiplicity.weights", "are missing"),
        (["multiplicity={procedure: holm, weights: {change: 1}}"], "multiplicity.weights", "only for graphical"),
        (["multiplicity={procedure: graphical, weights: {chnge: 1}}"],
         "multiplicity.weights.chnge", "Did you mean change?"),
        (["multiplicity={procedure: holm}", "interims={information: [0.5]}"],
         "multiplicity.procedure", "fixed_sequence"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_where_it_stands(changes: list[str], path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        design(*changes)
    assert path in [problem.path for problem in caught.value.problems]
    assert words in str(caught.value)
