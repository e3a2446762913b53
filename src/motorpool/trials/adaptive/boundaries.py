"""Group-sequential boundaries on the scale of z, one-sided: efficacy and futility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from motorpool.trials.adaptive.crossing import START, exit_probabilities
from motorpool.trials.adaptive.root import root
from motorpool.trials.adaptive.spending import SpendingFunction, check_error, check_information, spent
from motorpool.trials.analyses.estimate import Array, Flags, Numbers

Shape = Literal["obrien_fleming", "pocock"]
LARGEST_Z = 8.5
LARGEST_DRIFT = 12.0


@dataclass(frozen=True, kw_only=True)
class Boundaries:
    """Critical z by look, (looks,): stop for efficacy at or above `efficacy_z`, for futility below `futility_z`.

    `information` is the share of the information at each look; `futility_z` is -inf where there is no futility
    stop; `alpha_spent` is cumulative. With `binding`, alpha counts on stopping for futility.
    """

    information: Array
    efficacy_z: Array
    futility_z: Array
    alpha_spent: Array
    binding: bool

    def power(self, drift: float) -> float:
        """Chance to cross for efficacy if the final z has this mean, stopping for futility when it says so."""
        return float(
            exit_probabilities(self.information, self.futility_z, self.efficacy_z, drift).upper.sum()
        )

    def drift_for(self, power: float) -> float:
        """Mean of the final z that gives this power."""
        found = root(lambda drift: self.power(drift) - power, 0.0, LARGEST_DRIFT)
        return float(found)

    def inflation(self, power: float, alpha: float) -> float:
        """Largest information of this design over that of a fixed one with the same alpha and power."""
        fixed = stats.norm.isf(alpha) + stats.norm.ppf(power)
        return float((self.drift_for(power) / fixed) ** 2)

    def expected_information(self, drift: float) -> float:
        """Expected information at the stop, as a share of the largest."""
        exits = exit_probabilities(self.information, self.futility_z, self.efficacy_z, drift)
        return float(self.information @ (exits.upper + exits.lower))


def classical_boundaries(shape: Shape, information: Sequence[float], alpha: float = 0.025) -> Boundaries:
    """O'Brien-Fleming (constant over sqrt(information)) or Pocock (constant) boundaries.

    Raises:
        ValueError: An unknown shape, information that does not rise to 1, or alpha outside 0 to 1.
    """
    times = check_information(information)
    check_error(alpha, "alpha")
    if shape not in ("obrien_fleming", "pocock"):
        message = f"shape is '{shape}'; known are obrien_fleming, pocock"
        raise ValueError(message)
    form = np.ones_like(times) if shape == "pocock" else 1.0 / np.sqrt(times)
    lower = np.full_like(times, -np.inf)

    def excess(constant: float) -> float:
        return float(exit_probabilities(times, lower, constant * form).upper.sum()) - alpha

    constant = root(excess, float(stats.norm.isf(alpha)) - 1e-6, 6.0)
    efficacy = constant * form
    exits = exit_probabilities(times, lower, efficacy).upper
    return Boundaries(
        information=times, efficacy_z=efficacy, futility_z=lower, alpha_spent=np.cumsum(exits), binding=False
    )


def given_boundaries(
    information: Sequence[float],
    efficacy_z: Sequence[float],
    futility_z: Sequence[float] | None = None,
    *,
    binding: bool = False,
) -> Boundaries:
    """Boundaries as one wants them (Haybittle-Peto, for example), with the alpha that they spend.

    Raises:
        ValueError: Information that does not rise to 1, another number of boundaries, or a futility boundary above
            the one of efficacy.
    """
    times, upper = check_information(information), np.asarray(efficacy_z, dtype=float)
    lower = np.full_like(times, -np.inf) if futility_z is None else np.asarray(futility_z, dtype=float)
    if upper.shape != times.shape or lower.shape != times.shape or not (lower <= upper).all():
        message = f"{len(times)} looks need as many boundaries, with futility_z not above efficacy_z"
        raise ValueError(message)
    heeded = lower if binding else np.full_like(times, -np.inf)
    exits = exit_probabilities(times, heeded, upper).upper
    return Boundaries(
        information=times, efficacy_z=upper, futility_z=lower, alpha_spent=np.cumsum(exits), binding=binding
    )


def spending_boundaries(
    function: SpendingFunction,
    information: Sequence[float],
    alpha: float = 0.025,
    *,
    parameter: float = 1.0,
    spending_time: Sequence[float] | None = None,
    futility: SpendingFunction | None = None,
    futility_parameter: float = 1.0,
    beta: float = 0.1,
    binding: bool = False,
) -> Boundaries:
    """Lan-DeMets boundaries; with `futility`, a beta-spending lower boundary as well.

    With `spending_time`, the error spent by each look is read there, and not at its information: at the planned times,
    say, where there is less information at the end than was planned. The lower boundary spends `beta` at the drift at
    which both boundaries meet at the last look, which is the drift that has power 1 - beta. Non-binding, the efficacy
    boundary is as without futility; binding, it is lower.

    Raises:
        ValueError: An unknown function, information that does not rise to 1, an error outside 0 to 1, or no drift
            at which the boundaries meet.
    """
    times = check_information(information)
    clock = times if spending_time is None else check_information(spending_time)
    if clock.shape != times.shape:
        message = f"{len(times)} looks need as many spending times; there are {len(clock)}"
        raise ValueError(message)
    target = spent(function, clock, alpha, parameter=parameter)
    none = np.full_like(times, -np.inf)
    plain = Boundaries(
        information=times,
        efficacy_z=_efficacy(times, target, none),
        futility_z=none,
        alpha_spent=target,
        binding=False,
    )
    if futility is None:
        return plain
    lost = spent(futility, clock, beta, parameter=futility_parameter)
    known = None if binding else plain.efficacy_z

    def gap(drift: float) -> float:
        lower, upper = _both(times, target, lost, drift, known)
        return float(upper[-1] - lower[-1])

    low, high = 0.5, LARGEST_DRIFT
    if not gap(low) > 0.0 > gap(high):
        message = f"no boundaries spend alpha {alpha} and beta {beta} at information {times.tolist()}"
        raise ValueError(message)
    drift = root(gap, low, high)
    lower, upper = _both(times, target, lost, float(drift), known)
    lower[-1] = upper[-1]
    return replace(plain, efficacy_z=upper, futility_z=lower, binding=binding)


def _efficacy(times: Array, target: Array, lower: Array) -> Array:
    """Upper boundaries that spend the target, with given lower ones."""
    going, before, upper = START, 0.0, np.empty_like(times)
    for look, time in enumerate(times):
        spend = max(float(target[look]) - before, 0.0)
        upper[look] = _bound(lambda z, here=going, at=time: here.above(at, z), spend)
        before = float(target[look])
        going = going.after(float(time), float(lower[look]), float(upper[look]))
    return upper


def _both(times: Array, alpha: Array, beta: Array, drift: float, known: Array | None) -> tuple[Array, Array]:
    """Lower and upper boundaries that spend beta with drift and alpha without; upper ones given where not binding."""
    going, spent_alpha, spent_beta = START, 0.0, 0.0
    lower, upper = np.empty_like(times), np.empty_like(times)
    for look, time in enumerate(times):
        if known is None:
            spend = max(float(alpha[look]) - spent_alpha, 0.0)
            upper[look] = _bound(lambda z, here=going, at=time: here.above(at, z), spend)
        else:
            upper[look] = known[look]
        lose = max(float(beta[look]) - spent_beta, 0.0)
        lower[look] = _bound(lambda z, here=going, at=time: here.below(at, -z, drift), lose) * -1.0
        if look < len(times) - 1:
            lower[look] = min(lower[look], upper[look])
        spent_alpha, spent_beta = float(alpha[look]), float(beta[look])
        going = going.after(float(time), float(lower[look]), float(upper[look]), LARGEST_Z + drift)
    return lower, upper


def _bound(falling: Callable[[float], float], spend: float) -> float:
    """Where a falling tail equals what may be spent."""
    top = LARGEST_Z + LARGEST_DRIFT
    if falling(LARGEST_Z) >= spend:
        return LARGEST_Z if spend <= 0.0 else root(lambda z: falling(z) - spend, LARGEST_Z, top)
    if falling(-top) <= spend:
        return -top
    return root(lambda z: falling(z) - spend, -top, LARGEST_Z)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where each replicate stops, (replicates,): index of the look, and whether for efficacy or futility."""

    look: Numbers
    efficacy: Flags
    futility: Flags


def monitor(z: ArrayLike, boundaries: Boundaries) -> Outcome:
    """Follow statistics (replicates, looks; positive is better) until a boundary is crossed.

    A statistic that is not a number stops nothing. A replicate that reaches the last look without crossing stops
    there with neither efficacy nor, unless the futility boundary is crossed, futility.

    Raises:
        ValueError: Another number of looks than the boundaries have.
    """
    values = np.asarray(z, dtype=float)
    looks = len(boundaries.information)
    if values.ndim != 2 or values.shape[1] != looks:
        message = f"z has shape {values.shape}; it must be (replicates, {looks})"
        raise ValueError(message)
    good = values >= boundaries.efficacy_z
    poor = values < boundaries.futility_z
    stops = good | poor
    look = np.where(stops.any(axis=1), stops.argmax(axis=1), looks - 1)
    rows = np.arange(len(values))
    return Outcome(look=look, efficacy=good[rows, look], futility=poor[rows, look])
