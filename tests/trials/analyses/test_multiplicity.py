"""Several hypotheses: against statsmodels, and graphs that are known procedures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from motorpool.trials.analyses.multiplicity import bonferroni, fixed_sequence, graphical, hochberg, holm

P = np.random.default_rng(1).random((200, 4)) ** 2
FEW = P[:10]  # statsmodels is slow


def test_step_procedures_agree_with_statsmodels() -> None:
    for ours, name in ((holm, "holm"), (hochberg, "simes-hochberg"), (bonferroni, "bonferroni")):
        other = np.array([multipletests(row, method=name)[1] for row in FEW])
        np.testing.assert_allclose(ours(FEW), other, rtol=1e-12)


def test_graphs_of_known_procedures() -> None:
    everyone = (np.ones((4, 4)) - np.eye(4)) / 3
    np.testing.assert_array_equal(graphical(P, np.full(4, 0.25), everyone, 0.05), holm(P) <= 0.05)
    chain = np.eye(4, k=1)
    np.testing.assert_array_equal(graphical(P, [1, 0, 0, 0], chain, 0.05), fixed_sequence(P) <= 0.05)
    np.testing.assert_array_equal(
        graphical(P, np.full(4, 0.25), np.zeros((4, 4)), 0.05), bonferroni(P) <= 0.05
    )


def test_the_example_of_bretz() -> None:
    """Two primaries share alpha; each passes it to its own secondary, and that to the other primary."""
    transitions = [[0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]
    p = [[0.0121, 0.0337, 0.0084, 0.0160]]
    # By hand: 1 (0.0121 <= 0.0125); its share goes to 3 (0.0084 <= 0.0125), then to 2 (0.0337 > 0.025): stop.
    assert graphical(p, [0.5, 0.5, 0, 0], transitions, 0.025).tolist() == [[True, False, True, False]]


@given(
    st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3),
    st.integers(0, 2),
    st.floats(0.0, 1.0),
)
def test_a_smaller_p_value_never_loses_a_rejection(p: list[float], place: int, factor: float) -> None:
    everyone = (np.ones((3, 3)) - np.eye(3)) / 2
    smaller = list(p)
    smaller[place] *= factor
    before = graphical([p], [0.5, 0.3, 0.2], everyone, 0.05)
    after = graphical([smaller], [0.5, 0.3, 0.2], everyone, 0.05)
    assert (after | ~before).all()


def test_no_answer_counts_as_not_shown() -> None:
    p = [[0.001, np.nan, 0.001]]
    assert (fixed_sequence(p) <= 0.05).tolist() == [[True, False, False]]
    assert (holm(p) <= 0.05).tolist() == [[True, False, True]]


def test_impossible_graphs_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to at most 1"):
        graphical(P, [0.5, 0.5, 0.5, 0.0], np.zeros((4, 4)), 0.05)
    with pytest.raises(ValueError, match="for 4 hypotheses"):
        graphical(P, [1.0], [[0.0]], 0.05)
