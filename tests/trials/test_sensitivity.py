"""Every assumption of a design is varied, every variation can be simulated or says why not, and nothing is left out."""

import pytest

from motorpool.report.trial.tables import sensitivity_table
from motorpool.simulation.errors import ScenarioError
from motorpool.trials import sensitivity as room
from motorpool.trials.design_file import load_design, shipped_designs
from motorpool.trials.design_rules import Multiplicity
from motorpool.trials.effects import true_effects
from motorpool.trials.sensitivity import sensitivity_of
from motorpool.trials.truth import MODEL, NULL
from motorpool.trials.variations import accrual_variations, variations
from tests.support.trial_pools import CHANGE, design, made_up_pool


@pytest.mark.parametrize("name", shipped_designs())
def test_every_variation_of_a_shipped_design_is_another_design(name: str) -> None:
    whole = load_design(name)
    first = whole.model_copy(update={"endpoints": whole.endpoints[:1], "multiplicity": Multiplicity()})
    seen: set[str] = set()
    impossible: list[str] = []
    for words, entries in [*variations(whole), *accrual_variations(whole)]:
        assert words not in seen
        seen.add(words)
        try:
            varied = load_design(first, entries)
        except ScenarioError:
            impossible.append(words)
            continue
        assert (varied == first) == (words == "as designed"), words
    assert len(impossible) <= 3, impossible
    assert len(seen) >= 10


def test_what_a_design_assumes_is_what_is_varied() -> None:
    def words(name: str, *changes: str) -> str:
        return "; ".join(one for one, _ in variations(load_design(name, changes)))

    assert "rescue handled by composite" in words("randomised_withdrawal")
    assert "nobody is rescued" in words("randomised_withdrawal")
    assert "imputed by copy reference" in words("cells_doses_adaptive")
    assert "imputed values moved by -1" in words("cells_doses_adaptive")
    assert "permanent ventilation handled by composite" in words("cherish")
    assert "people from outside do +1 points better" in words("single_arm_external_control")
    stops = words("adult", "conduct.discontinue_per_year=0.1", "conduct.rescue=null")
    assert "nobody stops the therapy of the arm" in stops
    assert "discontinuation handled by hypothetical" in stops
    found = [one for one, _ in accrual_variations(load_design("cells_addon_sitters"))]
    assert {"half as many agree", "no other trial looks for these people", "all are reached"} <= set(found)


def test_rows_hold_what_changes_and_say_what_is_not_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [
        ("as designed", []),
        ("open label", ["blinding=open_label"]),
        ("impossible", ["estimand.intercurrent_events.rescue=composite"]),
    ]
    monkeypatch.setattr(room, "variations", lambda trial: iter(chosen))
    trial = load_design(
        "cells_addon_sitters",
        ["patients=40", "multiplicity={procedure: holm}", "conduct.missing={}", "decision=null"],
    )
    plain, open_label, impossible, *accrual = sensitivity_of(trial, replicates=40, people=64)
    assert plain["not_possible"] is None and "cannot happen" in impossible["not_possible"]
    assert impossible["power"] is None
    assert open_label["type_1_error"]["value"] > plain["type_1_error"]["value"]
    assert open_label["bias"]["value"] > plain["bias"]["value"] + 0.5
    by_words = {row["assumption"]: row for row in accrual}
    assert by_words["half as many agree"]["power"] is None
    assert by_words["half as many agree"]["feasible_patients"] < plain["feasible_patients"]
    table = sensitivity_table([plain, open_label, impossible, *accrual])
    assert "not possible" in table and "Years to enrol" in table and "None" not in table


def test_the_truth_is_what_happens_and_not_what_is_rated() -> None:
    blinded = design(endpoints=f"[{CHANGE}]")
    open_label = design("blinding=open_label", endpoints=f"[{CHANGE}]")
    pool = made_up_pool(blinded, effect=2.0)
    assert true_effects(open_label, pool, MODEL) == true_effects(blinded, pool, MODEL)
    assert true_effects(open_label, pool, NULL)["change/cells"] == 0.0
