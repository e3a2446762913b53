"""Months around the model are the model's own."""

from motorpool.biology.vocabulary import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_YEAR
from motorpool.simulation.units import DAYS_PER_MONTH, MONTHS_PER_YEAR


def test_the_calendar_is_that_of_the_model() -> None:
    assert DAYS_PER_MONTH * HOURS_PER_DAY == HOURS_PER_MONTH
    assert MONTHS_PER_YEAR * HOURS_PER_MONTH == HOURS_PER_YEAR
