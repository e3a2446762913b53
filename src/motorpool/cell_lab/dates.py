"""Dates of which only the year, or the year and the month, may be known."""

from __future__ import annotations

import calendar
import datetime
import re

_FORM = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def days_of(date: str) -> tuple[datetime.date, datetime.date]:
    """First and last day that ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` may mean.

    Raises:
        ValueError: there is no such day.
    """
    found = _FORM.fullmatch(date)
    try:
        if found is None:
            raise ValueError
        year, month, day = (None if part is None else int(part) for part in found.groups())
        first = datetime.date(year or 0, month or 1, day or 1)
        last_month = month or 12
        last_day = day or calendar.monthrange(first.year, last_month)[1]
        return first, datetime.date(first.year, last_month, last_day)
    except ValueError:  # the calendar's own error too
        raise ValueError("must be a date such as 2027-03 or 2027-03-15") from None
