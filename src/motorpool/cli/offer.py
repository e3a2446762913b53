"""The verbs `offer check|ask|example`: is what a clinic offers a sound trial?"""

from __future__ import annotations

import datetime
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.console import InputProblem, say
from motorpool.cli.page_file import usable_page

if TYPE_CHECKING:
    from motorpool.cell_lab.offer import Offer
    from motorpool.cell_lab.registry_client import TrialRegistry

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

FILE = typer.Argument(..., metavar="FILE", help="Offer file; `motorpool offer example` prints one.")
AS_JSON = typer.Option(False, "--json", help="Print the check as JSON on standard output.")
OUT = typer.Option(None, "--out", "-o", metavar="FILE", help="Also write a page to print and take along.")
OFFLINE = typer.Option(False, "--offline", help="Ask no registry; use the notes that come with motorpool.")
URL = typer.Option(None, "--registry-url", metavar="URL", help="Another address of the registry's API.")


@app.callback()
def offer(context: typer.Context) -> None:
    """Check an offer of cell therapy.

    What a legitimate trial shows, what is missing here, what the registry says, and what to ask.

    \b
    Examples:
      motorpool offer ask                         answer questions one by one
      motorpool offer example > offer.yaml        or fill in a file
      motorpool offer check offer.yaml --out offer.html
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("check")
def check(
    file: Path = FILE,
    as_json: bool = AS_JSON,
    out: Path | None = OUT,
    offline: bool = OFFLINE,
    registry_url: str | None = URL,
) -> None:
    """Check an offer file.

    The registry number is looked up in ClinicalTrials.gov; nothing else of the file leaves this machine. Without a
    connection, notes that come with motorpool are used, and the result says so. No check can show that an offer is
    safe.

    \b
    Examples:
      motorpool offer check offer.yaml
      motorpool offer check offer.yaml --out offer.html
      motorpool offer check offer.yaml --offline --json
    """
    target = _target(out)
    _usable_registry(offline, registry_url)
    from motorpool.cell_lab.offer import read_offer

    _check(read_offer(file), as_json, target, offline, registry_url)


@app.command("ask")
def ask(
    save: Path | None = typer.Option(
        None, "--save", metavar="FILE", help="Keep the answers as an offer file."
    ),
    as_json: bool = AS_JSON,
    out: Path | None = OUT,
    offline: bool = OFFLINE,
    registry_url: str | None = URL,
) -> None:
    """Ask for everything, one question at a time, then check.

    An empty answer means: not known. Questions go to standard error, the result to standard output.

    \b
    Examples:
      motorpool offer ask
      motorpool offer ask --save offer.yaml --out offer.html
    """
    target = _target(out)
    _usable_registry(offline, registry_url)
    if save is not None and save.expanduser().exists():
        raise InputProblem(f"--save: {save} exists already and is left as it is; choose another name.")
    from motorpool.cli.offer_questions import asked_offer, write_offer

    given = asked_offer()
    if save is not None:
        say(f"Answers: {write_offer(given, save)}")
    _check(given, as_json, target, offline, registry_url)


@app.command("example")
def example() -> None:
    """Print a commented offer file to start from.

    \b
    Example:
      motorpool offer example > offer.yaml
    """
    from importlib import resources

    print(
        resources.files("motorpool.cell_lab").joinpath("offer_example.yaml").read_text(encoding="utf-8"),
        end="",
    )


def _target(out: Path | None) -> Path | None:
    from motorpool.report.offer_page import MARK

    return usable_page(out, MARK, "a check of an offer")


def _usable_registry(offline: bool, url: str | None) -> None:
    """Refuse an address that cannot be asked, before any question and any file."""
    from motorpool.cell_lab.registry_services import services_at

    services_at(url, None)
    if offline and url is not None:
        raise InputProblem(
            f"--registry-url: {url[:100]!r} has no meaning with --offline, which asks no registry."
        )


def _check(given: Offer, as_json: bool, target: Path | None, offline: bool, registry_url: str | None) -> None:
    from motorpool.cell_lab.offer_check import check_offer
    from motorpool.cell_lab.offer_words import text_of_check

    with _registry(offline, registry_url) as registry:
        found: dict[str, Any] = check_offer(given, registry, datetime.date.today())
    print(
        json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) if as_json else text_of_check(found)
    )
    if target is not None:
        from motorpool.report.offer_page import write_offer_page

        say(f"Page: {write_offer_page(found, target)}")


@contextmanager
def _registry(offline: bool, url: str | None) -> Generator[TrialRegistry | None]:
    if offline:
        yield None
        return
    from motorpool.cell_lab.registry_client import TrialRegistry
    from motorpool.cell_lab.registry_http import JsonService
    from motorpool.cell_lab.registry_services import services_at

    services = services_at(url, None)
    settings = services.clinicaltrials
    with JsonService(settings.name, settings.url, settings.pause_seconds, services.http) as service:
        yield TrialRegistry(service, settings)
