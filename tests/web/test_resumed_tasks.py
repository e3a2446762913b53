"""Questions about cells and trials go on after an interruption where they were, and find the same to the bit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motorpool.cell_lab import people, protocol_values, uncontrolled
from motorpool.cell_lab.kept_people import arrays_of, record_of
from motorpool.cli import main as command_line
from motorpool.simulation.kept_pieces import keeping, kept
from motorpool.simulation.model import parameter_draw
from motorpool.simulation.recruit import recruit
from motorpool.simulation.screening import Candidates
from motorpool.trials import blocks
from motorpool.web.problems import description_of
from motorpool.web.run_results import parts_of
from motorpool.web.scenario_of import scenario_of
from motorpool.web.tables import Job
from motorpool.web.task_work import PIECES, do_task, work_identity
from motorpool.web.tasks import AddonRequest, ProtocolRequest, TrialPowerRequest, cells_task, trial_task
from motorpool.web.uncontrolled import UncontrolledRequest

CHILD = description_of({"age_months": "8", "copies": "2", "years": "1", "p1": "No drug"}.items())


class Struck(Exception):
    """The process ended."""


def results(asked: Any, folder: Path, until: Callable[[str, float], bool] | None = None) -> str:
    """What a task finds, or Struck at the moment at which `until` holds."""

    def tell(stage: str, share: float) -> None:
        if until is not None and until(stage, share):
            raise Struck

    do_task(json.loads(json.dumps(asked)), folder / "results", tell)
    return (folder / "results" / "results.json").read_text(encoding="utf-8")


def counting(monkeypatch: pytest.MonkeyPatch, room: Any, name: str) -> list[int]:
    """How often a function is called, from now on."""
    calls, whole = [0], getattr(room, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        return whole(*arguments, **options)

    monkeypatch.setattr(room, name, counted)
    return calls


def resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Any, stage: str, room: Any, name: str
) -> tuple[int, int]:
    """Calls of a whole run, and of one that goes on after it was struck twice in a stage; both find the same."""
    monkeypatch.setattr("motorpool.report.cells_page.write_cells_page", lambda data, path: path.touch())
    calls = counting(monkeypatch, room, name)
    whole = results(asked, tmp_path / "whole")
    of_whole = calls[0]
    told = [0]

    def struck(now: str, share: float) -> bool:
        told[0] += now.startswith(stage)
        return told[0] == 4

    for _ in range(2):
        with pytest.raises(Struck):
            results(asked, tmp_path / "struck", struck)
        told[0] = 0
    assert not (tmp_path / "struck" / "results").exists()
    before = calls[0]
    assert results(asked, tmp_path / "struck") == whole
    assert not (tmp_path / "struck" / PIECES).exists()
    return of_whole, calls[0] - before


def test_what_cells_would_add_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, asked = cells_task(AddonRequest(description=CHILD, people=8, draws=8, sobol=0, months=(3.0,)))
    recruited = counting(monkeypatch, people, "recruit")
    whole, again = resumed(monkeypatch, tmp_path, asked, "with cells", people, "simulate_arm")
    assert recruited[0] == 2 * 8  # once for the whole run, once for the one that was struck
    assert again < whole - 8  # the base plans, and the lives with cells before the stroke


def test_a_comparison_of_protocols_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = ProtocolRequest(
        description=CHILD, people=8, draws=4, search=0, axes=("doses=1,2,3,4,5",), months=(3.0,)
    )
    _, asked = cells_task(wanted)
    valued = protocol_values.Valuation
    whole, again = resumed(monkeypatch, tmp_path, asked, "comparing", valued, "_benefit")
    assert (whole, again) == (5, 2)


def test_power_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = TrialPowerRequest(
        name="cells_addon_sitters", people=32, replicates=50, draws=4, effects=(0.8,), sizes=(40,)
    )
    _, asked = trial_task(wanted)
    monkeypatch.setattr("motorpool.report.trial.page.write_trial_pages", _only_results)
    whole, again = resumed(monkeypatch, tmp_path, asked, "assurance", blocks, "simulate_block")
    assert again == whole - 6  # under two truths, at one effect, and three blocks of the assurance


def _only_results(design: Any, found: Any, runs: Any, folder: Path) -> None:
    from motorpool.report.trial.page import POWER

    (folder / POWER).write_text(json.dumps(found), encoding="utf-8")


def test_people_come_back_from_their_arrays_as_they_were() -> None:
    scenario = scenario_of(CHILD, 0)
    scenario = scenario.model_copy(update={"cohort": scenario.cohort.model_copy(update={"patients": 4})})
    found = recruit(scenario, parameter_draw(0, scenario.seed), lambda share: None).people
    arrays = arrays_of(found)
    assert {"person.seed", "state.body.neurons_alive", "milestones.able.start"} & set(arrays)
    again = arrays_of(record_of(Candidates, arrays))
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert array.dtype == again[name].dtype
        np.testing.assert_array_equal(array, again[name])


def test_a_piece_that_is_damaged_or_of_other_work_is_made_anew(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"x": np.arange(3.0)}

    for identity, times in (("one", 1), ("one", 1), ("two", 2), ("two", 2)):
        with keeping(tmp_path, identity):
            np.testing.assert_array_equal(kept(["piece", 0.1], make)["x"], np.arange(3.0))
        assert len(made) == times
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    with keeping(tmp_path, "two"):
        kept(["piece", 0.1], make)
    assert len(made) == 3
    kept(["piece", 0.1], make)  # nobody keeps
    assert len(made) == 4
    asked = {"task": "cells addon", "inputs": {"draws": 8}}
    assert work_identity(asked) != work_identity({**asked, "inputs": {"draws": 9}})


# ---- the uncontrolled reports


def test_the_reports_are_read_as_by_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []

    def instead(*, tell: Any, **inputs: Any) -> dict[str, Any]:
        asked.append(inputs)
        return {"what": "cells uncontrolled"}

    monkeypatch.setattr(uncontrolled, "read_uncontrolled", instead)
    monkeypatch.setattr("motorpool.report.cells_page.write_cells_page", lambda data, path: path.touch())
    command = "cells uncontrolled --json".split()
    assert command_line.run(command) == 0
    assert command_line.run([*command, *"--patients 9 --draws 17 --biology 2 --seed 3".split()]) == 0
    capsys.readouterr()
    for wanted in (UncontrolledRequest(), UncontrolledRequest(people=9, draws=17, biology=2, seed=3)):
        results({"task": "cells uncontrolled", "inputs": wanted.model_dump(mode="json")}, tmp_path)
        shutil.rmtree(tmp_path / "results")
    assert asked[:2] == asked[2:]


def test_the_reports_are_told_in_both_voices_with_pictures(tmp_path: Path) -> None:
    inputs = UncontrolledRequest(people=8, draws=16, biology=1).model_dump(mode="json")
    asked = {"task": "cells uncontrolled", "inputs": inputs}
    found = json.loads(results(asked, tmp_path))
    job = Job(id="0" * 32, title="t", scenario=json.dumps(asked), state="done")
    parts = {part.id: part for part in parts_of(job, tmp_path / "results" / "results.json")}
    plain = " ".join(parts["plain"].words)
    last = list(found["readings"])[-1]
    for of in found["series"].values():
        share = of["p_at_least_as_striking"]["without_effect"][last]
        said = f"about {round(100 * share)} of 100" if 0.005 < share < 0.995 else "fewer than 1 of 100"
        assert said in plain
        assert of["label"] in plain
    assert "It does not say how many children gain" in plain
    assert "standard deviations" in " ".join(parts["in_short"].words)
    assert [figure.identifier for figure in parts["surprise"].figures] == ["surprise_without_cells"]
    assert [figure.identifier for figure in parts["beliefs"].figures] == ["beliefs"]
