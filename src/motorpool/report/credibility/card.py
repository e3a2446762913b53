"""The model card, as Markdown made from the same data as the credibility report.

``python -m motorpool.report.credibility.card docs/reference/model-card.md`` writes it (see CONTRIBUTING.md).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MISSING = "not yet known"


def model_card(content: Mapping[str, Any]) -> str:
    """The card as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("motorpool.report", "templates"),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = number
    return environment.get_template("model-card.md.j2").render(
        {"content": content, "green": _green(content), "missing": MISSING}
    )


def number(value: Any) -> str:
    """A number to four digits, or the word for an absent one."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _green(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Plans with at least one green cell: plan, copies, ages."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell in content["applicability"]["cells"]:
        if cell["colour"] == "green":
            found.setdefault((cell["therapy"], cell["copies"]), []).append(cell["age"])
    return [{"therapy": plan, "copies": copies, "ages": ages} for (plan, copies), ages in found.items()]


def main(arguments: list[str]) -> int:
    """Write the card of what ships with the package; returns the exit code."""
    from motorpool.report.credibility.content import credibility_content, shipped_evidence

    if len(arguments) != 1:
        print("usage: python -m motorpool.report.credibility.card FILE", file=sys.stderr)
        return 2
    Path(arguments[0]).write_text(model_card(credibility_content(shipped_evidence())), encoding="utf-8")
    print(arguments[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
