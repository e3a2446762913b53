"""`trial init|list|show|schema|run|power|compare`: what is refused, what is written and what is printed."""

import json
from pathlib import Path

import pytest

from motorpool.cli.main import run
from motorpool.trials import blocks, unfinished
from tests.support.command_line import Capture, refused, shown

QUICK = ["--people", "64"]


def test_designs_are_listed_shown_and_written_once(folder: Path, capsys: Capture) -> None:
    listed = shown(["trial", "list"], capsys)
    assert all(name in listed for name in ("cherish", "endear", "sunfish", "cells_addon_sitters"))
    text = shown(["trial", "show", "endear"], capsys)
    assert text.startswith("motorpool_trial: 1")
    assert json.loads(shown(["trial", "schema"], capsys))["title"] == "motorpool trial design"
    assert shown(["trial", "init", "mine.yaml", "--from", "endear"], capsys).endswith("mine.yaml\n")
    assert (folder / "mine.yaml").read_text() == text
    assert "exists already" in refused(["trial", "init", "mine.yaml"], capsys)


def test_a_design_is_checked_and_told_in_words_without_simulating_anybody(capsys: Capture) -> None:
    text = " ".join(shown(["trial", "check", "cells_doses_adaptive"], capsys).split())
    for words in (
        "1 : 1 : 1 : 1, permuted blocks within strata of age (from 72 months)",
        "multiple imputation and analysis of covariance (jump to reference, 10 imputations)",
        "the best arm and the control go on",
        "Estimand: death composite",
        "5 % leave the study each year",
        "Cost: 3000 visits",
    ):
        assert words in text
    more = ["--set", "interims={information: [0.5]}"]
    assert "ends the trial for all arms" in shown(["trial", "check", "cells_doses_adaptive", *more], capsys)
    assert json.loads(shown(["trial", "check", "endear", "--json"], capsys))["patients"] == 121


def test_a_folder_that_cannot_hold_the_report_is_refused_first(folder: Path, capsys: Capture) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "letter.txt").write_text("mine")
    message = refused(["trial", "report", "cherish", "--out", "mine", "--people", "32"], capsys)
    assert "holds other files (letter.txt)" in message and "simulating" not in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "cherissh"], "Did you mean cherish?"),
        (["show", "cherissh"], "Did you mean cherish?"),
        (["init", "x.yaml", "--from", "sunfisch"], "Did you mean sunfish?"),
        (["run", "cherish", "--replicates", "1"], "--replicates"),
        (["run", "cherish", "--truth", "nul"], "Did you mean null?"),
        (["run", "cherish", "--truth", "share=2"], "from 0 to 1"),
        (["run", "cherish", "--truth", "cells=0.2"], "cells do not part the arms"),
        (["run", "cherish", "--set", "endpoints.0.outcome=hfmze"], "Did you mean hfmse?"),
        (["run", "cells_doses_adaptive", "--set", "arm_dropping.keep_best=3"], "drops nobody"),
        (
            ["run", "cells_doses_adaptive", "--set", "safety.adverse_events=[tumour]"],
            "Did you mean cell_tumour?",
        ),
        (
            ["check", "cherish", "--set", "arms.sham.ratio=0"],
            "arms.sham.ratio: 0 must be a whole number from 1",
        ),
        (["check", "cherish", "--set", "endpoints.0.at_month=24"], "is beyond the last visit, at 15 months"),
        (["check", "cherish", "--set", "patients=2"], "patients"),
        (["power", "cells_addon_sitters", "--effect", "4"], "--effect"),
        (["power", "cells_addon_sitters", "--size", "2"], "--size"),
        (["compare", "cherish"], "at least two designs"),
        (["compare", "cherish", "--variant", "few"], "NAME:PATH=VALUE"),
        (["compare", "cherish", "--variant", "few:patiens=60"], "Did you mean patients?"),
        (["compare", "cherish", "cherish"], "second design"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], words: str, folder: Path, capsys: Capture) -> None:
    assert words in refused(["trial", *arguments], capsys)
    assert list(folder.iterdir()) == []


def test_a_run_prints_its_results_as_json_and_nothing_else(folder: Path, capsys: Capture) -> None:
    arguments = [
        "trial",
        "run",
        "cells_addon_sitters",
        "--replicates",
        "20",
        "--out",
        "out",
        "--json",
        *QUICK,
    ]
    found = json.loads(shown(arguments, capsys))
    assert found == json.loads((folder / "out" / "results.json").read_text())
    assert found["characteristics"][0]["power"]["monte_carlo_error"] >= 0.0
    assert "research" in found["research_use"]
    printed = shown([*arguments[:-3], *QUICK], capsys)
    assert printed.rstrip().endswith("out") and "years to enrol" in printed


def test_designs_are_compared_at_equal_cost(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = ["--variant", "few:visits.months=[0, 12]", "--truth", "cells=1.0"]
    arguments = ["trial", "compare", "cells_addon_sitters", *variant, "--replicates", "50", "--json", *QUICK]
    monkeypatch.setattr(unfinished, "work_folder", lambda: folder / "unfinished")
    original, done = blocks.simulate_block, []

    def breaks(*given: object) -> object:
        done.append(given)
        if len(done) == 2:
            raise KeyboardInterrupt
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(blocks, "simulate_block", breaks)
    assert run(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert run(arguments) == 0
    printed = capsys.readouterr()
    assert "1 parts that an earlier attempt finished are kept" in printed.err and len(done) == 5
    first, few = json.loads(printed.out)["designs"]
    assert few["patients"] > first["patients"] == 120
    assert few["cost"] <= first["cost"]
    assert few["standard_deviation_of_estimate"] < 1.2 * first["standard_deviation_of_estimate"]


def test_rules_that_change_the_trial_are_told_in_text_and_json(folder: Path, capsys: Capture) -> None:
    arguments = ["trial", "run", "cells_doses_adaptive", "--replicates", "4", "--out", "out", *QUICK]
    arguments += ["--set", "visits.months=[0, 12]", "--set", "endpoints.1.analysis=ancova"]
    arguments += ["--set", "endpoints.1.covariance=null"]
    text = shown(arguments, capsys)
    assert "Arms that went on after the look: Cells once" in text and "Stopped for harm" in text
    found = json.loads((folder / "out" / "results.json").read_text())
    assert found["without_adjusted_estimate"].startswith("An arm that was dropped has none")
    course = found["course"]
    assert sum(one["value"] for one in course["arms_kept"].values()) == 1.0
    assert sum(one["value"] for one in course["allocated"].values()) == pytest.approx(1.0, abs=1e-4)
    design = (folder / "out" / "design.yaml").read_text()
    assert "assumption: jump_to_reference" in design and "keep_best: 1" in design
