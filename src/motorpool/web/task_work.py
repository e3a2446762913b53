"""Does the tasks of the cell laboratory and the trial laboratory: the same calls as the command line makes."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from motorpool.simulation.identity import code_digest
from motorpool.simulation.kept_pieces import keeping
from motorpool.simulation.manifest import packages

Tell = Callable[[str, float], None]
RESULTS_FILE = "results.json"
# Roughly which part of the whole each stage takes; within a stage its own share counts.
STAGES: dict[str, tuple[tuple[str, float], ...]] = {
    "cells addon": (
        ("finding people", 0.35),
        ("with cells", 0.2),
        ("what else would add", 0.15),
        ("which unknown matters", 0.15),
        ("under the reference protocol", 0.1),
    ),
    "cells needed": (
        ("finding people", 0.3),
        ("under this protocol", 0.3),
        ("with a dose a month", 0.35),
    ),
    "cells uncontrolled": (("simulating", 0.97),),
    "cells protocol": (("finding people", 0.3), ("comparing protocols", 0.4), ("searching", 0.25)),
    "trial power": (
        ("simulating patients", 0.15),
        ("simulating trials", 0.1),
        ("looking for the effect", 0.05),
        ("power by true effect", 0.15),
        ("assurance", 0.4),
        ("looking for the smallest trial", 0.05),
        ("power by size", 0.05),
    ),
}


class Overall:
    """Turns the share of a stage into the share of the whole, which never falls."""

    def __init__(self, task: str, tell: Tell) -> None:
        """Progress of this task, told to `tell`."""
        self._stages, self._tell, self._reached = STAGES.get(task, ()), tell, 0.0

    def __call__(self, stage: str, share: float) -> None:
        """Tell how far the whole is."""
        before = 0.0
        found = share if not self._stages else self._reached
        for name, part in self._stages:
            if stage.startswith(name):
                found = before + part * min(max(share, 0.0), 1.0)
                break
            before += part
        self._reached = max(self._reached, min(found, 0.97))
        self._tell(stage, self._reached)


PIECES = "pieces"  # beside the results, while the task is not finished


def do_task(asked: Mapping[str, Any], target: Path, tell: Tell) -> None:
    """Do a task that `motorpool.web.tasks` made, into a folder that appears when everything in it is complete.

    What an interrupted attempt finished is kept beside it, and the next attempt goes on there.

    Raises:
        ScenarioError, CellLabError: it cannot be done; says why.
    """
    task = str(asked["task"])
    progress = Overall(task, tell)
    if task == "trial run":
        _trial_run(asked, target, progress)
        return
    unfinished, pieces = target.with_name("results.unfinished"), target.with_name(PIECES)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with keeping(pieces, work_identity(asked)):
        _do(task, asked, unfinished, progress)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    shutil.rmtree(pieces, ignore_errors=True)


def work_identity(asked: Mapping[str, Any]) -> str:
    """A digest of all that decides the bits of a task, so that pieces of another version are never taken."""
    from motorpool.evidence.posterior import load_posterior

    posterior = load_posterior()
    facts = {
        "asked": dict(asked),
        "code": code_digest("studies", "trials", "cell_lab"),
        "packages": packages(),
        "posterior": None if posterior is None else posterior.facts.draws_sha256,
        "processor": platform.machine(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _do(task: str, asked: Mapping[str, Any], unfinished: Path, progress: Overall) -> None:
    if task.startswith("cells "):
        found = _cells(task, asked, progress)
        from motorpool.report.cells_page import write_cells_page

        progress("writing the report", 0.0)
        write_cells_page(found, unfinished / "report.html")
        text = json.dumps(found, indent=1, allow_nan=False)
        (unfinished / RESULTS_FILE).write_text(text, encoding="utf-8")
    elif task == "trial power":
        _trial_power(asked, unfinished, progress)
    else:
        found = _trial_compare(asked, progress)
        text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
        (unfinished / RESULTS_FILE).write_text(text, encoding="utf-8")


def _cells(task: str, asked: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    from motorpool.cell_lab.mechanisms import of_course
    from motorpool.web.tasks import plan_of

    inputs = asked["inputs"]
    if task == "cells uncontrolled":
        from motorpool.cell_lab.uncontrolled import read_uncontrolled

        return read_uncontrolled(**inputs, tell=tell)
    plan = plan_of(asked)
    outcome = inputs["outcome"]
    if task == "cells addon":
        from motorpool.cell_lab.addon import Asked, addon

        finely = Asked(inputs["draws"], inputs["sobol"])
        return addon(plan, of_course(plan.cells), finely, tell, outcome)
    if task == "cells needed":
        from motorpool.cell_lab.needed import needed

        return needed(plan, biology=inputs["draws"], tell=tell, outcome=outcome, wanted=inputs["gain"])
    from motorpool.cell_lab.protocol import explore
    from motorpool.cell_lab.protocols import axes_from

    return explore(
        plan,
        of_course(plan.cells),
        tell=tell,
        axes=axes_from(inputs["axes"]),
        draws=inputs["draws"],
        search=inputs["search"],
        outcome=outcome,
    )


def _trial_run(asked: Mapping[str, Any], target: Path, tell: Tell) -> None:
    from motorpool.trials.blocks import Settings
    from motorpool.trials.run import keep_trial_run
    from motorpool.trials.truth import Truth
    from motorpool.web.tasks import designs_in

    inputs = asked["inputs"]
    settings = Settings(inputs["replicates"], Truth(**inputs["truth"]), inputs["draws"], inputs["people"])
    keep_trial_run(designs_in(asked)[0], settings, target, progress=tell)


def _trial_power(asked: Mapping[str, Any], folder: Path, tell: Tell) -> None:
    from motorpool.report.trial.page import POWER, write_trial_pages
    from motorpool.trials.power import PowerSettings, power_report
    from motorpool.web.tasks import designs_in

    inputs, design = asked["inputs"], designs_in(asked)[0]
    settings = PowerSettings(
        inputs["replicates"],
        inputs["draws"],
        inputs["people"],
        tuple(inputs["effects"]),
        tuple(inputs["sizes"]),
    )
    found = power_report(design, settings, progress=tell)
    tell("writing the report", 0.0)
    write_trial_pages(design, found, (), folder)
    (folder / POWER).rename(folder / RESULTS_FILE)


def _trial_compare(asked: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    from motorpool.trials.comparison import compare_designs
    from motorpool.trials.truth import Truth
    from motorpool.web.tasks import designs_in

    inputs = asked["inputs"]
    designs = designs_in(asked)
    return compare_designs(
        {design.name: design for design in designs},
        replicates=inputs["replicates"],
        people=inputs["people"],
        truth=None if inputs["truth"] is None else Truth(**inputs["truth"]),
        find_smallest=inputs["find_smallest"],
        progress=tell,
    )
