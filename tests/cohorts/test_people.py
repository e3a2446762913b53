"""Virtual people: traits keyed by person, spread as recorded, and weights that reach published baselines."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.biology.person import Person
from motorpool.cohorts.reweighting import (
    ReweightingError,
    effective_sample_size,
    matching_weights,
    systematic_choice,
)
from motorpool.cohorts.traits import draw_people, infection_seed
from tests.support import lives

COUNT = 4000


def drawn(identity: Any, seed: int = 1, **options: Any) -> Person:
    draw = lives.central_draw()
    who = jnp.asarray(identity)
    none = jnp.zeros(who.shape)
    return draw_people(seed, who, none, none + 2, none - 1, draw.people, draw.model.biology.smn, **options)


def test_a_person_is_the_same_in_any_company() -> None:
    together, alone = drawn(np.arange(50)), drawn(np.asarray([37]))
    for name in Person.__dataclass_fields__:
        assert np.asarray(getattr(together, name))[37] == np.asarray(getattr(alone, name))[0], name
    assert (
        np.asarray(infection_seed(1, jnp.arange(50)))[37]
        == np.asarray(infection_seed(1, jnp.asarray([37])))[0]
    )


def test_another_seed_makes_other_people() -> None:
    first, second = drawn(np.arange(50)), drawn(np.arange(50), seed=2)
    assert not np.array_equal(first.log_vulnerability, second.log_vulnerability)
    assert not np.array_equal(first.death_draw, second.death_draw)


def test_traits_have_their_recorded_spread_and_are_independent() -> None:
    people = lives.central_draw().people
    who = drawn(np.arange(COUNT))
    copies = float(who.smn2_level.mean()) / float(lives.central_draw().model.biology.smn.level_per_smn2_copy)
    # The mean of a log-normal spread lies above its median, and copies with the splice variant make more.
    variants = 1.0 + float(people.splice_variant_share) * (float(people.splice_variant_level) - 1.0)
    assert copies == pytest.approx(
        2.0 * variants * np.exp(0.5 * float(people.smn_level_log_sd) ** 2), rel=0.03
    )
    spreads = {
        "log_vulnerability": people.vulnerability_log_sd,
        "log_load": people.load_log_sd,
        "breathing_reserve": people.breathing_reserve_sd,
        "log_spine_rate": people.spine_rate_log_sd,
        "log_maturation": people.maturation_log_sd,
        "log_weight": people.weight_log_sd,
        "log_csf_clearance": people.csf_clearance_log_sd,
        "log_csf_volume": people.csf_volume_log_sd,
        "ventilation_odds": people.ventilation_choice_sd,
    }
    columns = []
    for name, sd in spreads.items():
        values = np.asarray(getattr(who, name))
        values = np.log(values) if name == "ventilation_odds" else values
        assert values.std() == pytest.approx(float(sd), rel=0.06), name
        assert abs(values.mean()) < 5 * float(sd) / np.sqrt(COUNT), name
        columns.append(values)
    correlations = np.corrcoef(np.stack([*columns, np.asarray(who.death_draw)]))
    assert np.abs(correlations - np.eye(len(correlations))).max() < 0.06
    assert float(who.aav9_antibodies.mean()) == pytest.approx(
        float(people.aav9_antibody_prevalence), abs=0.02
    )
    assert float(who.female.mean()) == pytest.approx(float(people.female_share), abs=0.03)
    assert float(who.death_draw.mean()) == pytest.approx(1.0, abs=0.06)  # exponential with mean one
    assert float(who.transduced_fraction.min()) > 0.0
    assert float(who.transduced_fraction.max()) < 1.0


def test_a_copy_with_the_splice_variant_makes_more() -> None:
    draw = lives.central_draw()
    share, level = float(draw.people.splice_variant_share), float(draw.people.splice_variant_level)
    identity = jnp.arange(COUNT)
    none = jnp.zeros(COUNT)

    def levels(copies: float, **changed: float) -> Any:
        people = dataclasses.replace(
            draw.people, **{name: jnp.float32(value) for name, value in changed.items()}
        )
        who = draw_people(1, identity, none, none + copies, none - 1, people, draw.model.biology.smn)
        return np.asarray(who.smn2_level)

    for copies in (1, 2, 4):
        relative = levels(copies) / levels(copies, splice_variant_share=0.0)
        carriers = relative > 1.0 + 1e-6
        assert carriers.mean() == pytest.approx(1.0 - (1.0 - share) ** copies, abs=0.012)
        assert np.isclose(relative[carriers], 1.0 + (level - 1.0) / copies, rtol=1e-4).mean() > 0.8
        assert np.allclose(relative[~carriers], 1.0)
    # More copies never make less in the same person.
    assert (levels(3) > levels(2)).all()


def test_layers_of_uncertainty_can_be_switched_off() -> None:
    typical = drawn(np.arange(60), between_people=False)
    for name in (
        "smn2_level",
        "log_vulnerability",
        "sprouting",
        "log_load",
        "log_weight",
        "transduced_fraction",
    ):
        assert np.ptp(np.asarray(getattr(typical, name))) < 1e-6, name
    certain = drawn(np.arange(60), chance=False)
    assert np.asarray(certain.death_draw) == pytest.approx(np.log(2.0))
    assert np.ptp(np.asarray(certain.log_vulnerability)) > 0.1


@given(mean=st.floats(24.0, 36.0), sd=st.floats(5.0, 9.0))
def test_weights_reach_mean_and_sd(mean: float, sd: float) -> None:
    values = np.random.default_rng(1).normal(30.0, 8.0, 3000)
    weights = matching_weights({"score": values}, {"score": (mean, sd)})
    reached = float(weights @ values)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    assert reached == pytest.approx(mean, abs=0.15 * sd)
    assert np.sqrt(weights @ (values - reached) ** 2) == pytest.approx(sd, rel=0.15)
    assert 1.0 <= effective_sample_size(weights) <= values.size + 1e-6


def test_targets_already_met_leave_equal_weights() -> None:
    values = np.random.default_rng(2).normal(0.0, 1.0, 500)
    values = (values - values.mean()) / values.std()
    weights = matching_weights({"score": values}, {"score": (0.0, 1.0)})
    assert weights == pytest.approx(1.0 / 500, rel=1e-3)
    assert effective_sample_size(weights) == pytest.approx(500, rel=1e-3)


@pytest.mark.parametrize("target", [(100.0, 1.0), (-50.0, 3.0), (0.0, 40.0)])
def test_targets_out_of_reach_are_refused_without_noise(target: tuple[float, float]) -> None:
    values = np.random.default_rng(3).normal(0.0, 1.0, 500)
    with pytest.raises(ReweightingError):
        matching_weights({"score": values}, {"score": target})


def test_systematic_choice_follows_the_weights() -> None:
    weights = np.asarray([0.5, 0.25, 0.125, 0.125])
    chosen = systematic_choice(weights, 8)
    assert np.bincount(chosen).tolist() == [4, 2, 1, 1]
    assert (np.diff(chosen) >= 0).all()
