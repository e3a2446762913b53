"""Addresses, rates and search terms of the registries that are asked, from ``registry_services.yaml``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field

from motorpool.cell_lab.errors import CellLabError
from motorpool.cell_lab.own_data import read_own_yaml
from motorpool.evidence.records import EvidenceRecord, build_record

FILE = "registry_services.yaml"


class TrialService(EvidenceRecord):
    """ClinicalTrials.gov: address, and the least time between two requests."""

    name: str
    url: str
    pause_seconds: float = Field(ge=0)
    page_size: int = Field(ge=1, le=1000)
    most_pages: int = Field(ge=1)


class CountService(EvidenceRecord):
    """PubMed: address, least time between requests, and for how many past years counts are asked."""

    name: str
    url: str
    pause_seconds: float = Field(ge=0)
    years: int = Field(ge=0)


class HttpRules(EvidenceRecord):
    """How long is waited, how often is tried, and how large an answer may be."""

    connect_seconds: float = Field(gt=0)
    answer_seconds: float = Field(gt=0)
    tries: int = Field(ge=1)
    first_wait_seconds: float = Field(ge=0)
    longest_wait_seconds: float = Field(ge=0)
    most_bytes: int = Field(gt=0)


class TrialSearch(EvidenceRecord):
    """A search of the registry, as the parameters of its API."""

    what: str
    terms: Mapping[str, str]


class PaperSearch(EvidenceRecord):
    """A search of PubMed."""

    what: str
    term: str


class Searches(EvidenceRecord):
    """All searches by service and id."""

    clinicaltrials: Mapping[str, TrialSearch]
    pubmed: Mapping[str, PaperSearch]


class Services(EvidenceRecord):
    """The whole file."""

    clinicaltrials: TrialService
    pubmed: CountService
    http: HttpRules
    searches: Searches


@functools.cache
def load_services() -> Services:
    """Services and searches.

    Raises:
        EvidenceError: naming what is wrong.
    """
    return build_record(Services, read_own_yaml(FILE), FILE)


def services_at(trials_url: str | None, papers_url: str | None) -> Services:
    """The services at other addresses, for mirrors.

    Raises:
        CellLabError: an address that is none of a web service.
    """
    services = load_services()
    for option, own, url in (
        ("--registry-url", services.clinicaltrials.url, trials_url),
        ("--pubmed-url", services.pubmed.url, papers_url),
    ):
        if url is not None:
            _check_address(option, url, own)
    found = {
        name: part.model_copy(update={"url": url.rstrip("/")})
        for name, part, url in (
            ("clinicaltrials", services.clinicaltrials, trials_url),
            ("pubmed", services.pubmed, papers_url),
        )
        if url
    }
    return services.model_copy(update=found)


def _check_address(option: str, url: str, example: str) -> None:
    """Refuse what is no address of a web service, before anybody is asked."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or brackets that do not close
        usable = False
    if not usable or any(sign.isspace() for sign in url) or "?" in url or "#" in url:
        raise CellLabError(f"{option}: {url[:100]!r} must be an http or https address, such as {example}.")
