"""Error-spending functions of Lan and DeMets: how much of alpha (or beta) may be spent by an information time."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from motorpool.trials.analyses.estimate import Array

SpendingFunction = Literal["obrien_fleming", "pocock", "kim_demets", "hwang_shih_decani"]


def spent(
    function: SpendingFunction, information: ArrayLike, error: float, *, parameter: float = 1.0
) -> Array:
    """Error spent by each information time (0 to 1), of `error` in all (one-sided).

    `parameter` is the power of Kim-DeMets or gamma of Hwang-Shih-DeCani.
    """
    raise NotImplementedError
