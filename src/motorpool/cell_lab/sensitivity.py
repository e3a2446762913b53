"""Which unknown matters most for the gain: Sobol's indices by SALib, over cells and biology together.

The indices are those of the rank of the mean gain. A few draws with a large effect hold nearly all of the
variance of the
gain itself, which no affordable sample could share out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motorpool.cell_lab.gains import gain
from motorpool.cell_lab.measures import measures, values_of
from motorpool.cell_lab.mechanisms import Mechanisms
from motorpool.cell_lab.people import People
from motorpool.cell_lab.unknowns import TOTAL, WEIGHTS, at_quantiles, unknown_names
from motorpool.simulation.kept_pieces import kept

TOGETHER = 64  # rows that are kept together
BIOLOGY = "biology"
SPLIT = "split_over_mechanisms"
WORDS = {
    TOTAL: "Whether cells work at all (total effect)",
    SPLIT: "Which mechanism carries the effect",
    BIOLOGY: "Biology of the disease (all other parameters)",
    "cell_half_life_hours": "How long mesenchymal cells live",
    "neural_cell_half_life_hours": "How long neural cells live",
    "factor_half_life_hours": "How long the effect of a dose lasts",
    "immunosuppression_half_life_factor": "What immunosuppression does for the cells",
    "half_saturation_level": "How the effect saturates with dose",
    "intravenous_delivery": "What reaches the nervous system by vein",
    "intravenous_muscle_factor": "What reaches muscle by vein",
}


def unknown_groups() -> dict[str, str]:
    """Every unknown of the cells with the group whose share is reported; the five weights are one group."""
    return {name: SPLIT if name in WEIGHTS else name for name in unknown_names()}


def sobol_shares(
    people: People,
    mechanisms: Mechanisms,
    outcome: str,
    visit: int,
    *,
    samples: int,
    seed: int,
    tell: Callable[[float], None],
) -> dict[str, Any]:
    """First-order and total shares of the spread of the rank of the mean gain, by unknown.

    Args:
        people: whose gain; their draws of biology are one of the unknowns.
        visit: which of the plan's months.
        samples: a power of two; samples x (groups + 2) simulated groups.
        tell: called with the share done.
    """
    from SALib.analyze import sobol
    from SALib.sample import sobol as sampling
    from scipy.stats import rankdata

    columns = [*unknown_names(), BIOLOGY]
    groups = {**unknown_groups(), BIOLOGY: BIOLOGY}
    order = list(dict.fromkeys(groups[name] for name in columns))
    problem = {
        "num_vars": len(columns),
        "names": columns,
        "groups": [groups[name] for name in columns],
        "bounds": [[0.0, 1.0]] * len(columns),
    }
    shares = np.asarray(sampling.sample(problem, samples, calc_second_order=False, seed=seed), float)
    values = at_quantiles(shares[:, :-1])
    effects = mechanisms.effects(values)
    numbers = np.minimum((shares[:, -1] * people.biology).astype(int), people.biology - 1)
    found = np.zeros(shares.shape[0])
    measure, months, cells = measures()[outcome], people.plan.months, people.plan.cells

    def mean_gains(rows: range) -> NDArray[np.float64]:
        means = np.zeros(len(rows))
        for place, row in enumerate(rows):
            number = int(numbers[row])
            own = {name: float(of[row]) for name, of in values.items()}
            lives = people.with_cells(number, cells, effects[row], own)
            without = people.reference(number, cells)
            gains = gain(
                values_of(lives, months)[outcome][visit], values_of(without, months)[outcome][visit], measure
            )
            means[place] = np.nanmean(gains) if np.isfinite(gains).any() else 0.0
        return means

    for first in range(0, shares.shape[0], TOGETHER):
        tell(first / shares.shape[0])
        rows = range(first, min(first + TOGETHER, shares.shape[0]))
        piece = ["sobol", people.plan.scenario.model_dump_json(), cells.model_dump_json(), outcome, visit]
        piece += [effects[rows].tolist(), {name: of[rows].tolist() for name, of in values.items()}]
        piece += [numbers[rows].tolist()]
        found[rows] = kept(piece, lambda rows=rows: {"mean_gains": mean_gains(rows)})["mean_gains"]
    spread = float(found.std())
    result: dict[str, Any] = {
        "method": "Sobol indices (Saltelli) of the rank of the mean gain, SALib",
        "outcome": outcome,
        "month": people.plan.months[visit],
        "samples": samples,
        "simulated_groups": int(shares.shape[0]),
        "sd_of_mean_gain": spread,
        "shares": {},
    }
    if spread < 1e-9:
        result["note"] = "The mean gain does not vary, so that no unknown has a share."
        return result
    indices = sobol.analyze(problem, rankdata(found) / found.size, calc_second_order=False, seed=seed)
    for place, name in enumerate(order):
        result["shares"][name] = {
            "label": WORDS.get(name, name.replace("_", " ")),
            "first_order": float(indices["S1"][place]),
            "first_order_error": float(indices["S1_conf"][place]),
            "total": float(indices["ST"][place]),
            "total_error": float(indices["ST_conf"][place]),
        }
    return result
