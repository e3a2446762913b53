"""Units of time for what stands around the model; the same calendar as ``biology.vocabulary``, without its imports."""

from __future__ import annotations

DAYS_PER_WEEK = 7.0
DAYS_PER_MONTH = 30.4375
MONTHS_PER_YEAR = 12.0
