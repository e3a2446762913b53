"""The verb `init`: write a commented scenario file to start from."""

from __future__ import annotations

from pathlib import Path

import typer

from motorpool.cli.console import InputProblem

TEMPLATE = Path(__file__).parent / "scenario_template.yaml"


def init(
    file: Path = typer.Argument(Path("scenario.yaml"), metavar="[FILE]", help="File to write."),
) -> None:
    """Write a commented scenario file to start from.

    A file that exists is never overwritten.

    \b
    Examples:
      motorpool init
      motorpool init my_study.yaml
    """
    try:
        with file.expanduser().open("x", encoding="utf-8") as target:
            target.write(TEMPLATE.read_text(encoding="utf-8"))
    except FileExistsError:
        message = f"{file}: exists already and is left as it is; choose another name."
        raise InputProblem(message) from None
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}."
        raise InputProblem(message) from None
    print(f"Change it, then run: motorpool simulate {file}")
    print(file.expanduser().absolute(), flush=True)
