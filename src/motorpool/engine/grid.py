"""Step boundaries: the life of a person cut into steps of whole hours.

The base grid is fine where states move fast (before birth and in the first years) and coarser later. Boundaries are
added where inputs jump: at every dose, start and stop known in advance, and shortly after, while a dose spreads.
Boundaries never depend on visits: a visit happens at the boundary nearest to its planned time, and whole months since
enrolment lie on the grid.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.engine.dosing import NEVER_HOURS

Hours = NDArray[np.int32]

FIRST_HOUR = -round(0.4 * HOURS_PER_YEAR)  # mid-gestation
STEPS_PER_MONTH = 2
COARSE_AFTER_YEARS = 3
# Numerical choices: hours after a jump at which a dose has spread so far that a longer step resolves the rest.
AFTER_A_JUMP_HOURS = (12, 4 * HOURS_PER_DAY)
SHORTEST_GRID = 16


def life_boundaries(until_hours: int) -> Hours:
    """Base boundaries from mid-gestation to an age, rising; the last is at or after ``until_hours``."""
    months = np.arange(math.floor(FIRST_HOUR / HOURS_PER_MONTH * STEPS_PER_MONTH), 12 * 101 * STEPS_PER_MONTH)
    hours = np.round(months / STEPS_PER_MONTH * HOURS_PER_MONTH).astype(np.int64)
    fine = (hours < COARSE_AFTER_YEARS * HOURS_PER_YEAR) | (months % STEPS_PER_MONTH == 0)
    hours = hours[fine & (hours > FIRST_HOUR)]
    enough = int(np.searchsorted(hours, until_hours)) + 1
    return np.concatenate([[FIRST_HOUR], hours[:enough]]).astype(np.int32)


def study_boundaries(horizon_months: float) -> Hours:
    """Base boundaries in hours since enrolment, from 0 to the horizon."""
    steps = math.ceil(horizon_months * STEPS_PER_MONTH - 1e-9)
    hours = np.round(np.arange(steps + 1) / STEPS_PER_MONTH * HOURS_PER_MONTH).astype(np.int64)
    return np.minimum(hours, round(horizon_months * HOURS_PER_MONTH)).astype(np.int32)


def study_ages(boundaries: Hours, enrolment_hours: Hours) -> Hours:
    """Ages (B, P) of a study's base boundaries; where life is coarse, only those at whole months since enrolment.

    The boundaries left out repeat the last one.
    """
    ages = enrolment_hours[None].astype(np.int64) + boundaries[:, None]
    whole_month = np.arange(boundaries.shape[0]) % STEPS_PER_MONTH == 0
    wanted = whole_month[:, None] | (ages < COARSE_AFTER_YEARS * HOURS_PER_YEAR)
    return np.where(wanted, ages, ages[-1:]).astype(np.int32)


def most_extra_boundaries(years: NDArray[np.float64]) -> NDArray[np.int64]:
    """Most boundaries added at doses, (P,): a function of the span alone, whoever else is simulated."""
    return 56 + 48 * np.ceil(years).astype(np.int64)


def halved(grid_hours: Hours) -> Hours:
    """The grid (K, P) with a boundary in the middle of every step, (2K - 1, P); row r becomes row 2r."""
    finer = np.empty((2 * grid_hours.shape[0] - 1, grid_hours.shape[1]), np.int32)
    finer[0::2] = grid_hours
    finer[1::2] = (grid_hours[:-1].astype(np.int64) + grid_hours[1:]) // 2
    return finer


def last_rows(grid_hours: Hours) -> NDArray[np.int32]:
    """Row of each person's last boundary (P,) in a grid (K, P): the first of those that repeat it."""
    return np.count_nonzero(grid_hours < grid_hours[-1:], axis=0).astype(np.int32)


class Jumps(NamedTuple):
    """Ages in hours at which inputs jump, (D, P), ``NEVER_HOURS`` for none, and how many short steps follow, (D,).

    After some jumps states move within hours or days, and short steps must follow: all of ``AFTER_A_JUMP_HOURS``, or
    the last ones of them. After others states bend so gently that the next base boundary is soon enough.
    """

    hours: Hours
    short_steps: NDArray[np.int32]


def _distinct(hours: NDArray[np.int32]) -> NDArray[np.int32]:
    """Each column (D, P) sorted, with repeated hours replaced by ``NEVER_HOURS``."""
    rising = np.minimum(np.sort(hours, axis=0), NEVER_HOURS)
    rising[1:][rising[1:] == rising[:-1]] = NEVER_HOURS
    return np.sort(rising, axis=0)


def padded_steps(steps: int) -> int:
    """A few lengths of grids: less than a quarter, or `SHORTEST_GRID`, longer than needed; so programs are few."""
    step = max(SHORTEST_GRID, 1 << max(0, steps.bit_length() - 3))
    return -(-max(steps, 1) // step) * step


def personal_grid(base_hours: Hours, jumps: Jumps, first_hours: Hours, last_hours: Hours) -> Hours:
    """Each person's boundaries, (K, P) rising, padded with the last hour to a few lengths (:func:`padded_steps`).

    Args:
        base_hours: (B, P) ages of the base boundaries.
        jumps: where boundaries are added.
        first_hours, last_hours: (P,) span of the grid.
    """
    most = most_extra_boundaries((last_hours - first_hours) / HOURS_PER_YEAR)
    inside = (jumps.hours >= first_hours) & (jumps.hours < last_hours)
    hours = np.where(inside, jumps.hours, NEVER_HOURS).astype(np.int32)
    at, waits = _distinct(hours), len(AFTER_A_JUMP_HOURS)
    followed = [
        hours[jumps.short_steps >= waits - place] + wait for place, wait in enumerate(AFTER_A_JUMP_HOURS)
    ]
    after = _distinct(np.concatenate(followed))
    # What fits is decided for each person alone, so that nobody's steps depend on who else is simulated.
    at = np.where(np.arange(at.shape[0])[:, None] < most, at, NEVER_HOURS)
    left = most - np.sum(at < NEVER_HOURS, axis=0)
    after = np.where(np.arange(after.shape[0])[:, None] < left, after, NEVER_HOURS)
    every = np.concatenate([first_hours[None], base_hours, at, after, last_hours[None]])
    every = _distinct(np.clip(every, first_hours, last_hours).astype(np.int32))
    needed = int(np.sum(every < NEVER_HOURS, axis=0).max(initial=1))
    every = np.minimum(every[:needed], last_hours)
    padding = padded_steps(needed - 1) + 1 - needed
    return np.concatenate([every, np.repeat(every[-1:], padding, axis=0)]).astype(np.int32)
