"""What a protocol of cells brings: benefit under many beliefs about cells, procedures, adverse events, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.events import adverse_events_per_person, doses_given
from motorpool.cell_lab.gains import gain
from motorpool.cell_lab.measures import Measure, values_of
from motorpool.cell_lab.mechanisms import Mechanisms
from motorpool.cell_lab.people import People
from motorpool.cell_lab.protocols import Protocol, cost_of
from motorpool.cell_lab.unknowns import drawn
from motorpool.simulation.kept_pieces import kept
from motorpool.therapies.courses import CellTherapy

Array = NDArray[np.float64]
OBJECTIVES = ("benefit", "procedures", "adverse_events", "cost")
SIGNS = {"benefit": -1.0, "procedures": 1.0, "adverse_events": 1.0, "cost": 1.0}  # smaller is better


@dataclass(frozen=True)
class Value:
    """One protocol's value.

    benefit (N,): mean gain of the people, averaged over the visits, under each draw of what is not known of cells;
    procedures, adverse_events: per person; cost: as `cost_of` says.
    """

    benefit: Array
    procedures: float
    adverse_events: float
    cost: dict[str, Any]

    def objective(self, name: str) -> float:
        """One of the objectives, in its own unit; the middle of the range for the cost."""
        if name == "cost":
            return 0.5 * (self.cost["usd_low"] + self.cost["usd_high"])
        return {
            "benefit": float(self.benefit.mean()),
            "procedures": self.procedures,
            "adverse_events": self.adverse_events,
        }[name]


def must_have_prices(protocol: Protocol, prices: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a protocol that has a part without a price.

    Raises:
        CellLabError: a part has no price on record, nor one of the user's.
    """
    missing = ", ".join(cost_of(protocol, prices)["without_a_price"])
    if missing:
        message = (
            f"cost: no price is on record for {missing}, which {protocol.words()} needs; give --prices FILE."
        )
        raise CellLabError(message)


class Valuation:
    """Values protocols in one group of people; every protocol meets the same people, luck and beliefs."""

    def __init__(
        self,
        people: People,
        mechanisms: Mechanisms,
        measure: Measure,
        *,
        draws: int,
        prices: Mapping[str, tuple[float, float]],
        must_be_priced: bool,
    ) -> None:
        """Draw the beliefs about cells once."""
        self.people, self.measure, self.prices = people, measure, prices
        self.must_be_priced = must_be_priced
        self.unknowns = drawn(draws, people.plan.scenario.seed)
        self.effects = mechanisms.effects(self.unknowns)
        self.draws = draws
        self._kept: dict[Protocol, Value] = {}

    def __call__(self, protocol: Protocol) -> Value:
        """The value of a protocol.

        Raises:
            CellLabError: the cost is an objective, and a part of the protocol has no price on record.
        """
        if protocol not in self._kept:
            self._kept[protocol] = self._simulated(protocol)
        return self._kept[protocol]

    @property
    def seen(self) -> dict[Protocol, Value]:
        """Every protocol valued so far."""
        return dict(self._kept)

    def _simulated(self, protocol: Protocol) -> Value:
        cost = cost_of(protocol, self.prices)
        if self.must_be_priced:
            must_have_prices(protocol, self.prices)
        cells, months = protocol.course(), self.people.plan.months
        piece = [
            "protocol",
            self.people.plan.scenario.model_dump_json(),
            cells.model_dump_json(),
            self.measure.id,
        ]
        piece += [
            list(months),
            self.effects.tolist(),
            {name: of.tolist() for name, of in self.unknowns.items()},
        ]
        found = kept(piece, lambda: self._benefit(cells, months))
        return Value(
            found["benefit"],
            float(found["doses"].mean()),
            adverse_events_per_person(cells, found["doses"]),
            cost,
        )

    def _benefit(self, cells: CellTherapy, months: Sequence[float]) -> dict[str, Array]:
        """Benefit by draw, and doses given by person."""
        benefit, doses = np.zeros(self.draws), np.zeros(0)
        for row in range(self.draws):
            number = row % self.people.biology
            own = {name: float(of[row]) for name, of in self.unknowns.items()}
            lives = self.people.with_cells(number, cells, self.effects[row], own)
            base = self.people.group(number).base
            treated = values_of(lives, months)[self.measure.id]
            untreated = values_of(base, months)[self.measure.id]
            benefit[row] = np.nanmean(gain(treated, untreated, self.measure))
            if row == 0:
                doses = doses_given(lives, base)
        return {"benefit": benefit, "doses": doses}
