"""Sample size re-estimated at an interim: from the blinded variance, or unblinded in the promising zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import interpolate, stats

from motorpool.trials.adaptive.sample_size import patients_for_means
from motorpool.trials.adaptive.spending import check_error
from motorpool.trials.analyses.estimate import Array, Numbers

UNFAVOURABLE, PROMISING, FAVOURABLE = 0, 1, 2
SEARCH_POINTS = 24  # sizes go nearly with the variance, so few points are interpolated to 1e-5


def blinded_size(
    change: ArrayLike,
    *,
    effect: float,
    power: float,
    smallest: float,
    largest: float,
    alpha: float = 0.025,
    ratio: float = 1.0,
    observed: ArrayLike | None = None,
) -> Array:
    """Patients in all from the variance of everyone, arms hidden, less what the planned effect adds; (replicates,).

    The one-sample variance is reduced by share (1 - share) effect^2 (Gould and Shih 1992), which is exact if the
    planned effect is true. Sizes lie between `smallest` and `largest` and are rounded up.

    Args:
        change: Outcome of the patients seen so far, (replicates, patients); NaN counts as missing.
        effect: Planned difference of means.
        power: Planned power.
        smallest: Fewest patients in all, normally those planned.
        largest: Most patients in all.
        alpha: One-sided error.
        ratio: Treated per control.
        observed: Whether the patient counts, (replicates, patients).

    Raises:
        ValueError: As `patients_for_means`, or limits in the wrong order.
    """
    _check_limits(smallest, largest)
    values = np.asarray(change, dtype=float)
    if observed is not None:
        values = np.where(np.asarray(observed, dtype=bool), values, np.nan)
    share = ratio / (1.0 + ratio)
    seen = np.isfinite(values).sum(axis=1)
    centred = values - np.where(seen > 0, np.nansum(values, axis=1) / np.maximum(seen, 1), 0.0)[:, None]
    total = np.nansum(centred**2, axis=1) / np.maximum(seen - 1, 1)
    variance = np.maximum(total - share * (1.0 - share) * effect**2, 0.05 * total)
    # The size is smooth in the standard deviation: solved at points between, read off by interpolation.
    deviation = np.sqrt(variance)
    known = deviation[(seen > 1) & (deviation > 0.0)]
    if not known.size:
        return np.full(len(values), float(largest))
    points = np.linspace(known.min() * 0.999, known.max() * 1.001, SEARCH_POINTS)
    sizes = [patients_for_means(effect, float(one), power=power, alpha=alpha, ratio=ratio) for one in points]
    size = interpolate.PchipInterpolator(points, np.asarray(sizes))(np.clip(deviation, points[0], points[-1]))
    return np.clip(np.ceil(np.where(seen > 1, size, largest) - 1e-6), smallest, largest)


def conditional_power(
    interim_z: ArrayLike,
    information: ArrayLike,
    *,
    critical_z: float,
    final_information: ArrayLike = 1.0,
    drift: ArrayLike | None = None,
) -> Array:
    """Chance that the final z of all patients exceeds the critical one; (replicates,).

    Args:
        interim_z: Statistic at the interim, positive is better, (replicates,).
        information: Information at the interim as a share of that planned.
        critical_z: Critical value of the final statistic.
        final_information: Information at the end as a share of that planned.
        drift: Mean of the statistic at the planned information; None takes the interim estimate as the truth.

    Raises:
        ValueError: An end that is not after the interim.
    """
    z, now = np.asarray(interim_z, dtype=float), np.asarray(information, dtype=float)
    end = np.asarray(final_information, dtype=float)
    if (now <= 0.0).any() or (end <= now).any():
        message = "final_information must exceed information, which must be positive"
        raise ValueError(message)
    truth = z / np.sqrt(now) if drift is None else np.asarray(drift, dtype=float)
    rest = end - now
    short = critical_z * np.sqrt(end) - z * np.sqrt(now) - truth * rest
    return np.asarray(stats.norm.sf(short / np.sqrt(rest)))


@dataclass(frozen=True, kw_only=True)
class PromisingZone:
    """Size after the interim by zone, (replicates,): `zone` is 0 unfavourable, 1 promising, 2 favourable.

    `conditional_power` is that of the planned size; `combination_weights` (2,) are for `inverse_normal`: the shares of
    the planned information before and after the interim, whatever size is chosen.
    """

    patients: Array
    conditional_power: Array
    zone: Numbers
    combination_weights: Array


def promising_zone(
    interim_z: ArrayLike,
    *,
    interim_patients: float,
    planned_patients: float,
    largest_patients: float,
    alpha: float = 0.025,
    target_power: float = 0.9,
    promising_from: float = 0.3,
) -> PromisingZone:
    """Raise the size where conditional power is promising (Mehta and Pocock 2011).

    Below `promising_from` and from `target_power` on, the planned size stays; between, the smallest size that
    restores the target power (at most `largest_patients`) is taken. Test the stages by `inverse_normal` with the
    weights returned, which keeps alpha exactly.

    Raises:
        ValueError: Sizes in the wrong order, or errors outside 0 to 1.
    """
    check_error(alpha, "alpha")
    check_error(target_power, "target_power")
    check_error(promising_from, "promising_from")
    if not 0.0 < interim_patients < planned_patients <= largest_patients:
        message = (
            f"interim_patients {interim_patients}, planned_patients {planned_patients} and largest_patients "
            f"{largest_patients} must rise"
        )
        raise ValueError(message)
    z = np.asarray(interim_z, dtype=float)
    now = interim_patients / planned_patients
    critical = float(stats.norm.isf(alpha))
    planned = conditional_power(z, now, critical_z=critical)
    # An interim without an answer counts as unfavourable.
    raised_or_not = np.where(planned >= promising_from, PROMISING, UNFAVOURABLE)
    zone = np.where(planned >= target_power, FAVOURABLE, raised_or_not)
    # Conditional power of the combination test with n2 more patients: the estimate z / sqrt(n1) sets the mean.
    needed = (critical - np.sqrt(now) * z) / np.sqrt(1.0 - now) + stats.norm.ppf(target_power)
    with np.errstate(divide="ignore", invalid="ignore"):
        more = interim_patients * (needed / z) ** 2
    raised = np.clip(np.ceil(interim_patients + more - 1e-9), planned_patients, largest_patients)
    patients = np.where(zone == PROMISING, raised, planned_patients)
    return PromisingZone(
        patients=patients,
        conditional_power=planned,
        zone=zone,
        combination_weights=np.array([now, 1.0 - now]),
    )


def _check_limits(smallest: float, largest: float) -> None:
    if not 0.0 < smallest <= largest:
        message = f"smallest is {smallest} and largest {largest}; they must be positive and rise"
        raise ValueError(message)
