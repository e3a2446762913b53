"""The report: one file that answers in plain words first and shows every number behind the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motorpool.report.write import write_report as write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> object:
    """Load the report writer only when it is asked for."""
    if name == "write_report":
        from motorpool.report.write import write_report

        return write_report
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
