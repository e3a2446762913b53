"""The verb `serve`: start the web page on this machine.

The page is a door beside this one, and doors never import one another: this process becomes the server
(`python -m motorpool.web`), so that signals, exit code and output are the server's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from motorpool.cli.console import InputProblem

DEFAULT_PORT = 8765


def serve(
    port: int = typer.Option(DEFAULT_PORT, "--port", "-p", help="Port; 0 takes any free one."),
    public: bool = typer.Option(
        False, "--public", help="Let other machines connect; needs --users and --allow-host."
    ),
    users: Path | None = typer.Option(
        None, "--users", metavar="FILE", help="File of the people who may use it, made with --add-user."
    ),
    add_user: str | None = typer.Option(
        None, "--add-user", metavar="NAME", help="Add a person to the file of --users, and end."
    ),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", metavar="NAME", help="Another host name under which the page is reached."
    ),
    trust_proxy: list[str] = typer.Option(
        [],
        "--trust-proxy",
        metavar="ADDRESS",
        help="Address or network of a server in front of this one, whose X-Forwarded-For says who asks, so that limits "
        "count for each client. [default: none is believed]",
    ),
    host: str | None = typer.Option(
        None,
        "--host",
        metavar="ADDRESS",
        help="Address to listen on. [default: 127.0.0.1; 0.0.0.0 with --public]",
    ),
    folder: Path | None = typer.Option(
        None,
        "--folder",
        metavar="DIR",
        help="Where long runs and saved plans are kept. [default: the user's data folder]",
    ),
    workers: int | None = typer.Option(
        None,
        "--workers",
        metavar="N",
        min=1,
        max=64,
        help="Processes that simulate, each with about 0.8 GB of memory. [default: 2, or 1 on one core]",
    ),
    database: str | None = typer.Option(
        None,
        "--database",
        metavar="URL",
        help="Database of long runs and saved plans, such as postgresql://user@host/name; also the environment "
        "variable MOTORPOOL_DATABASE, which hides a password. [default: SQLite in the folder]",
    ),
) -> None:
    """Start the web page: explore treatment plans live.

    Prints its address and answers until it is stopped with Ctrl-C. It listens on this machine only, and all data stay
    here. The same engine and the same numbers as `motorpool simulate`.

    \b
    Examples:
      motorpool serve
      motorpool serve --port 0
      motorpool serve --add-user anna --users users.txt
      motorpool serve --public --users users.txt --allow-host sma.example.org
      motorpool serve --users users.txt --allow-host sma.example.org --trust-proxy 127.0.0.1
    """
    if not 0 <= port <= 65535:
        raise InputProblem(f"--port {port}: must be from 0 to 65535.")
    if add_user is not None and users is None:
        raise InputProblem("--add-user: needs --users FILE, the file to which the person is added.")
    command = [sys.executable, "-P", "-m", "motorpool.web"]
    if add_user is not None:
        command += ["--add-user", add_user, "--users", str(users)]
    else:
        command += ["--port", str(port), "--host", host or ("0.0.0.0" if public else "127.0.0.1")]
        command += ["--public"] * public
        for name, value in (
            ("--users", users),
            ("--folder", folder),
            ("--workers", workers),
            ("--database", database),
        ):
            command += [name, str(value)] if value is not None else []
        for name in allow_host:
            command += ["--allow-host", name]
        for address in trust_proxy:
            command += ["--trust-proxy", address]
    _become(command)


def _become(command: list[str]) -> None:
    """Go on as another program; where a process cannot be replaced, wait for it and end as it does."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    raise typer.Exit(subprocess.call(command))
