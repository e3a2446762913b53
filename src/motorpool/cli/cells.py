"""The verbs `cells ...`: what is known of cells, and what they would add."""

from __future__ import annotations

import typer

from motorpool.cli import cells_simulation

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What cells would add, and how sure that is.",
)
app.command("addon")(cells_simulation.addon)
app.command("needed")(cells_simulation.needed)
app.command("protocol")(cells_simulation.protocol)
app.command("uncontrolled")(cells_simulation.uncontrolled)
