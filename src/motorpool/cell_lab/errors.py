"""One error for everything that the laboratory is asked and cannot do."""

from __future__ import annotations

from collections.abc import Iterable

from motorpool.therapies.fields import nearest_name


class CellLabError(ValueError):
    """Something asked of the cell laboratory cannot be done; the message names it and what is allowed."""

    exit_code = 2


def not_one_of(what: str, value: str, allowed: Iterable[str]) -> CellLabError:
    """The error for a name that does not exist, with the nearest one."""
    names = list(allowed)
    nearest = nearest_name(value[:60], names)
    hint = f" Did you mean {nearest}?" if nearest else ""
    return CellLabError(f"{what}: {value[:60]!r} must be one of {', '.join(names)}.{hint}")
