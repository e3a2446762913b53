"""Figures as files to keep: SVG, PNG and CSV, the same as in a report."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from fastapi import HTTPException
from fastapi.responses import Response

from motorpool.web.plan_terms import TODAY, in_plan_words, plan_spec

if TYPE_CHECKING:
    from motorpool.figures.figure import Figure

Kind = Literal["svg", "png", "csv"]
KINDS: dict[Kind, str] = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}
PNG_SCALE = 2.0
_RENDERER = threading.Lock()  # one renderer, one picture at a time


def picture_file(figure: Figure, kind: Kind, beginning: str = TODAY, *, own_words: bool = True) -> bytes:
    """The figure as the bytes of a file of this kind, one of `KINDS`; in the words of plans, or as it was made."""
    if kind == "csv":
        table = figure.table
        if own_words:
            table = table.rename(columns=lambda name: in_plan_words(str(name), beginning))
        return table.to_csv(index=False, float_format="%.6g").encode()
    spec = plan_spec(figure.spec, beginning) if own_words else figure.spec
    if kind == "svg":
        from motorpool.figures.rendering import render_svg

        with _RENDERER:
            return render_svg({**spec, "background": "#ffffff"}).encode()
    import vl_convert

    from motorpool.figures.rendering import vega_lite_version

    with _RENDERER:
        png: Any = vl_convert.vegalite_to_png(
            {**spec, "background": "#ffffff"}, vl_version=vega_lite_version(), scale=PNG_SCALE
        )
    return bytes(png)


def file_response(content: bytes | None, name: str, kind: Kind) -> Response:
    """A file to keep, or that there is no such picture."""
    if content is None:
        raise HTTPException(404, "there is no such picture for this description")
    headers = {"content-disposition": f'attachment; filename="motorpool-{name}.{kind}"'}
    return Response(content, media_type=KINDS[kind], headers=headers)
