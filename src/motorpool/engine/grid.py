"""Step boundaries: the life of a person cut into steps of whole hours.

The base grid is fine where states move fast (before birth and in the first years) and coarser later. Boundaries are
added where inputs jump: at every dose, start and stop known in advance, and shortly after, while a dose spreads.
Boundaries never depend on visits: a visit happens at the boundary nearest to its planned time, and whole months since
enrolment lie on the grid.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.engine.dosing import NEVER_HOURS

Hours = NDArray[np.int32]

FIRST_HOUR = -round(0.4 * HOURS_PER_YEAR)  # mid-gestation
STEPS_PER_MONTH = 4
COARSE_AFTER_YEARS = 3
# Numerical choices: hours after a jump at which a dose has spread so far that a longer step resolves the rest.
AFTER_A_JUMP_HOURS = (6, HOURS_PER_DAY, 3 * HOURS_PER_DAY)
SEGMENT_STEPS = 64


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


def extra_boundaries(years: float) -> int:
    """Room for boundaries at doses: a function of the span alone, so that a plan never changes the program."""
    return 32 + 40 * math.ceil(years)


def personal_grid(base_hours: Hours, jump_hours: Hours, first_hours: Hours, last_hours: Hours) -> Hours:
    """Each person's boundaries, (K, P) rising, padded to whole segments with the last hour.

    Args:
        base_hours: (B, P) ages of the base boundaries.
        jump_hours: (D, P) ages at which inputs jump, ``NEVER_HOURS`` for none.
        first_hours, last_hours: (P,) span of the grid.
    """
    patients = first_hours.shape[0]
    room = extra_boundaries(float((last_hours - first_hours).max()) / HOURS_PER_YEAR)
    inside = (jump_hours >= first_hours) & (jump_hours < last_hours)
    jumps = np.sort(np.where(inside, jump_hours, NEVER_HOURS), axis=0)
    followers = [jumps + hours for hours in AFTER_A_JUMP_HOURS]
    spread = np.sort(np.concatenate([jumps[:0], *followers]), axis=0)
    extra = np.concatenate([jumps[:room], spread[: max(0, room - jumps.shape[0])]])
    rows = np.full((room, patients), NEVER_HOURS, np.int64)
    rows[: extra.shape[0]] = extra
    every = np.concatenate([first_hours[None], base_hours, rows, last_hours[None]])
    every = np.sort(np.clip(every, first_hours, last_hours), axis=0)
    steps = every.shape[0] - 1
    padding = -steps % SEGMENT_STEPS
    return np.concatenate([every, np.repeat(every[-1:], padding, axis=0)]).astype(np.int32)
