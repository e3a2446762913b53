"""What counts as a change of the model: what its code says, not how it is written or where others keep their names."""

from __future__ import annotations

import pytest

from motorpool.simulation.calibration_state import calibration_state, shape_of_code

CODE = """
from motorpool.engine.step import advance
from motorpool.biology.smn import level

def loss(neurons: float) -> float:
    return 0.5 * level(neurons) * advance(neurons)
"""


def test_the_shipped_posterior_belongs_to_the_shipped_model() -> None:
    assert calibration_state() == "calibrated"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("neurons: float", "neurons"),
        ("    return", '    """Rate of loss."""\n    # Per year.\n    return'),
        ("motorpool.engine.step", "motorpool.engine.surroundings"),
    ],
    ids=["annotation", "words", "module of another room"],
)
def test_what_is_not_the_model_may_change(old: str, new: str) -> None:
    assert old in CODE
    assert shape_of_code(CODE.replace(old, new)) == shape_of_code(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "0.6"),
        ("*", "/"),
        ("motorpool.biology.smn", "motorpool.biology.muscle"),
        ("import level", "import stress as level"),
    ],
    ids=["number", "operator", "module of the model", "name"],
)
def test_what_is_the_model_may_not(old: str, new: str) -> None:
    assert old in CODE
    assert shape_of_code(CODE.replace(old, new)) != shape_of_code(CODE)
