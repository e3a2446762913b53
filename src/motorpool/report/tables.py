"""Tables as HTML: a caption, column headers with scope, numbers to a sensible number of digits."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def html_table(frame: pd.DataFrame, caption: str) -> str:
    """A table whose first column names the row."""
    columns = [str(column) for column in frame.columns]
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body: list[str] = []
    for row in frame.itertuples(index=False, name=None):
        cells = [f'<th scope="row">{escape(cell_text(row[0]))}</th>'] if row else []
        cells += [f"<td{_align(value)}>{escape(cell_text(value))}</td>" for value in row[1:]]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def cell_text(value: Any) -> str:
    """A value as text: whole numbers whole, others to three significant digits, absent ones as a dash."""
    if value is None:
        return "\u2013"
    if isinstance(value, float):
        if math.isnan(value):
            return "\u2013"
        if math.isinf(value):
            return "none" if value > 0 else "\u2212none"
        if value.is_integer() and abs(value) < 1e6:
            return f"{value:.0f}".replace("-", "\u2212")
        text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return text.replace("-", "\u2212") if "e" not in text else text
    return str(value)


def _align(value: Any) -> str:
    return ' class="number"' if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
