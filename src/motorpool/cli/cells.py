"""The verbs `cells ...`: what is known of cells, and what they would add."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from motorpool.cli import cells_simulation
from motorpool.cli.console import aligned, say
from motorpool.cli.page_file import usable_page

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def cells(context: typer.Context) -> None:
    """What is known of cell therapy, and what it would add.

    \b
    Examples:
      motorpool cells evidence
      motorpool cells addon toddler_on_risdiplam
      motorpool cells uncontrolled
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("evidence")
def evidence(
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON on standard output."),
    out: Path | None = typer.Option(
        None,
        "--out",
        "-o",
        metavar="FILE",
        help="Also write a page with pictures; an earlier one is replaced.",
    ),
) -> None:
    """Show every study of cells that was read, and put together what can be.

    Studies with design, people, route, dose, schedule, result, risk of bias and funding. Random-effects synthesis
    (REML, Hartung-Knapp, prediction interval) with and without trials in which everybody knew the treatment, and
    adjusted for that. Animal work with how seldom it carried over. No study in SMA has a randomised control group.

    \b
    Examples:
      motorpool cells evidence
      motorpool cells evidence --json > cells.json
      motorpool cells evidence --out cells.html
    """
    from motorpool.report.cells_known import MARK, write_known_page

    target = usable_page(out, MARK, "a page of `cells evidence`")
    from motorpool.cell_lab.known import known_content

    content = known_content()
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) if as_json else _text(content))
    if target is not None:
        say(f"Page: {write_known_page(content, target)}")


app.command("addon")(cells_simulation.addon)
app.command("needed")(cells_simulation.needed)
app.command("protocol")(cells_simulation.protocol)
app.command("uncontrolled")(cells_simulation.uncontrolled)


def _text(content: dict[str, Any]) -> str:
    from motorpool.cell_lab.known_words import NOTICE, answer, range_words, signed
    from motorpool.report.cells_tables import people_words

    rows: list[tuple[str, ...]] = [
        ("study", "disease", "design", "people", "effect, SD (95 %)", "risk of bias")
    ]
    for study in content["studies"]:
        effect = study["effect"]
        shown = (
            f"{signed(effect['smd'], 2)} ({range_words(effect['low_95'], effect['high_95'], 2)})"
            if effect
            else f"none: {study['not_pooled']}"
        )
        rows.append(
            (
                study["name"],
                study["disease"],
                study["design_words"],
                people_words(study),
                shown,
                study["risk_of_bias"]["level"],
            )
        )
    pools: list[tuple[str, ...]] = [
        ("put together", "k", "SD (95 %)", "a further study", "tau2", "I2", "Q (p)")
    ]
    for pool in content["syntheses"]:
        found = pool["shown"]
        pools.append(
            (
                pool["title"],
                str(found["k"]),
                f"{signed(found['estimate'], 2)} ({range_words(found['low'], found['high'], 2)})",
                range_words(found["predictive_low"], found["predictive_high"], 2),
                f"{found['tau2']:.3f}",
                f"{found['i2_percent']:.0f} %",
                f"{found['q']:.1f} ({found['q_p_value']:.2f})",
            )
        )
    numbers = content["numbers"]
    years: dict[int, int] = {}
    for row in numbers["by_year_and_phase"]:
        years[row["year"]] = years.get(row["year"], 0) + row["studies"]
    phases = ", ".join(f"{phase}: {count}" for phase, count in numbers["by_phase"].items())
    counts = (
        f"Studies in people by phase: {phases}. By year: {', '.join(f'{y}: {n}' for y, n in years.items())}."
    )
    sentences = "\n".join(f"- {sentence}" for sentence in answer(content))
    return "\n\n".join([sentences, aligned(pools), aligned(rows), counts, NOTICE])
