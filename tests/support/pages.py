"""An HTML page as the tests look at it, and what holds for every page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "use": "href"}
VOID = {"meta", "link", "img", "br", "hr", "input", "source", "col"}


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.figures: list[dict[str, Any]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if values.get(LOADING.get(tag, "")):
            self.loads.append(values[LOADING[tag]])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values)
        if tag == "th":
            self.headers.append(values)
        if tag == "figure":
            self.figures.append({"id": values["id"], "alt": "", "tables": 0, "downloads": [], "pictures": 0})
        if self.figures and "figure" in self.open:
            figure = self.figures[-1]
            if values.get("role") == "img":
                figure["alt"] = values.get("aria-label", "")
            if tag == "table":
                figure["tables"] += 1
            if values.get("data-picture") == figure["id"]:
                figure["pictures"] += 1
            if tag == "a" and "download" in values:
                figure["downloads"].append(values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def parsed(text: str) -> Page:
    """The page of this text."""
    page = Page()
    page.feed(text)
    return page


def assert_well_formed(page: Page) -> None:
    """It loads nothing, its headings step down one at a time, links lead somewhere, tables and figures are told."""
    assert page.loads == []
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(page.headings, page.headings[1:], strict=False))
    assert len(page.ids) == len(set(page.ids))
    targets = [link["href"][1:] for link in page.links if link.get("href", "").startswith("#")]
    assert set(targets) <= set(page.ids)
    assert all(header.get("scope") in ("col", "row") for header in page.headers)
    assert page.open == []
    for figure in page.figures:
        assert len(figure["alt"]) > 20, figure["id"]
        assert figure["tables"] == 1, figure["id"]
