"""Tasks of the cell laboratory and the trial laboratory: what may be asked, checked before it waits as a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from motorpool.therapies.fields import Flag, InputModel, Within, refusal
from motorpool.web.description import MOST_PLANS, Description
from motorpool.web.problems import UnusableInput

if TYPE_CHECKING:
    from motorpool.cell_lab.plan import BasePlan
    from motorpool.trials.design import TrialDesign

MOST_PEOPLE, MOST_DRAWS, MOST_REPLICATES = 1024, 1024, 20_000
AXES = ("doses", "interval_weeks", "route", "cell_type")
Months = Annotated[float, Within(0.5, 240, "months")]
ShortWord = Annotated[str, Field(max_length=60)]
CellSetting = bool | int | float | ShortWord


class CellsRequest(InputModel):
    """People, base plan and cells: a description and which of its plans, or a scenario and which of its arms.

    `cells` changes the course of cells, such as `{"doses": 12, "interval_weeks": 4}`.
    """

    description: Description | None = None
    scenario: dict[str, Any] | None = None
    plan: Annotated[int, Within(1, MOST_PLANS)] = 1
    arm: Annotated[str, Field(max_length=100)] | None = None
    people: Annotated[int, Within(8, MOST_PEOPLE, "people")] = 128
    outcome: ShortWord | None = None
    cells: dict[ShortWord, CellSetting] = Field(default_factory=dict, max_length=20)


class AddonRequest(CellsRequest):
    """What cells would add to a plan, as `motorpool cells addon`."""

    draws: Annotated[int, Within(8, MOST_DRAWS, "draws")] = 128
    sobol: Annotated[int, Within(0, 1024, "samples")] = 64
    months: tuple[Months, ...] = Field(default=(6.0, 12.0, 24.0, 60.0), min_length=1, max_length=12)

    @field_validator("sobol")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise refusal("must be 0 or a power of two", allowed="0 or a power of two, such as 64")
        return value


class NeededRequest(CellsRequest):
    """How strong cells would have to be, as `motorpool cells needed`."""

    draws: Annotated[int, Within(1, 64, "draws")] = 8
    month: Months = 12.0
    gain: Annotated[float, Within(0, 1000)] | None = None


class ProtocolRequest(CellsRequest):
    """How much the protocol matters, as `motorpool cells protocol`; `axes` such as `doses=1,3,6` or `route`."""

    people: Annotated[int, Within(8, MOST_PEOPLE, "people")] = 48
    draws: Annotated[int, Within(4, MOST_DRAWS, "draws")] = 24
    search: Annotated[int, Within(0, 512, "protocols")] = 64
    axes: tuple[ShortWord, ...] = Field(default=AXES, max_length=6)
    months: tuple[Months, ...] = Field(default=(3.0, 6.0, 9.0, 12.0, 18.0, 24.0), min_length=1, max_length=12)


class TruthRequest(InputModel):
    """What is true in the simulated trials; `value` goes with drift, share and cells."""

    kind: Literal["model", "null", "drift", "share", "cells"] = "model"
    value: Annotated[float, Within(-100, 100)] = 0.0


class DesignRequest(InputModel):
    """A shipped design by name, or the content of a design file; with another number of patients."""

    name: ShortWord | None = None
    design: dict[str, Any] | None = None
    patients: Annotated[int, Within(4, 20_000, "patients")] | None = None


class TrialRequest(InputModel):
    """How many people the trial's patients are drawn from, and how many trials are simulated."""

    people: Annotated[int, Within(32, 10_000, "people")] = 1024
    replicates: Annotated[int, Within(50, MOST_REPLICATES, "trials")] = 1000


class TrialRunRequest(TrialRequest, DesignRequest):
    """Replicates of one design, as `motorpool trial run`."""

    truth: TruthRequest = TruthRequest()
    draws: Annotated[int, Within(0, 200, "draws")] = 0


class TrialPowerRequest(TrialRequest, DesignRequest):
    """What one design would find out, as `motorpool trial power`."""

    replicates: Annotated[int, Within(50, MOST_REPLICATES, "trials")] = 2000
    draws: Annotated[int, Within(2, 200, "draws")] = 64
    effects: tuple[Annotated[float, Within(0, 3, above=True)], ...] = Field(default=(), max_length=8)
    sizes: tuple[Annotated[int, Within(4, 20_000, "patients")], ...] = Field(default=(), max_length=8)


class TrialCompareRequest(TrialRequest):
    """Several designs at the cost of the first, as `motorpool trial compare`."""

    designs: tuple[DesignRequest, ...] = Field(min_length=2, max_length=6)
    replicates: Annotated[int, Within(50, MOST_REPLICATES, "trials")] = 2000
    truth: TruthRequest | None = None
    find_smallest: Flag = False


Task = tuple[str, dict[str, Any]]
TITLES = {
    "cells addon": "What would cells add?",
    "cells needed": "What would have to be true of cells?",
    "cells protocol": "Does the protocol of cells matter?",
    "trial run": "Trial, replicates",
    "trial power": "Trial, power",
    "trial compare": "Trials compared",
}


def cells_task(wanted: AddonRequest | NeededRequest | ProtocolRequest) -> Task:
    """Title and task for a question about cells.

    Raises:
        ScenarioError, CellLabError, UnusableInput: it cannot be asked; says what and where.
    """
    from motorpool.cell_lab.errors import not_one_of
    from motorpool.cell_lab.measures import measures
    from motorpool.web.scenario_of import DOUBT_DRAWS, plan_labels, scenario_data

    if (wanted.description is None) == (wanted.scenario is None):
        raise UnusableInput(
            [{"where": "description", "message": "give exactly one of description, scenario"}]
        )
    if wanted.outcome is not None and wanted.outcome not in measures():
        raise not_one_of("outcome", wanted.outcome, measures())
    inputs: dict[str, Any] = wanted.model_dump(
        mode="json", exclude={"description", "scenario", "plan", "arm", "cells", "people"}
    )
    if isinstance(wanted, NeededRequest):
        inputs["months"] = [wanted.month]
    if isinstance(wanted, ProtocolRequest):
        from motorpool.cell_lab.protocols import axes_from

        axes_from(wanted.axes)
    if wanted.description is not None:
        if wanted.plan > len(wanted.description.plans):
            message = f"must be from 1 to {len(wanted.description.plans)}, the plans that are described"
            raise UnusableInput([{"where": "plan", "message": message}])
        scenario, arm = scenario_data(wanted.description, DOUBT_DRAWS), f"plan_{wanted.plan}"
        about = plan_labels(wanted.description)[wanted.plan - 1]
        about += f", for a child of {wanted.description.age_months:g} months"
    else:
        scenario, arm = dict(wanted.scenario or {}), wanted.arm
        about = str(scenario.get("title", "a scenario"))
    changes = [
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in wanted.cells.items()
    ]
    kinds = {AddonRequest: "cells addon", NeededRequest: "cells needed", ProtocolRequest: "cells protocol"}
    task = kinds[type(wanted)]
    made: dict[str, Any] = {
        "task": task,
        "scenario": scenario,
        "arm": arm,
        "people": wanted.people,
        "cells": changes,
        "inputs": inputs,
    }
    plan_of(made)
    return f"{TITLES[task]} {about}", made


def plan_of(asked: Mapping[str, Any]) -> BasePlan:
    """The base plan and the cells of a task.

    Raises:
        ScenarioError, CellLabError: they cannot be.
    """
    from motorpool.cell_lab.plan import base_plan
    from motorpool.simulation.loading import scenario_from_data

    return base_plan(
        scenario_from_data(asked["scenario"], "your description"),
        arm=asked["arm"],
        months=asked["inputs"]["months"],
        patients=asked["people"],
        cell_changes=asked["cells"],
    )


def trial_task(wanted: TrialRunRequest | TrialPowerRequest | TrialCompareRequest) -> Task:
    """Title and task for a question about trials.

    Raises:
        ScenarioError, UnusableInput: it cannot be asked; says what and where.
    """
    from motorpool.trials.design import dump_design

    if isinstance(wanted, TrialCompareRequest):
        designs = [design_of(one, f"designs.{place}.") for place, one in enumerate(wanted.designs)]
        names = [design.name for design in designs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UnusableInput(
                [{"where": "designs", "message": f"two are named {twice}; give each its own name"}]
            )
        task, title = "trial compare", f"{TITLES['trial compare']}: {', '.join(names)}"
    else:
        designs = [design_of(wanted)]
        task = "trial run" if isinstance(wanted, TrialRunRequest) else "trial power"
        title = f"{TITLES[task]}: {designs[0].title}"
    if not isinstance(wanted, TrialPowerRequest):
        _check_truth(wanted.truth, designs[0])
    else:
        _check_power(wanted, designs[0])
    inputs = wanted.model_dump(mode="json", exclude={"name", "design", "designs", "patients"})
    # As text: JSON has no whole numbers as keys, which the copies of SMN2 are.
    return title, {"task": task, "designs": [dump_design(design) for design in designs], "inputs": inputs}


def design_of(wanted: DesignRequest, where: str = "") -> TrialDesign:
    """The design that is meant.

    Raises:
        ScenarioError, UnusableInput: there is none such, or it is not valid.
    """
    from motorpool.trials.design_file import load_design, shipped_designs

    if (wanted.name is None) == (wanted.design is None):
        raise UnusableInput([{"where": f"{where}name", "message": "give exactly one of name, design"}])
    if wanted.name is not None and wanted.name not in shipped_designs():
        message = f"is no shipped design; there are {', '.join(shipped_designs())}"
        raise UnusableInput([{"where": f"{where}name", "message": message}])
    changes = [] if wanted.patients is None else [f"patients={wanted.patients}"]
    return load_design(wanted.design if wanted.design is not None else str(wanted.name), changes)


def designs_in(asked: Mapping[str, Any]) -> list[TrialDesign]:
    """The designs of a task."""
    from motorpool.simulation.yaml_reader import parse_yaml
    from motorpool.trials.design_file import design_from_data

    return [design_from_data(parse_yaml(text, "design"), "design") for text in asked["designs"]]


def _check_truth(truth: TruthRequest | None, design: TrialDesign) -> None:
    if truth is None:
        return
    low, high = {"drift": (-100.0, 100.0), "share": (0.0, 1.0), "cells": (-3.0, 3.0)}.get(
        truth.kind, (0.0, 0.0)
    )
    problem = ""
    if not low <= truth.value <= high:
        problem = f"must be from {low:g} to {high:g} for {truth.kind}"
    elif truth.kind == "cells" and not design.cells_decide:
        problem = f"cells do not part the arms of {design.name}; use share"
    elif truth.kind == "drift" and design.endpoints[0].outcome is None:
        problem = f"the first endpoint of {design.name} is no score and cannot drift"
    if problem:
        raise UnusableInput([{"where": "truth", "message": problem}])


def _check_power(wanted: TrialPowerRequest, design: TrialDesign) -> None:
    problems: list[dict[str, str]] = []
    least = 2 * sum(arm.ratio for arm in design.arms.values())
    problems += [
        {"where": "sizes", "message": f"{size} must be at least {least} for {design.name}"}
        for size in wanted.sizes
        if size < least
    ]
    limit = 3.0 if design.cells_decide else 1.0
    problems += [
        {"where": "effects", "message": f"{effect:g} must be above 0 and at most {limit:g}"}
        for effect in wanted.effects
        if effect > limit
    ]
    if wanted.draws > wanted.replicates:
        problems.append({"where": "draws", "message": "must not be more than the replicates"})
    if problems:
        raise UnusableInput(problems)
