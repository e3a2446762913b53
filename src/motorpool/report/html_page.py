"""What the pages have in common: templates, styles and scripts inside one file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

_BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def filled_page(template: str, content: Mapping[str, Any], *own_styles: str) -> str:
    """A page as text: the template filled in, with its styles, scripts and the library of the interactive pictures.

    Args:
        own_styles: style sheets of this page, beside the common one.
    """
    from jinja2 import Environment, PackageLoader, select_autoescape

    from motorpool.figures.rendering import bundle

    environment = Environment(
        loader=PackageLoader("motorpool.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        {
            **content,
            "style": "".join(_asset(name) for name in ("style.css", *own_styles)),
            "script": _asset("script.js"),
            "bundle": bundle(_BUNDLE_SNIPPET).replace("</script", "<\\/script"),
        }
    )


def write_at_once(path: Path, text: str) -> Path:
    """Write under a temporary name and rename, so that a page is never half there; returns the absolute path."""
    target = path.expanduser().absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def _asset(name: str) -> str:
    return resources.files("motorpool.report").joinpath("templates", name).read_text(encoding="utf-8")
