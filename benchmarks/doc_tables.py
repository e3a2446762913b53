"""Tables that a command writes into a page of the documentation, between two comments that name them."""

from __future__ import annotations

from pathlib import Path


def put(page: Path, name: str, text: str) -> None:
    """Put text between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; the rest of the page stays as it is.

    Raises:
        ValueError: the page has no such place.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        message = f"{page}: has no place for {name}; it needs the lines {begin} and {end}."
        raise ValueError(message)
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def posterior_words() -> str:
    """Which posterior a table is made with."""
    from motorpool.evidence.posterior import load_posterior

    posterior = load_posterior()
    return "the priors" if posterior is None else f"posterior {posterior.facts.draws_sha256[:8]}"
