"""`cells addon|needed|protocol|uncontrolled`: refused before anything is simulated, then text, JSON and page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from motorpool.cell_lab import people as people_room
from motorpool.cli.cells_options import usable_page
from motorpool.cli.cells_text import addon_text
from motorpool.cli.console import InputProblem
from motorpool.cli.main import run
from motorpool.report import cells_page
from motorpool.report.cells_addon import answer as data_answer
from tests.support.command_line import Capture, refused, shown
from tests.support.pages import Page
from tests.support.reading import reading_grade

SMALL = ["--patients", "8", "--draws", "8", "--sobol", "0", "--months", "6,12"]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail when anything is simulated."""

    def recruit(*arguments: Any) -> Any:
        raise AssertionError("simulated")

    monkeypatch.setattr(people_room, "recruit", recruit)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["addon", "cells_addon_siters"], "Did you mean cells_addon_sitters?"),
        (["addon", "demo", "--arm", "nusinersin"], "Did you mean nusinersen?"),
        (["addon", "demo", "--months", "soon"], "--months"),
        (["addon", "demo", "--sobol", "100"], "power of two"),
        (["addon", "demo", "--mechanism", "musle=off"], "Did you mean muscle?"),
        (["addon", "demo", "--mechanisms", "absent.yaml"], "absent.yaml"),
        (["addon", "demo", "--effect", "large"], "prior, none, or a number"),
        (["addon", "demo", "--cells", "doze=3"], "Did you mean doses?"),
        (["addon", "demo", "--outcome", "hfsme"], "Did you mean hfmse?"),
        (["addon", "demo", "--draws", "2"], "--draws"),
        (["addon", "demo", "--draws", "4000", "--patients", "4000"], "lower one of the two"),
        (["needed", "demo", "--outcome", "hfsme"], "Did you mean hfmse?"),
        (
            ["needed", "demo", "--outcome", "cmap_mv"],
            "no minimal important difference is on record for cmap_mv; give --gain",
        ),
        (["protocol", "demo", "--axis", "dozes=1"], "Did you mean doses?"),
        (["protocol", "demo", "--axis", "doses=1,many"], "--axis doses: 'many' must be a whole number"),
        (["protocol", "demo", "--axis", "doses=2.5"], "--axis doses: '2.5' must be a whole number"),
        (
            ["protocol", "demo", "--axis", "interval_weeks=.inf"],
            "--axis interval_weeks: '.inf' must be a number",
        ),
        (["protocol", "demo", "--axis", "start_months=-3"], "--axis start_months: '-3' must be a number"),
        (["protocol", "demo", "--axis", "immunosuppression=maybe"], "must be true or false"),
        (["protocol", "demo", "--axis", "route={"], "--axis route: '{' must be a word"),
        (["protocol", "demo", "--objective", "cost"], "no price is on record for Lumbar puncture"),
        (
            ["protocol", "demo", "--objective", "money"],
            "must be one of benefit, procedures, adverse_events, cost",
        ),
        (["protocol", "demo", "--prices", "absent.yaml"], "absent.yaml"),
        (["uncontrolled", "--draws", "1"], "--draws"),
    ],
)
def test_what_cannot_be_used_is_a_message(
    arguments: list[str], words: str, nobody: None, folder: Path, capsys: Capture
) -> None:
    assert words in refused(["cells", *arguments], capsys)
    assert list(folder.iterdir()) == []


def test_a_page_is_never_written_over_something_else(nobody: None, folder: Path, capsys: Capture) -> None:
    (folder / "mine.html").write_text("mine", encoding="utf-8")
    message = refused(["cells", "addon", "demo", "--out", "mine.html"], capsys)
    assert "is not a page of `motorpool cells`" in message
    assert (folder / "mine.html").read_text(encoding="utf-8") == "mine"


def test_addon_prints_json_and_writes_a_page(folder: Path, capsys: Capture) -> None:
    assert run(["cells", "addon", "cells_addon_sitters", *SMALL, "--json", "--out", "page.html"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert list(data["gain"]["hfmse"]) == ["6", "12"]
    assert {"median", "low_95", "high_95", "p_above_mcid", "p_harm"} <= set(data["gain"]["hfmse"]["12"])
    assert data["adverse_events"]
    assert "Page:" in captured.err
    text = (folder / "page.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.loads == []
    assert "For research use only." in text
    assert "never says how many children gain" in " ".join(text.split())
    assert {figure["id"] for figure in page.figures} >= {"gains", "beside", "by"}
    assert all(figure["alt"] for figure in page.figures)
    assert usable_page(Path("page.html")) == folder / "page.html"  # its own page again
    printed = addon_text(data)
    assert "Research use only" in printed
    said = data_answer(data)
    assert reading_grade(" ".join(said)) < 8.0
    data["gain"][data["main_outcome"]]["12"]["p_above_mcid"] = 0.0
    assert "0 % (none of 8 draws)" in " ".join(data_answer(data))  # eight draws cannot say "never"
    assert "promising" not in (printed + text).lower()


def test_a_file_that_cannot_be_read_is_not_written_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (folder / "mine.html").write_text("mine", encoding="utf-8")

    def unreadable(*arguments: Any, **named: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", unreadable)
    with pytest.raises(InputProblem, match=r"--out: .*mine\.html cannot be read: Permission denied"):
        usable_page(Path("mine.html"))


def test_the_result_is_printed_even_where_the_page_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(*arguments: Any) -> Path:
        raise OSError(28, "No space left on device", "page.html")

    monkeypatch.setattr(cells_page, "write_cells_page", full)
    few = ["--patients", "8", "--draws", "1", "--month", "6", "--json", "--out", "page.html"]
    assert run(["cells", "needed", "cells_addon_sitters", *few]) != 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["what"] == "cells needed"
    assert "No space left on device" in captured.err


def test_the_other_verbs_say_what_they_found(folder: Path, capsys: Capture) -> None:
    few = ["--patients", "8"]
    text = shown(
        ["cells", "needed", "cells_addon_sitters", *few, "--draws", "1", "--month", "6", "--out", "n.html"],
        capsys,
    )
    assert "Nerve signal alone" in text
    assert "A dose a month for a year" in text
    axes = ["--axis", "doses=1,3", "--search", "0", "--draws", "4", "--months", "3,6"]
    text = shown(["cells", "protocol", "cells_addon_sitters", *few, *axes, "--out", "p.html"], capsys)
    assert "whether cells work at all" in text
    assert "no price is on record for Lumbar puncture" in text
    answer = text.splitlines()
    assert reading_grade(" ".join(line for line in answer if line.startswith("What decides"))) < 8.0
    for name in ("n.html", "p.html"):
        assert "For research use only." in (folder / name).read_text(encoding="utf-8")


def test_the_tutorial_is_easy_to_read(checkout: Path) -> None:
    text = (checkout / "docs" / "tutorials" / "an-offer-of-stem-cells.md").read_text(encoding="utf-8")
    plain = re.sub(r"```.*?```|[#*`]", "", re.sub(r"\]\([^)]*\)", "]", text), flags=re.DOTALL)
    assert reading_grade(plain) < 8.0


def test_reports_are_read(folder: Path, capsys: Capture) -> None:
    arguments = ["--patients", "8", "--draws", "16", "--biology", "1", "--out", "u.html"]
    text = shown(["cells", "uncontrolled", *arguments], capsys)
    assert "Trieste, four infants by clinical impression" in text
    assert "not simulated: ucbmsc_shiyan2011" in text
    assert "Belief before and after" in (folder / "u.html").read_text(encoding="utf-8")
