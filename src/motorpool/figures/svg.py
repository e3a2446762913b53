"""Drawn figures made smaller: no descriptions of single marks, and coordinates as fine as can be seen."""

from __future__ import annotations

import re

_NOISE = re.compile(r' (?:role|aria-[a-z]+|tabindex)="[^"]*"')
_TAG = re.compile(r"<[^>]+>")
# Opacities are left alone: to a tenth, pale bands would vanish.
_LONG = re.compile(r'(?<!opacity=")(?<![\d.])-?\d+\.\d{2,}')


def smaller(svg: str, decimals: int) -> str:
    """The same picture with coordinates to so many decimals of a pixel; the figure has one description for all marks.

    Only what stands inside tags is changed: words on an axis are numbers too.
    """

    def shorter(found: re.Match[str]) -> str:
        return f"{float(found.group()):.{decimals}f}".rstrip("0").rstrip(".")

    return _TAG.sub(lambda tag: _LONG.sub(shorter, tag.group()), _NOISE.sub("", svg))
