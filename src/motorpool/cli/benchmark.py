"""The verb `benchmark`: speed and error of the engine on this machine, beside general integrators."""

from __future__ import annotations

import json
from typing import Any

import typer

from motorpool.cli.console import aligned, progress_display

MOST_PEOPLE = 100_000


def benchmark(
    people: int | None = typer.Option(
        None, "--people", min=1, max=MOST_PEOPLE, help="Virtual people per case whom the engine carries."
    ),
    quick: bool = typer.Option(False, "--quick", help="Infants only and one repeat, for a first impression."),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON on standard output."),
) -> None:
    """Measure the engine on this machine.

    Integrators that are installed solve the same equations in the same people under the same plans, each with the
    loosest tolerance that is as exact as the engine. They come with the extras `bench` and `bench-source`; what is
    missing is named and left out.

    \b
    Examples:
      motorpool benchmark            two to three minutes
      motorpool benchmark --quick
      motorpool benchmark --json
    """
    from motorpool.benchmark.measure import Plan, all_peers, quick_plan
    from motorpool.benchmark.measure import benchmark as measured
    from motorpool.simulation.api import keep_compiled_programs

    keep_compiled_programs()
    full = Plan() if people is None else Plan(people=people)
    with progress_display() as show:
        found = measured(quick_plan(people) if quick else full, all_peers(), show)
    print(json.dumps(found, indent=1, allow_nan=False) if as_json else _text(found), flush=True)


def _text(found: dict[str, Any]) -> str:
    machine, ours = found["machine"], found["ours"]
    rows: list[tuple[str, ...]] = [
        ("integrator", "patient-years per CPU-second", "largest error", "motorpool is faster by", "setting"),
        (
            f"motorpool {found['version']}",
            f"{ours['patient_years_per_cpu_second']:,.0f}",
            f"{ours['relative_error']:.1e}",
            "",
            "",
        ),
    ]
    for peer in found["peers"]:
        rows.append(
            (
                f"{peer['name']} {peer['version']}",
                f"{peer['patient_years_per_cpu_second']:,.0f}",
                f"{peer['relative_error']:.1e}",
                f"{peer['ratio']:,.0f} times",
                peer["setting"],
            )
        )
    lines = [
        f"{machine['processor']}, {machine['cores']} core(s), {machine['system']}, Python {machine['python']}",
        "",
        aligned(rows),
        "",
        f"On all cores together motorpool carries {ours['patient_years_per_second']:,.0f} patient-years per second: "
        "a thousand people through ten years of life take "
        f"{_seconds(10_000 / ours['patient_years_per_second'])}.",
        "It works out every state, hazard, infection and outcome on the way; the others only the states.",
        "Errors are the largest of all states, as a share of the value or of 1 % of the state's range, against SciPy's",
        "DOP853 at a tolerance of 1e-10. Each integrator has the loosest setting that is as exact as motorpool.",
    ]
    if found["latency"]:
        small = found["latency"]
        lines.append(
            f"A study of {small['patients']} patients, {small['arms']} arms and {small['years']} years takes "
            f"{_seconds(small['seconds'])}, all outcomes and summaries included."
        )
    lines += [f"left out: {one['name']}: {one['why']}" for one in found["left_out"]]
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
