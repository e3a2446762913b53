"""The truth under which a trial is sized: the one in which the effect is just worth having."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import root_scalar

from motorpool.simulation.kept_pieces import kept
from motorpool.trials.analysis import benefit_sign
from motorpool.trials.blocks import cached_pool
from motorpool.trials.design import TrialDesign, dump_design
from motorpool.trials.effects import true_effects
from motorpool.trials.operating import Arrays
from motorpool.trials.truth import MODEL, Truth

LARGEST_CELLS_EFFECT = 3.0  # the largest that a scenario may state
CLOSE = 0.01  # standardised difference; numerical choice


@dataclass(frozen=True)
class Reference:
    """A truth, the effect it has on the first endpoint, and what it stands for in words."""

    truth: Truth
    effect: float
    words: str


def first_effect(design: TrialDesign, people: int, draw: int | None, truth: Truth) -> float:
    """The true effect on the first endpoint for the first test arm."""
    only = design.model_copy(update={"endpoints": design.endpoints[:1]})

    def effect() -> Arrays:
        pool = cached_pool(design, people, draw, truth.cells_effect)
        found = true_effects(only, pool, truth)[f"{design.endpoints[0].name}/{design.test_arms[0]}"]
        return {"effect": np.asarray(found)}

    return float(kept(["first effect", dump_design(design), people, draw, asdict(truth)], effect)["effect"])


def reference_truth(design: TrialDesign, people: int) -> Reference:
    """The truth in which the effect is what `decision.worthwhile` says, as near as the model gets to it.

    Cells: the total effect of cells that gives it. Other therapies: the share of the treated who respond. Without a
    `decision`, or where the model's own effect is smaller than that, the model's effect.
    """
    sign = benefit_sign(design.endpoints[0])
    model = first_effect(design, people, None, MODEL)
    if design.decision is None:
        return Reference(MODEL, model, "the model's effect")
    wanted = design.decision.worthwhile
    if design.cells_decide:

        def lacking(effect: float) -> float:
            truth = Truth("cells", round(effect, 6))
            return sign * (first_effect(design, people, None, truth) - wanted)

        if sign * wanted <= 0.0 or lacking(LARGEST_CELLS_EFFECT) < 0.0:
            return Reference(
                MODEL, model, "the model's effect; no effect of cells reaches the worthwhile one"
            )
        found = root_scalar(lacking, bracket=(0.0, LARGEST_CELLS_EFFECT), xtol=CLOSE)
        size = round(float(found.root), 3)
        truth = Truth("cells", size)
        return Reference(
            truth, first_effect(design, people, None, truth), "the least effect that is worth having"
        )
    if sign * model <= 0.0 or sign * model < sign * wanted:
        return Reference(MODEL, model, "the model's effect, which is smaller than the least worthwhile one")
    if design.endpoints[0].measure not in ("change", "response"):
        return Reference(MODEL, model, "the model's effect")
    truth = Truth("share", round(wanted / model, 4))
    return Reference(
        truth, first_effect(design, people, None, truth), "the least effect that is worth having"
    )
