"""What stiff joints leave of strength."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorpool.outcomes.abilities import within_range

SHARES = st.floats(0.01, 1.0)


@given(SHARES, SHARES, st.floats(0.0, 1.0))
def test_neither_strength_nor_range_is_exceeded(
    raw: float, usable_range: float, ceiling_share: float
) -> None:
    through = float(within_range(np.float64(raw), np.float64(usable_range), np.float64(ceiling_share)))
    assert raw * usable_range - 1e-12 <= through <= min(raw, usable_range) + 1e-12


@given(SHARES, SHARES, SHARES, st.floats(0.0, 1.0))
def test_more_strength_or_range_is_never_worse(
    a: float, b: float, other: float, ceiling_share: float
) -> None:
    less, more = (np.float64(value) for value in sorted((a, b)))
    kept, share = np.float64(other), np.float64(ceiling_share)
    assert within_range(less, kept, share) <= within_range(more, kept, share) + 1e-12
    assert within_range(kept, less, share) <= within_range(kept, more, share) + 1e-12


def test_limits() -> None:
    """Full range lets all through; no ceiling is the product; a ceiling holds back the strong, not the weak."""
    strength = np.array([0.05, 0.4, 1.0])
    for share in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(within_range(strength, np.ones(3), share), strength)
    np.testing.assert_allclose(within_range(strength, 0.5, 0.0), 0.5 * strength)
    weak, middle, full = within_range(strength, 0.5, 1.0)
    assert weak == pytest.approx(0.05, rel=0.06)
    assert middle == pytest.approx(0.4 * 0.5 / 0.7)
    assert full == pytest.approx(0.5)
