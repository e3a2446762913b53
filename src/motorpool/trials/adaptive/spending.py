"""Error-spending functions of Lan and DeMets: how much of alpha (or beta) may be spent by an information time."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from motorpool.trials.analyses.estimate import Array

SpendingFunction = Literal["obrien_fleming", "pocock", "kim_demets", "hwang_shih_decani"]
FUNCTIONS: tuple[SpendingFunction, ...] = ("obrien_fleming", "pocock", "kim_demets", "hwang_shih_decani")


def spent(
    function: SpendingFunction, information: ArrayLike, error: float, *, parameter: float = 1.0
) -> Array:
    """Error spent by each information time (0 to 1; later counts as 1), of `error` in all (one-sided).

    With t the information time and e the error: O'Brien-Fleming 2 - 2 Phi(z(1 - e/2) / sqrt(t)), Pocock
    e log(1 + (exp(1) - 1) t) (Lan and DeMets 1983), Kim-DeMets e t^parameter, Hwang-Shih-DeCani
    e (1 - exp(-parameter t)) / (1 - exp(-parameter)).

    Raises:
        ValueError: An unknown function, an error outside 0 to 1, or a Kim-DeMets power that is not positive.
    """
    if function not in FUNCTIONS:
        message = f"spending function is '{function}'; known are {', '.join(FUNCTIONS)}"
        raise ValueError(message)
    check_error(error, "error")
    time = np.clip(np.asarray(information, dtype=float), 0.0, 1.0)
    if function == "obrien_fleming":
        with np.errstate(divide="ignore"):
            return np.asarray(2.0 * stats.norm.sf(stats.norm.isf(error / 2.0) / np.sqrt(time)))
    if function == "pocock":
        return np.asarray(error * np.log1p((np.e - 1.0) * time))
    if function == "kim_demets":
        if parameter <= 0.0:
            message = f"parameter is {parameter}; the power of Kim-DeMets spending must be positive"
            raise ValueError(message)
        return np.asarray(error * time**parameter)
    if parameter == 0.0:
        return np.asarray(error * time)
    return np.asarray(error * np.expm1(-parameter * time) / np.expm1(-parameter))


def check_error(error: float, name: str) -> None:
    """Refuse an error probability that is not between 0 and 1."""
    if not 0.0 < error < 1.0:
        message = f"{name} is {error}; it must lie between 0 and 1, for example 0.025"
        raise ValueError(message)


def check_information(information: ArrayLike) -> Array:
    """Information times as an array.

    Raises:
        ValueError: They do not rise from above 0 to 1.
    """
    times = np.atleast_1d(np.asarray(information, dtype=float))
    if (
        times.ndim != 1
        or not len(times)
        or times[0] <= 0.0
        or (np.diff(times) <= 0.0).any()
        or abs(times[-1] - 1.0) > 1e-9
    ):
        message = f"information is {times.tolist()}; it must rise from above 0 to 1, for example [0.5, 1]"
        raise ValueError(message)
    return times
