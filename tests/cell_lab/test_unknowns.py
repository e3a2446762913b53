"""The prior of the cells: the total from its mixture, split over dependent mechanisms that add to it."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from scipy.stats import norm

from motorpool.cell_lab.prior import elicited, mechanism_prior, probability_above
from motorpool.cell_lab.unknowns import TOTAL, at_quantiles, drawn, mechanism_effects, unknown_names
from motorpool.evidence.facts import load_facts
from motorpool.evidence.parameters import load_parameter_table


def mixture_above(smd: float) -> float:
    """The elicited mixture as written down, without the recorded bounds."""
    return float(0.88 * norm.sf(smd, 0.02, 0.14) + 0.12 * norm.sf(smd, 0.40, 0.25))


def test_effects_of_mechanisms_are_dependent_and_add_to_the_total():
    values = drawn(256, 1)
    effects = mechanism_effects(values)
    assert effects.sum(axis=1) == pytest.approx(values[TOTAL], abs=1e-12)
    assert (np.sign(effects) == np.sign(values[TOTAL])[:, None]).all()
    assert np.corrcoef(effects[:, 0], effects[:, 1])[0, 1] > 0.2


def test_a_latin_hypercube_meets_the_tails_as_often_as_it_should():
    total = drawn(512, 3)[TOTAL]
    for smd in (1.0 / 4.5, 1.5 / 4.5, 3.0 / 4.5):
        assert np.mean(total > smd) == pytest.approx(probability_above(smd), abs=2.0 / 512)


def test_draws_are_the_same_for_the_same_seed_and_others_for_another():
    assert (drawn(32, 5)[TOTAL] == drawn(32, 5)[TOTAL]).all()
    assert (drawn(32, 5)[TOTAL] != drawn(32, 6)[TOTAL]).any()


@pytest.mark.parametrize("name", unknown_names())
def test_quantiles_are_those_of_the_record(name: str):
    record = load_parameter_table()[f"cells.{name}"]
    shares = np.full((3, len(unknown_names())), 0.5)
    shares[:, unknown_names().index(name)] = (0.013, 0.5, 0.987)
    wanted = [record.prior.quantile(u, record.values[0], record.bounds) for u in (0.013, 0.5, 0.987)]
    assert at_quantiles(shares)[name] == pytest.approx(wanted, rel=5e-3, abs=1e-4)


@pytest.mark.parametrize("smd", [0.0, 0.2, 1.0 / 3.0, 2.0 / 3.0, 1.2])
def test_the_tail_of_the_total_is_that_of_the_mixture(smd: float):
    assert probability_above(smd) == pytest.approx(mixture_above(smd), abs=2e-3)


def test_the_elicited_table_is_reported_as_written_and_agrees_with_its_mixture():
    table = elicited()["p_mean_gain_above"]
    assert table["1.5"]["elicited"] == 0.08
    assert table["3"]["elicited"] == 0.02
    for of in table.values():
        assert of["from_mixture"] == pytest.approx(of["elicited"], abs=0.006)
    assert "never says how many children gain" in elicited()["meaning"]


def test_hope_is_no_part_of_biology():
    """Open-label inflation would make the mean of the total large; it is a fact of observation alone."""
    total = mechanism_prior(4000).sum(axis=1)
    assert total.mean() < 0.5 * load_facts("cell_laboratory").fact("open_label_inflation_smd").number
    text = yaml.safe_dump(
        {k: r.model_dump(mode="json") for k, r in load_parameter_table().items() if "cells" in k}
    )
    assert "open_label" not in text
