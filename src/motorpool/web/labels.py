"""Names of scores and abilities as the pages show them."""

from __future__ import annotations

from motorpool.simulation.vocabulary import MILESTONES
from motorpool.web.description import SCALES


def scale_labels() -> dict[str, str]:
    """The scores a reader can enter, by id."""
    from motorpool.simulation.labels import outcome_view

    views = {name: outcome_view(name) for name in SCALES}
    return {
        name: f"{view.label} ({view.low:g} to {view.high:g})" if view.high is not None and view.low is not None
        else f"{view.label}, {view.unit}"
        for name, view in views.items()
    }  # fmt: skip


def milestone_labels() -> dict[str, str]:
    """The abilities a reader can tick, by id."""
    from motorpool.simulation.labels import milestone_label

    return {name: milestone_label(name) for name in MILESTONES}
