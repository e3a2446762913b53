"""The verbs `scenarios list|show|schema`: plans that come with motorpool, and the format of the files."""

from __future__ import annotations

import sys

import typer

from motorpool.cli.console import InputProblem, aligned

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def scenarios(context: typer.Context) -> None:
    """List and show shipped scenarios; print the schema.

    \b
    Examples:
      motorpool scenarios
      motorpool scenarios show endear_like > my_study.yaml
      motorpool scenarios schema > scenario.schema.json
    """
    if context.invoked_subcommand is None:
        list_scenarios()


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios that come with motorpool."""
    from motorpool.simulation.loading import load_scenario, shipped_scenarios

    rows = [("name", "arms", "months", "title")]
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        rows.append((name, str(len(scenario.arms)), f"{scenario.horizon_months:g}", scenario.title))
    print(aligned(rows))


@app.command("show")
def show_scenario(name: str = typer.Argument(..., help="Name of a shipped scenario.")) -> None:
    """Print the file of a shipped scenario.

    It is ready to be saved and changed.

    \b
    Example:
      motorpool scenarios show later_onset > my_study.yaml
    """
    from motorpool.simulation.loading import SHIPPED_FOLDER, shipped_scenarios
    from motorpool.therapies.fields import nearest_name

    known = shipped_scenarios()
    if name not in known:
        nearest = nearest_name(name, known)
        hint = f" Did you mean {nearest}?" if nearest else ""
        message = f"{name}: is not a shipped scenario; there are {', '.join(known)}.{hint}"
        raise InputProblem(message)
    sys.stdout.write((SHIPPED_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@app.command("schema")
def show_schema() -> None:
    """Print the JSON schema of scenario files.

    Editors use it to check and complete YAML.
    """
    from motorpool.simulation.scenario_schema import SCHEMA_FILE

    sys.stdout.write(SCHEMA_FILE.read_text(encoding="utf-8"))
