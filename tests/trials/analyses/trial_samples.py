"""Made-up trials with a leading replicate axis, and the tables of other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ORACLES = Path(__file__).parents[2] / "oracles"


def oracle(name: str) -> pd.Series:
    """Values of a table (quantity, value)."""
    return pd.read_csv(ORACLES / name).set_index("quantity")["value"]


@dataclass(frozen=True)
class Trials:
    """Replicates of a two-arm trial; arrays (replicates, patients), `visits` (replicates, patients, visits)."""

    treated: NDArray[np.bool_]
    baseline: NDArray[np.float64]
    stratum: NDArray[np.int64]
    visits: NDArray[np.float64]
    time_years: NDArray[np.float64]
    event: NDArray[np.bool_]
    cause: NDArray[np.int64]


def trials(
    replicates: int,
    patients: int,
    *,
    visits: int = 4,
    effect: float = 0.0,
    log_hazard_ratio: float = 0.0,
    seed: int = 1,
) -> Trials:
    """Trials with dropout at random, ties in time, competing causes and an effect that grows to the last visit."""
    generator = np.random.default_rng(seed)
    shape = (replicates, patients)
    order = np.argsort(generator.random(shape), axis=1)
    treated = order < patients // 2
    stratum = generator.integers(0, 2, shape)
    baseline = generator.normal(22.0, 8.0, shape) + 2.0 * stratum
    spread = 4.0 * (0.6 + 0.4 * np.eye(visits))
    values = generator.standard_normal((*shape, visits)) @ np.linalg.cholesky(spread).T
    values += (
        0.1 * (baseline - 22.0)[..., None] + effect * treated[..., None] * (np.arange(visits) + 1) / visits
    )
    leaves = 1 + np.minimum(generator.geometric(0.12, shape), visits)
    # Those who did badly at the first visit leave earlier: missing at random.
    leaves = np.where(values[..., 0] < -2.0, np.maximum(leaves - 1, 1), leaves)
    values[np.arange(visits) >= leaves[..., None]] = np.nan
    hazard = 0.6 * np.exp(log_hazard_ratio * treated + 0.2 * stratum)
    first, other = generator.exponential(1.0 / hazard), generator.exponential(4.0, shape)
    censored = generator.uniform(0.5, 3.0, shape)
    time = np.minimum(np.minimum(first, other), censored)
    cause = np.where(time == censored, 0, np.where(first < other, 1, 2))
    return Trials(treated, baseline, stratum, values, np.ceil(time * 50.0) / 50.0, cause == 1, cause)
