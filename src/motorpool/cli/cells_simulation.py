"""The verbs `cells addon|needed|protocol|uncontrolled`: simulate cells in the same people, with and without them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from motorpool.cli.cells_options import (
    ARM,
    AS_JSON,
    CELLS,
    CHANGES,
    EFFECT,
    MECHANISM,
    MECHANISMS,
    OUT,
    OUTCOME,
    PATIENTS,
    SCENARIO,
    SEED,
    months_of,
    not_too_large,
    power_of_two,
    usable_page,
)
from motorpool.cli.cells_text import addon_text, needed_text, protocol_text, uncontrolled_text
from motorpool.cli.console import ProgressCallback, progress_display, say

if TYPE_CHECKING:
    from motorpool.cell_lab.mechanisms import Mechanisms
    from motorpool.cell_lab.plan import BasePlan


def addon(
    scenario: str = SCENARIO,
    arm: str | None = ARM,
    patients: int = PATIENTS,
    draws: int = typer.Option(128, "--draws", min=8, max=4096, help="Draws of what is not known of cells."),
    months: str = typer.Option("6,12,24,60", "--months", help="When gains are read, after enrolment."),
    outcome: str | None = OUTCOME,
    cells: list[str] = CELLS,
    mechanism: list[str] = MECHANISM,
    mechanisms: Path | None = MECHANISMS,
    effect: str | None = EFFECT,
    changes: list[str] = CHANGES,
    seed: int | None = SEED,
    sobol: int = typer.Option(
        64,
        "--sobol",
        min=0,
        max=4096,
        help="Samples for the shares of each unknown, a power of two; 0 for none.",
    ),
    out: Path | None = OUT,
    as_json: bool = AS_JSON,
) -> None:
    """What cells would add to a plan.

    The same virtual people, with the same luck, with and without cells. The base plan is one arm of the scenario; cells
    that the arm or the background holds are taken out of it, and the result says so. The cells that are added are those
    of the scenario's first arm with cells, or those of the registered trial in SMA.

    Every figure shows what we do not know (the range of the mean) apart from how people differ. Probabilities are doubt
    about the mean of the group, never shares of children.

    \b
    Examples:
      motorpool cells addon cells_addon_sitters
      motorpool cells addon my_plan.yaml --cells doses=12 --cells interval_weeks=4 --out page.html
      motorpool cells addon demo --mechanism muscle=off --mechanism neuroprotection=0.3
      motorpool cells addon toddler_on_risdiplam --json
    """
    target = usable_page(out)
    power_of_two(sobol)
    not_too_large(patients, draws)
    from motorpool.cell_lab.addon import Asked
    from motorpool.cell_lab.addon import addon as run

    plan = _plan(scenario, arm, months_of(months), patients, changes, seed, cells)
    assumed = _mechanisms(plan, mechanism, mechanisms, effect)
    _finish(lambda tell: run(plan, assumed, Asked(draws, sobol), tell, outcome), target, as_json, addon_text)


def needed(
    scenario: str = SCENARIO,
    arm: str | None = ARM,
    patients: int = PATIENTS,
    biology: int = typer.Option(
        8, "--draws", min=1, max=256, help="Draws of what is not known of the disease."
    ),
    month: float = typer.Option(
        12.0, "--month", min=0.5, max=600, help="When the gain is wanted, after enrolment."
    ),
    gain: float | None = typer.Option(
        None,
        "--gain",
        min=0.0,
        help="Worthwhile mean gain. [default: the minimal important difference on record]",
    ),
    outcome: str | None = OUTCOME,
    cells: list[str] = CELLS,
    changes: list[str] = CHANGES,
    seed: int | None = SEED,
    out: Path | None = OUT,
    as_json: bool = AS_JSON,
) -> None:
    """How large an effect of cells would have to be.

    Finds the total effect, and the effect of each mechanism alone, with which the group's mean gain becomes worthwhile,
    and how far in the tail of the prior it lies; under the scenario's protocol, and with a dose a month for a year.

    \b
    Examples:
      motorpool cells needed cells_addon_sitters
      motorpool cells needed cells_addon_sitters --outcome rulm --gain 1 --month 6
    """
    target = usable_page(out)
    from motorpool.cell_lab.needed import needed as run

    plan = _plan(scenario, arm, (month,), patients, changes, seed, cells)
    _finish(
        lambda tell: run(plan, biology=biology, tell=tell, outcome=outcome, wanted=gain),
        target,
        as_json,
        needed_text,
    )


def protocol(
    scenario: str = SCENARIO,
    arm: str | None = ARM,
    axis: list[str] = typer.Option(
        [],
        "--axis",
        metavar="NAME[=LEVELS]",
        help="Compare cell_type, route, million_cells_per_kg, doses, interval_weeks, start_months, "
        "start_age_months, viability or "
        "immunosuppression, at levels such as doses=1,3,6; repeatable. [default: doses, "
        "interval_weeks, route, cell_type]",
    ),
    objective: list[str] = typer.Option(
        [],
        "--objective",
        help="benefit, procedures, adverse_events or cost; repeatable. [default: the first three]",
    ),
    prices: Path | None = typer.Option(
        None, "--prices", metavar="FILE", help="Your own prices, each with its source, as a YAML file."
    ),
    patients: int = typer.Option(
        48, "--patients", "-n", min=8, max=4096, help="Virtual people under each draw."
    ),
    draws: int = typer.Option(24, "--draws", min=4, max=1024, help="Draws of what is not known of cells."),
    search: int = typer.Option(
        64,
        "--search",
        min=0,
        max=4096,
        help="Protocols that the optimiser tries beside the grid; 0 for none.",
    ),
    months: str = typer.Option(
        "3,6,9,12,18,24", "--months", help="Visits over which the gain is averaged, after enrolment."
    ),
    outcome: str | None = OUTCOME,
    cells: list[str] = CELLS,
    mechanism: list[str] = MECHANISM,
    mechanisms: Path | None = MECHANISMS,
    effect: str | None = EFFECT,
    changes: list[str] = CHANGES,
    seed: int | None = SEED,
    out: Path | None = OUT,
    as_json: bool = AS_JSON,
) -> None:
    """How much the choice of protocol matters.

    A grid of protocols and a search between them meet the same people and the same beliefs about cells. Shown are the
    Pareto front of benefit, procedures, adverse events and (where everything has a price on record) cost, the regret of
    each protocol, and how much the protocol matters against whether cells work at all.

    \b
    Examples:
      motorpool cells protocol cells_addon_sitters
      motorpool cells protocol cells_addon_sitters --axis doses=1,3,12 --axis immunosuppression --out page.html
      motorpool cells protocol cells_addon_sitters --objective benefit --objective cost --prices prices.yaml
    """
    target = usable_page(out)
    from motorpool.cell_lab.protocol import USUAL_OBJECTIVES, explore
    from motorpool.cell_lab.protocols import axes_from, read_prices

    axes, own = axes_from(axis), None if prices is None else read_prices(prices)
    plan = _plan(scenario, arm, months_of(months), patients, changes, seed, cells)
    assumed = _mechanisms(plan, mechanism, mechanisms, effect)
    _finish(
        lambda tell: explore(
            plan,
            assumed,
            tell=tell,
            axes=axes,
            draws=draws,
            search=search,
            outcome=outcome,
            objectives=tuple(objective) or USUAL_OBJECTIVES,
            prices=own,
        ),
        target,
        as_json,
        protocol_text,
    )


def uncontrolled(
    patients: int = typer.Option(
        24, "--patients", "-n", min=8, max=1024, help="Children for each report and draw."
    ),
    draws: int = typer.Option(96, "--draws", min=16, max=4096, help="Draws of what is not known of cells."),
    biology: int = typer.Option(
        8, "--biology", min=1, max=256, help="Draws of what is not known of the disease."
    ),
    seed: int = typer.Option(1, "--seed", min=0, help="Random seed."),
    out: Path | None = OUT,
    as_json: bool = AS_JSON,
) -> None:
    """What the uncontrolled reports are worth.

    Simulates the children of each report with cells doing nothing, counts how often so striking a report would be made,
    and weighs the prior by what was reported: at face value, with the hope of an open-label report, and with selection.

    \b
    Example:
      motorpool cells uncontrolled --out page.html
    """
    target = usable_page(out)
    from motorpool.cell_lab.uncontrolled import read_uncontrolled

    _finish(
        lambda tell: read_uncontrolled(people=patients, draws=draws, biology=biology, seed=seed, tell=tell),
        target,
        as_json,
        uncontrolled_text,
    )


def _finish(
    run: Callable[[ProgressCallback], dict[str, Any]],
    target: Path | None,
    as_json: bool,
    text: Callable[[Mapping[str, Any]], str],
) -> None:
    from motorpool.simulation.api import keep_compiled_programs

    keep_compiled_programs()
    begun = time.monotonic()
    with progress_display() as show:
        data = run(show)
    print(json.dumps(data, indent=1, allow_nan=False) if as_json else text(data), flush=True)
    if target is not None:  # last: a disk that is full must not cost the result
        from motorpool.report.cells_page import write_cells_page

        say(f"Page: {write_cells_page(data, target)}")
    say(f"{time.monotonic() - begun:.0f} s")


def _plan(
    scenario: str,
    arm: str | None,
    months: Sequence[float],
    patients: int,
    changes: Sequence[str],
    seed: int | None,
    cells: Sequence[str],
) -> BasePlan:
    from motorpool.cell_lab.plan import base_plan

    every = [*changes, *([] if seed is None else [f"seed={seed}"])]
    return base_plan(scenario, arm=arm, months=months, patients=patients, changes=every, cell_changes=cells)


def _mechanisms(plan: BasePlan, changes: Sequence[str], file: Path | None, effect: str | None) -> Mechanisms:
    from motorpool.cell_lab.mechanisms import changed, of_course, read_mechanisms, stated_total

    assumed = of_course(plan.cells)
    if effect is not None:
        assumed = stated_total(assumed, effect)
    if file is not None:
        assumed = read_mechanisms(file, assumed)
    return changed(assumed, changes)
