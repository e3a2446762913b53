"""One figure per mechanism of the model, drawn from the model's own functions; shown in docs/explanation/model.md.

``python -m motorpool.figures.mechanisms docs/images/mechanisms`` writes them (see CONTRIBUTING.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure
    from motorpool.figures.mechanisms.model import Mechanisms


def mechanism_figures(model: Mechanisms | None = None) -> list[Figure]:
    """Every figure, in the order of the page; ``model`` is by default the model at its central parameter values.

    Computed in double precision, so that the pictures are the same on every machine.
    """
    import jax

    from motorpool.figures.mechanisms import body, measures, neurons, outcomes, therapies
    from motorpool.figures.mechanisms.model import central_mechanisms

    with jax.enable_x64(True):
        chosen = model or central_mechanisms()
        rooms = (neurons, body, outcomes, measures, therapies)
        return [draw(chosen) for room in rooms for draw in room.FIGURES]
