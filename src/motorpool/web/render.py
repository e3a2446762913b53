"""Pages from templates, with what every page needs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape

from motorpool.web.icon_paths import cross_path, people_path

NAVIGATION = (
    ("/explore", "Explore"),
    ("/window", "Treatment window"),
    ("/cells", "Cells"),
    ("/trials", "Trials"),
    ("/evidence", "Evidence"),
    ("/trust", "Trust"),
    ("/saved", "Saved"),
    ("/runs", "Runs"),
)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; everything is escaped unless a template says that it is safe."""
    made = Environment(
        loader=PackageLoader("motorpool.web", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the order of kinds is that of their choice
    made.filters["query"] = _query
    made.filters["plain"] = _spaced
    own: dict[str, Any] = {"people_path": people_path, "cross_path": cross_path}
    made.globals.update(own)
    return made


def _spaced(text: object) -> str:
    return str(text).replace("_", " ")


def _query(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs)


def fragment(template: str, **content: Any) -> str:
    """A piece of a page as text."""
    return environment().get_template(template).render(content)


def page(template: str, request: Request, status: int = 200, **content: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(page_text(template, **page_place(request), **content), status)


def page_place(request: Request) -> dict[str, Any]:
    """What `page_text` has to know of the request for a page."""
    return {
        "here": request.url.path,
        "other_database": request.app.state.settings.database is not None,
    }


def page_text(template: str, *, here: str, other_database: bool, **content: Any) -> str:
    """A whole page as text.

    Args:
        here: its path.
        other_database: jobs and saved plans are not in a file of this machine.
    """
    from motorpool import __version__

    return fragment(
        template,
        navigation=NAVIGATION,
        here=here,
        version=__version__,
        other_database=other_database,
        **content,
    )
